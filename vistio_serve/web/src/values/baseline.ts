/** Pinning a moment to compare with: pure steps. */

import type { Graph } from "./model";
import type { State } from "./state";
import { type Axis, goTo } from "./travel";

interface Known {
  readonly graph: Graph | null;
  readonly axis: Axis | null;
}

/** Pins the moment that is shown, or lets the pinned one go. */
export function togglePin(state: State, { graph }: Known): State {
  if (state.baselineMs !== null) return unpin(state);
  return graph ? compareWith(state, graph.about.instantMs) : state;
}

export function compareWith(state: State, baselineMs: number): State {
  return { ...state, baselineMs };
}

export function unpin(state: State): State {
  return state.baselineMs === null ? state : { ...state, baselineMs: null };
}

export function goToBaseline(state: State, { axis }: Known): State {
  return axis && state.baselineMs !== null ? goTo(state, state.baselineMs, axis) : state;
}

/** Shows the baseline, compared with what was shown. */
export function swap(state: State, known: Known): State {
  if (state.baselineMs === null || !known.graph) return state;
  return { ...goToBaseline(state, known), baselineMs: known.graph.about.instantMs };
}
