/** Big levels: what is near a node, and which connections matter. */

import { describe, expect, test } from "vitest";
import { toggled } from "../src/controls/around";
import { namesAround, only } from "../src/picture/around";
import { MOST_LINES, mainLines } from "../src/picture/main-lines";
import { Pictures } from "../src/picture/picture";
import { NO_DATA, type Snapshot } from "../src/store/store";
import { ALL_HOPS, NO_CROWD } from "../src/values/crowd";
import { USUAL_TONES, edgeKey, total } from "../src/values/model";
import { setAround } from "../src/values/opening";
import { INITIAL, type State, openPath, select } from "../src/values/state";
import { EMPTY, extend } from "../src/values/topology";
import { fromFragment, toFragment } from "../src/values/url";
import { type Forces, placesByForces } from "../src/traffic/forces";
import { edge, graph, level } from "./graphs";

describe("around a node", () => {
  const shop = level("eu", ["web>cart 1", "app>cart 1", "cart>db 1", "cart>cache 1", "db>disk 1", "cache>disk 1", "disk>db 1", "web>search 1"]);
  const around = (up: number, down: number): string[] => [...(namesAround(shop, { node: "cart", up, down }) ?? [])].sort();

  test("are so many hops up, and so many down", () => {
    expect(around(0, 0)).toEqual(["cart"]);
    expect(around(1, 0)).toEqual(["app", "cart", "web"]);
    expect(around(0, 1)).toEqual(["cache", "cart", "db"]);
    expect(around(1, 2)).toEqual(["app", "cache", "cart", "db", "disk", "web"]);
  });

  test("is the whole way, also where calls go in a circle, and never somebody else's calls", () => {
    expect(around(ALL_HOPS, ALL_HOPS)).toEqual(["app", "cache", "cart", "db", "disk", "web"]);
    expect(only(shop, new Set(around(0, ALL_HOPS))).edges.map(edgeKey)).not.toContain("web--search");
    expect(namesAround(shop, { node: "nobody", up: 1, down: 1 })).toBeNull();
  });

  test("is in the link, begins with what is selected, and ends with the level", () => {
    const here = openPath(INITIAL, ["eu"]);
    expect(toggled(here)).toBe(here);
    const near = toggled(select(here, { kind: "node", node: "cart" }));
    expect(near.crowd.around).toEqual({ node: "cart", up: 1, down: 1 });
    const far = setAround(near, { down: ALL_HOPS });
    expect(fromFragment(toFragment(far), INITIAL.display, 0).crowd).toEqual(far.crowd);
    expect(fromFragment("#/eu?around=cart&hops=x/-3", INITIAL.display, 0).crowd.around).toEqual({ node: "cart", up: 1, down: 1 });
    expect(toggled(far).crowd).toEqual(NO_CROWD);
    expect(openPath(far, ["us"]).crowd).toEqual(NO_CROWD);
  });

  test("is what is drawn, and what the note counts", () => {
    const data = { ...NO_DATA, graph: graph([shop]), topology: extend(EMPTY, graph([shop])) };
    const now: Snapshot = { state: setAround(openPath(INITIAL, ["eu"]), { node: "cart", up: 0, down: 1 }), data };
    const picture = new Pictures().of(now)!;
    expect(picture.scene.levels.get("eu")!.nodes.map((node) => node.name).sort()).toEqual(["cache", "cart", "db"]);
    expect(picture.near.get("eu")!.nodes.length).toBe(3);
    const gone: Snapshot = { ...now, state: setAround(now.state, { node: "nobody" }) };
    expect(new Pictures().of(gone)!.scene.levels.get("eu")!.nodes.length).toBe(7);
  });
});

