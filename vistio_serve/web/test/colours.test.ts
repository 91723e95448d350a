/** Colours that people can tell apart and read, whatever they see: computed from the style sheet itself. */

import { describe, expect, test } from "vitest";
import { legible, rgb } from "../src/traffic/looks";
import css from "../src/style/tokens.css?raw";

type Rgb = readonly [number, number, number];
type Matrix = readonly [Rgb, Rgb, Rgb];

/** Machado, Oliveira and Fernandes 2009, complete deficiency; on linear RGB. */
const VISIONS: Readonly<Record<string, Matrix>> = {
  "all colours": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

/** The colours of a block, over those of the blocks that it stands on. */
function themed(...selectors: string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const selector of selectors) {
    const block = css.slice(css.indexOf(selector)).match(/\{([^}]*)\}/)?.[1] ?? "";
    for (const [, name, value] of block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)) found.set(name!, value!);
  }
  return found;
}

const DARK = ':root, :root[data-theme="dark"]';
const LIGHT = ':root[data-theme="light"]';
const THEMES = {
  dark: themed(DARK),
  light: themed(DARK, LIGHT),
  "dark, projected": themed(DARK, ':root[data-projection][data-theme="dark"]'),
  "light, projected": themed(DARK, LIGHT, ':root[data-projection][data-theme="light"]'),
};

function linear(hex: string): Rgb {
  const part = (at: number): number => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [part(1), part(3), part(5)];
}

function seen(colour: Rgb, matrix: Matrix): Rgb {
  const row = (by: Rgb): number => Math.min(1, Math.max(0, by[0] * colour[0] + by[1] * colour[1] + by[2] * colour[2]));
  return [row(matrix[0]), row(matrix[1]), row(matrix[2])];
}

/** Oklab, in which equal distances look equally different. */
function oklab([r, g, b]: Rgb): Rgb {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s];
}

function distance(one: string, other: string, matrix: Matrix): number {
  const [a, b] = [oklab(seen(linear(one), matrix)), oklab(seen(linear(other), matrix))];
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** WCAG 2.2's contrast ratio. */
function contrast(one: string, other: string): number {
  const luminance = (hex: string): number => { const [r, g, b] = linear(hex); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

describe.each(Object.entries(THEMES))("%s", (_, colours) => {
  const colour = (name: string): string => {
    const found = colours.get(name);
    if (!found) throw new Error(`tokens.css has no --${name}`);
    return found;
  };

  // A just noticeable difference is about 0.02; thin lines and small dots need many of them.
  test.each(Object.entries(VISIONS))("with %s, what is well, warned of and wrong are told apart", (_vision, matrix) => {
    const pairs = [["normal", "warning"], ["normal", "danger"], ["warning", "danger"], ["edge", "danger"], ["edge", "warning"]] as const;
    for (const [one, other] of pairs) {
      expect.soft(distance(colour(one), colour(other), matrix), `${one} and ${other}`).toBeGreaterThan(0.12);
    }
  });

  test.each(["ground", "surface", "raised"])("texts can be read on the %s", (ground) => {
    for (const text of ["text", "quiet", "accent", "danger", "warning-text", "live"]) {
      expect.soft(contrast(colour(text), colour(ground)), text).toBeGreaterThan(4.5);
    }
  });

  test("what is drawn stands out from its ground", () => {
    for (const mark of ["normal", "warning", "danger"]) expect.soft(contrast(colour(mark), colour("ground")), mark).toBeGreaterThan(3);
    for (const tone of ["danger", "warning"]) expect.soft(contrast(colour("text"), colour(`${tone}-ground`)), tone).toBeGreaterThan(7);
    for (const [text, mark] of [["label-text", "normal"], ["on-warning", "warning"], ["label-text", "danger"]] as const) expect.soft(contrast(colour(text), colour(mark)), `label on ${mark}`).toBeGreaterThan(4.5);
  });

  test("names can be read on the colours that a configuration gives to classes, and on what is selected", () => {
    const palette = { labelText: colour("label-text"), text: colour("text") };
    for (const given of ["#949ca6", "#b095d8", "#7cc08f", "#ffffff", "#000000", "#badded", "#ffff00"]) {
      const shown = legible(given, palette);
      expect.soft(contrast(palette.labelText, shown), given).toBeGreaterThan(4.49);
      if (contrast(palette.labelText, given) >= 4.5) expect.soft(shown).toBe(given);
    }
    expect(contrast(palette.labelText, palette.text)).toBeGreaterThan(7);
    expect(legible("rebeccapurple", palette)).toBe("rebeccapurple");
    expect(rgb("#fa0")).toEqual(rgb("#ffaa00"));
  });
});
