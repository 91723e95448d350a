/** The way through time: pure steps from a state to the next. Clocks and timers are the caller's. */

import { SPEEDS, type Speed, type State, type Travel, type Window } from "./state";

/** What is known of the recording's extent. */
export interface Axis {
  readonly firstMs: number;
  /** The newest instant. */
  readonly lastMs: number;
  /** The recording interval. */
  readonly stepMs: number;
}

export function goLive(state: State): State {
  return withTravel(state, { mode: "live", atMs: null, refused: "", unread: "", direction: 1 });
}

/** Stands at a moment, within the recording. */
export function goTo(state: State, atMs: number, axis: Axis): State {
  return withTravel(state, { mode: "at", atMs: clamp(atMs, axis), refused: "", unread: "" });
}

/** The moment that is asked for now: the newest one when live. */
export function playheadMs(state: State, axis: Axis): number {
  return state.travel.atMs ?? axis.lastMs;
}

/** The instant of the recording's grid at or before a moment. */
export function onGrid(ms: number, axis: Axis): number {
  return ms - (ms % axis.stepMs);
}

export function pause(state: State, axis: Axis): State {
  return state.travel.mode === "at" ? state : goTo(state, onGrid(playheadMs(state, axis), axis), axis);
}

/** Plays from where we stand; from the end, or from live, it begins again where the loop or the recording does. */
export function play(state: State, axis: Axis, direction: 1 | -1 = 1): State {
  const { loop } = state.travel;
  const extent = loop ?? { startMs: axis.firstMs, endMs: axis.lastMs };
  let atMs = playheadMs(state, axis);
  const outside = loop !== null && (atMs < loop.startMs || atMs >= loop.endMs);
  if (direction > 0 && (outside || atMs >= axis.lastMs)) atMs = extent.startMs;
  if (direction < 0 && (outside || atMs <= axis.firstMs)) atMs = extent.endMs;
  return withTravel(state, { mode: "playing", atMs: clamp(atMs, axis), refused: "", unread: "", direction });
}

/** What the big button and the space bar do. */
export function togglePlaying(state: State, axis: Axis): State {
  return state.travel.mode === "at" ? play(state, axis) : pause(state, axis);
}

/** `count` instants on, or back when negative; it pauses. */
export function step(state: State, axis: Axis, count: number): State {
  return goTo(state, onGrid(playheadMs(state, axis), axis) + count * axis.stepMs, axis);
}

/** Where playing has come to `elapsedMs` later. */
export function advance(state: State, axis: Axis, elapsedMs: number): State {
  const { mode, atMs, speed, direction, loop } = state.travel;
  if (mode !== "playing" || atMs === null) return state;
  const next = atMs + direction * speed * elapsedMs;
  if (loop) return withTravel(state, { atMs: clamp(wrap(next, loop), axis) });
  if (next >= axis.lastMs && direction > 0) return goLive(state);
  if (next <= axis.firstMs && direction < 0) return goTo(state, axis.firstMs, axis);
  return withTravel(state, { atMs: clamp(next, axis) });
}

export function setLoop(state: State, loop: Window | null): State {
  return withTravel(state, { loop: loop && loop.startMs < loop.endMs ? loop : null });
}

export function setSpeed(state: State, speed: Speed): State {
  return withTravel(state, { speed });
}

/** The next of the speeds, or the one before; the ends stay. */
export function changeSpeed(state: State, by: 1 | -1): State {
  const index = SPEEDS.indexOf(state.travel.speed) + by;
  return setSpeed(state, SPEEDS[Math.min(Math.max(index, 0), SPEEDS.length - 1)] ?? 1);
}

/**
 * The next mark (a notice that begins, a gap, an annotation) in a direction; unchanged without one.
 *
 * @param marks sorted, epoch milliseconds.
 */
export function toMark(state: State, axis: Axis, marks: readonly number[], direction: 1 | -1): State {
  const here = onGrid(playheadMs(state, axis), axis);
  const found =
    direction > 0 ? marks.find((ms) => ms >= here + axis.stepMs) : marks.findLast((ms) => ms < here);
  return found === undefined ? state : goTo(state, found, axis);
}

function wrap(ms: number, loop: Window): number {
  const length = loop.endMs - loop.startMs;
  return loop.startMs + ((((ms - loop.startMs) % length) + length) % length);
}

function clamp(ms: number, axis: Axis): number {
  return Math.min(Math.max(ms, axis.firstMs), axis.lastMs);
}

function withTravel(state: State, change: Partial<Travel>): State {
  return { ...state, travel: { ...state.travel, ...change } };
}
