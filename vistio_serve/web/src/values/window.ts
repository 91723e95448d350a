/** The timeline's window. Pure. */

import type { Window } from "./state";
import type { Axis } from "./travel";

/** As much of the timeline's window as was recorded; null where none of it was. */
export function recordedOf(window: Window | null, axis: Axis): Window | null {
  const startMs = Math.max(window?.startMs ?? -Infinity, axis.firstMs);
  const endMs = Math.min(window?.endMs ?? Infinity, axis.lastMs + axis.stepMs);
  return startMs < endMs ? { startMs, endMs } : null;
}

export function sameWindow(one: Window | null, other: Window | null): boolean {
  return one === other || (one !== null && other !== null && one.startMs === other.startMs && one.endMs === other.endMs);
}