describe("connections", () => {
  // 40 nodes that all call each other: 1,560 connections; those that end at n0 have little traffic.
  const names = Array.from({ length: 40 }, (_, index) => `n${index}`);
  const all = names.flatMap((source, from) => names.flatMap((target, to) => (from === to ? [] : [edge(`${source}>${target} ${to === 0 ? 0.1 + from / 1000 : 1000 + from * 41 + to}`)])));
  const hairball = level("eu", all);

  test("are all there up to as many as can be told apart", () => {
    const few = level("eu", all.slice(0, MOST_LINES));
    expect(mainLines(few, null)).toMatchObject({ level: few, left: 0 });
    expect(mainLines(level("eu", all.slice(0, MOST_LINES + 1)), null).left).toBe(1);
  });

  test("that are drawn are the busiest, and to each node one; the rest is counted", () => {
    const { level: drawn, left, leftRate, rate } = mainLines(hairball, null);
    expect(drawn.edges.length).toBe(MOST_LINES);
    expect(left).toBe(all.length - MOST_LINES);
    expect(new Set(drawn.edges.map((each) => each.target)).size).toBe(40);
    expect(drawn.edges.filter((each) => each.target === "n0").map(edgeKey)).toEqual(["n39--n0"]);
    expect(leftRate + drawn.edges.reduce((sum, each) => sum + total(each.rates), 0)).toBeCloseTo(rate, 6);
    expect(drawn.nodes).toBe(hairball.nodes);
  });

  test("that fail are drawn however little they have, by the share of their sum", () => {
    const bad = level("eu", [...all, edge("n1>x 0.1/0/0.01"), edge(`n2>x 100/0/${100 * (USUAL_TONES.danger - 0.001)}`)]);
    const drawn = mainLines(bad, null).level.edges.map(edgeKey);
    expect(drawn).toContain("n1--x");
    const many = level("eu", all.map((each) => ({ ...each, rates: { ...each.rates, danger: each.rates.normal } })));
    expect(mainLines(many, null).level.edges.length).toBe(MOST_LINES);
  });

  test("of what is selected are all drawn", () => {
    const drawn = mainLines(hairball, { kind: "node", node: "n0" }).level.edges.map(edgeKey);
    expect(drawn.filter((key) => /^n0--|--n0$/.test(key)).length).toBe(78);
    expect(mainLines(hairball, { kind: "edge", source: "n1", target: "n0" }).level.edges.map(edgeKey)).toContain("n1--n0");
  });

  test("are drawn anew with what is selected only where some are left out, and all where all are asked for", () => {
    const data = { ...NO_DATA, graph: graph([hairball]), topology: extend(EMPTY, graph([hairball])) };
    const pictures = new Pictures();
    const at = (state: State): Snapshot => ({ state, data });
    const here = openPath(INITIAL, ["eu"]);
    const first = pictures.of(at(here));
    expect(pictures.of(at(here))).toBe(first);
    const selected = pictures.of(at(select(here, { kind: "node", node: "n0" })))!;
    expect(selected.scene.levels.get("eu")!.edges.length).toBeGreaterThan(first!.scene.levels.get("eu")!.edges.length);
    expect(pictures.linesOf(at(here))?.left).toBe(all.length - MOST_LINES);
    const whole = at({ ...here, crowd: { ...NO_CROWD, allLines: true } });
    expect(pictures.linesOf(whole)).toBeNull();
    expect(pictures.of(whole)!.scene.levels.get("eu")!.edges.length).toBe(all.length);
    expect(pictures.of(at(select(whole.state, { kind: "node", node: "n0" })))).toBe(pictures.of(whole));
  });
});

describe("places by forces", () => {
  const names = Array.from({ length: 30 }, (_, index) => `n${index}`);
  const pull = (source: number, target: number, weight: number): Forces["pulls"][number] => ({ source: `n${source}`, target: `n${target}`, weight });
  // Two circles of much traffic with little between them.
  const ring = (first: number): Forces["pulls"] => Array.from({ length: 15 }, (_, index) => pull(first + index, first + ((index + 1) % 15), 100));
  const forces: Forces = { names, pulls: [...ring(0), ...ring(15), pull(0, 15, 1), pull(3, 3, 1000)], width: 1000, height: 500 };
  const places = placesByForces(forces);
  const apart = (one: string, other: string): number => Math.hypot(places[one]!.x - places[other]!.x, places[one]!.y - places[other]!.y);

  test("are the same each time, and fill the picture", () => {
    expect(placesByForces(forces)).toEqual(places);
    const [xs, ys] = [Object.values(places).map(({ x }) => x), Object.values(places).map(({ y }) => y)];
    expect([Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]).toEqual([-500, 500, -250, 250].map((side) => expect.closeTo(side, 6)));
  });

  test("are near for those who call each other much", () => {
    const mean = (pairs: readonly (readonly [number, number])[]): number => pairs.reduce((sum, [one, other]) => sum + apart(`n${one}`, `n${other}`), 0) / pairs.length;
    const near = mean(Array.from({ length: 14 }, (_, index) => [index, index + 1] as const));
    const far = mean(Array.from({ length: 14 }, (_, index) => [index, index + 16] as const));
    expect(near).toBeLessThan(far / 2);
  });

  test("have one for a node alone", () => {
    expect(placesByForces({ names: ["a"], pulls: [], width: 10, height: 10 })).toEqual({ a: { x: 0, y: expect.closeTo(0) } });
  });
});
