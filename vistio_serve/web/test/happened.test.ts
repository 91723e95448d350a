// @vitest-environment happy-dom
/** What happened: what is asked, when it is asked again, and how it is told. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Result } from "../src/asking/api";
import { Clusters } from "../src/asking/clusters";
import { Happenings } from "../src/asking/happenings";
import { HappenedPanel, noteOf } from "../src/panels/happened";
import { type Happened, NO_DATA, Store } from "../src/store/store";
import { clusterLanes, placeOf } from "../src/timeline/lanes";
import type { Incident, Incidents, Problem, Subject, Timeline } from "../src/values/answers";
import { MOST_MS, goToIncident, newestDay, seenOf, whenOf, worstFirst } from "../src/values/happened";
import { UTC } from "../src/values/zones";
import { INITIAL, type Window, select, zoom } from "../src/values/state";
import { extend, EMPTY } from "../src/values/topology";
import { type Axis, goTo } from "../src/values/travel";
import { recordedOf } from "../src/values/window";
import { START_MS, graph, level, node } from "./graphs";

const MINUTE_MS = 60_000;
const axis: Axis = { firstMs: START_MS, lastMs: START_MS + 60 * MINUTE_MS - 10_000, stepMs: 10_000 };
const hour: Window = { startMs: START_MS, endMs: START_MS + 60 * MINUTE_MS };
const at = (minutes: number): string => new Date(START_MS + minutes * MINUTE_MS).toISOString();
const incident = (more: Partial<Incident> = {}): Incident => ({ start: at(10), end: at(27), summary: "db left its normal first", first: { cluster: "eu", node: "db", target: null }, hit: [], worst_share: 0.12, times_as_long: 1, ...more });
const found = (incidents: readonly Incident[], unseen: Incidents["unseen"] = []): Incidents => ({ start: at(0), end: at(60), incidents, unseen });
const gap = (from: number, to: number): Incidents["unseen"][number] => ({ start: at(from), end: at(to), reason: "not running" });
const problem: Problem = { kind: "busy", status: 503, title: "Too much to do", detail: "ask again", beforeMs: null, afterMs: null, reason: "" };

describe("what is asked about", () => {
  test("is the whole recording, up to the newest instant", () => {
    expect(recordedOf(null, axis)).toEqual(hour);
  });

  test("is no more of the timeline's window than was recorded", () => {
    expect(recordedOf({ startMs: START_MS - 5, endMs: START_MS + MINUTE_MS }, axis)).toEqual({ startMs: START_MS, endMs: START_MS + MINUTE_MS });
    expect(recordedOf({ startMs: START_MS + 5, endMs: hour.endMs + MINUTE_MS }, axis)).toEqual({ startMs: START_MS + 5, endMs: hour.endMs });
    expect(recordedOf({ startMs: START_MS - 5, endMs: START_MS }, axis)).toBeNull();
  });

  test.each([[-1, 0], [0, 0], [1, 1]])("of a day and %i ms, the newest day", (moreMs, laterMs) => {
    const endMs = START_MS + MOST_MS + moreMs;
    expect(newestDay({ startMs: START_MS, endMs })).toEqual({ startMs: START_MS + laterMs, endMs });
  });
});

describe("an incident", () => {
  test("is told with both ends and its length, or since when it lasts", () => {
    expect(whenOf(incident(), hour, UTC)).toBe("05:10:00 to 05:27:00, 17 min");
    expect(whenOf(incident({ start: at(57), end: null }), hour, UTC)).toBe("since 05:57:00, 3 min so far");
  });

  test("has its day where the window has several", () => {
    expect(whenOf(incident(), { ...hour, startMs: START_MS - MOST_MS }, UTC)).toBe("11-23 05:10:00 to 11-23 05:27:00, 17 min");
  });

  test("that was worse stands before an earlier one", () => {
    const [little, much] = [incident({ worst_share: 0.01 }), incident({ start: at(40), worst_share: 0.3 })];
    expect(worstFirst([little, much])).toEqual([much, little]);
  });

  test("that only made requests slow stands by how much it did, a failed one counts twice", () => {
    const [failed, slow, unseen] = [incident({ worst_share: 0.3 }), incident({ worst_share: 0, times_as_long: 5 }), incident({ worst_share: null, times_as_long: 2 })];
    expect(worstFirst([unseen, failed, slow])).toEqual([slow, failed, unseen]);
  });

  test("leads to where it began, and to who left normal first, by its name on the page", () => {
    const here = graph([level("eu", ["a>d_b 1"], { nodes: [node("a"), node("d_b", { recorded: "db" })] })]);
    const state = goToIncident(INITIAL, incident(), axis, extend(EMPTY, here));
    expect(state).toMatchObject({ path: ["eu"], selection: { kind: "node", node: "d_b" }, travel: { mode: "at", atMs: START_MS + 10 * MINUTE_MS }, window: { startMs: START_MS + 1.5 * MINUTE_MS, endMs: START_MS + 35.5 * MINUTE_MS } });
    const edge = incident({ first: { cluster: "eu", node: "a", target: "db" } });
    expect(goToIncident(INITIAL, edge, axis, extend(EMPTY, here)).selection).toEqual({ kind: "edge", source: "a", target: "d_b" });
    const global = incident({ first: { cluster: "", node: "eu", target: null } });
    expect(goToIncident({ ...INITIAL, path: ["eu"] }, global, axis, extend(EMPTY, here))).toMatchObject({ path: [], selection: { kind: "node", node: "eu" } });
  });
});

describe("how much was seen", () => {
  test("is said, and what was missed counts once", () => {
    expect(seenOf(found([]), hour, UTC)).toBe("05:00:00 to 06:00:00, all of it seen");
    expect(seenOf(found([], [gap(20, 25), gap(22, 26), gap(58, 70)]), hour, UTC)).toBe("05:00:00 to 06:00:00, 8 min of these 60 min not seen, or only in part");
  });

  test("stands beside nothing found, and a problem says why nothing is known", () => {
    const told = (more: Partial<Happened>): string => noteOf({ of: null, window: hour, found: null, problem: null, ...more }, UTC);
    expect(told({ found: found([]) })).toBe("Nothing left its normal. Looked at: 05:00:00 to 06:00:00, all of it seen.");
    expect(told({ found: found([], [gap(20, 25)]) })).toContain("Nothing left its normal, as far as it was seen. Looked at: ");
    expect(told({ found: found([incident()]) })).toBe("Looked at: 05:00:00 to 06:00:00, all of it seen.");
    expect([noteOf(null, UTC), told({})]).toEqual(Array(2).fill("It is being worked out…"));
    expect(told({ problem })).toBe("It cannot be told: ask again");
  });
});

test("the panel is there when nothing is selected, and tells the server's words as text", () => {
  const store = new Store(INITIAL);
  const panel = new HappenedPanel(store);
  const data = { ...NO_DATA, axis, happened: { of: null, window: hour, found: found([incident({ summary: "<b>db</b> first" })]), problem: null } };
  panel.render({ state: INITIAL, data });
  expect(panel.element.querySelector(".incident")?.textContent).toBe("05:10:00 to 05:27:00, 17 min: <b>db</b> first");
  panel.render({ state: zoom(INITIAL, hour), data });
  expect(panel.element.textContent).toContain("being worked out");
  panel.render({ state: select(INITIAL, { kind: "node", node: "a" }), data });
  expect(panel.element.hidden).toBe(true);
});

test("a place on the lane is cut to the axis", () => {
  expect(placeOf(START_MS + 15 * MINUTE_MS, START_MS + 30 * MINUTE_MS, hour)).toEqual([25, 25]);
  expect(placeOf(START_MS - MINUTE_MS, hour.endMs + MINUTE_MS, hour)).toEqual([0, 100]);
});

test("clusters with notices have lanes, in the order in which they had the first ones", () => {
  const steps = (errors: readonly number[]): Timeline => {
    const start_ms = errors.map((_, index) => 10_000 * index);
    const zeros = start_ms.map(() => 0);
    return { now: "", start: "", end: "", step_ms: 10_000, gaps: [], steps: { start_ms, known_normal: zeros, known_warning: zeros, known_danger: zeros, normal: zeros, warning: zeros, danger: zeros, edges: zeros, instants: zeros, missing: zeros, notices_info: zeros, notices_warning: zeros, notices_error: errors } };
  };
  const lanes = clusterLanes(new Map([["a", steps([0, 0, 1])], ["b", steps([0, 3, 1])], ["c", steps([0, 0, 0])], ["d", steps([0, 1, 0])]]));
  expect(lanes.map(({ level, marks }) => [level, marks[0]!.startMs, marks[0]!.endMs])).toEqual([["b", 10_000, 30_000], ["d", 10_000, 20_000], ["a", 20_000, 30_000]]);
});

describe("the question", () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });

  const setUp = (answer: () => Promise<Result<Incidents>> = () => Promise.resolve({ ok: true, value: found([]) })) => {
    const page = { hidden: false, addEventListener: (_: string, told: () => void) => { page.tell = told; }, tell: (): void => undefined };
    const asked: Window[] = [];
    const store = new Store(INITIAL);
    const incidents = (window: Window): Promise<Result<Incidents>> => {
      asked.push(window);
      return answer();
    };
    new Happenings(store, { incidents }, page as unknown as Document, () => Date.now()).start();
    const grow = async (ms: number): Promise<void> => {
      store.learn({ axis: { ...axis, lastMs: axis.lastMs + ms } });
      await vi.advanceTimersByTimeAsync(0);
    };
    return { store, asked, page, grow };
  };

  test("is asked once the recording is known, and again when there are 30 s more of it", async () => {
    const { store, asked, grow } = setUp();
    await vi.advanceTimersByTimeAsync(5000);
    expect(asked).toEqual([]);
    await grow(0);
    await grow(20_000);
    expect(asked).toEqual([hour]);
    await grow(30_000);
    expect(asked).toEqual([hour, { ...hour, endMs: hour.endMs + 30_000 }]);
    expect(store.snapshot.data.happened?.found).toEqual(found([]));
  });

  test("is not asked again by who stands in the past, nor by a page that nobody sees", async () => {
    const { store, asked, page, grow } = setUp();
    await grow(0);
    store.change((state) => goTo(state, START_MS, axis));
    await grow(60_000);
    expect(asked).toHaveLength(1);
    store.change(() => INITIAL);
    page.hidden = true;
    await grow(90_000);
    expect(asked).toHaveLength(1);
    page.hidden = false;
    page.tell();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(2);
  });

  test("of another window waits for the one under way, whose answer is not shown for it", async () => {
    const waiting: ((answer: Result<Incidents>) => void)[] = [];
    const { store, asked, grow } = setUp(() => new Promise((resolve) => waiting.push(resolve)));
    await grow(0);
    const window = { startMs: START_MS, endMs: START_MS + 20 * MINUTE_MS };
    store.change((state) => zoom(state, window));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual([hour]);
    waiting[0]!({ ok: true, value: found([incident()]) });
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual([hour, window]);
    expect(store.snapshot.data.happened).toMatchObject({ of: window, found: null, problem: null });
  });

  test("that was refused is asked again after half a minute, and what was found stays meanwhile", async () => {
    let answer: Result<Incidents> = { ok: true, value: found([incident()]) };
    const { store, asked, grow } = setUp(() => Promise.resolve(answer));
    await grow(0);
    answer = { ok: false, problem };
    await grow(30_000);
    expect(store.snapshot.data.happened).toMatchObject({ window: hour, found: found([incident()]), problem });
    await vi.advanceTimersByTimeAsync(29_999);
    expect(asked).toHaveLength(2);
    answer = { ok: true, value: found([]) };
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveLength(3);
    expect(store.snapshot.data.happened).toMatchObject({ found: found([]), problem: null });
  });

  test("about clusters is asked on the global level alone, one cluster after the other", async () => {
    const page = { hidden: false, addEventListener: () => undefined };
    const asked: string[] = [];
    const answers: (() => void)[] = [];
    const store = new Store({ ...INITIAL, path: ["eu"] });
    const timeline = (_: Window | null, subject: Subject | null): Promise<Result<Timeline>> => {
      asked.push(subject!.level);
      return new Promise((resolve) => answers.push(() => resolve({ ok: false, problem })));
    };
    new Clusters(store, { timeline }, page as unknown as Document, () => Date.now()).start();
    store.learn({ axis, topology: extend(EMPTY, graph([level("us", ["a>b 1"]), level("eu", ["a>b 1"])])) });
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual([]);
    store.change(() => INITIAL);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual(["eu"]);
    answers[0]!();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual(["eu", "us"]);
    answers[1]!();
    await vi.advanceTimersByTimeAsync(29_999);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toEqual(["eu", "us", "eu"]);
  });
});

test("what is read stays: the focus, and what was unfolded, while an incident goes on", () => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout"] });
  const panel = new HappenedPanel(new Store(INITIAL));
  document.body.append(panel.element);
  const show = (minutes: number): void => {
    const window = { startMs: START_MS, endMs: START_MS + minutes * MINUTE_MS };
    const incidents = Array.from({ length: 8 }, (_, minute) => incident({ start: at(minute), end: null, summary: `what ${minute}` }));
    panel.render({ state: INITIAL, data: { ...NO_DATA, axis, happened: { of: null, window, found: found(incidents), problem: null } } });
    vi.advanceTimersByTime(500);
  };
  show(60);
  panel.element.querySelector("details")!.open = true;
  const third = panel.element.querySelectorAll<HTMLElement>("button.incident")[2]!;
  third.focus();
  show(61);
  expect(third.textContent).toContain("59 min so far: what 2");
  expect(document.activeElement).toBe(third);
  expect(panel.element.querySelector("details")!.open).toBe(true);
  panel.element.remove();
  vi.useRealTimers();
});
