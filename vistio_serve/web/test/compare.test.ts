// @vitest-environment happy-dom
import { describe, expect, test, vi } from "vitest";
import type { NodeObject } from "vizceral";
import { Api } from "../src/asking/api";
import { Comparing } from "../src/asking/comparing";
import type { Palette } from "../src/dom/palette";
import { ComparePanel, roundedNote } from "../src/panels/comparison";
import { changeOf, changesOf, groupRowsOf, rowsOf, summaryOf } from "../src/picture/changes";
import { drawnChanges } from "../src/picture/grouped";
import { EVERYTHING, planOf } from "../src/picture/groups";
import { Pictures } from "../src/picture/picture";
import { NO_DATA, type Snapshot, Store } from "../src/store/store";
import { changeColor } from "../src/traffic/looks";
import { showSign } from "../src/traffic/signs";
import type { Diff, DiffEdge } from "../src/values/answers";
import { goToBaseline, swap, togglePin } from "../src/values/baseline";
import { NO_CROWD, groupKey } from "../src/values/crowd";
import type { Rates } from "../src/values/model";
import { INITIAL, type State } from "../src/values/state";
import { EMPTY, extend } from "../src/values/topology";
import { START_MS, graph, level, node } from "./graphs";

const rates = (normal: number, warning = 0, danger = 0): Rates => ({ normal, warning, danger });
const edge = (cluster: string, ends: string, before: Rates | null, after: Rates | null): DiffEdge => {
  const [source = "", target = ""] = ends.split(">");
  return { cluster, source, target, before, after, change: before ? (after ? "changed" : "gone") : "new", change_rps: 1 };
};
const diffOf = (edges: readonly DiffEdge[], nodes: Diff["nodes"] = []): Diff => {
  const moment = { start: "", end: "", instants: 1, significant_digits: null };
  return { before: moment, after: moment, changed_edges: edges.length, changed_nodes: nodes.length, edges, nodes };
};
const pinned: Partial<State> = { baselineMs: START_MS - 60_000 };

describe("a change", () => {
  test.each<[string, Rates | null, Rates | null, string, boolean]>([
    ["what was not there is new", null, rates(1), "new", true],
    ["what is not there any more is gone", rates(1), null, "gone", true],
    ["a fifth more is notable", rates(80), rates(100), "more", true],
    ["less than a fifth is not", rates(81), rates(100), "more", false],
    ["a fifth less is notable", rates(100), rates(80), "less", true],
    ["a percentage point of errors is notable", rates(100), rates(99, 0, 1), "errors", true],
    ["less than a point is not", rates(100), rates(99.1, 0, 0.9), "more", false],
    ["quiet before and after is nothing", rates(0), rates(0), "more", false],
  ])("%s", (_, before, after, kind, notable) => {
    expect(changeOf(before, after)).toMatchObject({ kind, notable });
  });

  test("says by how much, in requests per second and percentage points", () => {
    expect(changeOf(rates(50), rates(75, 0, 25))).toMatchObject({ byRps: 50, byErrors: 25 });
    expect(changeOf(null, rates(5)).byErrors).toBeNull();
  });
});

test("rates that were rounded are said, by the side with the fewest digits", () => {
  const diff = diffOf([]);
  const side = (digits: number | null): Diff["before"] => ({ ...diff.before, significant_digits: digits });
  expect(roundedNote({ ...diff, before: side(3), after: side(5) })).toBe("Rates were rounded to 3 significant digits when they were recorded; smaller changes are not seen.");
  expect(roundedNote({ ...diff, after: side(1) })).toContain("to 1 significant digit when");
  expect([roundedNote(diff), roundedNote(null)]).toEqual(["", ""]);
  // A server of yesterday says nothing of it.
  expect(roundedNote({ ...diff, before: { start: "", end: "", instants: 1 } as unknown as Diff["before"] })).toBe("");
});

