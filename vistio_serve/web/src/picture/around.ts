/** What is near a node: its callers and what it calls, so many hops up and down, or all the way. Pure. */

import type { Around } from "../values/crowd";
import type { Level } from "../values/model";
import { append } from "../values/multimap";

/** The names around a node, itself too; null where the level has no such node. */
export function namesAround(level: Level, { node, up, down }: Around): ReadonlySet<string> | null {
  if (!level.nodes.some((each) => each.name === node)) return null;
  const [callers, called] = [new Map<string, string[]>(), new Map<string, string[]>()];
  for (const { source, target, synthetic } of level.edges) {
    if (synthetic) continue;
    append(called, source, target);
    append(callers, target, source);
  }
  return new Set([...reached(node, callers, up), ...reached(node, called, down)]);
}

/** The level with these nodes alone, and the connections between them. */
export function only(level: Level, names: ReadonlySet<string>): Level {
  return { ...level, nodes: level.nodes.filter((node) => names.has(node.name)), edges: level.edges.filter((edge) => names.has(edge.source) && names.has(edge.target)) };
}

function reached(from: string, next: ReadonlyMap<string, readonly string[]>, hops: number): ReadonlySet<string> {
  const found = new Set([from]);
  let last: readonly string[] = [from];
  for (let hop = 0; hop < hops && last.length; hop++) {
    last = [...new Set(last.flatMap((name) => next.get(name) ?? []))].filter((name) => !found.has(name));
    for (const name of last) found.add(name);
  }
  return found;
}
