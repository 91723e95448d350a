import { loadPatterns } from "../src/asking/engine";
import { describe, expect, test } from "vitest";
import { noteOf } from "../src/controls/crowd-note";
import { EVERYTHING, arrange, bundle, entered, firstOf, planOf, ranked, together, toldOf } from "../src/picture/groups";
import { type Naming, WAYS, namingOf } from "../src/picture/naming";
import { Pictures, drawnSelection } from "../src/picture/picture";
import { foundAs } from "../src/picture/scene";
import { NO_DATA } from "../src/store/store";
import { circle, columns } from "../src/traffic/places";
import { NO_CROWD, groupKey, groupOf, readCrowd, writeCrowd } from "../src/values/crowd";
import { total } from "../src/values/model";
import { closeGroup, openGroup, openOrEnter, setCrowd } from "../src/values/opening";
import { INITIAL, NO_FILTERS, type State } from "../src/values/state";
import { LOADING } from "../src/values/patterns";
import { EMPTY, extend } from "../src/values/topology";
import { edge, graph, level, notice } from "./graphs";

const none = (): readonly string[] => [];
const groups = { ...NO_CROWD, show: "groups", by: "namespace" } as const;
const shop = level("eu", [
  "INTERNET>web.shop 100",
  "web.shop>cart.shop 40/0/2",
  edge("web.shop>pay.bank 30/0/10", { notices: [notice(2, "errors")], measurements: { latency_p99_ms: 80, sent_bytes_per_second: 10 } }),
  edge("cart.shop>pay.bank 5", { measurements: { latency_p99_ms: 200, sent_bytes_per_second: 5 } }),
  "pay.bank>ledger.bank 20",
  "ledger.bank>audit 1",
]);
const named = (of: { nodes: readonly { name: string }[] }): string[] => of.nodes.map((each) => each.name);
const rates = (of: { edges: readonly { source: string; target: string; rates: { normal: number; warning: number; danger: number } }[] }): string[] => of.edges.map((each) => `${each.source}>${each.target} ${total(each.rates)}`);
const crowd = (count: number, name = (index: number): string => `s${index}.ns${index % 10}`): ReturnType<typeof level> => level("eu", ["INTERNET>s0.ns0 9", ...Array.from({ length: count - 1 }, (_, index) => `${name(Math.floor(index / 3))}>${name(index + 1)} ${count - index}`)]);

describe("which group a node is in", () => {
  const says = (way: string, label: string): string | null | undefined => WAYS[way]?.naming({ label, class: "default" });

  test.each([
    ["reviews.shop", "shop"], ["shop/reviews", "shop"], ["reviews.shop.svc.cluster.local", "shop"], ["reviews", null], ["reviews.", null], [".shop", null], ["/x", null],
  ])("the namespace of %j is %j", (label, name) => {
    expect(says("namespace", label)).toBe(name);
  });

  test.each([["payment-service", "payment"], ["payment_service", "payment"], ["payment", null], ["-x", null]])("the first word of %j is %j", (label, name) => {
    expect(says("prefix", label)).toBe(name);
  });

  test("a pattern names by its first group, or by all of it; one that is wrong names nothing and says why", async () => {
    const patterns = await loadPatterns();
    const says = (pattern: string, label: string) => (namingOf(pattern, patterns) as Naming)({ label, class: "" });
    expect(says("^team-(\\d+)", "team-07-web")).toBe("07");
    expect(says("^team-\\d+", "team-07-web")).toBe("team-07");
    expect(says("^team", "web")).toBeNull();
    expect(namingOf("(", patterns)).toBe("missing closing ): (");
    expect(namingOf("a".repeat(201), patterns)).toBe("a pattern has 200 characters at most");
    expect(namingOf("a", null)).toBe(LOADING);
  });

  test("a pattern that would hold up the browser's own engine does not hold up this one", async () => {
    const naming = namingOf("^((x+)+)+Y", await loadPatterns()) as Naming;
    expect(naming({ label: "x".repeat(5000), class: "" })).toBeNull();
    expect(naming({ label: `${"x".repeat(5000)}Y`, class: "" })).toBe("x".repeat(5000));
  });
});

