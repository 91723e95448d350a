/**
 * Places for nodes that do not move while time does.
 *
 * Vizceral lays out what is visible, and keeps a cache of that whose hits it reads wrongly: a node that
 * comes back lands in the middle. Here places are made for the whole topology, by Vizceral's own
 * algorithm, and looked up for whatever of it is visible.
 */

import type { ConnectionObject, Dimensions, Layout, LayoutGraph, NodeObject, Position } from "vizceral";
import type { Shape } from "../picture/scene";
import { edgeKey } from "../values/model";
import type { Place } from "../values/places";
import type { Forces, Pull } from "./forces";
import { circle, columns } from "./places";

/** Where somebody put nodes of a graph. */
export type KeptOf = (graphName: string | null) => Readonly<Record<string, Place>> | undefined;

export type ShapeOf = (graphName: string) => Shape | undefined;

/** A layout knows its graph by name, which the view sets after the graph was made. */
export interface NamedLayout extends Layout {
  graphName: string | null;
  /** Places are being made, on another thread. */
  readonly placing: boolean;
}

/** Left to right from the entry, as Vizceral's `ltrTree`. */
export function stableTree(original: new () => Layout, shapeOf: ShapeOf, keptOf: KeptOf): new () => NamedLayout {
  return class StableTree implements NamedLayout {
    graphName: string | null = null;
    private askedFor = "";
    private madeFor = "";
    private places: Record<string, Position> = {};
    private latest: { readonly graph: LayoutGraph; readonly done: () => void } | null = null;

    get placing(): boolean {
      return this.askedFor !== this.madeFor;
    }

    run(graph: LayoutGraph, dimensions: Dimensions, done: () => void): void {
      const shape = this.graphName === null ? undefined : shapeOf(this.graphName);
      const { nodes, edges } = union(shape, graph);
      const kind = shape?.layout ?? "tree";
      const key = JSON.stringify([nodes, edges.map(edgeKey), dimensions, kind]);
      this.latest = { graph, done };
      if (this.placing && key === this.askedFor) return;
      this.askedFor = key;
      if (key === this.madeFor) return this.place();
      if (kind === "columns" || kind === "circle") {
        this.madeFor = key;
        this.places = Object.fromEntries((kind === "circle" ? circle : columns)(nodes, edges, dimensions));
        return this.place();
      }
      if (kind === "forces") return void this.force({ names: nodes, pulls: weighed(shape, edges), ...dimensions }, key);
      const places: Record<string, Position> = {};
      const fakes = nodes.map((name, index) => fakeNode(name, index, graph, places));
      const byName = new Map(fakes.map((fake) => [fake.name, fake]));
      const connections = edges.map(({ source, target }) => ({ source: byName.get(source), target: byName.get(target) }));
      // A new one each time: its cache is the part that is wrong.
      new original().run({ ...graph, nodes: fakes, connections: connections as ConnectionObject[] }, dimensions, () => {
        // A larger one may take longer than the one that was asked for after it.
        if (key !== this.askedFor) return;
        this.madeFor = key;
        this.places = places;
        this.place();
      });
    }

    /** On another thread; where it cannot be had, in columns. */
    private async force(forces: Forces, key: string): Promise<void> {
      const places = await import("./forcing").then(({ placesInWorker }) => placesInWorker(forces)).catch(() => Object.fromEntries(columns(forces.names, forces.pulls, forces)));
      // The picture may have become another one meanwhile.
      if (key !== this.askedFor) return;
      this.madeFor = key;
      this.places = places;
      this.place();
    }

    private place(): void {
      const { latest } = this;
      if (!latest) return;
      const kept = keptOf(this.graphName);
      for (const node of latest.graph.nodes) {
        const place = kept?.[node.getName()] ?? this.places[node.getName()];
        if (place) node.updatePosition(place);
      }
      latest.done();
    }
  };
}

/** The entry with the others around it; with one or two others, left to right, which a ring does badly. */
export function stableRing(shapeOf: ShapeOf, keptOf: KeptOf): new () => NamedLayout {
  return class StableRing implements NamedLayout {
    graphName: string | null = null;
    readonly placing = false;

    run(graph: LayoutGraph, dimensions: Dimensions, done: () => void): void {
      const shape = this.graphName === null ? undefined : shapeOf(this.graphName);
      const entry = graph.nodes.find((node) => node.isEntryNode())?.getName() ?? graph.entryNode ?? "";
      const places = ring(union(shape, graph).nodes, entry, dimensions);
      const kept = keptOf(this.graphName);
      for (const node of graph.nodes) {
        const place = kept?.[node.getName()] ?? places.get(node.getName());
        if (place) node.updatePosition(place);
      }
      done();
    }
  };
}

/** Places around the middle of the picture, which is (0, 0), y up. */
export function ring(names: readonly string[], entry: string, dimensions: Dimensions): Map<string, Position> {
  const others = names.filter((name) => name !== entry).sort();
  const places = new Map<string, Position>();
  if (others.length <= 2) {
    places.set(entry, { x: -350, y: 0 });
    others.forEach((name, index) => places.set(name, { x: 350, y: others.length < 2 ? 0 : 220 - 440 * index }));
    return places;
  }
  places.set(entry, { x: 0, y: 0 });
  // Room for the nodes themselves, whose radius is 120, and for their names.
  const [width, height] = [dimensions.width / 2 - 200, dimensions.height / 2 - 150];
  others.forEach((name, index) => {
    const angle = Math.PI / 2 - (2 * Math.PI * index) / others.length;
    places.set(name, { x: width * Math.cos(angle), y: height * Math.sin(angle) });
  });
  return places;
}

/** Connections that pull their ends together, by their traffic in the shape: the main ones, for all together pull everything to one place. */
function weighed(shape: Shape | undefined, edges: readonly { readonly source: string; readonly target: string }[]): Pull[] {
  const weights = new Map((shape?.pulls ?? []).map((pull): [string, number] => [edgeKey(pull), pull.weight]));
  return weights.size ? edges.flatMap(({ source, target }) => (weights.has(edgeKey({ source, target })) ? [{ source, target, weight: weights.get(edgeKey({ source, target }))! }] : [])) : edges.map((edge) => ({ ...edge, weight: 1 }));
}

function union(shape: Shape | undefined, graph: LayoutGraph): { nodes: string[]; edges: { source: string; target: string }[] } {
  const visible = graph.connections.map(({ source, target }) => ({ source: source.getName(), target: target.getName() }));
  // A focused node's own view is a part of its level that is laid out for itself.
  const nodes = new Set([...(shape?.nodes.map((node) => node.name) ?? []), ...graph.nodes.map((node) => node.getName())]);
  const edges = new Map([...(shape?.edges ?? []), ...visible].map(({ source, target }) => [edgeKey({ source, target }), { source, target }]));
  return { nodes: [...nodes], edges: [...edges.values()] };
}

function fakeNode(name: string, index: number, graph: LayoutGraph, places: Record<string, Position>): NodeObject {
  const real = graph.nodes.find((node) => node.getName() === name);
  return {
    name,
    position: real?.position ?? { x: 0, y: 0 },
    size: real?.size ?? 60,
    depth: index,
    metadata: undefined,
    graphRenderer: "region",
    getName: () => name,
    isVisible: () => true,
    isEntryNode: () => false,
    updatePosition: (place) => {
      places[name] = { x: place.x, y: place.y };
    },
  };
}
