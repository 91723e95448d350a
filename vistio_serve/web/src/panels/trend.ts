/** The hour before the moment that is shown, of one node or connection: what is asked, and what is drawn of the answer. Pure. */

import type { Subject, Timeline } from "../api";
import { formatRate, formatTime } from "../format";
import { type State, type Window, levelOf } from "../state";
import type { Data, Trend } from "../store";
import { niceMax, seriesOf } from "../timeline/series";
import { followable } from "../timeline/subject";
import { type Axis, playheadMs } from "../travel";

export const LENGTH_MS = 3_600_000;
export const STEP_MS = 60_000;

/** As the facts above it count: what a node receives, and for one that nobody calls what it sends. */
export function trendSubject(state: State, { topology }: Data): Subject | null {
  const level = levelOf(state);
  const selection = followable(state.selection);
  if (state.selection && !selection) return null;
  if (selection?.kind === "edge") return { level, source: selection.source, target: selection.target };
  const node = selection?.node ?? state.path[1];
  const union = topology.get(level);
  if (node === undefined || !union) return null;
  return union.edges.some((edge) => edge.target === node && !edge.synthetic) ? { level, target: node } : { level, source: node };
}

/**
 * The hour that ends with the minute that is shown. Playing keeps an hour for as long as it has the moment in it,
 * and then takes one with room ahead, so that not each minute is asked for anew.
 */
export function trendWindow(state: State, axis: Axis, kept: Window | null): Window {
  const { mode, direction } = state.travel;
  const atMs = playheadMs(state, axis);
  const playing = mode === "playing";
  if (playing && kept && kept.startMs <= atMs && atMs < kept.endMs) return kept;
  const aheadMs = playing && direction > 0 ? LENGTH_MS / 2 : 0;
  const endMs = (Math.floor(Math.min(atMs + aheadMs, axis.lastMs) / STEP_MS) + 1) * STEP_MS;
  return { startMs: endMs - LENGTH_MS, endMs };
}

export interface Lane {
  /** The path of the line, broken where nobody looked. */
  readonly line: string;
  readonly max: number;
}

export interface Drawn {
  /** Requests per second. */
  readonly rate: Lane;
  /** Errors, percent of requests. */
  readonly errors: Lane;
  /** Left edge and width of each gap. */
  readonly gaps: readonly (readonly [x: number, width: number])[];
  /** All of it in words. */
  readonly says: string;
}

export interface Box {
  readonly width: number;
  readonly rate: { readonly top: number; readonly height: number };
  readonly errors: { readonly top: number; readonly height: number };
}

// A gap of one instant is still to be seen.
const SMALLEST_GAP = 2;
// As on the timeline: less than this is not made to look like much.
const LEAST_ERRORS_PERCENT = 4;

export function drawTrend({ window, timeline }: Trend & { readonly timeline: Timeline }, box: Box, atMs: number): Drawn {
  const { rate, errors } = seriesOf(timeline);
  // A step is drawn in its middle.
  const xs = timeline.steps.start_ms.map((ms) => xOf(ms + timeline.step_ms / 2, window, box.width));
  const [rateMax, errorsMax] = [niceMax(largest(rate)), Math.min(100, Math.max(LEAST_ERRORS_PERCENT, niceMax(largest(errors))))];
  const cut = (ms: number): number => Math.min(Math.max(ms, window.startMs), window.endMs);
  const gaps = timeline.gaps.map((gap) => [cut(Date.parse(gap.start)), cut(Date.parse(gap.end))] as const).filter(([startMs, endMs]) => endMs > startMs);
  return {
    rate: { line: lineOf(xs, rate, rateMax, box.rate), max: rateMax },
    errors: { line: lineOf(xs, errors, errorsMax, box.errors), max: errorsMax },
    gaps: gaps.map(([startMs, endMs]) => {
      const x = xOf(startMs, window, box.width);
      return [x, Math.max(xOf(endMs, window, box.width) - x, SMALLEST_GAP)] as const;
    }),
    says: words(timeline, rate, errors, gaps.length, atMs),
  };
}

export function xOf(ms: number, window: Window, width: number): number {
  return (width * (ms - window.startMs)) / (window.endMs - window.startMs);
}

function lineOf(xs: readonly number[], values: readonly (number | null)[], max: number, lane: Box["rate"]): string {
  let before: number | null | undefined = null;
  return values.map((value, index) => {
    const goesOn = before !== null && before !== undefined;
    before = value;
    if (value === null) return "";
    const place = `${(xs[index] ?? 0).toFixed(1)} ${(lane.top + lane.height * (1 - Math.min(value / max, 1))).toFixed(1)}`;
    // A point without neighbours is a dot: a line of no length, with round ends.
    return goesOn ? `L${place}` : `M${place}h0`;
  }).join("");
}

function words(timeline: Timeline, rate: readonly (number | null)[], errors: readonly (number | null)[], gaps: number, atMs: number): string {
  const known = rate.filter((each) => each !== null);
  if (!known.length) return "Nothing was recorded in this hour.";
  const { start_ms } = timeline.steps;
  const now = start_ms.findLastIndex((ms) => ms <= atMs);
  const [nowRate, nowErrors] = now >= 0 && atMs < start_ms[now]! + timeline.step_ms ? [rate[now], errors[now]] : [null, null];
  const percent = (value: number): string => `${value.toFixed(2)} %`;
  return [
    `Requests per second: at least ${formatRate(Math.min(...known))}, at most ${formatRate(Math.max(...known))}, ${nowRate == null ? "none known" : formatRate(nowRate)} at ${formatTime(atMs)}.`,
    `Errors: at most ${percent(largest(errors))}${nowErrors == null ? "" : `, ${percent(nowErrors)} at ${formatTime(atMs)}`}.`,
    ...(gaps ? [`${gaps} ${gaps === 1 ? "gap" : "gaps"}.`] : []),
  ].join(" ");
}

function largest(values: readonly (number | null)[]): number {
  return values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
}
