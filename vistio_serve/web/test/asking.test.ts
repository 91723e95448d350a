// @vitest-environment happy-dom
/** Questions and when they are asked, against a server that answers when a test says so. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Api, type Result } from "../src/asking/api";
import { Asking } from "../src/asking/asking";
import type { Commits } from "../src/asking/commits";
import { Store } from "../src/store/store";
import type { Problem, Subject, Timeline } from "../src/values/answers";
import type { Graph } from "../src/values/model";
import { INITIAL, select, zoom } from "../src/values/state";
import { EMPTY, extend } from "../src/values/topology";
import { START_MS, graph, level } from "./graphs";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  vi.useRealTimers();
  page.hidden = false;
});

const problem: Problem = { kind: "unreachable", status: 0, title: "", detail: "", beforeMs: null, afterMs: null, reason: "" };
const empty = { start_ms: [], known_normal: [], known_warning: [], known_danger: [], normal: [], warning: [], danger: [], edges: [], instants: [], missing: [], notices_info: [], notices_warning: [], notices_error: [] };

interface Asked { readonly subject: Subject | null; readonly signal: AbortSignal | undefined; answer(): void }

type Answer = () => Promise<Result<Graph>>;

/** What is answered when the newest graph is asked for, and one of the past; and what was asked. */
interface Graphs { live: Answer; past: (atMs: number) => ReturnType<Answer>; readonly asked: (number | null)[] }

const busy: Answer = () => Promise.resolve({ ok: true, value: graph([level("eu", ["a>b 1"])]) });

const page = { hidden: false };

function asking(live = busy, told?: (hear: () => void) => Commits): { store: Store; timelines: Asked[]; graphs: Graphs } {
  const api = new Api("http://h/");
  const timelines: Asked[] = [];
  const iso = (ms: number): string => new Date(ms).toISOString();
  vi.spyOn(api, "extent").mockImplementation(() => Promise.resolve({ ok: true, value: { now: iso(START_MS), recording: { first: iso(START_MS - 3_600_000), last: iso(START_MS) }, gaps: [] } }));
  vi.spyOn(api, "annotations").mockImplementation(() => Promise.resolve({ ok: true, value: [] }));
  vi.spyOn(api, "topology").mockImplementation(() => Promise.resolve({ ok: false, problem }));
  vi.spyOn(api, "frames").mockImplementation(() => Promise.resolve({ ok: false, problem }));
  const graphs: Graphs = {
    live,
    past: (atMs) => Promise.resolve({ ok: true, value: graph([level("eu", ["a>b 1"])], { atMs }) }),
    asked: [],
  };
  vi.spyOn(api, "graph").mockImplementation((atMs) => {
    graphs.asked.push(atMs);
    return atMs === null ? graphs.live() : graphs.past(atMs);
  });
  vi.spyOn(api, "timeline").mockImplementation((_, subject, signal) => new Promise<Result<Timeline>>((resolve) => {
    const answer = (): void => resolve({ ok: true, value: { now: "", start: "", end: "", step_ms: 10_000, steps: empty, gaps: [] } });
    // What is counted is asked for beside the level or node itself.
    if (subject?.source !== undefined || subject?.target !== undefined) answer();
    else timelines.push({ subject, signal, answer });
  }));
  const store = new Store({ ...INITIAL, path: ["eu"] });
  store.learn({ topology: extend(EMPTY, graph([level("eu", ["a>b 1"])])) });
  new Asking(store, api, () => Date.now(), undefined, page, told).start();
  return { store, timelines, graphs };
}

test("marks that were changed while the timeline was asked for are not what they were before", async () => {
  const { store, timelines } = asking();
  await vi.advanceTimersByTimeAsync(0);
  const made = [{ id: "1", start: "", end: null, kind: "note", text: "made here", cluster: "", node: "", link: "", tags: {} }];
  store.learn({ annotations: made });
  timelines[0]!.answer();
  await vi.advanceTimersByTimeAsync(0);
  expect(store.snapshot.data.annotations).toBe(made);

  store.change((state) => zoom(state, { startMs: START_MS - 60_000, endMs: START_MS }));
  await vi.advanceTimersByTimeAsync(1_000);
  timelines.at(-1)!.answer();
  await vi.advanceTimersByTimeAsync(0);
  expect(store.snapshot.data.annotations).toEqual([]);
});

