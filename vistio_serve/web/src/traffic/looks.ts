/** Colours and sprites for the component. */

import type Vizceral from "vizceral";
import type { Palette } from "../dom/palette";
import type { Change } from "../picture/changes";
import type { Tones } from "../values/model";

// What a class has that the configuration gives no colour: on a light ground nobody could read it.
const UNCOLOURED = "rgb(186, 213, 237)";

/** How much is left of what is not selected, or not found: it says where one is, and must still be read. */
export const DIMMED = { node: 0.45, edge: 0.2 };

// Of text, by the Web Content Accessibility Guidelines.
const READABLE_CONTRAST = 4.5;

/** Tells the component our colours; classes that the configuration colours keep theirs, as far as names on them can be read. */
export function applyPalette(component: Vizceral, palette: Palette, classes: ReadonlyMap<string, string>): void {
  const own = [...classes].map(([name, color]): [string, string] => [name, color === UNCOLOURED ? palette.normal : legible(hexOf(color), palette)]);
  const ours = { normal: palette.normal, warning: palette.warning, danger: palette.danger, default: palette.normal };
  const traffic = { ...Object.fromEntries(own), ...ours, normalDonut: palette.line };
  component.renderer.setClearColor(palette.ground, 1);
  component.updateStyles({
    colorText: palette.text,
    colorTextDisabled: palette.quiet,
    colorTraffic: traffic,
    // Its own are brighter ones, which on a light ground are none.
    colorTrafficHighlighted: Object.fromEntries(Object.keys(traffic).map((name) => [name, palette.text])),
    colorNormalDimmed: palette.quiet,
    colorBackgroundDark: palette.surface,
    colorLabelBorder: palette.ground,
    colorLabelText: palette.labelText,
    colorDonutInternalColor: palette.node,
    colorDonutInternalColorHighlighted: palette.text,
    colorConnectionLine: palette.edge,
    colorPageBackground: palette.ground,
    colorPageBackgroundTransparent: palette.ground,
    colorBorderLines: palette.line,
    colorArcBackground: palette.line,
  });
}

export interface Rgba {
  readonly r: number;
  readonly g: number;
  readonly b: number;
  readonly a: number;
}

/**
 * Quiet for what is well or absent, and more of the warning's or the danger's colour the more there is of it: of the sum
 * where a line is many connections.
 *
 * @param weight `weightOf`: what is well is the fainter the less traffic it has, what is not is always to be seen.
 */
export function lineColor(volume: Readonly<Record<string, number>>, palette: Palette, tones: Tones, weight = 1): Rgba {
  const { normal = 0, warning = 0, danger = 0 } = volume;
  const all = normal + warning + danger;
  if (all <= 0) return { ...rgb(palette.edge), a: 0.25 };
  if (danger > 0 && danger / all >= tones.danger) return { ...rgb(palette.danger), a: 0.45 + 0.55 * Math.min(1, (danger / all) * 4) };
  if (warning > 0 && warning / all >= tones.warning) return { ...rgb(palette.warning), a: 0.4 + 0.5 * Math.min(1, warning / all) };
  return { ...rgb(palette.edge), a: 0.15 + 0.65 * weight };
}

/** While comparing, a line tells how it changed, and what did not is quiet. */
export function changeColor(change: Change | undefined, palette: Palette): Rgba {
  if (!change?.notable) return { ...rgb(palette.edge), a: 0.25 };
  const color = change.kind === "new" ? palette.new : change.kind === "gone" ? palette.gone : palette.changed;
  return { ...rgb(color), a: 0.55 + 0.45 * change.strength };
}

/** The colour, mixed with that of texts until names can be read on it; what is no `#rrggbb` is left as it is. */
export function legible(color: string, palette: Pick<Palette, "labelText" | "text">): string {
  if (!/^#[0-9a-f]{6}$/i.test(color)) return color;
  const [from, to] = [rgb(color), rgb(palette.text)];
  for (let share = 0; share < 1; share += 0.05) {
    const part = (one: number, other: number): number => one + share * (other - one);
    const mixed = { r: part(from.r, to.r), g: part(from.g, to.g), b: part(from.b, to.b) };
    if (contrast(mixed, rgb(palette.labelText)) >= READABLE_CONTRAST) return hex(mixed);
  }
  return palette.text;
}

/** Any CSS colour as `#rrggbb`, where there is a canvas that knows. */
function hexOf(color: string): string {
  const context = document.createElement("canvas").getContext("2d");
  if (!context) return color;
  context.fillStyle = color;
  return context.fillStyle;
}

type Rgb = Omit<Rgba, "a">;

function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance({ r, g, b }: Rgb): number {
  const linear = (value: number): number => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

function hex({ r, g, b }: Rgb): string {
  return `#${[r, g, b].map((part) => Math.round(255 * part).toString(16).padStart(2, "0")).join("")}`;
}

/** `#rrggbb` as parts of one, or `#rgb`, which a build makes of it where it can. */
export function rgb(hex: string): { r: number; g: number; b: number } {
  const digits = hex.length === 4 ? hex.slice(1).replace(/./g, "$&$&") : hex.slice(1);
  const number = Number.parseInt(digits, 16);
  return { r: ((number >> 16) & 255) / 255, g: ((number >> 8) & 255) / 255, b: (number & 255) / 255 };
}

/** A soft white dot; the component colours it. */
export function makeSprite(): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 32;
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const dot = context.createRadialGradient(16, 16, 0, 16, 16, 16);
  dot.addColorStop(0, "rgba(255,255,255,1)");
  dot.addColorStop(0.45, "rgba(255,255,255,0.95)");
  dot.addColorStop(1, "rgba(255,255,255,0)");
  context.fillStyle = dot;
  context.fillRect(0, 0, 32, 32);
  return canvas;
}
