/** Steps between stretches of time that the timeline shows: usual lengths, back and on, and along with live. Pure. */

import { type State, zoom } from "./state";
import { type Axis, playheadMs } from "./travel";

const [MINUTE_MS, HOUR_MS] = [60_000, 3_600_000];

/** By their names, as people say them. */
export const LENGTHS_MS: Readonly<Record<string, number>> = { "15m": 15 * MINUTE_MS, "1h": HOUR_MS, "6h": 6 * HOUR_MS, "24h": 24 * HOUR_MS, "7d": 168 * HOUR_MS };

// A live window has this part of its length ahead, so that it does not move, and all be asked anew, with each instant.
const AHEAD = 1 / 15;

/** Shows the newest stretch of a length; around the moment that is shown, where that is older. */
export function zoomToLength(state: State, lengthMs: number, axis: Axis): State {
  const aheadMs = Math.round(lengthMs * AHEAD);
  const newestMs = (Math.floor(axis.lastMs / aheadMs) + 1) * aheadMs - lengthMs;
  const atMs = playheadMs(state, axis);
  const startMs = atMs >= newestMs ? newestMs : Math.floor(atMs - lengthMs / 2);
  return zoom(state, { startMs, endMs: startMs + lengthMs });
}

/** To the stretch that was shown before. */
export function zoomBack(state: State): State {
  const { back, on } = state.zooms;
  return back.length ? { ...state, window: back.at(-1)!, zooms: { back: back.slice(0, -1), on: [state.window, ...on] } } : state;
}

/** To the stretch from which one went back. */
export function zoomOn(state: State): State {
  const { back, on } = state.zooms;
  return on.length ? { ...state, window: on[0]!, zooms: { back: [...back, state.window], on: on.slice(1) } } : state;
}

/** Moves a live window along that the newest instant has just left; where it is no step of the user's, nothing leads back. */
export function slide(state: State, before: Axis, axis: Axis): State {
  const { window } = state;
  if (state.travel.mode !== "live" || !window || window.endMs <= before.lastMs || window.endMs > axis.lastMs) return state;
  const lengthMs = window.endMs - window.startMs;
  const stepMs = Math.round(lengthMs * AHEAD);
  const byMs = (Math.floor((axis.lastMs - window.endMs) / stepMs) + 1) * stepMs;
  return { ...state, window: { startMs: window.startMs + byMs, endMs: window.endMs + byMs } };
}
