/** What is drawn of a trend, and all of it in words. Pure; what is asked is in `store/trend.ts`. */

import type { Trend } from "../store/store";
import { counted, t } from "../texts/say";
import type { Timeline } from "../values/answers";
import { formatRate, formatShare, formatTime } from "../values/format";
import { niceMax, seriesOf } from "../values/series";
import type { Window } from "../values/state";
import type { Zone } from "../values/zones";

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

export function drawTrend({ window, timeline }: Trend & { readonly timeline: Timeline }, box: Box, atMs: number, zone: Zone): Drawn {
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
    says: words(timeline, rate, errors, gaps.length, atMs, zone),
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

function words(timeline: Timeline, rate: readonly (number | null)[], errors: readonly (number | null)[], gaps: number, atMs: number, zone: Zone): string {
  const known = rate.filter((each) => each !== null);
  if (!known.length) return t("Nothing was recorded in this hour.");
  const { start_ms } = timeline.steps;
  const now = start_ms.findLastIndex((ms) => ms <= atMs);
  const [nowRate, nowErrors] = now >= 0 && atMs < start_ms[now]! + timeline.step_ms ? [rate[now], errors[now]] : [null, null];
  const percent = (value: number): string => formatShare(value, 100);
  const when = formatTime(atMs, zone);
  return [
    t`Requests per second: at least ${formatRate(Math.min(...known))}, at most ${formatRate(Math.max(...known))}, ${nowRate == null ? t("none known") : formatRate(nowRate)} at ${when}.`,
    nowErrors == null ? t`Errors: at most ${percent(largest(errors))}.` : t`Errors: at most ${percent(largest(errors))}, ${percent(nowErrors)} at ${when}.`,
    ...(gaps ? [counted(gaps, "{0} gap.", "{0} gaps.")] : []),
  ].join(" ");
}

function largest(values: readonly (number | null)[]): number {
  return values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
}
