import { describe, expect, test } from "vitest";
import type { LayoutGraph, NodeObject } from "vizceral";
import { countsOf, filterLevel, matches, sceneOf } from "../src/picture/scene";
import { encode, escapeHtml } from "../src/traffic/encode";
import { type NamedLayout, ring, stableRing, stableTree } from "../src/traffic/layouts";
import { lineColor } from "../src/traffic/looks";
import { USUAL_TONES, readGraph, unescape } from "../src/values/model";
import { NO_FILTERS } from "../src/values/state";
import { EMPTY, complete, extend } from "../src/values/topology";
import { edge, graph, level, node, notice } from "./graphs";

const names = (of: { nodes: readonly { name: string }[] }): string[] => of.nodes.map((each) => each.name);
const ends = (of: { edges: readonly { source: string; target: string }[] }): string[] => of.edges.map((each) => `${each.source}>${each.target}`);

describe("topology", () => {
  const first = graph([level("eu", ["a>b 10", "b>c 5"])]);
  const second = graph([level("eu", ["a>b 10", "a>d 1"])]);

  test("what was there once stays, at rest", () => {
    const topology = extend(extend(EMPTY, first), second);
    const shown = complete(second.levels.get("eu")!, topology);
    expect(names(shown)).toEqual(["a", "b", "c", "d"]);
    expect(shown.edges.map((each) => each.rates.normal)).toEqual([10, 0, 1]);
  });

  test("a graph that brings nothing new leaves the very same topology, so nothing is laid out again", () => {
    const topology = extend(extend(EMPTY, first), second);
    expect(extend(topology, first)).toBe(topology);
  });

  test("an absent node tells nothing of when it was there", () => {
    const loud = level("eu", [edge("a>b 1", { notices: [notice(2)] })], { nodes: [node("a"), node("b", { notices: [notice(2)], measurements: { latency_p99_ms: 900 } })] });
    const quiet = complete(level("eu", []), extend(EMPTY, graph([loud])));
    expect(quiet.nodes[1]).toMatchObject({ notices: [], measurements: {} });
    expect(quiet.edges[0]).toMatchObject({ notices: [], rates: { normal: 0, warning: 0, danger: 0 } });
  });

  test("the scale is never below the peak, and does not shrink while time moves", () => {
    const topology = extend(extend(EMPTY, graph([level("eu", ["a>b 900"])])), graph([level("eu", ["a>b 1"])]));
    expect(topology.get("eu")?.maxVolume).toBe(900);
  });
});

describe("filters", () => {
  const mesh = level("eu", [
    edge("a>b 9/0/1"),
    edge("a>c 99/0/1"),
    edge("c>d 5", { notices: [notice(1)] }),
    edge("c>e 0"),
  ], { nodes: [node("a"), node("b"), node("c"), node("d", { class: "database" }), node("e", { notices: [notice(2)] })] });

  test.each([[9.99, ["a>b", "a>c"]], [10, ["a>b", "a>c"]], [10.01, ["a>c"]]])("at least %d requests/s shows %j", (minRps, shown) => {
    expect(ends(filterLevel(mesh, { ...NO_FILTERS, minRps }, null))).toEqual(shown);
  });

  test.each([[0.99, ["a>b", "a>c"]], [1, ["a>b", "a>c"]], [1.01, ["a>b"]], [10, ["a>b"]], [10.01, []]])("errors of at least %d percent show %j", (minErrorPercent, shown) => {
    expect(ends(filterLevel(mesh, { ...NO_FILTERS, minErrorPercent }, null))).toEqual(shown);
  });

  test.each([[0, ["c>d", "c>e"]], [1, ["c>d", "c>e"]], [2, ["c>e"]]] as const)("notices from severity %d on, of the edge or of its ends, show %j", (minSeverity, shown) => {
    expect(ends(filterLevel(mesh, { ...NO_FILTERS, minSeverity }, null))).toEqual(shown);
  });

  test("a hidden class takes its edges with it, and what is hidden is counted", () => {
    const filters = { ...NO_FILTERS, hiddenClasses: ["database"] };
    expect(names(filterLevel(mesh, filters, null))).toEqual(["a", "b", "c", "e"]);
    expect(countsOf(graph([mesh]), "eu", filters, null)).toEqual({ nodes: 4, edges: 3, hiddenNodes: 1, hiddenEdges: 1 });
  });

  test("the global level, the way to all others, is never filtered", () => {
    const whole = level("", ["INTERNET>eu 1"]);
    const scene = sceneOf(graph([whole, mesh]), EMPTY, { ...NO_FILTERS, minRps: 50 });
    expect(ends(scene.levels.get("")!)).toEqual(["INTERNET>eu"]);
    expect(ends(scene.levels.get("eu")!)).toEqual(["a>c"]);
  });
});

