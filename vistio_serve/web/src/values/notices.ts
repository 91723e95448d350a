/** Which notices say the same, and which of them is nearest to where it began. Pure. */

import type { Incident } from "./answers";
import { type Notice, edgeKey, keyIn } from "./model";
import { append } from "./multimap";
import type { Topology } from "./topology";

export interface PlacedNotice extends Notice {
  /** Where it is; empty where that is clear. */
  readonly place: string;
  readonly ofEdge: boolean;
  /** How near it is to the first cause: 0 is there, more came later, `Infinity` is none. */
  readonly cause: number;
  readonly open?: () => void;
}

/** Notices of which the same is said, the one that is nearest to the first cause in front. */
export interface Folded {
  readonly about: string;
  readonly subtitle: string;
  readonly severity: Notice["severity"];
  readonly notices: readonly PlacedNotice[];
}

/** One for equal titles; first cause first, then the most severe, then the largest. */
export function fold(notices: readonly PlacedNotice[]): Folded[] {
  const byTitle = new Map<string, PlacedNotice[]>();
  for (const notice of [...notices].sort(inOrder)) append(byTitle, notice.about, notice);
  return [...byTitle].map(([about, same]) => ({
    about,
    subtitle: same[0]!.subtitle,
    severity: same.reduce<Notice["severity"]>((most, { severity }) => (severity > most ? severity : most), 0),
    notices: same,
  }));
}

function inOrder(one: PlacedNotice, other: PlacedNotice): number {
  // Two of no cause are equal: Infinity less Infinity is nothing.
  if (one.cause !== other.cause) return one.cause < other.cause ? -1 : 1;
  return other.severity - one.severity || (other.amount ?? 0) - (one.amount ?? 0) || one.place.localeCompare(other.place);
}

/** Where the incidents of a moment began and whom they hit, by level and node, in that order. */
export function causesAt(incidents: readonly Incident[], ms: number, topology: Topology): (level: string, target: string) => number {
  const ranks = new Map<string, number>();
  for (const { start, end, hit } of incidents) {
    if (ms < Date.parse(start) || (end !== null && ms >= Date.parse(end))) continue;
    for (const { cluster, node } of hit) {
      const level = cluster && keyIn(topology.get(""))(cluster);
      const key = edgeKey({ source: level, target: keyIn(topology.get(level))(node) });
      if (!ranks.has(key)) ranks.set(key, ranks.size);
    }
  }
  return (level, target) => ranks.get(edgeKey({ source: level, target })) ?? Infinity;
}
