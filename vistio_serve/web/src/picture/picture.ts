/**
 * The picture of a snapshot: its scene, and which nodes are drawn as groups.
 *
 * Everything on the page that speaks of what is drawn asks here, and gets the same answer. The only memory
 * is what must not change with each instant: who is among the first ones, and the scale.
 */

import type { Data, Snapshot } from "../store/store";
import type { Crowd } from "../values/crowd";
import { type Level, edgeKey } from "../values/model";
import { type Selection, levelOf } from "../values/state";
import { complete } from "../values/topology";
import type { LevelChanges } from "./changes";
import { drawnChanges } from "./grouped";
import { EVERYTHING, type Plan, arrange, entered, firstOf, planOf, ranked } from "./groups";
import { type Arrange, type Scene, type Shape, sceneOf } from "./scene";

export interface Picture {
  readonly scene: Scene;
  /** By level. */
  readonly plans: ReadonlyMap<string, Plan>;
}

interface Memory {
  first: readonly string[];
  /** What `first` was made for. */
  asked: string;
  peak: number;
  planned: { readonly union: Level; readonly key: string; readonly plan: Plan; readonly shape: Level & Shape } | null;
}

export class Pictures {
  private readonly memories = new Map<string, Memory>();
  private latest: { readonly key: readonly unknown[]; readonly picture: Picture } | null = null;

  /** Null while there is no graph. */
  of({ state, data }: Snapshot): Picture | null {
    if (!data.graph) return null;
    const key = [data.graph, data.topology, state.filters, state.crowd, state.path];
    if (this.latest && key.every((each, index) => each === this.latest?.key[index])) return this.latest.picture;
    const plans = new Map<string, Plan>();
    const arrangeLevel: Arrange = (level, union) => {
      const focus = level.name === levelOf(state) ? (state.path[1] ?? null) : null;
      const arranged = this.arrange(level, union, state.crowd, focus, state.travel.mode === "playing");
      plans.set(level.name, arranged.plan);
      return arranged;
    };
    const picture = { scene: sceneOf(data.graph, data.topology, state.filters, arrangeLevel), plans };
    this.latest = { key, picture };
    return picture;
  }

  /** The plan of the level that is shown. */
  planOf(now: Snapshot): Plan {
    return this.of(now)?.plans.get(levelOf(now.state)) ?? EVERYTHING;
  }

  private arrange(level: Level, union: Level, crowd: Crowd, focus: string | null, playing: boolean): { level: Level; shape: Level & Shape; plan: Plan } {
    const memory = this.memories.get(level.name) ?? { first: [], asked: "", peak: 0, planned: null };
    this.memories.set(level.name, memory);
    const first = (): readonly string[] => {
      const asked = `${crowd.top} ${crowd.rank}`;
      if (asked !== memory.asked) memory.first = [];
      // While time moves fast nobody can follow who comes and goes, so the nodes stay.
      if (!playing || !memory.first.length) memory.first = firstOf(ranked(level, crowd.rank), crowd.top, memory.first);
      memory.asked = asked;
      return memory.first;
    };
    const { plan, shape } = this.planned(memory, union, crowd, focus, first);
    if (!plan.drawnAs.size) return { level, shape, plan };
    const drawn = arrange(level, plan);
    memory.peak = Math.max(memory.peak, drawn.maxVolume);
    return { level: withEntries({ ...drawn, maxVolume: memory.peak }, shape), shape, plan };
  }

  /** Plans and shapes depend on the union alone, unless the first nodes are asked for. */
  private planned(memory: Memory, union: Level, crowd: Crowd, focus: string | null, first: () => readonly string[]): { plan: Plan; shape: Level & Shape } {
    const before = memory.first;
    const key = JSON.stringify([crowd, focus]);
    const { planned } = memory;
    if (planned && planned.union === union && planned.key === key && planned.plan.mode !== "top") return planned;
    const plan = planOf(union, crowd, focus, first);
    const same = planned && planned.union === union && planned.key === key && String(before) === String(memory.first);
    if (same) return planned;
    const arranged = plan.drawnAs.size ? entered(arrange(union, plan)) : union;
    // Groups call each other in circles, of which a tree makes one long chain.
    const shape = { ...arranged, layout: crowd.layout === "auto" ? (plan.drawnAs.size ? "columns" : "tree") : crowd.layout } as const;
    if (planned && planned.key !== key) memory.peak = 0;
    memory.planned = { union, key, plan, shape };
    return memory.planned;
  }
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