test("the locator finds by key and by label, whatever the case, and nothing that was made up", () => {
  const mesh = level("eu", [], { nodes: [node("cart"), node("x_", { label: "Cart-v2" }), node("carted", { synthetic: true }), node("redis")] });
  expect(matches(mesh, " CAR ", null)).toEqual(["cart", "x_"]);
  expect(matches(mesh, "", null)).toEqual([]);
});

describe("what the component is given", () => {
  const hostile = '<img src=x onerror="alert(1)">';
  const mesh = graph([
    level("", ["INTERNET>eu 1"]),
    level("eu", [edge("a>b 1", { notices: [{ ...notice(2, hostile), subtitle: hostile, link: "javascript:alert(1)" }] })]),
  ]);
  const encoded = JSON.stringify(encode(sceneOf(mesh, EMPTY, NO_FILTERS)));

  test("texts of notices are escaped, once", () => {
    expect(encoded).toContain("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;");
    expect(encoded).not.toContain("<img");
    expect(encoded).not.toContain("&amp;lt;");
  });

  test("a link that could run something is left out", () => {
    expect(encoded).not.toContain("javascript:");
  });

  test("it is new each time, for the component writes into it", () => {
    const scene = sceneOf(mesh, EMPTY, NO_FILTERS);
    expect(encode(scene)["nodes"]).not.toBe(encode(scene)["nodes"]);
  });

  test("it names its layouts, for else the component takes its own", () => {
    expect(encode(sceneOf(mesh, EMPTY, NO_FILTERS))).toMatchObject({ layout: "ringCenter", nodes: [{}, { layout: "ltrTree", nodes: [{ layout: "ltrTree" }, {}] }] });
  });
});

test.each(["a < b && c > \"d\" 'e'", "&lt;", "&amp;lt;", "plain"])("what the server escapes reads as it was: %j", (text) => {
  const asServer = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  expect(unescape(asServer)).toBe(text);
  expect(unescape(escapeHtml(text)).replaceAll("&#39;", "'")).toBe(text);
});

test("an answer is read into plain values: levels, facts, colours", () => {
  const read = readGraph({
    name: "mesh", maxVolume: 10, entryNode: "INTERNET",
    nodes: [{ name: "INTERNET" }, { name: "eu", maxVolume: 5, nodes: [{ name: "constructor_", displayName: "constructor", metadata: { vistio: { name: "constructor", measurements: { saturation: 0.9 } } } }], connections: [{ source: "a", target: "b", metadata: { vistio: { synthetic: true } } }] }],
    classes: [{ name: "database", color: "rgb(1, 2, 3)" }],
    metadata: { vistio: { instant: "2026-11-23T05:10:00Z", asked: "2026-11-23T05:10:00Z", interval_s: 10, failed_rules: [], configuration: "x", backfilled: true } },
  });
  expect([...read.levels.keys()]).toEqual(["", "eu"]);
  expect(read.levels.get("eu")?.nodes[0]).toMatchObject({ label: "constructor", class: "default", measurements: { saturation: 0.9 } });
  expect(read.levels.get("eu")?.edges[0]).toMatchObject({ synthetic: true, rates: { normal: 0, warning: 0, danger: 0 } });
  expect(read.classes.get("database")).toBe("rgb(1, 2, 3)");
});

