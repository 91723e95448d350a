/**
 * Measurements while time plays: frames have none, so those of a whole graph nearby stand in, with their own time. Pure.
 */

import { type Edge, type Graph, type Level, type Measurements, type Node, type ToldBy, edgeKey } from "../values/model";

/** What was measured longer ago, or later, tells nothing of a frame. */
export const MOST_AWAY_MS = 300_000;

interface Found {
  readonly nodes: ReadonlyMap<string, Measurements>;
  readonly edges: ReadonlyMap<string, Measurements>;
  /** Who told of a connection; as measurements, it comes with whole graphs only. */
  readonly told: ReadonlyMap<string, ToldBy>;
}

const found = new WeakMap<Level, Found>();

/** A frame's graph with the measurements of another moment, if that is near. */
export function withMeasurements(frame: Graph, measured: Graph | null): Graph {
  const measuredMs = measured?.about.instantMs ?? null;
  if (!measured || measuredMs === null || Math.abs(frame.about.instantMs - measuredMs) > MOST_AWAY_MS || !hasMeasurements(measured)) return frame;
  const levels = new Map([...frame.levels].map(([name, level]): [string, Level] => {
    const from = measured.levels.get(name);
    return [name, from ? levelWith(level, foundIn(from)) : level];
  }));
  return { ...frame, measuredMs, levels };
}

export function hasMeasurements(graph: Graph): boolean {
  return [...graph.levels.values()].some((level) => measures(foundIn(level)));
}

function levelWith(level: Level, from: Found): Level {
  if (!measures(from)) return level;
  const nodes = level.nodes.map((node): Node => ({ ...node, measurements: from.nodes.get(node.name) ?? node.measurements }));
  const edges = level.edges.map((edge): Edge => ({ ...edge, measurements: from.edges.get(edgeKey(edge)) ?? edge.measurements, toldBy: from.told.get(edgeKey(edge)) ?? edge.toldBy }));
  return { ...level, nodes, edges };
}

function measures({ nodes, edges, told }: Found): boolean {
  return nodes.size > 0 || edges.size > 0 || told.size > 0;
}

function foundIn(level: Level): Found {
  const before = found.get(level);
  if (before) return before;
  const some = (each: { readonly measurements: Measurements }): boolean => Object.keys(each.measurements).length > 0;
  const made = {
    nodes: new Map(level.nodes.filter(some).map((node) => [node.name, node.measurements])),
    edges: new Map(level.edges.filter(some).map((edge) => [edgeKey(edge), edge.measurements])),
    told: new Map(level.edges.filter((edge) => edge.toldBy !== "").map((edge) => [edgeKey(edge), edge.toldBy])),
  };
  found.set(level, made);
  return made;
}