describe("a plan", () => {
  test.each([[120, "all"], [121, "groups"]])("of %d nodes draws %s", (count, mode) => {
    // The entry is a node as well.
    expect(planOf(crowd(count - 1), NO_CROWD, null, none).mode).toBe(mode);
  });

  test("takes the way that leaves least to draw", () => {
    expect(planOf(crowd(200), NO_CROWD, null, none).by).toBe("namespace");
    expect(planOf(crowd(200, (index) => `team${index % 7}-s${index}`), NO_CROWD, null, none).by).toBe("prefix");
  });

  test("shows the first ones where groups do not help", () => {
    const plan = planOf(crowd(200, (index) => `s${index}`), NO_CROWD, null, () => ["s1", "s2"]);
    expect(plan.mode).toBe("top");
    expect([...plan.drawnAs.keys()]).not.toContain("s1");
    expect(plan.drawnAs.get("s150")).toBe("group:*");
  });

  test("an open group with many nodes has groups of its own: by words of the names, then by versions", () => {
    const names = ["web", "pay"].flatMap((word) => Array.from({ length: 42 }, (_, index) => `shop/${word}-s${Math.floor(index / 2)}-v${index % 2}`));
    const big = level("eu", [...names.map((name) => `gate>${name} 1`), "gate>bank/a 1", "gate>bank/b 1"]);
    const planned = (...open: string[]): string[] => [...planOf(big, { ...groups, open }, null, none).groups.values()].map((group) => `${group.name} ${group.members.length}${group.open ? " open" : ""}`);
    expect(planned()).toEqual(["bank 2", "shop 84"]);
    expect(planned("shop")).toEqual(["bank 2", "shop 84 open", "shop/pay 42", "shop/web 42"]);
    expect(planned("shop", "shop/web").slice(0, 6)).toEqual(["bank 2", "shop 84 open", "shop/pay 42", "shop/web 42 open", "shop/web/web-s0 2", "shop/web/web-s1 2"]);
    const plan = planOf(big, { ...groups, open: ["shop", "shop/web", "shop/web/web-s3"] }, null, none);
    expect(plan.drawnAs.get("shop/web-s0-v1")).toBe("group:shop/web/web-s0");
    expect(plan.drawnAs.has("shop/web-s3-v0")).toBe(false);
    expect(arrange(big, plan).nodes.length).toBe(1 + 1 + 1 + 20 + 2);
    // What is open inside of a closed group waits until that is opened.
    expect(planned("shop/web")).toEqual(planned());
  });

  test("shows the nodes of an open group, and leaves one node alone in its namespace as it is", () => {
    const plan = planOf(shop, { ...groups, open: ["bank"] }, null, none);
    expect([...plan.groups.values()].map((group) => [group.name, group.members.length, group.open])).toEqual([["bank", 2, true], ["shop", 2, false]]);
    expect([...plan.drawnAs.keys()]).toEqual(["web.shop", "cart.shop"]);
  });

  test("takes a node with a view of its own, and its neighbours, out of their groups", () => {
    expect([...planOf(shop, groups, "web.shop", none).drawnAs.keys()]).toEqual([]);
    expect([...planOf(shop, groups, "ledger.bank", none).drawnAs.keys()]).toEqual(["web.shop", "cart.shop"]);
  });

  test("gives up a group whose key a node is called by", () => {
    const odd = level("eu", ["x>a.shop", "x>b.shop", "x>group:shop"]);
    expect(planOf(odd, groups, null, none).drawnAs.size).toBe(0);
  });
});

