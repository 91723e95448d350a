/** The cells of the heat map on a canvas: one colour for each strength, hatching where nothing was seen. */

import type { Palette } from "../dom/palette";
import { type HeatRow, strengthOf } from "../values/heat";
import type { HeatKind } from "../values/state";

export const ROW_PX = 16;
const HATCH_PX = 6;

/** Rows from the top, columns over the whole width of the canvas; measures are CSS pixels. */
export function drawCells(canvas: HTMLCanvasElement, width: number, rows: readonly HeatRow[], columns: number, kind: HeatKind, palette: Palette): void {
  const unit = devicePixelRatio;
  canvas.width = Math.max(1, Math.round(width * unit));
  canvas.height = Math.max(1, Math.round(rows.length * ROW_PX * unit));
  const ctx = canvas.getContext("2d");
  if (!ctx) return;
  const hatch = hatching(ctx, palette, unit);
  const left = (column: number): number => Math.round((canvas.width * column) / columns);
  rows.forEach((row, number) => {
    const top = Math.round(number * ROW_PX * unit);
    const height = Math.round((ROW_PX - 1) * unit);
    for (const [from, until, strength] of runs(row, kind)) {
      const [x, w] = [left(from), left(until) - left(from)];
      ctx.fillStyle = strength === null ? hatch : palette.raised;
      ctx.fillRect(x, top, w, height);
      if (!strength) continue;
      ctx.globalAlpha = Math.abs(strength);
      ctx.fillStyle = kind === "errors" ? palette.danger : strength > 0 ? (kind === "latency" ? palette.warning : palette.new) : palette.gone;
      // Not only another colour: more stands in the upper half, less in the lower one.
      if (kind === "change") ctx.fillRect(x, strength > 0 ? top : top + height / 2, w, height / 2);
      else ctx.fillRect(x, top, w, height);
      ctx.globalAlpha = 1;
    }
  });
}

/** Neighbours that look alike, as one: from, until, and how strong; null where it was not seen. */
function* runs(row: HeatRow, kind: HeatKind): Generator<readonly [number, number, number | null]> {
  const look = (column: number): number | null => {
    const cell = row.cells[column];
    return cell === null ? null : Math.round(50 * strengthOf(cell, kind)) / 50;
  };
  for (let from = 0; from < row.cells.length; ) {
    const strength = look(from);
    let until = from + 1;
    while (until < row.cells.length && look(until) === strength) until++;
    yield [from, until, strength];
    from = until;
  }
}

function hatching(ctx: CanvasRenderingContext2D, palette: Palette, unit: number): CanvasPattern | string {
  const tile = document.createElement("canvas");
  tile.width = tile.height = Math.round(HATCH_PX * unit);
  const lines = tile.getContext("2d");
  if (!lines) return palette.line;
  lines.strokeStyle = palette.quiet;
  lines.lineWidth = unit;
  const size = tile.width;
  for (const shift of [-size, 0, size]) {
    lines.moveTo(shift, size);
    lines.lineTo(shift + size, 0);
  }
  lines.stroke();
  return ctx.createPattern(tile, "repeat") ?? palette.line;
}
