// @vitest-environment happy-dom
/** Questions and when they are asked, against a server that answers when a test says so. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Api, type Result } from "../src/asking/api";
import { Asking } from "../src/asking/asking";
import { Store } from "../src/store/store";
import type { Problem, Subject, Timeline } from "../src/values/answers";
import type { Graph } from "../src/values/model";
import { INITIAL, select } from "../src/values/state";
import { EMPTY, extend } from "../src/values/topology";
import { START_MS, graph, level } from "./graphs";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

const problem: Problem = { kind: "unreachable", status: 0, title: "", detail: "", beforeMs: null, afterMs: null, reason: "" };
const empty = { start_ms: [], known_normal: [], known_warning: [], known_danger: [], normal: [], warning: [], danger: [], edges: [], instants: [], missing: [], notices_info: [], notices_warning: [], notices_error: [] };

interface Asked { readonly subject: Subject | null; readonly signal: AbortSignal | undefined; answer(): void }

type Answer = () => Promise<Result<Graph>>;

/** What is answered when the newest graph is asked for, and one of the past; and what was asked. */
interface Graphs { live: Answer; past: (atMs: number) => ReturnType<Answer>; readonly asked: (number | null)[] }

const busy: Answer = () => Promise.resolve({ ok: true, value: graph([level("eu", ["a>b 1"])]) });

function asking(live = busy): { store: Store; timelines: Asked[]; graphs: Graphs } {
  const api = new Api("http://h/");
  const timelines: Asked[] = [];
  const iso = (ms: number): string => new Date(ms).toISOString();
  vi.spyOn(api, "instants").mockImplementation(() => Promise.resolve({ ok: true, value: { now: iso(START_MS), recording: { first: iso(START_MS - 3_600_000), last: iso(START_MS) }, gaps: [] } }));
  vi.spyOn(api, "annotations").mockImplementation(() => Promise.resolve({ ok: true, value: [] }));
  vi.spyOn(api, "topology").mockImplementation(() => Promise.resolve({ ok: false, problem }));
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
    // Where a level is entered is asked for beside the level itself.
    if (subject?.source !== undefined) answer();
    else timelines.push({ subject, signal, answer });
  }));
  const store = new Store({ ...INITIAL, path: ["eu"] });
  store.learn({ topology: extend(EMPTY, graph([level("eu", ["a>b 1"])])) });
  new Asking(store, api, () => Date.now()).start();
  return { store, timelines, graphs };
}

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
  expect(store.snapshot.data.followed?.enters).not.toBeNull();
  store.learn({ topology: extend(store.snapshot.data.topology, graph([level("eu", ["c>b 1"])])) });
  await vi.advanceTimersByTimeAsync(0);
  expect(timelines).toHaveLength(2);
  store.learn({ topology: extend(store.snapshot.data.topology, graph([level("eu", ["b>d 1"])])) });
  await vi.advanceTimersByTimeAsync(0);
  expect(timelines).toHaveLength(2);
});