describe("a level in groups", () => {
  const plan = planOf(shop, groups, null, none);
  const drawn = arrange(shop, plan);

  test("adds connections up, leaves those inside of a group out, and loses no request between groups", () => {
    expect(named(drawn)).toEqual(["INTERNET", "group:shop", "group:bank", "audit"]);
    expect(rates(drawn)).toEqual(["INTERNET>group:shop 100", "group:shop>group:bank 45", "group:bank>audit 1"]);
    expect(drawn.edges[1]?.rates).toEqual({ normal: 35, warning: 0, danger: 10 });
  });

  test("says how many are inside, and keeps notices with their place", () => {
    expect(drawn.nodes[1]?.label).toBe("shop (2)");
    expect(drawn.edges[1]?.notices).toEqual([{ ...notice(2, "errors"), subtitle: "web.shop → pay.bank" }]);
  });

  test("adds throughput up, and of latencies takes the largest", () => {
    expect(drawn.edges[1]?.measurements).toEqual({ latency_p99_ms: 200, sent_bytes_per_second: 15 });
    expect(together([{ saturation: 0.9 }, { saturation: 0.2 }, {}])).toEqual({ saturation: 0.9 });
  });

  test("keeps the scale above its busiest connection", () => {
    expect(arrange({ ...shop, maxVolume: 1 }, plan).maxVolume).toBe(100);
  });

  test("is the very same level when nothing is grouped", () => {
    expect(arrange(shop, EVERYTHING)).toBe(shop);
  });

  test("tells what is not drawn", () => {
    const told = toldOf(shop, plan);
    expect(told).toMatchObject({ nodes: 6, grouped: 4, closed: 2, insideRate: 62, rate: 208 });
    expect(noteOf(told, plan, "traffic")).toBe("6 nodes, 4 of them in 2 groups by namespace. 29.8 % of all requests stay inside of groups (62.0 /s).");
  });

  test("one connection alone stays what it was", () => {
    expect(bundle("x", "y", [edge("a>b 3", { notices: [notice(1)] })])).toEqual({ ...edge("x>y 3"), notices: [notice(1)] });
  });
});

describe("entries", () => {
  test("come first, and a way leads to groups that only call each other", () => {
    const ring = entered(level("eu", ["b>c 1", "c>b 1", "a>a2 1"]));
    expect(named(ring)).toEqual(["no-caller-seen", "a", "b", "c", "a2"]);
    expect(ring.edges.at(-1)).toMatchObject({ source: "no-caller-seen", target: "b", synthetic: true });
  });
});

describe("the first ones", () => {
  const mesh = level("eu", ["in>a 10", "in>b 30/0/1", "in>c 20/0/5", "in>d 1"]);

  test("by requests, by errors, equal ones by name", () => {
    expect(ranked(mesh, "traffic")).toEqual(["in", "b", "c", "a", "d"]);
    expect(ranked(mesh, "errors")).toEqual(["c", "b", "in", "a", "d"]);
  });

  test("who was shown stays while nearly among them, and whoever is clearly among them comes in", () => {
    const all = ["a", "b", "c", "d", "e", "f", "g", "h"];
    expect(firstOf(all, 4, [])).toEqual(["a", "b", "c", "d"]);
    expect(firstOf(all, 4, ["b", "c", "d", "e"])).toEqual(["a", "b", "c", "d"]);
    expect(firstOf(all, 8, ["h"])).toContain("h");
    expect(firstOf(["z", ...all], 4, ["a", "b", "c", "d"])).toEqual(["a", "b", "c", "z"]);
    expect(firstOf(all, 4, ["g"])).not.toContain("g");
  });
});

describe("the picture", () => {
  const mesh = graph([crowd(200)]);
  const at = (state: Partial<State>, shown = mesh): ReturnType<Pictures["of"]> => new Pictures().of({ state: { ...INITIAL, path: ["eu"], ...state }, data: { ...NO_DATA, graph: shown, topology: extend(EMPTY, mesh) } });

  test("is made once for a snapshot", () => {
    const pictures = new Pictures();
    const now = { state: INITIAL, data: { ...NO_DATA, graph: mesh, topology: EMPTY } };
    expect(pictures.of(now)).toBe(pictures.of({ ...now }));
    expect(pictures.of({ ...now, data: NO_DATA })).toBeNull();
  });

  test("keeps groups and their places whatever is there at a moment, and whatever is filtered", () => {
    const quiet = graph([level("eu", ["s0.ns0>s1.ns1 1"])]);
    const shapes = [at({}), at({}, quiet), at({ filters: { ...NO_FILTERS, minRps: 150 } })].map((picture) => picture?.scene.topology.get("eu"));
    expect(shapes[1]).toEqual(shapes[0]);
    expect(shapes[2]).toEqual(shapes[0]);
    expect(shapes[0]?.layout).toBe("columns");
  });

  test("filters go by the connections inside: a group stays for one that passes", () => {
    const filtered = at({ filters: { ...NO_FILTERS, minRps: 200 } })?.scene.levels.get("eu");
    expect(named(filtered!)).toEqual(["group:ns0", "group:ns1"]);
    expect(rates(filtered!)).toEqual(["group:ns0>group:ns1 200"]);
  });

  test("what is selected or found inside of a group is the group", () => {
    const plan = at({})!.plans.get("eu")!;
    expect(drawnSelection({ kind: "node", node: "s11.ns1" }, plan)).toEqual({ kind: "node", node: "group:ns1" });
    expect(drawnSelection({ kind: "edge", source: "s0.ns0", target: "s1.ns1" }, plan)).toEqual({ kind: "edge", source: "group:ns0", target: "group:ns1" });
    expect(drawnSelection({ kind: "edge", source: "s1.ns1", target: "s11.ns1" }, plan)).toEqual({ kind: "node", node: "group:ns1" });
    expect(foundAs(mesh.levels.get("eu"), "s11", plan.drawnAs, null)).toEqual(new Set(["group:ns1", "group:ns0", "group:ns2", "group:ns3", "group:ns4", "group:ns5", "group:ns6", "group:ns7", "group:ns8", "group:ns9"]));
  });
});

