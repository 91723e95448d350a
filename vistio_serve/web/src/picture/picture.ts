/**
 * The picture of a snapshot: its scene, and which nodes are drawn as groups.
 *
 * Everything on the page that speaks of what is drawn asks here, and gets the same answer. The only memory
 * is what must not change with each instant: who is among the first ones, and the scale.
 */

import type { Data, Snapshot } from "../store/store";
import type { Crowd } from "../values/crowd";
import { type Level, edgeKey, total } from "../values/model";
import type { Patterns } from "../values/patterns";
import { type Selection, levelOf } from "../values/state";
import { complete } from "../values/topology";
import type { LevelChanges } from "./changes";
import { drawnChanges } from "./grouped";
import { EVERYTHING, type Plan, arrange, entered, firstOf, planOf, ranked } from "./groups";
import { namesAround, only } from "./around";
import { type Lines, mainLines } from "./main-lines";
import { type Arrange, type Scene, type Shape, sceneOf } from "./scene";

export interface Picture {
  readonly scene: Scene;
  /** By level. */
  readonly plans: ReadonlyMap<string, Plan>;
  /** By level, what of it is shown: all, or what is near a node. */
  readonly near: ReadonlyMap<string, Level>;
  /** By level, what is told of its connections. */
  readonly lines: ReadonlyMap<string, Lines>;
}

interface Memory {
  first: readonly string[];
  /** What `first` was made for. */
  asked: string;
  peak: number;
  /** What is near a node, of a union. */
  narrowed: { readonly union: Level; readonly key: string; readonly names: ReadonlySet<string> | null; readonly near: Level } | null;
  /** A level in groups, which does not change with what is selected. */
  arranged: { readonly level: Level; readonly plan: Plan; readonly drawn: Level } | null;
  planned: { readonly union: Level; readonly key: string; readonly plan: Plan; readonly shape: Level & Shape } | null;
}

export class Pictures {
  private readonly memories = new Map<string, Memory>();
  private latest: { readonly key: readonly unknown[]; readonly picture: Picture } | null = null;

  /** Null while there is no graph. */
  of({ state, data }: Snapshot): Picture | null {
    if (!data.graph) return null;
    // Where not all connections are drawn, what is selected has its own.
    const thinned = [...(this.latest?.picture.lines.values() ?? [])].some((lines) => lines.left > 0);
    const key = [data.graph, data.topology, data.patterns, state.filters, state.crowd, state.path, thinned ? state.selection : null];
    if (this.latest && key.every((each, index) => each === this.latest?.key[index])) return this.latest.picture;
    const plans = new Map<string, Plan>();
    const near = new Map<string, Level>();
    const lines = new Map<string, Lines>();
    const arrangeLevel: Arrange = (level, union) => {
      const here = level.name === levelOf(state);
      const crowd = here ? state.crowd : { ...state.crowd, around: null };
      const arranged = this.arrange(level, union, crowd, here ? (state.path[1] ?? null) : null, state.travel.mode === "playing", here ? state.selection : null, data.patterns);
      plans.set(level.name, arranged.plan);
      near.set(level.name, arranged.near);
      lines.set(level.name, arranged.lines);
      return arranged;
    };
    const picture = { scene: sceneOf(data.graph, data.topology, state.filters, arrangeLevel, data.patterns), plans, near, lines };
    const left = [...lines.values()].some((each) => each.left > 0);
    this.latest = { key: [...key.slice(0, -1), left ? state.selection : null], picture };
    return picture;
  }

  /** The plan of the level that is shown. */
  planOf(now: Snapshot): Plan {
    return this.of(now)?.plans.get(levelOf(now.state)) ?? EVERYTHING;
  }

  /** What is told of the connections of the level that is shown; null where all are drawn. */
  linesOf(now: Snapshot): Lines | null {
    const lines = this.of(now)?.lines.get(levelOf(now.state));
    return lines?.left ? lines : null;
  }

  private arrange(whole: Level, all: Level, crowd: Crowd, focus: string | null, playing: boolean, selection: Selection | null, patterns: Patterns | null): { level: Level; shape: Level & Shape; plan: Plan; near: Level; lines: Lines } {
    const memory = this.memories.get(whole.name) ?? { first: [], asked: "", peak: 0, planned: null, narrowed: null, arranged: null };
    const { level, union } = narrowed(memory, whole, all, focus === null ? crowd.around : null);
    this.memories.set(level.name, memory);
    const first = (): readonly string[] => {
      const asked = `${crowd.top} ${crowd.rank}`;
      if (asked !== memory.asked) memory.first = [];
      // While time moves fast nobody can follow who comes and goes, so the nodes stay.
      if (!playing || !memory.first.length) memory.first = firstOf(ranked(level, crowd.rank), crowd.top, memory.first);
      memory.asked = asked;
      return memory.first;
    };
    const { plan, shape } = this.planned(memory, union, crowd, focus, first, patterns);
    // A node's own view has all of its connections.
    const thin = (drawn: Level): Lines => (crowd.allLines || focus !== null ? { level: drawn, left: 0, leftRate: 0, rate: 0 } : mainLines(drawn, drawnSelection(selection, plan)));
    if (!plan.drawnAs.size) {
      const lines = thin(level);
      return { level: lines.level, shape, plan, near: level, lines };
    }
    if (memory.arranged?.level !== level || memory.arranged.plan !== plan) memory.arranged = { level, plan, drawn: arrange(level, plan) };
    const { drawn } = memory.arranged;
    memory.peak = Math.max(memory.peak, drawn.maxVolume);
    const lines = thin(drawn);
    return { level: withEntries({ ...lines.level, maxVolume: memory.peak }, shape), shape, plan, near: level, lines };
  }

