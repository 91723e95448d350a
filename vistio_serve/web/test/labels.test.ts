/** How large names are drawn, and where. */

import { expect, test } from "vitest";
import type { NodeObject, TrafficGraph } from "vizceral";
import { labelScale, sizeLabels } from "../src/traffic/labels";

test.each([
  [1, 16, 20, 1],
  [1.8, 16, 20, 1.2],
  [1.8, 20, 20, 1.5],
  [10, 16, 20, 1.6],
  [1.8, 16, 60, 1.2],
  [1.8, 16, 61, 1],
  [Number.NaN, 16, 20, 1],
])("with %d units a pixel and a rem of %i px, names among %i nodes are %d times their size", (unitsPerPx, remPx, nodes, scale) => {
  expect(labelScale(unitsPerPx, remPx, nodes)).toBeCloseTo(scale);
});

test("a larger name stays as far from its node, on its side, and between clusters where it is", () => {
  const nodeOf = (labelPositionLeft: boolean): NodeObject => {
    const container = { position: { x: 0, y: 0 }, scale: { x: 1, y: 1, set(x: number, y: number) { this.x = x; this.y = y; } } };
    return { position: { x: labelPositionLeft ? -400 : 400, y: 0 }, view: { radius: 10, labelPositionLeft, nameView: { labelWidth: 100, buffer: 7, container } } } as unknown as NodeObject;
  };
  const sides = { left: -567, right: 567 };
  const nodes = { a: nodeOf(true), b: nodeOf(false), c: {} as NodeObject };
  const nameOf = (node: NodeObject) => node.view!.nameView!.container;
  sizeLabels({ type: "global", nodes } as unknown as TrafficGraph, 1.5, sides);
  expect(nameOf(nodes.a).scale.x).toBe(1);
  sizeLabels({ type: "region", nodes } as unknown as TrafficGraph, 1.5, sides);
  expect([nameOf(nodes.a).scale.x, nameOf(nodes.a).position.x, nameOf(nodes.b).position.x]).toEqual([1.5, -92, 92]);
});

test.each([
  [400, 568, 92, 0],
  [400, 566, 91, -35],
  [400, 500, 25, -35],
])("a name of 150 units right of a node at %i, in a picture that ends at %i, is at %i, %i", (at, right, x, y) => {
  const container = { position: { x: 0, y: -99 }, scale: { set(): void {} } };
  const node = { position: { x: at, y: 0 }, view: { radius: 10, labelPositionLeft: false, nameView: { labelWidth: 100, buffer: 7, container } } } as unknown as NodeObject;
  sizeLabels({ type: "region", nodes: { node } } as unknown as TrafficGraph, 1.5, { left: -1000, right });
  expect(container.position).toEqual({ x, y });
});
