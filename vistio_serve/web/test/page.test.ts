// @vitest-environment happy-dom
/** Parts of the page as functions of the snapshot, in a document without WebGL. */

import { beforeEach, describe, expect, test, vi } from "vitest";
import { badgeOf } from "../src/controls/header";
import { keysOf, onKey, watchFocus } from "../src/controls/keys";
import { linkOf } from "../src/controls/link";
import { titleOf } from "../src/controls/tab";
import { toNextStop } from "../src/controls/transport";
import { h, isSafeAddress, link } from "../src/dom/elements";
import { reorder, sorted } from "../src/panels/connections";
import { DetailsPanel } from "../src/panels/details";
import { measurementFacts } from "../src/panels/facts";
import { noticeList } from "../src/panels/notices";
import { Pictures } from "../src/picture/picture";
import { type Data, type Followed, NO_DATA, type Snapshot, Store } from "../src/store/store";
import { stopsOf } from "../src/store/stops";
import { fitting, subjectOf } from "../src/store/subject";
import { axisPercent, noteOf } from "../src/timeline/timeline";
import type { Problem, Timeline } from "../src/values/answers";
import { groupKey } from "../src/values/crowd";
import { formatDuration, formatRate, formatShare } from "../src/values/format";
import { annotationsAt, noticeMarks, noticesAt, seriesOf } from "../src/values/series";
import { INITIAL, type State } from "../src/values/state";
import { START_MS, edge, graph, level, node, notice } from "./graphs";

const snapshot = (data: Partial<Data>, state: Partial<State> = {}): Snapshot => ({ state: { ...INITIAL, ...state }, data: { ...NO_DATA, ...data } });
const problem = (kind: string, more: Partial<Problem> = {}): Problem => ({ kind, status: 404, title: `title of ${kind}`, detail: "detail", beforeMs: null, afterMs: null, reason: "", ...more });
const past: Partial<State> = { travel: { ...INITIAL.travel, mode: "at", atMs: START_MS } };
const timelineOf = (steps: Partial<Timeline["steps"]>): Timeline => {
  const start_ms = [0, 10_000, 20_000, 30_000];
  const zeros = start_ms.map(() => 0);
  const nothing = start_ms.map(() => null);
  const all = { start_ms, known_normal: nothing, known_warning: nothing, known_danger: nothing, normal: zeros, warning: zeros, danger: zeros, edges: zeros, instants: zeros, missing: zeros, notices_info: zeros, notices_warning: zeros, notices_error: zeros };
  return { now: "", start: "", end: "", step_ms: 10_000, gaps: [], steps: { ...all, ...steps } };
};

describe("the badge", () => {
  const now = snapshot({ graph: graph([]) });
  test.each([[30_000, "live"], [30_001, "stale"]])("live with a graph %i ms old is %s", (ageMs, mode) => {
    expect(badgeOf(now, START_MS + ageMs)[0]).toBe(mode);
  });

  test("goes by the server's clock, not by this machine's", () => {
    expect(badgeOf(snapshot({ graph: graph([]), clockOffsetMs: -3_600_000 }), START_MS + 3_600_000)[0]).toBe("live");
  });

  test("never says live in the past, nor when the server is gone", () => {
    expect(badgeOf(snapshot({ graph: graph([]) }, past), START_MS)).toMatchObject(["past", "PAST 2026-11-23 05:00:00", expect.anything()]);
    expect(badgeOf(snapshot({ graph: graph([]), problem: problem("unreachable") }), START_MS)[0]).toBe("gone");
    expect(badgeOf(snapshot({}), START_MS)[0]).toBe("waiting");
    const refused = { travel: { ...INITIAL.travel, refused: "25:00" } };
    expect(badgeOf(snapshot({ graph: graph([]) }, refused), START_MS).slice(0, 2)).toEqual(["waiting", "NO SUCH MOMENT"]);
    expect(badgeOf(snapshot({}, past), START_MS)[1]).toBe("PAST 2026-11-23 05:00:00");
  });
});

