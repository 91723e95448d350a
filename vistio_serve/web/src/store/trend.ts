/** The hour before the moment that is shown, of one node or connection: what is asked. Pure. */

import type { Subject } from "../values/answers";
import { type State, type Window, levelOf } from "../values/state";
import { type Axis, playheadMs } from "../values/travel";
import type { Data } from "./store";
import { countedOf, followable } from "./subject";

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
  return countedOf(level, node, topology);
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
