/** Whom the timeline is about, and whether an answer is about the same. Pure. */

import type { Subject } from "../values/answers";
import { groupOf } from "../values/crowd";
import { type Selection, type State, type Window, levelOf } from "../values/state";
import type { Topology } from "../values/topology";
import { entriesOf } from "../values/traffic";
import { movedOn, sameWindow } from "../values/window";
import type { Below, Followed, Happened, Heated } from "./store";

/** What the timeline follows: the selection, the focused node, the cluster, or everything. */
export function subjectOf(state: State): Subject {
  const level = levelOf(state);
  const selection = followable(state.selection);
  if (selection?.kind === "node") return { level, node: selection.node };
  if (selection?.kind === "edge") return { level, source: selection.source, target: selection.target };
  if (state.path[1]) return { level, node: state.path[1] };
  // Entering traffic, counted once: the sum over all levels would count a request at each of its hops.
  return { level };
}

// More are rather a mesh without an entry: then every hop is shown.
const MOST_ENTRIES = 8;

/**
 * Whose requests are drawn: their sum. Of a level those that enter, of a node as everywhere on this page those that it
 * receives; none of a connection, which is drawn itself, and of a level that is not entered.
 */
export function countedSubjects(subject: Subject, topology: Topology): Subject[] {
  const { level, node, source, target } = subject;
  if (node !== undefined) return [countedOf(level, node, topology)];
  if (source !== undefined || target !== undefined) return [];
  const entries = entriesOf(topology.get(level));
  return entries.length > MOST_ENTRIES ? [] : entries.map((entry) => ({ level, source: entry }));
}

/** What a node receives, or sends where nobody calls it: of the union, so that it is the same at each instant. */
export function countedOf(level: string, node: string, topology: Topology): Subject {
  const called = topology.get(level)?.edges.some((edge) => edge.target === node && !edge.synthetic) ?? true;
  return called ? { level, target: node } : { level, source: node };
}

/** What has a timeline of its own: a selected group has not. */
export function followable(selection: Selection | null): Selection | null {
  const names = selection?.kind === "edge" ? [selection.source, selection.target] : selection ? [selection.node] : [];
  return names.some((name) => groupOf(name) !== null) ? null : selection;
}

/** The subject by the names of the recording, as it is asked for: the component cannot hold each of them. */
export function asRecorded(subject: Subject, topology: Topology): Subject {
  const name = (level: string, each: string | undefined): string | undefined => topology.get(level)?.nodes.find((node) => node.name === each)?.recorded ?? each;
  const { level, node, source, target } = subject;
  const named = { node: name(level, node), source: name(level, source), target: name(level, target) };
  return { level: name("", level) ?? level, ...Object.fromEntries(Object.entries(named).filter(([, each]) => each !== undefined)) };
}

export function sameSubject(one: Subject, other: Subject): boolean {
  return one.level === other.level && one.node === other.node && one.source === other.source && one.target === other.target;
}

/** The answer, if it is about what is followed now: numbers of one thing never stand under the name of another. */
export function fitting(followed: Followed | null, state: State): Followed | null {
  return followed && sameSubject(followed.subject, subjectOf(state)) ? followed : null;
}

/** What happened, if it was asked for the window that the timeline shows. */
export function happenedHere(happened: Happened | null, state: State): Happened | null {
  return happened && isShownFor(happened.of, state) ? happened : null;
}

/** Services over time, if they were asked for the window that the timeline shows. */
export function heatHere(heated: Heated | null, state: State): Heated | null {
  return heated && isShownFor(heated.of, state) ? heated : null;
}

/** An answer says itself of which time it tells: when a live window moves on, it stays until there is a newer one. */
function isShownFor(of: Window | null, state: State): boolean {
  return sameWindow(of, state.window) || (state.travel.mode === "live" && movedOn(of, state.window));
}

/** What is below the level, where that is the global one and nothing of it is selected. */
export function belowHere(below: Below | null, state: State): Below | null {
  return below && levelOf(state) === "" && followable(state.selection) === null && sameWindow(below.of, state.window) ? below : null;
}
