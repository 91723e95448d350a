/** Places by rules of our own, for graphs that the component's tree draws as one long chain. Pure. */

import type { Dimensions, Position } from "vizceral";
import { append } from "../values/multimap";

interface Ends {
  readonly source: string;
  readonly target: string;
}

// More in one column have no room for their names.
const MOST_IN_COLUMN = 16;
const SWEEPS = 4;

/**
 * Columns by the distance from the entries, entries on the left. In a column everything is near to what it is
 * connected with in the column before. The middle of the picture is (0, 0), y up.
 */
export function columns(names: readonly string[], edges: readonly Ends[], size: Dimensions): Map<string, Position> {
  const ordered = ordering(byDistance(names, edges), edges).flatMap(inParts);
  const places = new Map<string, Position>();
  ordered.forEach((column, index) => {
    const x = ordered.length < 2 ? 0 : size.width * (index / (ordered.length - 1) - 0.5);
    column.forEach((name, row) => places.set(name, { x, y: size.height * (0.5 - (row + 0.5) / column.length) }));
  });
  return places;
}

/** The entries in the middle, the others around them in the order in which they are reached: neighbours stand together. */
export function circle(names: readonly string[], edges: readonly Ends[], size: Dimensions): Map<string, Position> {
  const [entries = [], ...others] = ordering(byDistance(names, edges), edges);
  const around = others.flat();
  const places = new Map<string, Position>();
  entries.forEach((name, index) => places.set(name, { x: 0, y: (entries.length - 1) * 40 - index * 80 }));
  around.forEach((name, index) => {
    const angle = Math.PI / 2 - (2 * Math.PI * index) / around.length;
    places.set(name, { x: 0.48 * size.width * Math.cos(angle), y: 0.46 * size.height * Math.sin(angle) });
  });
  return places;
}

/** Names by the length of the shortest way from an entry; what no way leads to comes last. */
function byDistance(names: readonly string[], edges: readonly Ends[]): string[][] {
  const called = new Set(edges.filter(({ source, target }) => source !== target).map(({ target }) => target));
  const outgoing = new Map<string, string[]>();
  for (const { source, target } of edges) append(outgoing, source, target);
  const entries = names.filter((name) => !called.has(name));
  const reached = new Set(entries);
  const levels: string[][] = [];
  for (let next = entries; next.length; ) {
    levels.push(next);
    next = [...new Set(next.flatMap((name) => outgoing.get(name) ?? []))].filter((name) => !reached.has(name));
    for (const name of next) reached.add(name);
  }
  const rest = names.filter((name) => !reached.has(name));
  return rest.length ? [...levels, rest] : levels;
}

/** Each column sorted by where its neighbours in the others are, a few times back and forth, so that fewer lines cross. */
function ordering(levels: readonly (readonly string[])[], edges: readonly Ends[]): string[][] {
  const ordered = levels.map((level) => [...level]);
  const neighbours = new Map<string, string[]>();
  for (const { source, target } of edges) {
    append(neighbours, source, target);
    append(neighbours, target, source);
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const indices = ordered.map((_, index) => (sweep % 2 ? ordered.length - 1 - index : index));
    for (const index of indices) {
      const beside = ordered[sweep % 2 ? index + 1 : index - 1];
      if (!beside) continue;
      const rows = new Map(beside.map((name, row): [string, number] => [name, (row + 0.5) / beside.length]));
      const height = (name: string, row: number): number => {
        const all = (neighbours.get(name) ?? []).flatMap((each) => rows.get(each) ?? []);
        return all.length ? all.reduce((one, other) => one + other, 0) / all.length : (row + 0.5) / ordered[index]!.length;
      };
      const heights = new Map(ordered[index]!.map((name, row): [string, number] => [name, height(name, row)]));
      ordered[index]!.sort((one, other) => heights.get(one)! - heights.get(other)!);
    }
  }
  return ordered;
}

/** A column that is too long as several, every nth name in each, so that neighbours stay at the same height. */
function inParts(column: readonly string[]): string[][] {
  const count = Math.ceil(column.length / MOST_IN_COLUMN);
  return Array.from({ length: count }, (_, part) => column.filter((_, row) => row % count === part));
}
