/**
 * Everything that was there at some time: the union of the graphs that were seen.
 *
 * A node that comes and goes would move all others if the picture were laid out anew each time. So it is
 * laid out for the union, and what is absent at a moment is drawn with rates of zero.
 */

import { type Edge, type Graph, type Level, NO_RATES, type Node, edgeKey, total } from "./model";

export type Topology = ReadonlyMap<string, Level>;

export const EMPTY: Topology = new Map();

/** The union; the same object when the graph brings nothing new. Nodes that were there stay in front. */
export function extend(topology: Topology, graph: Graph): Topology {
  let grown: Map<string, Level> | null = null;
  for (const [name, level] of graph.levels) {
    const before = topology.get(name);
    const after = before ? extendLevel(before, level) : bare(level);
    if (after !== before) (grown ??= new Map(topology)).set(name, after);
  }
  return grown ?? topology;
}

/** The graph's level with everything of the topology that is absent there, at rest. */
export function complete(level: Level, topology: Topology): Level {
  const union = topology.get(level.name);
  if (!union) return level;
  const nodes = new Map(level.nodes.map((node) => [node.name, node]));
  const edges = new Map(level.edges.map((edge) => [edgeKey(edge), edge]));
  return {
    ...level,
    maxVolume: Math.max(level.maxVolume, union.maxVolume),
    nodes: union.nodes.map((node) => nodes.get(node.name) ?? node),
    edges: union.edges.map((edge) => edges.get(edgeKey(edge)) ?? edge),
  };
}

function extendLevel(union: Level, level: Level): Level {
  const names = new Set(union.nodes.map((node) => node.name));
  const keys = new Set(union.edges.map(edgeKey));
  const nodes = level.nodes.filter((node) => !names.has(node.name));
  const edges = level.edges.filter((edge) => !keys.has(edgeKey(edge)));
  // A scale that follows each moment would make the number of particles mean something else each time.
  const maxVolume = Math.max(union.maxVolume, level.maxVolume, ...level.edges.map((edge) => total(edge.rates)));
  if (!nodes.length && !edges.length && maxVolume === union.maxVolume) return union;
  return {
    ...union,
    maxVolume,
    nodes: [...union.nodes, ...nodes.map(atRestNode)],
    edges: [...union.edges, ...edges.map(atRestEdge)],
  };
}

function bare(level: Level): Level {
  return extendLevel({ ...level, nodes: [], edges: [] }, level);
}

function atRestNode(node: Node): Node {
  return { ...node, notices: [], measurements: {} };
}

function atRestEdge(edge: Edge): Edge {
  return { ...edge, rates: NO_RATES, notices: [], measurements: {}, toldBy: "" };
}