  /** Plans and shapes depend on the union alone, unless the first nodes are asked for. */
  private planned(memory: Memory, union: Level, crowd: Crowd, focus: string | null, first: () => readonly string[], patterns: Patterns | null): { plan: Plan; shape: Level & Shape } {
    const before = memory.first;
    const key = JSON.stringify([crowd, focus, patterns !== null]);
    const { planned } = memory;
    if (planned && planned.union === union && planned.key === key && planned.plan.mode !== "top") return planned;
    const plan = planOf(union, crowd, focus, first, patterns);
    const same = planned && planned.union === union && planned.key === key && String(before) === String(memory.first);
    if (same) return planned;
    const arranged = plan.drawnAs.size ? entered(arrange(union, plan)) : union;
    // Groups call each other in circles, of which a tree makes one long chain.
    const main = mainLines(arranged, null);
    const layout = crowd.layout === "auto" ? (plan.drawnAs.size ? (main.left > 0 ? "forces" : "columns") : "tree") : crowd.layout;
    const pulls = layout === "forces" ? main.level.edges.map((edge) => ({ source: edge.source, target: edge.target, weight: Math.max(total(edge.rates), 1e-3) })) : undefined;
    const shape = { ...arranged, layout, ...(pulls && { pulls }) };
    if (planned && planned.key !== key) memory.peak = 0;
    memory.planned = { union, key, plan, shape };
    return memory.planned;
  }
}

/** The level and its union, or what of both is near a node. */
function narrowed(memory: Memory, level: Level, union: Level, around: Crowd["around"]): { level: Level; union: Level } {
  if (!around) return { level, union };
  const key = JSON.stringify(around);
  if (memory.narrowed?.union !== union || memory.narrowed.key !== key) {
    const names = namesAround(union, around);
    memory.narrowed = { union, key, names, near: names ? only(union, names) : union };
  }
  const { names, near } = memory.narrowed;
  return { level: names ? only(level, names) : level, union: near };
}

/** What was made up so that the shape has a way to every node, as far as its ends are drawn; in the shape's order. */
function withEntries(level: Level, shape: Level): Level {
  const drawn = new Map(level.nodes.map((node) => [node.name, node]));
  const there = new Set(level.edges.map(edgeKey));
  const made = shape.edges.filter((edge) => edge.synthetic && drawn.has(edge.target) && !there.has(edgeKey(edge)));
  const sources = new Set(made.map((edge) => edge.source));
  const nodes = shape.nodes.flatMap((node) => drawn.get(node.name) ?? (sources.has(node.name) ? [node] : []));
  return { ...level, nodes, edges: [...level.edges, ...made] };
}

/** What changed on a level since the pinned moment, as it is drawn; null where nothing is compared. */
export function changesAsDrawn({ diff, graph, topology }: Data, levelName: string, plan: Plan): LevelChanges | null {
  const level = graph?.levels.get(levelName);
  return diff && level ? drawnChanges(diff, complete(level, topology), plan) : null;
}

export function sceneWithChanges({ scene, plans }: Picture, data: Data): Scene {
  if (!data.diff) return scene;
  const all = [...scene.levels.keys()].flatMap((name): [string, LevelChanges][] => {
    const changes = changesAsDrawn(data, name, plans.get(name) ?? EVERYTHING);
    return changes ? [[name, changes]] : [];
  });
  return { ...scene, changes: new Map(all) };
}

/** A selection as it is drawn: what is inside of a closed group is the group, or a connection of groups. */
export function drawnSelection(selection: Selection | null, plan: Plan): Selection | null {
  if (!selection) return null;
  const as = (name: string): string => plan.drawnAs.get(name) ?? name;
  if (selection.kind === "node") return { kind: "node", node: as(selection.node) };
  const [source, target] = [as(selection.source), as(selection.target)];
  const inside = source === target && selection.source !== selection.target;
  return inside ? { kind: "node", node: source } : { kind: "edge", source, target };
}
