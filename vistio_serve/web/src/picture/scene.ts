/** From a graph, the union it belongs to and the filters to what is drawn. Pure. */

import type { LayoutKind } from "../values/crowd";
import { type Edge, type Graph, type Level, type Node, total, worst } from "../values/model";
import { type Filters, isFiltered } from "../values/state";
import { type Topology, complete } from "../values/topology";
import type { LevelChanges } from "./changes";

/** What a layout is made for: names and ends are all that matters. */
export interface Shape {
  readonly nodes: readonly { readonly name: string }[];
  readonly edges: readonly { readonly source: string; readonly target: string }[];
  /** How they are laid out; the component's own tree when it is not said. */
  readonly layout?: LayoutKind;
}

export interface Scene {
  readonly name: string;
  readonly levels: ReadonlyMap<string, Level>;
  /** What the places are made for: a superset of `levels`, filtered or not. */
  readonly topology: ReadonlyMap<string, Level & Shape>;
  readonly classes: ReadonlyMap<string, string>;
  /** By level, what changed since the pinned moment; null without one. */
  readonly changes: ReadonlyMap<string, LevelChanges> | null;
}

/** How much of a level is to be seen; what is hidden is said. */
export interface Counts {
  readonly nodes: number;
  readonly edges: number;
  readonly hiddenNodes: number;
  readonly hiddenEdges: number;
}

/** Makes of a level, and of the union it belongs to, what is drawn and what the places are made for. */
export type Arrange = (level: Level, union: Level) => { readonly level: Level; readonly shape: Level & Shape };

const AS_IT_IS: Arrange = (level, union) => ({ level, shape: union });

export function sceneOf(graph: Graph, topology: Topology, filters: Filters, arrange = AS_IT_IS): Scene {
  const levels = new Map<string, Level>();
  const shapes = new Map<string, Level & Shape>(topology);
  for (const [name, level] of graph.levels) {
    const whole = complete(level, topology);
    // The global level is the way to all others, so nothing of it is hidden.
    const drawn = name === "" ? { level: whole, shape: topology.get(name) ?? whole } : arrange(filterLevel(whole, filters), topology.get(name) ?? whole);
    levels.set(name, drawn.level);
    shapes.set(name, drawn.shape);
  }
  return { name: graph.name, levels, topology: shapes, classes: graph.classes, changes: null };
}

/** The level without what the filters hide; an edge takes its nodes with it when they have no other. */
export function filterLevel(level: Level, filters: Filters): Level {
  if (!isFiltered(filters)) return level;
  const hidden = new Set(filters.hiddenClasses);
  const byName = new Map(level.nodes.map((node) => [node.name, node]));
  const shown = (name: string): boolean => !hidden.has(byName.get(name)?.class ?? "");
  const notable = (name: string): boolean => worst(byName.get(name)?.notices ?? []) >= filters.minSeverity;
  const edges = level.edges.filter((edge) => {
    const either = worst(edge.notices) >= filters.minSeverity || notable(edge.source) || notable(edge.target);
    return passes(edge, filters) && either && shown(edge.source) && shown(edge.target);
  });
  const connected = new Set(edges.flatMap((edge) => [edge.source, edge.target]));
  return { ...level, edges, nodes: level.nodes.filter((node) => connected.has(node.name)) };
}

/** What is drawn of a level, and what is not. */
export function countsOf(graph: Graph, levelName: string, filters: Filters): Counts {
  const level = graph.levels.get(levelName);
  if (!level) return { nodes: 0, edges: 0, hiddenNodes: 0, hiddenEdges: 0 };
  const drawn = levelName === "" ? level : filterLevel(level, filters);
  const [all, some] = [facts(level), facts(drawn)];
  return { ...some, hiddenNodes: all.nodes - some.nodes, hiddenEdges: all.edges - some.edges };
}

function facts(level: Level): { nodes: number; edges: number } {
  const real = (each: Node | Edge): boolean => !each.synthetic;
  return { nodes: level.nodes.filter(real).length, edges: level.edges.filter(real).length };
}

function passes(edge: Edge, filters: Filters): boolean {
  const all = total(edge.rates);
  if (all < filters.minRps) return false;
  return filters.minErrorPercent === 0 || (all > 0 && (100 * edge.rates.danger) / all >= filters.minErrorPercent);
}

/** Names on a level that a text is part of: of what they are called, or of what is shown of it. */
export function matches(level: Level | undefined, find: string): readonly string[] {
  const wanted = find.trim().toLowerCase();
  if (!wanted || !level) return [];
  return level.nodes
    .filter((node) => !node.synthetic && `${node.recorded}\n${node.label}`.toLowerCase().includes(wanted))
    .map((node) => node.name);
}

/** As what the found names are drawn: themselves, or the groups that they are in. */
export function foundAs(level: Level | undefined, find: string, drawnAs: ReadonlyMap<string, string>): ReadonlySet<string> {
  return new Set(matches(level, find).map((name) => drawnAs.get(name) ?? name));
}