describe("the changes of a level", () => {
  const diff = diffOf([edge("eu", "a>b", rates(10), rates(11)), edge("eu", "a>odd--name", null, rates(3)), edge("us", "a>b", rates(1), rates(9))]);

  test("are keyed as the page keys nodes, whose labels the server knows", () => {
    const here = level("eu", ["a>b", "a>odd-_name"], { nodes: [node("a"), node("b"), node("odd-_name", { label: "odd--name" })] });
    expect([...changesOf(diff, here).edges.keys()]).toEqual(["a--b", "a--odd-_name"]);
  });

  test("are listed notable first, and those of other clusters only on the global level", () => {
    expect(rowsOf(diff, "eu").edges.map((row) => row.name)).toEqual(["a → odd--name", "a → b"]);
    expect(rowsOf(diff, "").edges.map((row) => row.name)).toEqual(["eu: a → odd--name", "us: a → b", "eu: a → b"]);
    expect(summaryOf(rowsOf(diff, "").edges)).toBe("1 new, 1 changed");
    expect(summaryOf([])).toBe("nothing notable");
  });

  test("have colours of their own, and what did not change is quiet", () => {
    const palette = { edge: "#101010", new: "#00ff00", gone: "#ff0000", changed: "#0000ff" } as Palette;
    expect(changeColor(changeOf(null, rates(1)), palette)).toMatchObject({ g: 1, a: 1 });
    expect(changeColor(changeOf(rates(1), null), palette)).toMatchObject({ r: 1 });
    expect(changeColor(changeOf(rates(1), rates(2)), palette)).toMatchObject({ b: 1 });
    expect(changeColor(changeOf(rates(10), rates(10.1)), palette).a).toBeLessThan(0.3);
    expect(changeColor(undefined, palette).a).toBeLessThan(0.3);
  });
});

describe("the changes of a level that is drawn in groups", () => {
  const here = level("eu", ["INTERNET>web.shop 100", "web.shop>cart.shop 40", "web.shop>pay.bank 30/0/10", "cart.shop>pay.bank 5", "pay.bank>ledger.bank 20", "ledger.bank>audit 7"]);
  const plan = planOf(here, { ...NO_CROWD, show: "groups", by: "namespace" }, null, () => []);
  const [shop, bank] = [groupKey("shop"), groupKey("bank")];
  const drawn = (...edges: DiffEdge[]): ReturnType<typeof drawnChanges> => drawnChanges(diffOf(edges), here, plan);

  test("are added up, together with what is the same at both moments", () => {
    const { nodes, edges } = drawn(edge("eu", "cart.shop>pay.bank", null, rates(3.75, 0, 1.25)));
    // A quarter fails before and now; a new connection makes a group's traffic more, not new.
    expect(edges.get(`${shop}--${bank}`)).toMatchObject({ kind: "more", notable: false, byRps: 5 });
    expect(nodes.get(bank)).toMatchObject({ kind: "more", byRps: 5 });
    expect([...edges.keys()]).toEqual([`${shop}--${bank}`]);
  });

  test("are new or gone where all of it is", () => {
    const all = [edge("eu", "web.shop>pay.bank", null, rates(30, 0, 10)), edge("eu", "cart.shop>pay.bank", null, rates(5))];
    expect(drawn(...all).nodes.get(bank)).toMatchObject({ kind: "new", notable: true });
    expect(drawn(edge("eu", "ledger.bank>old.shop", rates(3), null)).edges.get(`${bank}--old.shop`)).toMatchObject({ kind: "gone" });
  });

  test("tell errors of the sum", () => {
    const change = drawn(edge("eu", "web.shop>pay.bank", rates(40), rates(30, 0, 10))).edges.get(`${shop}--${bank}`);
    expect(change).toMatchObject({ kind: "errors", byRps: 0 });
    expect(change?.byErrors).toBeCloseTo(100 * 10 / 45);
  });

  test("inside of a group are none of the picture, and nothing different is no change", () => {
    const { nodes, edges } = drawn(edge("eu", "web.shop>cart.shop", rates(1), rates(40)));
    expect([nodes.size, edges.size]).toEqual([0, 0]);
  });

  test("without groups are those of each node and connection", () => {
    const diff = diffOf([edge("eu", "ledger.bank>audit", rates(1), rates(7))]);
    expect(drawnChanges(diff, here, EVERYTHING)).toEqual(changesOf(diff, here));
  });

  test("are listed by how much moved, notable ones first, and lead to the group", () => {
    const { nodes, edges } = drawn(edge("eu", "web.shop>pay.bank", rates(1), rates(30, 0, 10)), edge("eu", "INTERNET>web.shop", rates(99), rates(100)));
    const rows = groupRowsOf({ nodes, edges }, plan, "eu");
    expect(rows.map(({ name, change, selects }) => [name, change.kind, change.notable, selects])).toEqual([["bank", "more", true, { node: bank }], ["shop", "more", false, { node: shop }]]);
    const panel = new ComparePanel({ change: vi.fn() }, new Pictures());
    const state = { ...INITIAL, ...pinned, path: ["eu"], crowd: { ...NO_CROWD, show: "groups", by: "namespace" } as const };
    const mesh = graph([here]);
    panel.render({ state, data: { ...NO_DATA, graph: mesh, topology: extend(EMPTY, mesh), diff: { ...diffOf([edge("eu", "web.shop>pay.bank", rates(1), rates(30, 0, 10))]), changed_edges: 7 } } });
    expect(panel.element.textContent).toContain("Groups: 1 changed");
    expect(panel.element.textContent).toContain("The 1 largest of 7 changes");
  });
});

