/** Places by forces: who calls each other much stands near, and names have room. Pure; made in a worker, for it takes a while. */

import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from "d3-force";

export interface Pull {
  readonly source: string;
  readonly target: string;
  /** Of its traffic, beside the others. */
  readonly weight: number;
}

export interface Forces {
  /** In an order that does not change: the same nodes and pulls have the same places. */
  readonly names: readonly string[];
  readonly pulls: readonly Pull[];
  readonly width: number;
  readonly height: number;
}

const TICKS = 200;
// What a node and its name need.
const ROOM = 45;

/** The middle of the picture is (0, 0), y up. */
export function placesByForces({ names, pulls, width, height }: Forces): Record<string, { x: number; y: number }> {
  const most = Math.max(1e-9, ...pulls.map((pull) => pull.weight));
  // Where nothing is said the simulation begins with a spiral, which is always the same.
  const nodes = names.map((name): { id: string; x?: number; y?: number } => ({ id: name }));
  const links = pulls.filter(({ source, target }) => source !== target).map(({ source, target, weight }) => ({ source, target, share: Math.sqrt(weight / most) }));
  forceSimulation(nodes)
    .force("link", forceLink<(typeof nodes)[number], (typeof links)[number]>(links).id((node) => node.id).distance(90).strength((link) => 0.05 + 0.6 * link.share))
    .force("apart", forceManyBody().strength(-300))
    .force("x", forceX().strength(0.03))
    .force("y", forceY().strength((0.03 * width) / height))
    .force("room", forceCollide(ROOM))
    .stop()
    .tick(TICKS);
  // Filled to the edges, each side by its own scale.
  const [xs, ys] = [nodes.map((node) => node.x ?? 0), nodes.map((node) => node.y ?? 0)];
  const fit = (all: readonly number[], length: number): ((value: number) => number) => {
    const [low, high] = [Math.min(...all), Math.max(...all)];
    return (value) => (high > low ? ((value - low) / (high - low) - 0.5) * length : 0);
  };
  const [toX, toY] = [fit(xs, width), fit(ys, height)];
  return Object.fromEntries(nodes.map((node, index) => [node.id, { x: toX(xs[index]!), y: -toY(ys[index]!) }]));
}