describe("opening", () => {
  const eu: State = { ...INITIAL, path: ["eu"], selection: { kind: "node", node: groupKey("shop") } };

  test("a double click on a group opens it, on anything else enters", () => {
    expect(openOrEnter(eu, ["eu", "group:shop"])).toMatchObject({ path: ["eu"], crowd: { open: ["shop"] }, selection: null });
    expect(openOrEnter(eu, ["eu", "cart"])).toMatchObject({ path: ["eu", "cart"] });
  });

  test("of all others shows twice as many", () => {
    expect(openGroup(eu, "*").crowd.top).toBe(100);
  });

  test("is undone, and forgotten on another level", () => {
    expect(closeGroup(openGroup(eu, "shop"), "shop").crowd).toEqual(NO_CROWD);
    expect(openOrEnter(openGroup(eu, "shop"), ["us"]).crowd.open).toEqual([]);
    expect(openOrEnter(openGroup(eu, "shop"), ["eu", "cart"]).crowd.open).toEqual(["shop"]);
  });

  test("a number that is none leaves one node, and too many are cut", () => {
    expect([0, -5, Number.NaN, 1e9, 7.4].map((top) => setCrowd(eu, { top }).crowd.top)).toEqual([1, 1, 1, 500, 7]);
  });

  test("a link holds it", () => {
    const asked = { show: "top", by: "^(a|b)-", top: 20, rank: "errors", layout: "circle", open: ["a b", "c&d"], allLines: true, around: { node: "a b", up: 2, down: 99 } } as const;
    const query = new URLSearchParams();
    writeCrowd(asked, query);
    expect(readCrowd(new URLSearchParams(query.toString()))).toEqual(asked);
    expect(readCrowd(new URLSearchParams("show=x&top=-1&rank=y&layout=z"))).toEqual(NO_CROWD);
    expect([groupOf("group:a"), groupOf("a")]).toEqual(["a", null]);
  });
});

describe("places of our own", () => {
  const edges = [["in", "a"], ["in", "b"], ["a", "c"], ["b", "c"], ["c", "a"], ["d", "e"], ["e", "d"]].map(([source = "", target = ""]) => ({ source, target }));
  const names = ["in", "a", "b", "c", "d", "e"];
  const size = { width: 100, height: 100 };

  test("columns go by the distance from the entry, also in circles, and hold everything", () => {
    const places = columns(names, edges, size);
    expect([...places.keys()].sort()).toEqual([...names].sort());
    expect(["in", "a", "b", "c", "d"].map((name) => Math.round(places.get(name)?.x ?? NaN))).toEqual([-50, -17, -17, 17, 50]);
  });

  test.each([columns, circle])("no two nodes of 100 share a place, and none is outside", (layout) => {
    const many = Array.from({ length: 100 }, (_, index) => `n${index}`);
    const places = [...layout(["in", ...many], many.map((target) => ({ source: "in", target })), size).values()];
    expect(new Set(places.map(({ x, y }) => `${x.toFixed(2)} ${y.toFixed(2)}`)).size).toBe(101);
    expect(Math.max(...places.flatMap(({ x, y }) => [Math.abs(x), Math.abs(y)]))).toBeLessThanOrEqual(50);
  });
});
