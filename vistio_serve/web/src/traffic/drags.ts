/** Where a node was left: the component moves it with the mouse, and tells nobody. */

import type VizceralComponent from "vizceral";
import type { NodeObject } from "vizceral";
import type { Place } from "../values/places";

/**
 * @param put is told once for each node that was dragged on a level; a node's own view is laid out for a moment.
 * @param moved is told for each step on its way.
 */
export function listenForDrags(component: VizceralComponent, put: (level: string, node: string, place: Place) => void, moved: () => void): void {
  const moves = component.moveNodeInteraction;
  const move = moves._setDraggableObjectPosition.bind(moves);
  let dragged: NodeObject | null = null;
  moves._setDraggableObjectPosition = (node, x, y) => {
    dragged = node;
    move(node, x, y);
    moved();
  };
  document.addEventListener("mouseup", () => {
    const path = component.currentGraph?.graphIndex;
    if (dragged && path && path.length < 2) put(path[0] ?? "", dragged.name, { x: dragged.position.x, y: dragged.position.y });
    dragged = null;
  });
}
