/**
 * What changed where nodes are drawn as groups: connections that are drawn as one are compared as one. Pure.
 *
 * The server lists what changed, so a connection that is not listed had the same rates at both moments: those
 * that are shown. Without it, a group of which one connection is new would be new itself.
 */

import type { Diff } from "../values/answers";
import { type Level, type Rates, edgeKey, keyIn, sum, total } from "../values/model";
import { append } from "../values/multimap";
import { type Change, type LevelChanges, changeOf, changesOf } from "./changes";
import type { Plan } from "./groups";

interface Sides {
  readonly source: string;
  readonly target: string;
  readonly before: Rates | null;
  readonly after: Rates | null;
}

/**
 * The changes of a level as it is drawn: by node names and group keys.
 *
 * @param level as it is shown, with those that are gone.
 */
export function drawnChanges(diff: Diff, level: Level, plan: Plan): LevelChanges {
  const single = changesOf(diff, level);
  if (!plan.drawnAs.size) return single;
  const as = (name: string): string => plan.drawnAs.get(name) ?? name;
  const grouped = (name: string): boolean => plan.drawnAs.has(name);
  const [nodes, edges] = [new Map([...single.nodes].filter(([name]) => !grouped(name))), new Map<string, Change>()];
  const drawn = new Map<string, Sides[]>();
  const [received, sent] = [new Map<string, Sides[]>(), new Map<string, Sides[]>()];
  for (const each of sidesOf(diff, level)) {
    const [source, target] = [as(each.source), as(each.target)];
    if (source === target) continue;
    append(drawn, edgeKey({ source, target }), each);
    if (grouped(each.target)) append(received, target, each);
    if (grouped(each.source)) append(sent, source, each);
  }
  for (const [key, all] of drawn) {
    const change = together(all);
    if (change) edges.set(key, change);
  }
  // As everywhere: what a node receives, and for one that nobody calls what it sends.
  for (const key of new Set(plan.drawnAs.values())) {
    const change = together(received.get(key) ?? sent.get(key) ?? []);
    if (change) nodes.set(key, change);
  }
  return { nodes, edges };
}

/** Every connection that was there at one of the two moments. */
function sidesOf(diff: Diff, level: Level): Sides[] {
  const key = keyIn(level);
  const listed = diff.edges.filter((each) => each.cluster === level.name).map((each): Sides => ({ source: key(each.source), target: key(each.target), before: each.before, after: each.after }));
  const known = new Set(listed.map(edgeKey));
  const same = level.edges.filter((edge) => total(edge.rates) > 0 && !known.has(edgeKey(edge))).map(({ source, target, rates }): Sides => ({ source, target, before: rates, after: rates }));
  return [...listed, ...same];
}

/** Null where nothing is different. */
function together(all: readonly Sides[]): Change | null {
  if (all.every((each) => each.before === each.after)) return null;
  const side = (rates: readonly (Rates | null)[]): Rates | null => {
    const there = rates.filter((each) => each !== null);
    return there.length ? sum(there) : null;
  };
  return changeOf(side(all.map((each) => each.before)), side(all.map((each) => each.after)));
}
