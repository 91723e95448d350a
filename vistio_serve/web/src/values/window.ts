/** The timeline's window. Pure. */

import type { Window } from "./state";
import type { Axis } from "./travel";

/** As much of the timeline's window as was recorded; null where none of it was. */
export function recordedOf(window: Window | null, axis: Axis): Window | null {
  const startMs = Math.max(window?.startMs ?? -Infinity, axis.firstMs);
  const endMs = Math.min(window?.endMs ?? Infinity, axis.lastMs + axis.stepMs);
  return startMs < endMs ? { startMs, endMs } : null;
}

/** Whether a window is another one that moved on a little, as a live one does: most of it is in both. */
export function movedOn(before: Window | null, after: Window | null): boolean {
  if (before === null || after === null) return false;
  const byMs = after.startMs - before.startMs;
  return byMs > 0 && byMs < before.endMs - before.startMs && after.endMs - before.endMs === byMs;
}

export function sameWindow(one: Window | null, other: Window | null): boolean {
  return one === other || (one !== null && other !== null && one.startMs === other.startMs && one.endMs === other.endMs);
}
