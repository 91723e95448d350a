/** A sign in front of a node's name, where the component draws a name once and keeps it. */

import type { NodeNameView, NodeObject } from "vizceral";

const healed = new WeakSet<NodeNameView>();

/** Draws the node's name anew when its sign has changed. */
export function showSign(node: NodeObject, sign: string): void {
  const view = node.view?.nameView;
  if (!view) return;
  const name = node.displayName ?? node.name;
  const text = sign ? `${sign} ${name}` : name;
  if (view.nodeName === text) return;
  heal(view);
  view.nodeName = text;
  view.updateLabel();
}

/** A label keeps the geometry of its first text, so a longer one would be squeezed into it. */
function heal(view: NodeNameView): void {
  if (healed.has(view)) return;
  healed.add(view);
  const update = view.updateLabel.bind(view);
  view.updateLabel = () => {
    update();
    view.view.scale.x = view.labelWidth / view.view.geometry.parameters.width;
  };
}