describe("pinning", () => {
  const axis = { firstMs: START_MS - 600_000, lastMs: START_MS, stepMs: 10_000 };
  const known = { graph: graph([]), axis };

  test("pins the moment that is shown, and lets it go", () => {
    const state = togglePin(INITIAL, known);
    expect(state.baselineMs).toBe(START_MS);
    expect(togglePin(state, known).baselineMs).toBeNull();
  });

  test("before anything is shown there is nothing to pin", () => {
    expect(togglePin(INITIAL, { graph: null, axis })).toBe(INITIAL);
  });

  test("swapping shows the pinned moment and pins the shown one", () => {
    const state = swap({ ...INITIAL, ...pinned }, known);
    expect(state).toMatchObject({ baselineMs: START_MS, travel: { mode: "at", atMs: START_MS - 60_000 } });
    expect(goToBaseline(state, known).travel.atMs).toBe(START_MS);
  });
});

describe("the panel", () => {
  const now = (diff: Diff | null, state: Partial<State> = pinned): Snapshot => ({ state: { ...INITIAL, path: ["eu"], ...state }, data: { ...NO_DATA, graph: graph([level("eu", ["a>b"])]), diff } });
  const render = (snapshot: Snapshot): HTMLElement => {
    const panel = new ComparePanel({ change: vi.fn() }, new Pictures());
    panel.render(snapshot);
    return panel.element;
  };

  test("is not there without a pinned moment", () => {
    expect(render(now(null, { baselineMs: null })).hidden).toBe(true);
  });

  test("tells what is new and gone in words and signs", () => {
    const element = render(now(diffOf([edge("eu", "a>b", null, rates(12.5)), edge("eu", "b>c", rates(4), null)])));
    expect(element.textContent).toContain("Connections: 1 new, 1 gone");
    expect([...element.querySelectorAll("tbody tr")].map((row) => row.textContent)).toEqual(["+a → b+12.5–", "×b → c−4.00–"]);
  });

  test("says when this is the pinned moment itself", () => {
    expect(render(now(diffOf([]), { baselineMs: START_MS })).textContent).toContain("pinned moment itself");
  });

  test("shows hostile names as text", () => {
    const element = render(now(diffOf([edge("eu", "<b>x</b>>y", null, rates(1))])));
    expect(element.querySelector("b")).toBeNull();
    expect(element.textContent).toContain("<b");
  });
});

test("a sign is put before a node's name and taken away, and the label is as wide as its text", () => {
  const label = { nodeName: "cart", labelWidth: 40, view: { scale: { x: 1 }, geometry: { parameters: { width: 40 } } }, updateLabel(): void { this.labelWidth = 10 * this.nodeName.length; this.view.scale.x = 1; } };
  const shown = { name: "cart", view: { nameView: label } } as unknown as NodeObject;
  showSign(shown, "+");
  expect(label).toMatchObject({ nodeName: "+ cart", view: { scale: { x: 1.5 } } });
  label.updateLabel();
  expect(label.view.scale.x).toBe(1.5);
  showSign(shown, "");
  expect(label).toMatchObject({ nodeName: "cart", view: { scale: { x: 1 } } });
  showSign({ name: "unseen" } as NodeObject, "+");
});

describe("asking", () => {
  test("one question at a time, the newest last, and none after the pin is gone", async () => {
    const asked: string[] = [];
    const waiting: (() => void)[] = [];
    const api = new Api("http://h/", (async (address: string) => {
      const url = new URL(address);
      if (!url.pathname.endsWith("/diff")) return Response.json({ type: "x" }, { status: 404 });
      asked.push(url.searchParams.get("after") ?? "");
      await new Promise<void>((go) => waiting.push(go));
      return Response.json(diffOf([]));
    }) as unknown as typeof fetch);
    const store = new Store({ ...INITIAL, ...pinned });
    new Comparing(store, api).start();
    const show = async (seconds: number): Promise<void> => {
      store.learn({ graph: graph([], { atMs: START_MS + seconds * 1000 }) });
      await Promise.resolve();
    };
    for (const seconds of [0, 10, 20]) await show(seconds);
    expect(asked).toEqual(["2026-11-23T05:00:00Z"]);
    waiting[0]!();
    await vi.waitFor(() => expect(asked).toEqual(["2026-11-23T05:00:00Z", "2026-11-23T05:00:20Z"]));
    store.change((state) => ({ ...state, baselineMs: null }));
    waiting[1]!();
    await vi.waitFor(() => expect(store.snapshot.data.diff).toBeNull());
    await show(30);
    expect(asked).toHaveLength(2);
  });
});