test("who is told of commits asks when there is one, at most once a second, and seldom else", async () => {
  const followed: boolean[] = [];
  let telling = true;
  let hear = (): void => {};
  const { store, graphs } = asking(busy, (heard) => {
    hear = heard;
    return { get telling() { return telling; }, follow: (live: boolean) => followed.push(live) } as unknown as Commits;
  });
  const asked = (): number => graphs.asked.length;
  await vi.advanceTimersByTimeAsync(15_000);
  expect(asked()).toBe(1);
  hear();
  await vi.advanceTimersByTimeAsync(0);
  expect(asked()).toBe(2);
  for (let commit = 0; commit < 10; commit++) {
    hear();
    await vi.advanceTimersByTimeAsync(100);
  }
  await vi.advanceTimersByTimeAsync(2000);
  expect(asked()).toBe(3);
  telling = false;
  hear();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked()).toBeGreaterThan(5);
  store.change((state) => ({ ...state, travel: { ...state.travel, mode: "at", atMs: START_MS - 600_000 } }));
  await vi.advanceTimersByTimeAsync(0);
  expect(followed).toEqual([true, false]);
});

test("what is told while it is asked is asked next, and gives up no answer", async () => {
  let hear = (): void => {};
  const answers: ((answer: Result<Graph>) => void)[] = [];
  const { store } = asking(() => new Promise((resolve) => { answers.push(resolve); }), (heard) => {
    hear = heard;
    return { telling: true, follow: () => {} } as unknown as Commits;
  });
  await vi.advanceTimersByTimeAsync(500);
  hear();
  await vi.advanceTimersByTimeAsync(3000);
  expect(answers).toHaveLength(1);
  answers[0]!({ ok: true, value: graph([level("eu", ["a>b 1"])]) });
  await vi.advanceTimersByTimeAsync(0);
  expect(store.snapshot.data.graph?.about.instantMs).toBe(START_MS);
  await vi.advanceTimersByTimeAsync(0);
  expect(answers).toHaveLength(2);
});

test("a timeline that takes longer than the next look at the recording is waited for, and then asked again", async () => {
  const { store, timelines } = asking();
  await vi.advanceTimersByTimeAsync(12_000);
  expect(timelines).toHaveLength(1);
  expect(timelines[0]?.signal?.aborted).toBe(false);
  timelines[0]?.answer();
  await vi.advanceTimersByTimeAsync(0);
  expect(store.snapshot.data.followed?.subject).toEqual({ level: "eu" });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(timelines).toHaveLength(2);
});

test("an answer that is no longer asked for is not shown, and the new one carries its subject", async () => {
  const { store, timelines } = asking();
  await vi.advanceTimersByTimeAsync(100);
  store.change((state) => select(state, { kind: "node", node: "a" }));
  await vi.advanceTimersByTimeAsync(0);
  expect(timelines.map((each) => each.subject)).toEqual([{ level: "eu" }, { level: "eu", node: "a" }]);
  timelines[0]?.answer();
  await vi.advanceTimersByTimeAsync(0);
  expect(store.snapshot.data.followed).toBeNull();
  timelines[1]?.answer();
  await vi.advanceTimersByTimeAsync(0);
  expect(store.snapshot.data.followed?.subject).toEqual({ level: "eu", node: "a" });
});

const silent: Problem = { ...problem, kind: "nothing-recorded", status: 404, beforeMs: START_MS, reason: "nothing was recorded since" };

test("while nothing is recorded the last picture stays, is asked for once, and is live again by itself", async () => {
  const { store, graphs } = asking(() => Promise.resolve({ ok: false, problem: silent }));
  await vi.advanceTimersByTimeAsync(9000);
  expect(store.snapshot.data).toMatchObject({ problem: { kind: "nothing-recorded" }, graph: { about: { instantMs: START_MS } } });
  expect(graphs.asked.filter((each) => each === null).length).toBeGreaterThan(3);
  expect(graphs.asked.filter((each) => each !== null)).toEqual([START_MS]);
  const again = graph([level("eu", ["a>c 1"])], { atMs: START_MS + 900_000 });
  graphs.live = () => Promise.resolve({ ok: true, value: again });
  await vi.advanceTimersByTimeAsync(2500);
  expect(store.snapshot.data).toMatchObject({ problem: null, graph: { about: { instantMs: START_MS + 900_000 } } });
});