describe("places", () => {
  const fake = (name: string, entry = false): NodeObject => {
    const position = { x: 0, y: 0 };
    return { name, position, size: 60, depth: 0, metadata: undefined, graphRenderer: "region", getName: () => name, isVisible: () => true, isEntryNode: () => entry, updatePosition: (to) => Object.assign(position, to) };
  };
  const visible = (...all: string[]): LayoutGraph & { at: Record<string, { x: number; y: number }> } => {
    const nodes = all.map((name) => fake(name, name === "INTERNET"));
    return { nodes, connections: [], at: Object.fromEntries(nodes.map((each) => [each.name, each.position])) };
  };
  const size = { width: 1400, height: 1055 };

  /** As the component's: it places what it is given by number, and answers later. */
  class Numbering {
    static runs: string[][] = [];
    run(given: LayoutGraph, _: unknown, done: () => void): void {
      Numbering.runs.push(given.nodes.map((each) => each.getName()));
      queueMicrotask(() => {
        given.nodes.forEach((each, index) => each.updatePosition({ x: index + 1, y: 0 }));
        done();
      });
    }
  }
  const shape = { nodes: ["a", "b", "c"].map((name) => ({ name })), edges: [] };
  let kept: Record<string, Record<string, { x: number; y: number }>> = {};
  const make = (shapeOf = () => shape as typeof shape | undefined): NamedLayout => {
    Numbering.runs = [];
    const layout = new (stableTree(Numbering, shapeOf, (name) => kept[name ?? ""]))();
    layout.graphName = "eu";
    return layout;
  };
  const run = (layout: NamedLayout, given: LayoutGraph): Promise<void> => new Promise((done) => layout.run(given, size, done));

  test("are made for the whole topology, whatever of it is visible", async () => {
    const layout = make();
    const some = visible("a", "c");
    await run(layout, some);
    expect(some.at).toEqual({ a: { x: 1, y: 0 }, c: { x: 3, y: 0 } });
  });

  test("of a node that comes back are where it was, and nothing is laid out again", async () => {
    const layout = make();
    await run(layout, visible("a"));
    const back = visible("b", "c");
    await run(layout, back);
    expect(back.at).toEqual({ b: { x: 2, y: 0 }, c: { x: 3, y: 0 } });
    expect(Numbering.runs).toHaveLength(1);
  });

  test("are made anew when the topology grows, for all that are visible then", async () => {
    let known: typeof shape = shape;
    const layout = make(() => known);
    await run(layout, visible("a"));
    known = { nodes: ["z", "a", "b", "c"].map((name) => ({ name })), edges: [] };
    const grown = visible("a", "z");
    await run(layout, grown);
    expect(grown.at).toEqual({ a: { x: 2, y: 0 }, z: { x: 1, y: 0 } });
  });

  test("that were asked for last win, whichever answers last", () => {
    const answers: (() => void)[] = [];
    class Slow extends Numbering {
      override run(given: LayoutGraph, _: unknown, done: () => void): void {
        answers.push(() => {
          given.nodes.forEach((each, index) => each.updatePosition({ x: index + 1, y: 0 }));
          done();
        });
      }
    }
    let known: typeof shape = shape;
    const layout = new (stableTree(Slow, () => known, () => undefined))();
    layout.graphName = "eu";
    const [first, second] = [visible("a"), visible("a")];
    layout.run(first, size, () => undefined);
    known = { nodes: ["z", "a"].map((name) => ({ name })), edges: [] };
    layout.run(second, size, () => undefined);
    answers[1]?.();
    expect(layout.placing).toBe(false);
    answers[0]?.();
    expect(second.at["a"]).toEqual({ x: 2, y: 0 });
    expect(layout.placing).toBe(false);
  });

  test("of a level that nobody knows are made for what is visible", async () => {
    const lonely = visible("x");
    await run(make(() => undefined), lonely);
    expect(lonely.at).toEqual({ x: { x: 1, y: 0 } });
  });

  test("around an entry go left to right for one or two clusters, and in a ring for more", () => {
    expect(Object.fromEntries(ring(["INTERNET", "eu"], "INTERNET", size))).toEqual({ INTERNET: { x: -350, y: 0 }, eu: { x: 350, y: 0 } });
    expect(ring(["us", "INTERNET", "eu"], "INTERNET", size).get("eu")).toEqual({ x: 350, y: 220 });
    const three = ring(["c", "INTERNET", "a", "b"], "INTERNET", size);
    expect(three.get("INTERNET")).toEqual({ x: 0, y: 0 });
    expect(new Set([...three.values()].map(({ x, y }) => `${Math.round(x)} ${Math.round(y)}`)).size).toBe(4);
  });

  test("of clusters do not depend on which of them are there", () => {
    const layout = new (stableRing(() => ({ nodes: ["INTERNET", "a", "b", "c"].map((name) => ({ name })), edges: [] }), () => undefined))();
    layout.graphName = "mesh";
    const [all, some] = [visible("INTERNET", "a", "b", "c"), visible("INTERNET", "b")];
    layout.run(all, size, () => undefined);
    layout.run(some, size, () => undefined);
    expect(some.at["b"]).toEqual(all.at["b"]);
  });
});

test("the line of an edge is quiet until something is wrong, and danger goes before warning", () => {
  const palette = { edge: "#000001", warning: "#000002", danger: "#000003" } as never;
  const blue = (volume: Record<string, number>): number => Math.round(lineColor(volume, palette, USUAL_TONES).b * 255);
  expect(blue({ normal: 100 })).toBe(1);
  expect(blue({ normal: 0, warning: 0, danger: 0 })).toBe(1);
  expect(blue({ normal: 96, warning: 4 })).toBe(1);
  expect(blue({ normal: 95, warning: 5 })).toBe(2);
  expect(blue({ normal: 995, warning: 0, danger: 4 })).toBe(1);
  expect(blue({ normal: 995, warning: 500, danger: 8 })).toBe(3);
});
