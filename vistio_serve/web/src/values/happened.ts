/** What happened in the timeline's window: what is asked about, and how the answer is told. Pure. */

import { t } from "../texts/say";
import type { Incident, Incidents } from "./answers";
import { formatDate, formatDay, formatDuration, formatTime } from "./format";
import { keyIn } from "./model";
import { type Selection, type State, type Window, openPath, select, zoom } from "./state";
import type { Topology } from "./topology";
import { type Axis, goTo, playheadMs } from "./travel";
import type { Zone } from "./zones";

// An incident is seen with half its length on both sides, and this at least: it is over after five minutes without it.
const LEAST_AROUND_MS = 360_000;

/** The longest window of one question; the server answers no longer one. */
export const MOST_MS = 86_400_000;

/** Of a window that is longer than a day, the newest day. */
export function newestDay({ startMs, endMs }: Window): Window {
  return { startMs: Math.max(startMs, endMs - MOST_MS), endMs };
}

/** `03:27:50 to 03:44:20, 17 min`, or `since 03:27:50, 4 min so far`; with its day where a window has several. */
export function whenOf(incident: Incident, window: Window, zone: Zone): string {
  const { startMs, endMs } = lastedOf(incident, window.endMs);
  const [from, until] = momentsOf(startMs, endMs, window, zone);
  const length = formatDuration(endMs - startMs);
  return incident.end === null ? t`since ${from}, ${length} so far` : t`${from} to ${until}, ${length}`;
}

/** Both ends of a stretch of time, with their days where the window has more than one. */
function momentsOf(startMs: number, endMs: number, window: Window, zone: Zone): readonly [from: string, until: string] {
  const days = formatDate(window.startMs, zone) !== formatDate(window.endMs - 1, zone);
  const moment = (ms: number): string => (days ? `${formatDay(ms, zone)} ${formatTime(ms, zone)}` : formatTime(ms, zone));
  return [moment(startMs), moment(endMs)];
}

/** The worst first: it is what one came for. */
export function worstFirst(incidents: readonly Incident[]): Incident[] {
  return [...incidents].sort((one, other) => harmOf(other) - harmOf(one) || one.start.localeCompare(other.start));
}

/** How much of what enters it harmed, as in `vistio_core.diagnosis.incidents.Incident.harm`. */
function harmOf({ worst_share, times_as_long }: Incident): number {
  return Math.max(worst_share ?? 0, (1 - 1 / times_as_long) / 2);
}

/** What was looked at, and how much of it was not seen: `15:21:00 to 16:21:30, all of it seen`. */
export function seenOf({ unseen }: Incidents, window: Window, zone: Zone): string {
  const [from, until] = momentsOf(window.startMs, window.endMs, window, zone);
  const lengthMs = window.endMs - window.startMs;
  const missedMs = lengthOf(unseen.map((each) => ({ startMs: Math.max(Date.parse(each.start), window.startMs), endMs: Math.min(Date.parse(each.end), window.endMs) })));
  const seen = missedMs === 0 ? t("all of it seen") : t`${formatDuration(missedMs)} of these ${formatDuration(lengthMs)} not seen, or only in part`;
  return t`${from} to ${until}, ${seen}`;
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
export function goToIncident(state: State, incident: Incident, axis: Axis, topology: Topology): State {
  const { start, first } = incident;
  const level = first.cluster && keyIn(topology.get(""))(first.cluster);
  const key = keyIn(topology.get(level));
  const selection: Selection = first.target === null ? { kind: "node", node: key(first.node) } : { kind: "edge", source: key(first.node), target: key(first.target) };
  return zoomAround(select(openPath(goTo(state, Date.parse(start), axis), level ? [level] : []), selection), incident, axis);
}

/** Shows an incident: the one that the moment shown is in, else the worst. */
export function zoomToIncident(state: State, incidents: readonly Incident[], axis: Axis): State {
  const atMs = playheadMs(state, axis);
  const isIn = ({ startMs, endMs }: Window): boolean => state.travel.atMs !== null && startMs <= atMs && atMs <= endMs;
  const sorted = worstFirst(incidents);
  const found = sorted.find((each) => isIn(lastedOf(each, axis.lastMs))) ?? sorted[0];
  return found ? zoomAround(state, found, axis) : state;
}

/** Shows an incident, with what was before and after it. */
function zoomAround(state: State, incident: Incident, axis: Axis): State {
  const { startMs, endMs } = lastedOf(incident, axis.lastMs);
  const aroundMs = Math.max((endMs - startMs) / 2, LEAST_AROUND_MS);
  return zoom(state, { startMs: Math.max(startMs - aroundMs, axis.firstMs), endMs: Math.min(endMs + aroundMs, axis.lastMs + axis.stepMs) });
}

/** From when to when it was; one that lasts, until then. */
export function lastedOf({ start, end }: Incident, untilMs: number): Window {
  return { startMs: Date.parse(start), endMs: end === null ? untilMs : Date.parse(end) };
}
