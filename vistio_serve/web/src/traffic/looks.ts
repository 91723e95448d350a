/** Colours and sprites for the component. */

import type Vizceral from "vizceral";
import type { Change } from "../compare/changes";
import type { Palette } from "../style/palette";

// What a class has that the configuration gives no colour: on a light ground nobody could read it.
const UNCOLOURED = "rgb(186, 213, 237)";

/** Tells the component our colours; classes that the configuration colours keep theirs. */
export function applyPalette(component: Vizceral, palette: Palette, classes: ReadonlyMap<string, string>): void {
  const own = [...classes].map(([name, color]): [string, string] => [name, color === UNCOLOURED ? palette.normal : color]);
  const ours = { normal: palette.normal, warning: palette.warning, danger: palette.danger, default: palette.normal };
  component.renderer.setClearColor(palette.ground, 1);
  component.updateStyles({
    colorText: palette.text,
    colorTextDisabled: palette.quiet,
    colorTraffic: { ...Object.fromEntries(own), ...ours, normalDonut: palette.line },
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

/** Quiet for what is well or absent, and more of the warning's or the danger's colour the more there is of it. */
export function lineColor(volume: Readonly<Record<string, number>>, palette: Palette): Rgba {
  const { normal = 0, warning = 0, danger = 0 } = volume;
  const all = normal + warning + danger;
  if (all <= 0) return { ...rgb(palette.edge), a: 0.25 };
  if (danger / all >= 0.005) return { ...rgb(palette.danger), a: 0.45 + 0.55 * Math.min(1, (danger / all) * 4) };
  if (warning / all >= 0.05) return { ...rgb(palette.warning), a: 0.4 + 0.5 * Math.min(1, warning / all) };
  return { ...rgb(palette.edge), a: 0.6 };
}

/** While comparing, a line tells how it changed, and what did not is quiet. */
export function changeColor(change: Change | undefined, palette: Palette): Rgba {
  if (!change?.notable) return { ...rgb(palette.edge), a: 0.25 };
  const color = change.kind === "new" ? palette.new : change.kind === "gone" ? palette.gone : palette.changed;
  return { ...rgb(color), a: 0.55 + 0.45 * change.strength };
}

/** `#rrggbb` as parts of one. */
export function rgb(hex: string): { r: number; g: number; b: number } {
  const number = Number.parseInt(hex.slice(1), 16);
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
