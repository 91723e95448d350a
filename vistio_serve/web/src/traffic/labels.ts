/**
 * How large names are drawn. The component draws them 18 units high whatever a unit is on the screen, which
 * on a laptop is nine pixels; here they are as high as text on the rest of the page, where there is room.
 */

import type { NodeObject, TrafficGraph } from "vizceral";

// What a name is high in the component's units, and what one should be high in the page's rem.
const LABEL_UNITS = 18;
const WANTED_REM = 0.75;
// The names of one column: twice as high, and they would touch. Many nodes leave less room.
const LARGEST = 1.6;
const MANY_NODES = 60;

/** How many times its own size a name must have. */
export function labelScale(unitsPerPx: number, remPx: number, nodes: number): number {
  if (!(unitsPerPx > 0) || nodes > MANY_NODES) return 1;
  return Math.min(LARGEST, Math.max(1, (WANTED_REM * remPx * unitsPerPx) / LABEL_UNITS));
}

/** Sizes all names of a level; called in each frame, for the component places them anew whenever they change. */
export function sizeLabels(graph: TrafficGraph, scale: number): void {
  // Between clusters a name hangs below its ring, and is large already.
  if (graph.type === "global") return;
  for (const node of Object.values(graph.nodes)) sizeLabel(node, scale);
}

function sizeLabel(node: NodeObject, scale: number): void {
  const name = node.view?.nameView;
  if (!node.view || !name) return;
  const away = node.view.radius + (name.labelWidth * scale) / 2 + name.buffer;
  name.container.scale.set(scale, scale, 1);
  name.container.position.x = node.view.labelPositionLeft ? -away : away;
}
