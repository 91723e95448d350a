// @vitest-environment happy-dom
/** Services by time: which rows there are, in which order, how strongly they are coloured, and when they are asked for. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Result } from "../src/asking/api";
import { Heating } from "../src/asking/heating";
import { LazyHeat } from "../src/heat/lazy";
import { Store } from "../src/store/store";
import { heatHere } from "../src/store/subject";
import type { Heat } from "../src/values/answers";
import { cellText, columnsOf, goToCell, heatRows, rowText, stepMs, strengthOf } from "../src/values/heat";
import { USUAL_TONES } from "../src/values/model";
import { UTC } from "../src/values/zones";
import { HEAT_KINDS, INITIAL, type Window, back, toggleHeat, zoom } from "../src/values/state";
import { EMPTY, extend } from "../src/values/topology";
import { type Axis, goTo } from "../src/values/travel";
import { fromFragment, isNavigation, toFragment } from "../src/values/url";
import { movedOn } from "../src/values/window";
import { START_MS, graph, level, node } from "./graphs";

const axis: Axis = { firstMs: START_MS, lastMs: START_MS + 170_000, stepMs: 10_000 };
const at = (seconds: number): string => new Date(START_MS + 1000 * seconds).toISOString();

/** Three steps of a minute; by cluster and name. */
function heat(rows: Readonly<Record<string, { rps: (number | null)[]; failed?: (number | null)[]; ms?: (number | null)[] }>>, stepMs = 60_000): Heat {
  const all = Object.entries(rows);
  const ends = all.map(([name]) => name.split("/"));
  const rates = (of: (row: (typeof all)[number][1], column: number) => number | null): (number | null)[][] => all.map(([, row]) => row.rps.map((rps, column) => (rps === null ? null : of(row, column))));
  const columns = all[0]?.[1].rps.length ?? 0;
  return {
    start: at(0), end: at((columns * stepMs) / 1000), step_ms: stepMs,
    cluster: ends.map(([cluster]) => cluster!), node: ends.map(([, name]) => name!),
    normal: rates((row, column) => row.rps[column]! - (row.failed?.[column] ?? 0)),
    warning: rates(() => 0),
    danger: rates((row, column) => row.failed?.[column] ?? 0),
    latency_ms: all.map(([, row]) => row.ms ?? row.rps.map(() => null)),
  };
}

const some = heat({
  "/INTERNET": { rps: [10, 10, 10] },
  "/eu": { rps: [10, 10, 10], failed: [0, 0, 1] },
  "eu/late": { rps: [100, 100, 100], failed: [0, 0, 50] },
  "eu/early": { rps: [1, 1, 1], failed: [0, 0.5, 0] },
  "eu/quiet": { rps: [2, 0, null] },
  "eu/busy": { rps: [200, 200, 200], failed: [0, 200 * (USUAL_TONES.danger - 1e-9), 0] },
});
const names = (rows: readonly { readonly label: string }[]): string[] => rows.map((row) => row.label);