describe("the timeline's data", () => {
  test("a step without traffic is zero, one that nobody saw is nothing", () => {
    const series = seriesOf(timelineOf({ normal: [90, 0, null, 1], warning: [0, 0, null, 0], danger: [10, 0, null, 0] }));
    expect(series).toEqual({ times: [0, 10, 20, 30], rate: [100, 0, null, 1], errors: [10, 0, null, 0] });
  });

  test("what is known in part is drawn where not all was seen", () => {
    const series = seriesOf(timelineOf({ normal: [90, null], warning: [0, null], danger: [10, null], start_ms: [0, 10_000], known_normal: [90, 30], known_warning: [0, 0], known_danger: [10, 10] }));
    expect(series).toEqual({ times: [0, 10], rate: [100, 40], errors: [10, 25] });
  });

  test("notices of one severity that go on are one mark, and the most severe one is marked", () => {
    const marks = noticeMarks(timelineOf({ notices_warning: [1, 1, 2, 0], notices_error: [0, 0, 1, 0] }));
    expect(marks.map(({ startMs, endMs, kind }) => [startMs, endMs, kind])).toEqual([[0, 20_000, "warning"], [20_000, 30_000, "error"]]);
  });

  test("notices are counted at the step that is pointed at, not where their run began", () => {
    const timeline = timelineOf({ notices_error: [1, 8, 0, 1], notices_warning: [0, 2, 0, 0] });
    expect([0, 9999, 10_000, 20_000, 30_000, 40_000].map((ms) => noticesAt(timeline, ms))).toEqual(["1 error notice", "1 error notice", "8 error notices, 2 warning notices", "", "1 error notice", ""]);
  });

  test("what was annotated and lasts no time is found near it", () => {
    const deployed = { id: "1", start: "1970-01-01T00:00:15Z", end: null, kind: "deployment", text: "deployed", cluster: "", node: "", link: "", tags: {} };
    expect([14_999, 15_000, 45_000, 45_001].map((ms) => annotationsAt([deployed], ms).length)).toEqual([0, 1, 1, 0]);
  });

  test("next and previous stop at incidents, notices and gaps, on the global level at the clusters' too, each once", () => {
    const gap = { start: "1970-01-01T00:00:30Z", end: "1970-01-01T00:01:00Z", writer: "main", missing: 3, reason: "not running" };
    const incident = { start: "1970-01-01T00:00:05Z", end: null, summary: "", first: { cluster: "eu", node: "db", target: null }, hit: [], worst_share: 1, times_as_long: 1 };
    const window = { startMs: 0, endMs: 60_000 };
    const data: Partial<Data> = {
      followed: { subject: { level: "" }, timeline: timelineOf({ notices_error: [0, 0, 1, 1] }), counted: null, problem: null },
      happened: { of: null, window, found: { start: "", end: "", incidents: [incident], unseen: [] }, problem: null },
      below: { of: null, window, timelines: new Map([["eu", timelineOf({ notices_error: [0, 1, 1, 0] })]]), failed: false },
      gaps: [gap],
    };
    expect(stopsOf(snapshot(data))).toEqual([5000, 10_000, 20_000, 30_000]);
    const inside = { ...data, followed: { ...data.followed!, subject: { level: "us" } } };
    expect(stopsOf(snapshot(inside, { path: ["us"] }))).toEqual([5000, 20_000, 30_000]);
  });
});

describe("connections", () => {
  const edges = [edge("a>b 99/0/1"), edge("a>c 10/0/10"), edge("a>d 5"), edge("a>e 500")];
  const name = (each: { target: string }): string => each.target;
  test.each([
    [{ column: "errors", descending: true }, "c b e d"],
    [{ column: "errors", descending: false }, "e d b c"],
    [{ column: "rate", descending: true }, "e b c d"],
    [{ column: "name", descending: false }, "b c d e"],
  ] as const)("sorted by %j", (order, expected) => {
    expect(sorted(edges, order, name).map(name).join(" ")).toBe(expected);
  });

  test("the same head again turns the order, another one begins where one looks first", () => {
    expect(reorder({ column: "rate", descending: true }, "rate")).toEqual({ column: "rate", descending: false });
    expect(reorder({ column: "rate", descending: true }, "name")).toEqual({ column: "name", descending: false });
    expect(reorder({ column: "name", descending: false }, "errors")).toEqual({ column: "errors", descending: true });
  });
});

