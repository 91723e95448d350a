/**
 * What the two ends of a connection tell of it, where its rules say whose reports theirs are. Pure.
 *
 * `docs/configuration.md`, "Two witnesses", tells what is counted as lost, and what the network's delay is.
 */

import type { Text } from "../texts/say";
import type { Edge, Measurements, ToldBy } from "./model";

export const TOLD_WORDS: Readonly<Record<Exclude<ToldBy, "">, Text>> = { both: "both ends", caller: "the caller only", called: "the called side only" };

/** Requests a second that were sent and not received; they are among the errors. */
export function lostOf(measurements: Measurements): number {
  return measurements["lost_rps"] ?? 0;
}

/** How many milliseconds longer a request took for the caller than for the called side; null where not both measured it. */
export function networkOf(measurements: Measurements): number | null {
  return measurements["network_ms"] ?? null;
}

/** Who told of several connections: all of them the same, or nobody can say it in a word. */
export function toldTogether(edges: readonly Edge[]): ToldBy {
  const [first, ...others] = new Set(edges.map((edge) => edge.toldBy));
  return others.length ? "" : (first ?? "");
}