describe("rows", () => {
  test("stand by their first error that is red, then by their requests", () => {
    expect(names(heatRows(some, "errors", "eu", USUAL_TONES.danger))).toEqual(["early", "late", "busy", "quiet"]);
  });

  test("of the global level are those of all clusters, by name, and who is no cluster", () => {
    expect(names(heatRows(some, "errors", "", USUAL_TONES.danger))).toEqual(["early (eu)", "late (eu)", "busy (eu)", "INTERNET", "quiet (eu)"]);
  });

  test("say three things: a share, nothing to share, not seen", () => {
    const quiet = heatRows(some, "errors", "eu", USUAL_TONES.danger)[3]!;
    expect(quiet.cells).toEqual([0, undefined, null]);
    expect([quiet.unseen, quiet.firstError, quiet.worst]).toEqual([1, null, null]);
    expect(cellText(some, quiet, 0, UTC)).toBe("quiet, 05:00:00: 2.00 requests/s, 0 % errors");
    expect(cellText(some, quiet, 1, UTC)).toBe("quiet, 05:01:00: 0 requests/s");
    expect(cellText(some, quiet, 2, UTC)).toBe("quiet, 05:02:00: not seen");
    expect(rowText(some, quiet, "errors", UTC)).toBe("quiet: no errors, 1 of 3 steps not seen");
    expect(rowText(some, heatRows(some, "errors", "eu", USUAL_TONES.danger)[1]!, "errors", UTC)).toBe("late: first error 05:02:00, worst 50.0 % at 05:02:00");
  });

  test("of latency and change say how many times their median", () => {
    const slow = heat({ "eu/a": { rps: [10, 10, 30], ms: [10, 40, 10] }, "eu/b": { rps: [1, 0, 1] } });
    expect(heatRows(slow, "latency", "eu", USUAL_TONES.danger).map((row) => row.cells)).toEqual([[1, 4, 1]]);
    expect(heatRows(slow, "change", "eu", USUAL_TONES.danger).map((row) => row.cells)).toEqual([[1, 1, 3], [1, 0, 1]]);
    expect(rowText(slow, heatRows(slow, "latency", "eu", USUAL_TONES.danger)[0]!, "latency", UTC)).toBe("a: no errors, latency at most 4.0 times its median at 05:01:00");
  });

  test("without latency where there were no requests differ from those where it was not seen", () => {
    const gone = heat({ "eu/a": { rps: [1, 0, null], ms: [5, null, null] } });
    expect(heatRows(gone, "latency", "eu", USUAL_TONES.danger)[0]!.cells).toEqual([1, undefined, null]);
  });

  test("of 200 services by 360 steps are made within a second", () => {
    const rows = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`eu/s${index}`, { rps: Array.from({ length: 360 }, () => 5), failed: Array.from({ length: 360 }, (_, step) => (step === index ? 1 : 0)) }]));
    const many = heat(rows, 10_000);
    heatRows(many, "errors", "eu", USUAL_TONES.danger);
    const begun = performance.now();
    expect(heatRows(many, "errors", "eu", USUAL_TONES.danger).map((row) => row.firstError)).toEqual(Array.from({ length: 200 }, (_, index) => index));
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});

describe("a colour", () => {
  test.each([[null, 0], [undefined, 0], [0, 0], [0.0009, 0], [0.001, 0.15 + 0.85 * Math.sqrt(0.001)], [0.25, 0.575], [1, 1]])("of the share %s is %d strong", (share, strength) => {
    expect(strengthOf(share, "errors")).toBeCloseTo(strength, 9);
  });

  test("of change has two directions, of latency one", () => {
    expect(strengthOf(3, "change")).toBe(1);
    expect(strengthOf(1 / 3, "change")).toBeCloseTo(-1, 9);
    expect(strengthOf(0, "change")).toBe(-1);
    expect([1.24, 0.81].map((times) => strengthOf(times, "change"))).toEqual([0, 0]);
    expect([strengthOf(3, "latency"), strengthOf(0.1, "latency")]).toEqual([1, 0]);
  });
});

describe("a cell", () => {
  test("leads to its node and moment, by its name on the page, and closes the map", () => {
    const topology = extend(EMPTY, graph([level("", [], { nodes: [node("key-of-eu", { recorded: "eu" })] }), level("key-of-eu", [], { nodes: [node("key-of-late", { recorded: "late" })] })]));
    const rows = heatRows(some, "errors", "", USUAL_TONES.danger);
    const late = rows.find((row) => row.label === "late (eu)")!;
    const there = goToCell({ ...INITIAL, heat: "errors" }, some, late, 2, axis, topology);
    expect([there.path, there.selection, there.heat]).toEqual([["key-of-eu"], { kind: "node", node: "key-of-late" }, null]);
    expect(there.travel.atMs).toBe(stepMs(some, 2) + 30_000);
    const finer = heat({ "eu/late": { rps: [1, 1, 1] } }, 10_000);
    expect(goToCell(INITIAL, finer, heatRows(finer, "errors", "eu", USUAL_TONES.danger)[0]!, 2, axis, topology).travel.atMs).toBe(START_MS + 20_000);
  });

  test("that the window cuts off counts as a column", () => {
    expect(columnsOf({ ...some, end: at(121) })).toBe(3);
    expect(columnsOf(some)).toBe(3);
  });
});