describe("the details panel", () => {
  const mesh = graph([level("eu", [edge("a>b 90/0/10", { notices: [notice(2, "<b>bold</b>")] }), edge("b>c 7")], { nodes: [node("a"), node("b", { measurements: { latency_p99_ms: 250 } }), node("c")] })]);
  const shown = (state: Partial<State>): HTMLElement => {
    const panel = new DetailsPanel({ change: vi.fn() }, new Pictures());
    panel.render(snapshot({ graph: mesh }, { path: ["eu"], ...state }));
    return panel.element;
  };

  test("of a node tells what it receives, its measures, and both sides", () => {
    const text = shown({ selection: { kind: "node", node: "b" } }).textContent;
    for (const part of ["100 /s", "10.0 %", "250 ms", "Incoming (1)", "Outgoing (1)"]) expect(text).toContain(part);
  });

  test("of a level counts what enters once, not at each hop", () => {
    expect(shown({}).textContent).toContain("100 /s");
  });

  test("of something that is absent says so", () => {
    expect(shown({ selection: { kind: "edge", source: "a", target: "z" } }).textContent).toContain("Not there at this instant");
  });

  test("of the global level tells the notices of clusters, and leads to them", () => {
    const change = vi.fn();
    const panel = new DetailsPanel({ change }, new Pictures());
    const inside = level("eu", [edge("a>b 90/0/10", { notices: [notice(2)] })], { nodes: [node("a", { notices: [notice(1, "slow")] }), node("b")] });
    const global = level("", [edge("INTERNET>eu 1")]);
    panel.render(snapshot({ graph: { ...graph([]), levels: new Map([["", global], ["eu", inside]]) } }));
    const places = [...panel.element.querySelectorAll<HTMLButtonElement>(".notice .row-button")];
    expect(places.map((each) => each.textContent)).toEqual(["eu / a → b", "eu / a"]);
    places[0]!.click();
    expect(change.mock.calls[0]![0](INITIAL)).toMatchObject({ path: ["eu"], selection: { kind: "edge", source: "a", target: "b" } });
  });

  test("shows hostile texts as texts", () => {
    const element = shown({ selection: { kind: "edge", source: "a", target: "b" } });
    expect(element.textContent).toContain("<b>bold</b>");
    expect(element.querySelector("b")).toBeNull();
  });
});

describe("a panel while time moves", () => {
  const moments = [0, 10, 20, 30].map((seconds) => graph([level("eu", [`a>b ${100 + seconds}`])], { atMs: START_MS + seconds * 1000 }));
  const path = ["eu"];
  const facts = (panel: DetailsPanel): string => panel.element.querySelector(".facts")?.textContent ?? "";

  test("tells the first moment at once, and of those that follow quickly only the last, when it can be read", () => {
    vi.useFakeTimers();
    const panel = new DetailsPanel({ change: vi.fn() }, new Pictures());
    for (const [index, mesh] of moments.entries()) panel.render(snapshot({ graph: mesh }, { path, travel: { ...INITIAL.travel, mode: "playing", atMs: START_MS + index } }));
    expect(facts(panel)).toContain("100 /s");
    vi.advanceTimersByTime(1000);
    expect(facts(panel)).toContain("130 /s");
    vi.useRealTimers();
  });

  test("tells what was selected at once, however quickly time moves", () => {
    const panel = new DetailsPanel({ change: vi.fn() }, new Pictures());
    panel.render(snapshot({ graph: moments[0]! }, { path: ["eu"] }));
    panel.render(snapshot({ graph: moments[1]! }, { path: ["eu"], selection: { kind: "node", node: "b" } }));
    expect(panel.element.querySelector("h2")?.textContent).toBe("b");
  });
});

test("the focus stays on what one was at, while rows are made anew", () => {
  const panel = new DetailsPanel({ change: vi.fn() }, new Pictures());
  vi.useFakeTimers();
  const shown = (rates: string): void => {
    panel.render(snapshot({ graph: graph([level("eu", [edge(`a>b ${rates}`), edge("b>c 7")])]) }, { path: ["eu"] }));
    vi.advanceTimersByTime(1000);
  };
  shown("1");
  document.body.replaceChildren(panel.element);
  const other = h("button", {}, "elsewhere");
  document.body.append(other);
  const row = [...panel.element.querySelectorAll<HTMLElement>(".row-button")].find((each) => each.textContent === "a → b")!;
  row.focus();
  shown("500");
  expect(document.activeElement?.textContent).toBe("a → b");
  expect(panel.element.contains(document.activeElement)).toBe(true);
  other.focus();
  shown("5");
  expect(document.activeElement).toBe(other);
  document.body.replaceChildren();
  vi.useRealTimers();
});