test("a picture of the past is not taken for the last one", async () => {
  const { store } = asking(() => Promise.resolve({ ok: false, problem: silent }));
  store.change((state) => ({ ...state, travel: { ...state.travel, mode: "at", atMs: START_MS - 600_000 } }));
  await vi.advanceTimersByTimeAsync(500);
  store.change((state) => ({ ...state, travel: { ...state.travel, mode: "live", atMs: null } }));
  await vi.advanceTimersByTimeAsync(500);
  expect(store.snapshot.data.graph?.about.instantMs).toBe(START_MS);
});

test("without any instant before, or in the past, nothing is shown", async () => {
  const { store, graphs } = asking(() => Promise.resolve({ ok: false, problem: { ...silent, beforeMs: null } }));
  await vi.advanceTimersByTimeAsync(100);
  expect(store.snapshot.data).toMatchObject({ problem: { kind: "nothing-recorded" }, graph: null });
  graphs.past = () => Promise.resolve({ ok: false, problem: silent });
  store.change((state) => ({ ...state, travel: { ...state.travel, mode: "at", atMs: START_MS - 600_000 } }));
  await vi.advanceTimersByTimeAsync(500);
  expect(store.snapshot.data).toMatchObject({ problem: { kind: "nothing-recorded" }, graph: null });
});

test("a level is asked for with where it is entered, once that is known", async () => {
  const { store, timelines } = asking();
  await vi.advanceTimersByTimeAsync(100);
  timelines[0]?.answer();
  await vi.advanceTimersByTimeAsync(0);
  expect(store.snapshot.data.followed?.counted).not.toBeNull();
  store.learn({ topology: extend(store.snapshot.data.topology, graph([level("eu", ["c>b 1"])])) });
  await vi.advanceTimersByTimeAsync(0);
  expect(timelines).toHaveLength(2);
  store.learn({ topology: extend(store.snapshot.data.topology, graph([level("eu", ["b>d 1"])])) });
  await vi.advanceTimersByTimeAsync(0);
  expect(timelines).toHaveLength(2);
});

/** How often each kind of question was asked so far. */
function counts(api: Record<"graphs", Graphs> & { timelines: Asked[] }): readonly number[] {
  return [api.graphs.asked.length, api.timelines.length];
}

test("a paused past that was answered asks nothing, and live again asks at once", async () => {
  const { store, timelines, graphs } = asking();
  await vi.advanceTimersByTimeAsync(100);
  timelines[0]?.answer();
  store.change((state) => ({ ...state, travel: { ...state.travel, mode: "at", atMs: START_MS - 600_000 } }));
  await vi.advanceTimersByTimeAsync(1000);
  const before = counts({ graphs, timelines });
  await vi.advanceTimersByTimeAsync(300_000);
  expect(counts({ graphs, timelines })).toEqual(before);
  store.change((state) => ({ ...state, travel: { ...state.travel, mode: "live", atMs: null } }));
  await vi.advanceTimersByTimeAsync(100);
  expect(counts({ graphs, timelines })).toEqual([before[0]! + 1, before[1]! + 1]);
});

test("a past without anything recorded is an answer, and one that was not answered is asked again", async () => {
  const { store, timelines, graphs } = asking();
  await vi.advanceTimersByTimeAsync(100);
  timelines[0]?.answer();
  graphs.past = () => Promise.resolve({ ok: false, problem: silent });
  store.change((state) => ({ ...state, travel: { ...state.travel, mode: "at", atMs: START_MS - 600_000 } }));
  await vi.advanceTimersByTimeAsync(30_000);
  expect(graphs.asked.filter((each) => each !== null)).toEqual([START_MS - 600_000]);
  graphs.past = () => Promise.resolve({ ok: false, problem });
  store.change((state) => ({ ...state, travel: { ...state.travel, mode: "at", atMs: START_MS - 700_000 } }));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(graphs.asked.filter((each) => each === START_MS - 700_000).length).toBeGreaterThan(3);
});

test("in a hidden tab time does not play, and the extent is not asked for", async () => {
  const { store, timelines } = asking();
  await vi.advanceTimersByTimeAsync(100);
  timelines[0]?.answer();
  page.hidden = true;
  store.change((state) => ({ ...state, travel: { ...state.travel, mode: "playing", atMs: START_MS - 3_000_000, speed: 60 } }));
  await vi.advanceTimersByTimeAsync(20_000);
  expect(store.snapshot.state.travel.atMs).toBe(START_MS - 3_000_000);
  expect(timelines).toHaveLength(1);
  page.hidden = false;
  await vi.advanceTimersByTimeAsync(1000);
  expect(store.snapshot.state.travel.atMs).toBeGreaterThan(START_MS - 3_000_000);
});
