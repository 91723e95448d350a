/** Whether what is shown is older than it should be. Pure. */

import type { Data, Snapshot } from "./store";

/** More intervals than these between what is shown and what should be: something does not come. */
export const LATE_INTERVALS = 3;

/** What the server's clock shows when this browser's shows `nowMs`; the same until it was told. */
export function serverMs({ clockOffsetMs }: Data, nowMs: number): number {
  return nowMs + (clockOffsetMs ?? 0);
}

/** Whether the live picture is the last one that there is, since nothing was seen for longer than one may borrow from. */
export function isSilent({ state, data }: Snapshot): boolean {
  return state.travel.mode === "live" && data.graph !== null && data.problem?.kind === "nothing-recorded";
}

/** How old the live picture is when nothing newer comes; null while all is well, and in the past. */
export function latenessMs({ state, data }: Snapshot, nowMs: number): number | null {
  if (state.travel.mode !== "live" || !data.graph) return null;
  const { instantMs, intervalMs } = data.graph.about;
  const ageMs = serverMs(data, nowMs) - instantMs;
  return ageMs > LATE_INTERVALS * intervalMs ? ageMs : null;
}
