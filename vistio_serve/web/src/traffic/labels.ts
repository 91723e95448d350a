/**
 * How large names are drawn, and where. The component draws them 18 units high whatever a unit is on the screen, which
 * on a laptop is nine pixels; here they are as high as text on the rest of the page, where there is room, and none lies on another.
 */

import type { NodeObject, TrafficGraph } from "vizceral";
import { type Named, withRoomFor } from "./label-room";

// What a name is high in the component's units, and what one should be high in the page's rem.
const LABEL_UNITS = 18;
// What its box is high, and how far below a node it stands.
const LABEL_HEIGHT_UNITS = 28;
const BELOW_UNITS = 4;
const WANTED_REM = 0.75;
// The names of one column: twice as high, and they would touch. Many nodes leave less room.
const LARGEST = 1.6;
const MANY_NODES = 60;

/** How many times its own size a name must have. Zoomed in, names stay as large as they are, and nodes come apart. */
export function labelScale(unitsPerPx: number, remPx: number, nodes: number, zoom = 1): number {
  const whole = unitsPerPx * zoom;
  if (!(whole > 0) || nodes > MANY_NODES) return 1 / zoom;
  return Math.min(LARGEST, Math.max(1, (WANTED_REM * remPx * whole) / LABEL_UNITS)) / zoom;
}

/** The edges of the picture in the units of a level. */
export interface Sides {
  readonly left: number;
  readonly right: number;
}

/**
 * Sizes and places all names of a level; called in each frame, for the component places them anew whenever they change.
 *
 * @param rankOf who comes first where there is room for one name. What is pointed at always does.
 */
export function sizeLabels(graph: TrafficGraph, scale: number, sides: Sides, rankOf: (node: string) => number = () => 0): void {
  // Between clusters a name hangs below its ring, and is large already.
  if (graph.type === "global") return;
  const shown = Object.values(graph.nodes).filter((node) => node.view?.nameView && node.isVisible());
  const marks = shown.map(({ position: { x, y }, view }) => ({ x, y, width: 2 * view!.radius, height: 2 * view!.radius }));
  const placed = withRoomFor(shown.map((node) => namedOf(node, scale, sides, rankOf)), marks);
  for (const { name, position, view } of shown) {
    const { container } = view!.nameView!;
    const place = placed.get(name);
    container.scale.set(scale, scale, 1);
    container.visible = place !== undefined;
    if (place) Object.assign(container.position, { x: place.x - position.x, y: place.y - position.y });
  }
}

/** Beside its node, as the component has it; else on the other side, below or above. */
function namedOf(node: NodeObject, scale: number, { left, right }: Sides, rankOf: (node: string) => number): Named {
  const { radius, labelPositionLeft, nameView } = node.view!;
  const name = nameView!;
  const { x, y } = node.position;
  const half = (name.labelWidth * scale) / 2;
  const away = radius + half + name.buffer;
  const under = radius + (LABEL_HEIGHT_UNITS * scale) / 2 + BELOW_UNITS;
  // A name that would be cut stands below its node, as far inside as it must; who is not seen has none inside.
  const seen = x >= left && x <= right;
  const inside = (at: number): number => (seen ? Math.max(left + half, Math.min(at, right - half)) : at);
  const beside = [labelPositionLeft ? x - away : x + away, labelPositionLeft ? x + away : x - away];
  const uncut = beside.filter((at) => inside(at) === at).map((at) => ({ x: at, y }));
  const below = [y - under, y + under].map((at) => ({ x: inside(uncut[0]?.x === beside[0] ? x : beside[0]!), y: at }));
  const places = uncut[0]?.x === beside[0] ? [...uncut, ...below] : [...below, ...uncut];
  return { node: node.name, rank: name.highlight ? Infinity : rankOf(node.name), places, width: name.labelWidth * scale, height: LABEL_HEIGHT_UNITS * scale };
}