describe("text stays text", () => {
  test.each(["javascript:alert(1)", "data:text/html,x", "vbscript:x", " java\nscript:alert(1)", ""])("%j becomes no link", (address) => {
    expect(isSafeAddress(address)).toBe(false);
    expect(link(address, "text").tagName).toBe("SPAN");
  });

  test.each(["http://p:9090/graph?g0.expr=up", "https://p/", "/graph", "graph?x=1", "//host/x"])("%j becomes a link", (address) => {
    expect(link(address, "text").getAttribute("rel")).toBe("noopener noreferrer");
  });

  test("children and attributes are never parsed", () => {
    const made = h("p", { title: '"><script>' }, "<script>alert(1)</script>");
    expect(made.children).toHaveLength(0);
    expect(made.title).toBe('"><script>');
  });

  test("the most severe notice comes first", () => {
    const list = noticeList([{ ...notice(0, "low"), place: "", ofEdge: false, cause: Infinity }, { ...notice(2, "high"), place: "", ofEdge: false, cause: Infinity }]);
    expect([...list.querySelectorAll("strong")].map((each) => each.textContent)).toEqual(["high", "low"]);
  });
});

describe("the keyboard", () => {
  let store: Store;
  const places = { search: vi.fn(), toggleFullScreen: vi.fn(), focusLocator: vi.fn(), focusClock: vi.fn(), toggleFilters: vi.fn(), toggleLook: vi.fn(), openMarks: vi.fn(), openExport: vi.fn(), toggleHelp: vi.fn(), zoom: vi.fn() };
  const press = (key: string, target: HTMLElement = document.body, more: KeyboardEventInit = {}): KeyboardEvent => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
    Object.defineProperty(event, "target", { value: target });
    onKey(event, keysOf(store, places));
    return event;
  };

  beforeEach(() => {
    vi.clearAllMocks();
    store = new Store(INITIAL, (run) => run());
    store.learn({ axis: { firstMs: 0, lastMs: 600_000, stepMs: 10_000 } });
  });

  test("steps and plays", () => {
    press("ArrowLeft");
    expect(store.snapshot.state.travel).toMatchObject({ mode: "at", atMs: 590_000 });
    press("ArrowLeft", document.body, { shiftKey: true });
    expect(store.snapshot.state.travel.atMs).toBe(490_000);
    press(" ");
    expect(store.snapshot.state.travel.mode).toBe("playing");
    press("l");
    expect(store.snapshot.state.travel.mode).toBe("live");
  });

  test("leaves letters to a field that is written in, and Esc leaves the field alone", () => {
    const input = document.createElement("input");
    press("l", input);
    expect(press("f", input).defaultPrevented).toBe(false);
    store.change((state) => ({ ...state, find: "x" }));
    press("Escape", input);
    expect(store.snapshot.state.find).toBe("x");
  });

  test("clears the search with Esc in its own field", () => {
    const locator = h("input", { class: "locator" });
    store.change((state) => ({ ...state, find: "x" }));
    press("Escape", locator);
    expect(store.snapshot.state.find).toBe("");
  });

  test("is not acted on under a dialog, which the key that opened it closes", () => {
    const dialog = h("dialog", { open: true, "data-key": "?" });
    document.body.append(dialog);
    const before = store.snapshot.state;
    for (const key of ["ArrowLeft", " ", "l", "x", "Escape"]) press(key);
    expect(store.snapshot.state).toBe(before);
    expect(places.openExport).not.toHaveBeenCalled();
    press("?");
    expect(dialog.open).toBe(false);
    dialog.remove();
    press("ArrowLeft");
    expect(store.snapshot.state.travel.mode).toBe("at");
  });

  test("acts again as soon as a dialog is closed, whose field has the focus for another frame", () => {
    const input = h("input", {});
    const dialog = h("dialog", { open: true }, input);
    document.body.append(dialog);
    press("x", input);
    expect(places.openExport).not.toHaveBeenCalled();
    dialog.close();
    press("x", input);
    expect(places.openExport).toHaveBeenCalledOnce();
    dialog.remove();
  });

  test("leaves the space bar to a button that has the focus", () => {
    press(" ", document.createElement("button"));
    expect(store.snapshot.state.travel.mode).toBe("live");
  });

  test("searches with Ctrl-K, from a field as well, and closes what it opened", () => {
    expect(press("k", document.createElement("input"), { ctrlKey: true }).defaultPrevented).toBe(true);
    press("K", document.body, { metaKey: true });
    expect(places.search).toHaveBeenCalledTimes(2);
    press("k");
    const dialog = h("dialog", { open: true, "data-key": "Ctrl-K" });
    document.body.append(dialog);
    press("k", document.createElement("input"));
    expect(dialog.open).toBe(true);
    press("k", document.createElement("input"), { ctrlKey: true });
    expect([dialog.open, places.search.mock.calls.length]).toEqual([false, 2]);
    dialog.remove();
  });

  describe("beside a control that has the focus", () => {
    const control = (tag: "select" | "input" | "button", type: string | null = null): HTMLElement => h(tag, { type });

    test.each([["checkbox"], ["number"], ["button"]])("leaves the space bar to a %s that was come to by keyboard, and takes it after a click", (kind) => {
      watchFocus(document);
      const made = kind === "button" ? control(kind) : control("input", kind);
      document.body.append(made);
      document.dispatchEvent(new KeyboardEvent("keydown", { key: "Tab" }));
      made.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
      expect(press(" ", made).defaultPrevented).toBe(false);
      made.dispatchEvent(new Event("pointerdown", { bubbles: true }));
      const taken = kind !== "number";
      expect(press(" ", made).defaultPrevented).toBe(taken);
      expect(press("ArrowLeft", made).defaultPrevented).toBe(taken);
      expect(store.snapshot.state.travel.mode).toBe(taken ? "at" : "live");
      made.remove();
    });

    test("letters act where they cannot be written, digits do not", () => {
      const number = control("input", "number");
      press("f", number);
      expect(places.toggleFilters).toHaveBeenCalledTimes(1);
      expect(press("0", number).defaultPrevented).toBe(false);
      press("g", control("input", "checkbox"));
      expect(places.toggleLook).toHaveBeenCalledTimes(1);
      expect(press("g", control("select")).defaultPrevented).toBe(false);
    });
  });

  test("leaves the browser its own shortcuts", () => {
    press("l", document.body, { ctrlKey: true });
    press("f", document.body, { metaKey: true });
    expect(places.toggleFilters).not.toHaveBeenCalled();
  });
});

