/** From the answer of `/timeline` to what a chart draws. Pure; times in seconds, as uPlot wants them. */

import { counted, listed } from "../texts/say";
import type { Annotation, Timeline } from "./answers";
import type { Window } from "./state";
import type { Axis } from "./travel";

type Values = (number | null)[];

const NEAR_MS = 30_000;

export interface Series {
  readonly times: number[];
  /** Requests per second. */
  readonly rate: Values;
  /** Errors, percent of requests. */
  readonly errors: Values;
}

/** The step in which a moment is; -1 outside. */
function stepAt({ steps, step_ms }: Timeline, ms: number): number {
  return steps.start_ms.findIndex((startMs) => startMs <= ms && ms < startMs + step_ms);
}

/** Requests per second, and errors in percent of them, in the step of a moment; null where nobody knows. */
export function ratesAt(timeline: Timeline | null, ms: number): { readonly rate: number; readonly errors: number } | null {
  if (!timeline) return null;
  const { rate, errors } = seriesOf(timeline);
  const index = stepAt(timeline, ms);
  return rate[index] == null || errors[index] == null ? null : { rate: rate[index], errors: errors[index] };
}

export interface Mark {
  readonly startMs: number;
  readonly endMs: number;
  readonly kind: "info" | "warning" | "error" | "annotation";
  /** Of an annotation; of notices empty, for they are counted step by step: `noticesAt`. */
  readonly text: string;
}

export function seriesOf(timeline: Timeline | null): Series {
  if (!timeline) return { times: [], rate: [], errors: [] };
  const { steps } = timeline;
  const times = steps.start_ms.map((ms) => ms / 1000);
  const rate: Values = [];
  const errors: Values = [];
  times.forEach((_, index) => {
    // Where not all was seen, what is known is drawn: the gaps say that it is a part.
    const normal = steps.normal[index] ?? steps.known_normal[index];
    const warning = steps.warning[index] ?? steps.known_warning[index];
    const danger = steps.danger[index] ?? steps.known_danger[index];
    const all = normal == null || warning == null || danger == null ? null : normal + warning + danger;
    rate.push(all);
    errors.push(all === null ? null : all > 0 ? (100 * danger!) / all : 0);
  });
  return { times, rate, errors };
}

const RATES = ["normal", "warning", "danger", "known_normal", "known_warning", "known_danger"] as const;

/** The rates of several subjects of one window together; not known where those of one are not. All else is of the first. */
export function added(timelines: readonly Timeline[]): Timeline | null {
  const [first, ...others] = timelines;
  if (!first) return null;
  const plus = (name: (typeof RATES)[number]): Values => first.steps[name].map((value, index) =>
    others.reduce<number | null>((whole, { steps }) => {
      const part = steps[name][index] ?? null;
      return whole === null || part === null ? null : whole + part;
    }, value));
  return { ...first, steps: { ...first.steps, ...Object.fromEntries(RATES.map((name) => [name, plus(name)])) } };
}

const KINDS = ["error", "warning", "info"] as const;

/** How many notices the graphs of a step have at most. */
function countsOf({ steps }: Timeline, index: number): Readonly<Record<(typeof KINDS)[number], number>> {
  return { error: steps.notices_error[index] ?? 0, warning: steps.notices_warning[index] ?? 0, info: steps.notices_info[index] ?? 0 };
}

/** Runs of steps with notices of one severity, the most severe one of each step, sorted by start. */
export function noticeMarks(timeline: Timeline | null): Mark[] {
  if (!timeline) return [];
  const { steps, step_ms } = timeline;
  const marks: Mark[] = [];
  steps.start_ms.forEach((startMs, index) => {
    const counts = countsOf(timeline, index);
    const kind = KINDS.find((each) => counts[each] > 0);
    if (!kind) return;
    const last = marks.at(-1);
    if (last && last.kind === kind && last.endMs === startMs) marks[marks.length - 1] = { ...last, endMs: startMs + step_ms };
    else marks.push({ startMs, endMs: startMs + step_ms, kind, text: "" });
  });
  return marks;
}

/** `8 error notices, 1 warning notice`: those of the step in which a moment is; empty without any. */
export function noticesAt(timeline: Timeline | null, ms: number): string {
  const index = timeline ? stepAt(timeline, ms) : -1;
  if (!timeline || index < 0) return "";
  const counts = countsOf(timeline, index);
  return listed(KINDS.filter((kind) => counts[kind] > 0).map((kind) => noticesText(kind, counts[kind])));
}

function noticesText(kind: (typeof KINDS)[number], count: number): string {
  switch (kind) {
    case "error": return counted(count, "{0} error notice", "{0} error notices");
    case "warning": return counted(count, "{0} warning notice", "{0} warning notices");
    case "info": return counted(count, "{0} info notice", "{0} info notices");
  }
}

export function annotationMarks(annotations: readonly Annotation[]): Mark[] {
  return annotations.map((each) => ({
    startMs: Date.parse(each.start),
    endMs: Date.parse(each.end ?? each.start),
    kind: "annotation",
    text: each.text,
  }));
}

/** What was annotated at a moment. What lasts no time is found near it. */
export function annotationsAt(annotations: readonly Annotation[], ms: number): Mark[] {
  return annotationMarks(annotations).filter((mark) => mark.startMs <= ms && ms <= Math.max(mark.endMs, mark.startMs + NEAR_MS));
}

/** The end of a scale that is easy to read, with room above the largest value. */
export function niceMax(max: number | null): number {
  if (!max || max <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(max * 1.05));
  // Halves of these are easy to read as well.
  return unit * ([1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].find((each) => each * unit >= max * 1.05) ?? 10);
}

/** What the chart spans: the window, or the whole recording; never nothing. */
export function extentOf(window: Window | null, axis: Axis): Window {
  if (window) return window;
  return { startMs: axis.firstMs, endMs: Math.max(axis.lastMs, axis.firstMs + axis.stepMs) };
}