describe("the state", () => {
  test("is in the link, and each kind is a step of the history", () => {
    for (const kind of HEAT_KINDS) expect(fromFragment(toFragment({ ...INITIAL, heat: kind }), INITIAL.display, 0).heat).toBe(kind);
    expect(fromFragment("#/?heat=nonsense", INITIAL.display, 0).heat).toBeNull();
    expect(isNavigation(INITIAL, toggleHeat(INITIAL))).toBe(true);
  });

  test("is closed by Esc before the selection", () => {
    const open = { ...toggleHeat(INITIAL), selection: { kind: "node", node: "a" } as const };
    expect(back(open)).toEqual({ ...open, heat: null });
    expect(toggleHeat(open).heat).toBeNull();
  });
});

describe("it is asked for", () => {
  const page = { hidden: false, addEventListener: () => undefined };
  const answers: ((result: Result<Heat>) => void)[] = [];
  const api = { heat: vi.fn((_: Window) => new Promise<Result<Heat>>((resolve) => answers.push(resolve))) };
  const settled = async (): Promise<void> => { for (let turn = 0; turn < 10; turn++) await Promise.resolve(); };
  let store: Store;

  beforeEach(() => {
    vi.useFakeTimers();
    api.heat.mockClear();
    answers.length = 0;
    store = new Store(INITIAL);
    store.learn({ axis });
    new Heating(store, api, page).start();
  });
  afterEach(() => vi.useRealTimers());

  test("only while it is open, and once for a window", async () => {
    await settled();
    expect(api.heat).not.toHaveBeenCalled();
    store.change(toggleHeat);
    await settled();
    expect(api.heat.mock.calls).toEqual([[{ startMs: axis.firstMs, endMs: axis.lastMs + axis.stepMs }]]);
    answers[0]!({ ok: true, value: some });
    await settled();
    expect(store.snapshot.data.heated?.heat).toBe(some);
    store.change(toggleHeat);
    store.change(toggleHeat);
    await settled();
    expect(api.heat).toHaveBeenCalledTimes(1);
    store.change((state) => zoom(state, { startMs: START_MS, endMs: START_MS + 60_000 }));
    await settled();
    expect(api.heat).toHaveBeenCalledTimes(2);
  });

  test("at once when a live window moves on, and what was found stays until then", async () => {
    const shown = (): Heat | null | undefined => heatHere(store.snapshot.data.heated, store.snapshot.state)?.heat;
    const to = (seconds: number): Window => ({ startMs: START_MS + 1000 * seconds, endMs: START_MS + 1000 * (seconds + 150) });
    store.change((state) => toggleHeat(zoom(state, to(0))));
    await settled();
    answers[0]!({ ok: true, value: some });
    await settled();
    store.change((state) => ({ ...state, window: to(10) }));
    await settled();
    expect(api.heat).toHaveBeenCalledTimes(2);
    expect(shown()).toBe(some);
    const later = { ...some, start: at(10) };
    answers[1]!({ ok: true, value: later });
    await settled();
    expect([shown(), api.heat.mock.calls.length]).toEqual([later, 2]);
    // Another stretch of time is no later one, and in the past none moves on.
    for (const other of [{ ...to(20), endMs: to(10).endMs }, to(0), to(170), null]) expect(movedOn(to(10), other)).toBe(false);
    expect(heatHere(store.snapshot.data.heated, { ...goTo(store.snapshot.state, START_MS, axis), window: to(20) })).toBe(null);
  });

  test("again later where it was not answered, and what is wrong is kept", async () => {
    store.change(toggleHeat);
    await settled();
    const problem = { kind: "busy", status: 503, title: "Too much to do", detail: "ask again", beforeMs: null, afterMs: null, reason: "" };
    answers[0]!({ ok: false, problem });
    await settled();
    expect(store.snapshot.data.heated?.problem).toBe(problem);
    vi.advanceTimersByTime(30_000);
    await settled();
    expect(api.heat).toHaveBeenCalledTimes(2);
  });
});