describe("a link for others", () => {
  const shown = graph([level("eu", ["a>b 1"])]);
  const link = (travel: Partial<State["travel"]>, data: Partial<Data> = { graph: shown }): string => linkOf({ state: { ...INITIAL, path: ["eu"], travel: { ...INITIAL.travel, ...travel } }, data: { ...NO_DATA, ...data } }, "http://here/v/#/old?at=1");

  test("holds the moment that is shown, live and while time plays; else the one that was asked for", () => {
    expect(link({})).toBe("http://here/v/#/eu?at=2026-11-23T05%3A00%3A00Z");
    expect(link({ mode: "playing", atMs: START_MS + 4321 })).toBe("http://here/v/#/eu?at=2026-11-23T05%3A00%3A00Z");
    expect(link({ mode: "at", atMs: START_MS + 5000 })).toBe("http://here/v/#/eu?at=2026-11-23T05%3A00%3A05Z");
    expect(link({}, { graph: null })).toBe("http://here/v/#/eu");
  });
});

describe("the tab", () => {
  const failing = graph([level("eu", [edge("INTERNET>a 88/0/12", { notices: [notice(2)] })])]);
  test.each<[string, Partial<Data>, Partial<State>, string]>([
    ["nothing yet", {}, {}, "live · vistio"],
    ["all well", { graph: graph([level("eu", ["INTERNET>a 88/0/12"])]) }, { path: ["eu"] }, "eu · live · vistio"],
    ["a notice, here", { graph: failing }, { path: ["eu"] }, "(!) eu 12.0 % errors · live · vistio"],
    ["a notice, below", { graph: failing }, {}, "(!) error notices · live · vistio"],
    ["the past", { graph: graph([]) }, past, "2026-11-23T05:00:00Z · vistio"],
    ["no moment", { graph: graph([]) }, { travel: { ...INITIAL.travel, refused: "25:00" } }, "no such moment · vistio"],
  ])("tells of %s", (_, data, state, title) => {
    expect(titleOf(snapshot(data, state))).toBe(title);
  });
});

