/** From a graph, the union it belongs to and the filters to what is drawn. Pure. */

import type { LayoutKind } from "../values/crowd";
import { type Edge, type Graph, type Level, type Node, total, worst } from "../values/model";
import type { Patterns } from "../values/patterns";
import { type Filters, hasThresholds, isFiltered } from "../values/state";
import { type Topology, complete } from "../values/topology";
import type { LevelChanges } from "./changes";
import { factsOf, isUnhealthy, meantBy } from "./nodes";

/** What a layout is made for: names and ends are all that matters. */
export interface Shape {
  readonly nodes: readonly { readonly name: string }[];
  readonly edges: readonly { readonly source: string; readonly target: string }[];
  /** How they are laid out; the component's own tree when it is not said. */
  readonly layout?: LayoutKind;
  /** The main connections with their weights, where forces lay it out. */
  readonly pulls?: readonly { readonly source: string; readonly target: string; readonly weight: number }[];
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

export function sceneOf(graph: Graph, topology: Topology, filters: Filters, arrange = AS_IT_IS, patterns: Patterns | null = null): Scene {
  const levels = new Map<string, Level>();
  const shapes = new Map<string, Level & Shape>(topology);
  for (const [name, level] of graph.levels) {
    const whole = complete(level, topology);
    // The global level is the way to all others, so nothing of it is hidden.
    const drawn = name === "" ? { level: whole, shape: topology.get(name) ?? whole } : arrange(filterLevel(whole, filters, patterns), topology.get(name) ?? whole);
    levels.set(name, drawn.level);
    shapes.set(name, drawn.shape);
  }
  return { name: graph.name, levels, topology: shapes, classes: graph.classes, changes: null };
}

/** The level without what the filters hide; an edge takes its nodes with it when they have no other. */
export function filterLevel(level: Level, filters: Filters, patterns: Patterns | null): Level {
  const named = filters.hide.trim() ? without(level, new Set(meantBy(filters.hide, level, patterns))) : level;
  const healthy = filters.unhealthyOnly ? unhealthyOf(named) : named;
  return hasThresholds(filters) ? aboveThresholds(healthy, filters) : healthy;
}

function without(level: Level, hidden: ReadonlySet<string>): Level {
  return { ...level, nodes: level.nodes.filter((node) => !hidden.has(node.name)), edges: level.edges.filter((edge) => !hidden.has(edge.source) && !hidden.has(edge.target)) };
}

/** Nodes that are not well, and connections that are not, with both of their ends. */
function unhealthyOf(level: Level): Level {
  const facts = factsOf(level);
  const edges = level.edges.filter((edge) => !edge.synthetic && isUnhealthy(edge.rates, worst(edge.notices), level.tones));
  const ends = new Set(edges.flatMap((edge) => [edge.source, edge.target]));
  return { ...level, edges, nodes: level.nodes.filter((node) => ends.has(node.name) || (!node.synthetic && facts.get(node.name)?.unhealthy === true)) };
}

function aboveThresholds(level: Level, filters: Filters): Level {
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
export function countsOf(graph: Graph, levelName: string, filters: Filters, patterns: Patterns | null): Counts {
  const level = graph.levels.get(levelName);
  if (!level) return { nodes: 0, edges: 0, hiddenNodes: 0, hiddenEdges: 0 };
  const drawn = levelName === "" ? level : filterLevel(level, filters, patterns);
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

/** The nodes of a level that the filters hide, by their labels. */
export function hiddenOf(level: Level, filters: Filters, patterns: Patterns | null): readonly Node[] {
  if (level.name === "" || !isFiltered(filters)) return [];
  const shown = new Set(filterLevel(level, filters, patterns).nodes.map((node) => node.name));
  return level.nodes.filter((node) => !node.synthetic && !shown.has(node.name)).sort((one, other) => (one.label < other.label ? -1 : 1));
}

/** Names on a level that are looked for. */
export function matches(level: Level | undefined, find: string, patterns: Patterns | null): readonly string[] {
  return level ? meantBy(find, level, patterns) : [];
}

/** As what the found names are drawn: themselves, or the groups that they are in. */
export function foundAs(level: Level | undefined, find: string, drawnAs: ReadonlyMap<string, string>, patterns: Patterns | null): ReadonlySet<string> {
  return new Set(matches(level, find, patterns).map((name) => drawnAs.get(name) ?? name));
}