describe("the view", () => {
  test("stays at its node and moment, and has the focus, when a live window moves on", async () => {
    vi.stubGlobal("ResizeObserver", class { observe(): void {} });
    const store = new Store({ ...INITIAL, heat: "errors" });
    const answer = (found: Heat | null): void => store.learn({ axis, heated: { of: null, window: { startMs: START_MS, endMs: START_MS + 180_000 }, heat: found, problem: null } });
    const lazy = new LazyHeat(store);
    document.body.replaceChildren(lazy.element);
    answer(some);
    lazy.render(store.snapshot);
    await vi.waitFor(() => expect(lazy.element.querySelectorAll("li button").length).toBe(5));
    const says = (): string => lazy.element.querySelector(".heat-says")!.textContent!;
    const focused = (): string => document.activeElement!.textContent!;
    [...lazy.element.querySelectorAll<HTMLButtonElement>("li button")].find((each) => each.textContent === "late (eu)")!.focus();
    expect([focused(), says()]).toEqual(["late (eu)", "late (eu), 05:02:00: 100 requests/s, 50.0 % errors"]);

    answer(null);
    lazy.render(store.snapshot);
    expect([focused(), says()]).toEqual(["error share", ""]);
    // A minute later the first step is another, and who failed in it stands no longer above.
    const later = { ...heat({ "eu/early": { rps: [1, 1, 1] }, "eu/late": { rps: [100, 80, 100], failed: [0, 40, 0] } }), start: at(60), end: at(240) };
    answer(later);
    lazy.render(store.snapshot);
    expect([focused(), says()]).toEqual(["late (eu)", "late (eu), 05:02:00: 80.0 requests/s, 50.0 % errors"]);
    expect(lazy.element.querySelector<HTMLElement>(".heat-cursor")!.style.left).toBe(`${100 / 3}%`);

    // What the window has left behind is no moment in it: the row goes to its first error.
    answer({ ...later, start: at(180), end: at(360) });
    lazy.render(store.snapshot);
    expect([focused(), says()]).toEqual(["late (eu)", "late (eu), 05:04:00: 80.0 requests/s, 50.0 % errors"]);
    // Who went elsewhere meanwhile is left there.
    lazy.element.querySelector<HTMLButtonElement>("[aria-pressed=false]")!.focus();
    answer(later);
    lazy.render(store.snapshot);
    expect(focused()).toBe("latency");
    vi.unstubAllGlobals();
  });

  test("is loaded when it is opened, shows its rows, and goes where one is pressed", async () => {
    vi.stubGlobal("ResizeObserver", class { observe(): void {} });
    const store = new Store(INITIAL);
    store.learn({ axis, heated: { of: null, window: { startMs: START_MS, endMs: START_MS + 180_000 }, heat: some, problem: null } });
    const lazy = new LazyHeat(store);
    lazy.render(store.snapshot);
    expect([lazy.element.hidden, lazy.element.children.length]).toEqual([true, 0]);
    store.change(toggleHeat);
    document.body.append(lazy.element);
    lazy.render(store.snapshot);
    await vi.waitFor(() => expect(lazy.element.querySelectorAll("li button").length).toBe(5));
    const [first] = lazy.element.querySelectorAll<HTMLButtonElement>("li button");
    expect(first!.getAttribute("aria-label")).toBe("early (eu): first error 05:01:00, worst 50.0 % at 05:01:00");
    first!.focus();
    expect(lazy.element.querySelector(".heat-says")!.textContent).toBe("early (eu), 05:01:00: 1.00 requests/s, 50.0 % errors");
    const press = (key: string, shiftKey = false): boolean => document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
    expect(press("ArrowRight")).toBe(false);
    expect(lazy.element.querySelector(".heat-says")!.textContent).toBe("early (eu), 05:02:00: 1.00 requests/s, 0 % errors");
    press("ArrowDown");
    expect(document.activeElement!.textContent).toBe("late (eu)");
    press("Home");
    expect(lazy.element.querySelector(".heat-says")!.textContent).toBe("late (eu), 05:00:00: 100 requests/s, 0 % errors");
    (document.activeElement as HTMLButtonElement).click();
    expect([store.snapshot.state.path, store.snapshot.state.selection, store.snapshot.state.heat]).toEqual([["eu"], { kind: "node", node: "late" }, null]);
    expect(store.snapshot.state.travel.atMs).toBe(START_MS + 30_000);
    vi.unstubAllGlobals();
  });
});
