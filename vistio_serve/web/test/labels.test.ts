/** How large names are drawn, and where. */

import { describe, expect, test } from "vitest";
import type { NodeObject, TrafficGraph } from "vizceral";
import type { Palette } from "../src/dom/palette";
import { type Named, overlap, withRoomFor } from "../src/traffic/label-room";
import { labelScale, sizeLabels } from "../src/traffic/labels";
import { lineColor } from "../src/traffic/looks";
import { USUAL_TONES } from "../src/values/model";
import { weightOf } from "../src/traffic/weights";

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
    return { name: `${labelPositionLeft}`, isVisible: () => true, position: { x: labelPositionLeft ? -400 : 400, y: 0 }, view: { radius: 10, labelPositionLeft, nameView: { labelWidth: 100, buffer: 7, container } } } as unknown as NodeObject;
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
  const container = { visible: false, position: { x: 0, y: -99 }, scale: { set(): void {} } };
  const node = { name: "node", isVisible: () => true, position: { x: at, y: 0 }, view: { radius: 10, labelPositionLeft: false, nameView: { labelWidth: 100, buffer: 7, container } } } as unknown as NodeObject;
  sizeLabels({ type: "region", nodes: { node } } as unknown as TrafficGraph, 1.5, { left: -1000, right });
  expect(container.position).toEqual({ x, y });
});

describe("names", () => {
  const named = (node: string, x: number, rank = 0, more: Partial<Named> = {}): Named => ({ node, rank, places: [{ x, y: 0 }], width: 100, height: 20, ...more });

  test("never lie on each other: who has more comes first, and the others are left out", () => {
    const placed = withRoomFor([named("little", 0, 1), named("much", 99, 9), named("beside", 199)]);
    expect([...placed.keys()]).toEqual(["much", "beside"]);
  });

  test("stand elsewhere where they have room there, and not on a node if there is a place beside", () => {
    const places = [{ x: 0, y: 0 }, { x: 0, y: 30 }, { x: 0, y: 60 }];
    const node = { x: 0, y: 30, width: 10, height: 10 };
    expect(withRoomFor([named("first", 0, 9), named("second", 0, 1, { places })], [node]).get("second")).toEqual({ x: 0, y: 60 });
    expect(withRoomFor([named("first", 0, 9), named("second", 0, 1, { places: places.slice(0, 2) })], [node]).get("second")).toEqual({ x: 0, y: 30 });
  });

  test("of two thousand nodes at random are apart, and the largest of all is there", () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
    const all = Array.from({ length: 2000 }, (_, index) => named(`n${index}`, 0, index, { places: [{ x: 2000 * random(), y: 1000 * random() }] }));
    const placed = [...withRoomFor(all).values()].map((place) => ({ ...place, width: 100, height: 20 }));
    expect(placed.length).toBeGreaterThan(200);
    expect(placed.some((one, index) => placed.slice(index + 1).some((other) => overlap(one, other)))).toBe(false);
    expect(withRoomFor(all).has("n1999")).toBe(true);
  });

  test("of a level are hidden where they have no room, but for the one that is pointed at", () => {
    const nodeOf = (name: string, y: number, highlight = false): NodeObject => {
      const container = { visible: true, position: { x: 0, y: 0 }, scale: { set(): void {} } };
      return { name, isVisible: () => true, position: { x: 0, y }, view: { radius: 1, labelPositionLeft: false, nameView: { labelWidth: 100, buffer: 7, highlight, container } } } as unknown as NodeObject;
    };
    const shown = (pointed: string): string[] => {
      const nodes = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`n${index}`, nodeOf(`n${index}`, index, `n${index}` === pointed)]));
      sizeLabels({ type: "region", nodes } as unknown as TrafficGraph, 1, { left: -500, right: 500 }, (node) => Number(node.slice(1)));
      return Object.values(nodes).filter((node) => node.view!.nameView!.container.visible).map((node) => node.name);
    };
    expect(shown("")).toContain("n8");
    expect(shown("")).not.toContain("n0");
    expect(shown("n0")).toContain("n0");
  });
});

test("a line is the fainter the less traffic it has, and red is always to be seen", () => {
  expect([weightOf(100, 100), weightOf(10, 100), weightOf(0.001, 100), weightOf(5, 0)]).toEqual([1, expect.closeTo(0.316, 3), 0.1, 1]);
  const palette = { edge: "#808080", danger: "#ff0000", warning: "#ffff00" } as Palette;
  expect(lineColor({ normal: 1 }, palette, USUAL_TONES, 0.1).a).toBeLessThan(lineColor({ normal: 1 }, palette, USUAL_TONES, 1).a / 3);
  expect(lineColor({ normal: 99, danger: 1 }, palette, USUAL_TONES, 0.1).a).toBeGreaterThan(0.45);
});
