/** What happened in the timeline's window: what is asked about, and how the answer is told. Pure. */

import type { Incident, Incidents } from "./answers";
import { formatDate, formatDuration, formatTime } from "./format";
import { keyIn } from "./model";
import { type Selection, type State, type Window, openPath, select } from "./state";
import type { Topology } from "./topology";
import { type Axis, goTo } from "./travel";

/** The longest window of one question; the server answers no longer one. */
export const MOST_MS = 86_400_000;

/** Of a window that is longer than a day, the newest day. */
export function newestDay({ startMs, endMs }: Window): Window {
  return { startMs: Math.max(startMs, endMs - MOST_MS), endMs };
}

/** `03:27:50 to 03:44:20, 17 min`, or `since 03:27:50, 4 min so far`; with its day where a window has several. */
export function whenOf({ start, end }: Incident, window: Window): string {
  const [startMs, endMs] = [Date.parse(start), end === null ? window.endMs : Date.parse(end)];
  const [from, until] = momentsOf(startMs, endMs, window);
  const length = formatDuration(endMs - startMs);
  return end === null ? `since ${from}, ${length} so far` : `${from} to ${until}, ${length}`;
}

/** Both ends of a stretch of time, with their days where the window has more than one. */
function momentsOf(startMs: number, endMs: number, window: Window): readonly [from: string, until: string] {
  const days = formatDate(window.startMs) !== formatDate(window.endMs - 1);
  const moment = (ms: number): string => (days ? `${formatDate(ms).slice(5)} ${formatTime(ms)}` : formatTime(ms));
  return [moment(startMs), moment(endMs)];
}

/** The worst first: it is what one came for. */
export function worstFirst(incidents: readonly Incident[]): Incident[] {
  return [...incidents].sort((one, other) => other.worst_share - one.worst_share || one.start.localeCompare(other.start));
}

/** What was looked at, and how much of it was not seen: `15:21:00 to 16:21:30, all of it seen`. */
export function seenOf({ unseen }: Incidents, window: Window): string {
  const [from, until] = momentsOf(window.startMs, window.endMs, window);
  const lengthMs = window.endMs - window.startMs;
  const missedMs = lengthOf(unseen.map((each) => ({ startMs: Math.max(Date.parse(each.start), window.startMs), endMs: Math.min(Date.parse(each.end), window.endMs) })));
  const seen = missedMs === 0 ? "all of it seen" : `${formatDuration(missedMs)} of these ${formatDuration(lengthMs)} not seen, or only in part`;
  return `${from} to ${until}, ${seen}`;
}

/** How long some stretches of time are together; where they overlap they count once. */
function lengthOf(stretches: readonly Window[]): number {
  let [sumMs, untilMs] = [0, -Infinity];
  for (const { startMs, endMs } of [...stretches].sort((one, other) => one.startMs - other.startMs)) {
    sumMs += Math.max(0, endMs - Math.max(startMs, untilMs));
    untilMs = Math.max(untilMs, endMs);
  }
  return sumMs;
}

/** Stands where it began, on the level of who left normal first, with that selected. */
export function goToIncident(state: State, { start, first }: Incident, axis: Axis, topology: Topology): State {
  const level = first.cluster && keyIn(topology.get(""))(first.cluster);
  const key = keyIn(topology.get(level));
  const selection: Selection = first.target === null ? { kind: "node", node: key(first.node) } : { kind: "edge", source: key(first.node), target: key(first.target) };
  return select(openPath(goTo(state, Date.parse(start), axis), level ? [level] : []), selection);
}
