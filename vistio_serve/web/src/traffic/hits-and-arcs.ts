/** Two habits of the component that are errors: arcs of no size, and that a connection was found where its node is. */

import type VizceralComponent from "vizceral";
import type { Hit, NodeObject, TrafficGraph } from "vizceral";

// Below this an arc has no area, which three.js reports as an error for each frame.
const SMALLEST_ARC = 1e-4;

/** Leaves out arcs of no size. */
export function withoutEmptyArcs(graph: TrafficGraph): void {
  const { prototype } = graph.NodeClass;
  if (Object.hasOwn(prototype, "healed")) return;
  const render = prototype.render;
  prototype.render = function (this: NodeObject) {
    render.call(this);
    const view = this.view;
    const add = view?.addDonutSlice;
    if (view && add) view.addDonutSlice = (start, share, color) => (share < SMALLEST_ARC ? start : add.call(view, start, share, color));
  };
  Object.defineProperty(prototype, "healed", { value: true });
}

/** Connections end in the middle of their nodes, where as often as not they were what the mouse had found. */
export function preferNodes({ raycaster }: VizceralComponent): void {
  const intersect = raycaster.intersectObjects.bind(raycaster);
  const isEdge = ({ object }: Hit): number => Number(object.userData.object?.type === "connection");
  // A name that has no room is not seen, and lies where another one is.
  const isSeen = ({ object }: Hit): boolean => object.parent?.visible !== false;
  raycaster.intersectObjects = (objects) => intersect(objects).filter(isSeen).sort((one, other) => isEdge(one) - isEdge(other));
}
