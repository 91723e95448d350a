/** The colours that a canvas needs, read from the style sheet, where they are defined once. */

export interface Palette {
  readonly ground: string;
  readonly surface: string;
  readonly raised: string;
  readonly text: string;
  readonly quiet: string;
  readonly line: string;
  readonly edge: string;
  readonly node: string;
  readonly accent: string;
  readonly normal: string;
  readonly warning: string;
  readonly danger: string;
  readonly labelText: string;
  readonly new: string;
  readonly gone: string;
  readonly changed: string;
}

const NAMES: readonly (keyof Palette)[] = [
  "ground", "surface", "raised", "text", "quiet", "line", "edge", "node", "accent", "normal", "warning", "danger", "labelText", "new", "gone", "changed",
];

export function readPalette(element: Element = document.documentElement): Palette {
  const style = getComputedStyle(element);
  const read = (name: string): string => style.getPropertyValue(`--${name.replace(/[A-Z]/g, (big) => `-${big.toLowerCase()}`)}`).trim();
  return Object.fromEntries(NAMES.map((name) => [name, read(name)])) as unknown as Palette;
}
