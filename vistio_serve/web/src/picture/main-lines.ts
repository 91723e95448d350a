/**
 * Of a level with more connections than anybody can tell apart: those that matter. Pure.
 *
 * The others are not forgotten: what is selected has all of its own, and the note under the picture counts them.
 */

import { type Edge, type Level, edgeKey, total } from "../values/model";
import type { Selection } from "../values/state";
import { toneOf } from "../values/traffic";

/** More are a hairball. */
export const MOST_LINES = 220;
const MOST_RED = 100;

export interface Lines {
  readonly level: Level;
  /** How many connections are not drawn, and their requests per second; 0 where all are. */
  readonly left: number;
  readonly leftRate: number;
  readonly rate: number;
}

/** The busiest connections, those that fail, of each node the busiest to it, and all of what is selected. */
export function mainLines(level: Level, selection: Selection | null): Lines {
  const real = level.edges.filter((edge) => !edge.synthetic);
  const rate = real.reduce((sum, edge) => sum + total(edge.rates), 0);
  if (real.length <= MOST_LINES) return { level, left: 0, leftRate: 0, rate };
  const byTraffic = [...real].sort((one, other) => total(other.rates) - total(one.rates) || (edgeKey(one) < edgeKey(other) ? -1 : 1));
  const red = real.filter((edge) => toneOf("danger", edge.rates, level.tones) !== "").sort((one, other) => other.rates.danger - one.rates.danger || (edgeKey(one) < edgeKey(other) ? -1 : 1));
  const chosen = new Set<Edge>(red.slice(0, MOST_RED));
  const entered = new Set<string>();
  for (const edge of byTraffic) {
    if (entered.has(edge.target)) continue;
    entered.add(edge.target);
    chosen.add(edge);
  }
  for (const edge of byTraffic) {
    if (chosen.size >= MOST_LINES) break;
    chosen.add(edge);
  }
  for (const edge of real) if (isOf(selection, edge)) chosen.add(edge);
  const left = real.filter((edge) => !chosen.has(edge));
  const leftRate = left.reduce((sum, edge) => sum + total(edge.rates), 0);
  return { level: { ...level, edges: level.edges.filter((edge) => edge.synthetic || chosen.has(edge)) }, left: left.length, leftRate, rate };
}

function isOf(selection: Selection | null, { source, target }: Edge): boolean {
  if (!selection) return false;
  if (selection.kind === "edge") return selection.source === source && selection.target === target;
  return selection.node === source || selection.node === target;
}