describe("the store", () => {
  test("tells once of all that changed together", async () => {
    const store = new Store(INITIAL);
    const listener = vi.fn();
    store.subscribe(listener);
    store.change((state) => ({ ...state, find: "a" }));
    store.change((state) => ({ ...state, find: "ab" }));
    store.learn({ clockOffsetMs: 1 });
    await Promise.resolve();
    expect(listener).toHaveBeenCalledTimes(1);
    expect(listener.mock.calls[0]?.map((each: Snapshot) => each.state.find)).toEqual(["ab", ""]);
  });

  test("does not tell of a step that changed nothing", async () => {
    const store = new Store(INITIAL);
    const listener = vi.fn();
    store.subscribe(listener);
    store.change((state) => state);
    await Promise.resolve();
    expect(listener).not.toHaveBeenCalled();
  });
});

describe("numbers as people read them", () => {
  test.each([[0, "0"], [0.004, "< 0.01"], [0.005, "0.01"], [9.99, "9.99"], [99.94, "99.9"], [514.4, "514"], [9_999, "9999"], [10_000, "10.0k"], [1_234_567, "1.23M"]])("%d requests/s is %s", (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });

  test.each([[0, 0, "–"], [0, 5, "0 %"], [1, 100_000, "< 0.01 %"], [1, 200, "0.50 %"], [1, 8, "12.5 %"], [9_989, 10_000, "99.9 %"], [9_996, 10_000, "> 99.9 %"], [7, 7, "100.0 %"]])("%d of %d is %s", (part, whole, text) => {
    expect(formatShare(part, whole)).toBe(text);
  });

  test.each([[119_000, "119 s"], [120_000, "2 min"], [7_199_000, "120 min"], [7_200_000, "2 h"], [172_800_000, "2 days"]])("%i ms are %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test("known measures come first, in order, others after", () => {
    expect(measurementFacts({ saturation: 0.42801, latency_p99_ms: 12.345, latency_p50_ms: 3 })).toEqual([["Latency, median", "3 ms"], ["Latency, 99 %", "12.3 ms"], ["saturation", "0.428"]]);
  });
});

test.each([[0, "0 %"], [2.5, "2.5 %"], [20, "20 %"], [0.25, "0.3 %"]])("%d on the axis of errors reads %s", (value, text) => {
  expect(axisPercent(value)).toBe(text);
});

describe("what the timeline follows", () => {
  const at = (selection: State["selection"]): State => ({ ...INITIAL, path: ["eu"], selection });
  const answer: Followed = { subject: { level: "eu", node: "a" }, timeline: timelineOf({ notices_error: [0, 0, 0, 1] }), counted: null, problem: null };
  const axis = { firstMs: 0, lastMs: 40_000, stepMs: 10_000 };

  test.each<[string, State["selection"], boolean]>([
    ["the node that it is about", { kind: "node", node: "a" }, true],
    ["another node", { kind: "node", node: "b" }, false],
    ["a connection of that node", { kind: "edge", source: "a", target: "b" }, false],
    ["the level", null, false],
  ])("an answer stands only under its own name: %s", (_, selection, fits) => {
    expect(fitting(answer, at(selection))).toBe(fits ? answer : null);
    expect(noteOf(fitting(answer, at(selection)), false)).toBe(fits ? "" : "loading…");
  });

  test("a problem of something else is not told, its own is", () => {
    const failed = { ...answer, timeline: null, problem: problem("unreachable") };
    expect(noteOf(fitting(failed, at(null)), false)).toBe("loading…");
    expect(noteOf(fitting(failed, at({ kind: "node", node: "a" })), false)).toContain("title of unreachable");
  });

  test("a selected group has none of its own, which is said", () => {
    const group = at({ kind: "node", node: groupKey("shop") });
    expect(subjectOf(group)).toEqual({ level: "eu" });
    const whole: Followed = { ...answer, subject: { level: "eu" } };
    expect(noteOf(fitting(whole, group), true)).toContain("no timeline of its own");
  });

  test("the next notice is one of what is followed", () => {
    const data: Data = { ...NO_DATA, axis, followed: answer };
    const standing = { ...INITIAL.travel, mode: "at", atMs: 0 } as const;
    const next = (selection: State["selection"]): number | null => toNextStop(1)({ ...at(selection), travel: standing }, data).travel.atMs;
    expect(next({ kind: "node", node: "a" })).toBe(30_000);
    expect(next({ kind: "node", node: "b" })).toBe(0);
  });
});
