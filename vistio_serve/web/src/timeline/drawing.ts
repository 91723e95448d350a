/** What uPlot has no series for: gaps and marks, drawn on its canvas. */

import type uPlot from "uplot";
import type { Palette } from "../dom/palette";
import type { Gap } from "../values/answers";
import type { Mark } from "../values/series";

const HATCH_PX = 7;
const MARK_PX = 4;

/**
 * Hatches the times when nothing was recorded; a gap of one instant is still to be seen.
 *
 * @param scale how many times as large as on the page.
 */
export function drawGaps(chart: uPlot, gaps: readonly Gap[], palette: Palette, scale = 1): void {
  const { ctx, bbox } = chart;
  ctx.save();
  for (const gap of gaps) {
    const [left, width] = span(chart, Date.parse(gap.start), Date.parse(gap.end), 3 * scale);
    if (width <= 0) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, width, bbox.height);
    ctx.clip();
    ctx.fillStyle = `${palette.quiet}1c`;
    ctx.fillRect(left, bbox.top, width, bbox.height);
    ctx.strokeStyle = `${palette.quiet}99`;
    ctx.lineWidth = scale * devicePixelRatio;
    ctx.beginPath();
    for (let x = left - bbox.height; x < left + width; x += HATCH_PX * scale * devicePixelRatio) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }
  ctx.restore();
}

/** Notices as bars along the top, annotations as lines with a flag: told apart by place and form, not by colour alone. */
export function drawMarks(chart: uPlot, marks: readonly Mark[], palette: Palette, scale = 1): void {
  const { ctx, bbox } = chart;
  const unit = scale * devicePixelRatio;
  const colors = { info: palette.normal, warning: palette.warning, error: palette.danger, annotation: palette.text };
  ctx.save();
  for (const mark of marks) {
    const [left, width] = span(chart, mark.startMs, mark.endMs, 2 * scale);
    if (width <= 0) continue;
    ctx.fillStyle = colors[mark.kind];
    if (mark.kind !== "annotation") {
      const height = MARK_PX * unit * (mark.kind === "error" ? 1.5 : 1);
      ctx.fillRect(left, bbox.top, width, height);
      continue;
    }
    ctx.fillRect(left, bbox.top, unit, bbox.height);
    // How long it went on, along the bottom.
    if (mark.endMs > mark.startMs) ctx.fillRect(left, bbox.top + bbox.height - 2 * unit, width, 2 * unit);
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left + 8 * unit, bbox.top + 4 * unit);
    ctx.lineTo(left, bbox.top + 8 * unit);
    ctx.fill();
  }
  ctx.restore();
}

/** A line through the moment that is shown; none where it lies outside. */
export function drawPlayhead(chart: uPlot, atMs: number | null, palette: Palette, scale: number): void {
  const { ctx, bbox } = chart;
  const left = atMs === null ? -1 : chart.valToPos(atMs / 1000, "x", true);
  if (left < bbox.left || left > bbox.left + bbox.width) return;
  ctx.fillStyle = palette.text;
  ctx.fillRect(left - scale * devicePixelRatio, bbox.top, 2 * scale * devicePixelRatio, bbox.height);
}

/** Left edge and width in canvas pixels, cut to the plot; width 0 when outside. */
function span(chart: uPlot, startMs: number, endMs: number, smallest: number): [number, number] {
  const { bbox } = chart;
  const left = chart.valToPos(startMs / 1000, "x", true);
  const right = Math.max(chart.valToPos(endMs / 1000, "x", true), left + smallest * devicePixelRatio);
  const from = Math.max(left, bbox.left);
  return [from, Math.min(right, bbox.left + bbox.width) - from];
}
