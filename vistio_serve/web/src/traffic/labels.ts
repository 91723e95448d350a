/**
 * How large names are drawn, and where. The component draws them 18 units high whatever a unit is on the screen, which
 * on a laptop is nine pixels; here they are as high as text on the rest of the page, where there is room.
 */

import type { NodeObject, TrafficGraph } from "vizceral";

// What a name is high in the component's units, and what one should be high in the page's rem.
const LABEL_UNITS = 18;
// What its box is high, and how far below a node it stands.
const LABEL_HEIGHT_UNITS = 28;
const BELOW_UNITS = 4;
const WANTED_REM = 0.75;
// The names of one column: twice as high, and they would touch. Many nodes leave less room.
const LARGEST = 1.6;
const MANY_NODES = 60;

/** How many times its own size a name must have. */
export function labelScale(unitsPerPx: number, remPx: number, nodes: number): number {
  if (!(unitsPerPx > 0) || nodes > MANY_NODES) return 1;
  return Math.min(LARGEST, Math.max(1, (WANTED_REM * remPx * unitsPerPx) / LABEL_UNITS));
}

/** The edges of the picture in the units of a level. */
export interface Sides {
  readonly left: number;
  readonly right: number;
}

/** Sizes all names of a level; called in each frame, for the component places them anew whenever they change. */
export function sizeLabels(graph: TrafficGraph, scale: number, sides: Sides): void {
  // Between clusters a name hangs below its ring, and is large already.
  if (graph.type === "global") return;
  for (const node of Object.values(graph.nodes)) sizeLabel(node, scale, sides);
}

function sizeLabel(node: NodeObject, scale: number, { left, right }: Sides): void {
  const name = node.view?.nameView;
  if (!node.view || !name) return;
  const half = (name.labelWidth * scale) / 2;
  const away = node.view.radius + half + name.buffer;
  const wanted = node.position.x + (node.view.labelPositionLeft ? -away : away);
  // A name that would be cut stands below its node, as far inside as it must.
  const inside = Math.max(left + half, Math.min(wanted, right - half));
  name.container.scale.set(scale, scale, 1);
  name.container.position.x = inside - node.position.x;
  name.container.position.y = inside === wanted ? 0 : -(node.view.radius + (LABEL_HEIGHT_UNITS * scale) / 2 + BELOW_UNITS);
}
