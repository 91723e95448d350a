/**
 * The two measures of a level, the same wherever one of them stands: what enters, and every hop inside. Pure.
 *
 * A request enters once, and users feel what becomes of it; inside it is counted at each of its hops.
 */

import { type Graph, type Level, type Rates, type Tones, sum, total } from "./model";

/** Whether a part of the requests is enough to be marked. */
export function toneOf(kind: keyof Tones, rates: Rates, tones: Tones): keyof Tones | "" {
  const all = total(rates);
  return rates[kind] > 0 && all > 0 && rates[kind] / all >= tones[kind] ? kind : "";
}

/** Those whom nobody calls: through them it enters. Of the union, so that they are the same at each instant. */
export function entriesOf(union: Level | undefined): string[] {
  const real = (union?.edges ?? []).filter((edge) => !edge.synthetic);
  const called = new Set(real.map((edge) => edge.target));
  return [...new Set(real.map((edge) => edge.source))].filter((name) => !called.has(name)).sort();
}

export function enteringRates(level: Level, union: Level | undefined): Rates {
  const entries = new Set(entriesOf(union ?? level));
  return sum(level.edges.filter((edge) => !edge.synthetic && entries.has(edge.source)).map((edge) => edge.rates));
}

/** Of a cluster all of its connections; of the global level those of all clusters. */
export function insideRates(graph: Graph, levelName: string): Rates {
  const levels = [...graph.levels.values()].filter(({ name }) => (levelName === "" ? name !== "" : name === levelName));
  return sum(levels.flatMap((level) => level.edges).filter((edge) => !edge.synthetic).map((edge) => edge.rates));
}
