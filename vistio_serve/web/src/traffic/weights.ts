/** How much nodes and connections of a level count, for names and lines. Pure. */

import { type Level, total } from "../values/model";

// Less traffic than this share of the busiest connection's is still to be seen.
const LEAST_WEIGHT = 0.1;

/** How much a connection counts beside the busiest one of its level, from 0.1 to 1: a tenth of its traffic is about a third. */
export function weightOf(rps: number, most: number): number {
  return most > 0 ? Math.max(LEAST_WEIGHT, Math.sqrt(Math.min(1, rps / most))) : 1;
}

export interface Weights {
  readonly level: Level | undefined;
  /** Whose names come first: roughly the requests of each node, for names should not come and go with each instant. */
  readonly ranks: ReadonlyMap<string, number>;
  /** What the busiest connection has. */
  readonly most: number;
}

export const NO_WEIGHTS: Weights = { level: undefined, ranks: new Map(), most: 0 };

export function weightsOf(level: Level | undefined): Weights {
  const rates = new Map<string, number>();
  let most = 0;
  for (const { source, target, rates: each } of level?.edges ?? []) {
    const all = total(each);
    most = Math.max(most, all);
    for (const node of [source, target]) rates.set(node, (rates.get(node) ?? 0) + all);
  }
  return { level, ranks: new Map([...rates].map(([node, rate]) => [node, Math.round(Math.log2(rate + 1))])), most };
}
