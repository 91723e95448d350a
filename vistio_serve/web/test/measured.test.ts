import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Api, type Result } from "../src/asking/api";
import { Asking } from "../src/asking/asking";
import { MOST_AWAY_MS, withMeasurements } from "../src/frames/measured";
import { Store } from "../src/store/store";
import type { Frames, Problem } from "../src/values/answers";
import { measuredElsewhen, measuredNote } from "../src/values/measures";
import type { Graph, Measurements } from "../src/values/model";
import { INITIAL } from "../src/values/state";
import { START_MS, edge, graph, level, node } from "./graphs";

const STEP_MS = 10_000;
const frameAt = (atMs: number): Graph => ({ ...graph([level("eu", ["a>b 5", "a>c 1"])], { atMs }), measuredMs: null });
const wholeAt = (atMs: number, measurements = { latency_p99_ms: 80 }): Graph =>
  graph([level("eu", [edge("a>b 5", { measurements }), edge("a>c 1")], { nodes: [node("a"), node("b", { measurements }), node("c")] })], { atMs });
const latencyAt = (shown: Graph | null): Measurements | undefined => shown?.levels.get("eu")?.edges[0]?.measurements;

describe("a frame's measurements", () => {
  test("are those of a whole graph nearby, with its time", () => {
    const made = withMeasurements(frameAt(START_MS + STEP_MS), wholeAt(START_MS));
    expect(latencyAt(made)).toEqual({ latency_p99_ms: 80 });
    expect(made.levels.get("eu")?.nodes[1]?.measurements).toEqual({ latency_p99_ms: 80 });
    expect(made.levels.get("eu")?.edges[1]?.measurements).toEqual({});
    expect(made.about.instantMs).toBe(START_MS + STEP_MS);
    expect(measuredElsewhen(made)).toBe(true);
    expect(measuredNote(made, "UTC")).toBe("Latencies, bytes and other measurements are those of 05:00:00.");
  });

  test("need no note when they are of the instant that is shown, or when there are none", () => {
    expect(measuredNote(wholeAt(START_MS), "UTC")).toBe("");
    expect(measuredNote(withMeasurements(frameAt(START_MS), wholeAt(START_MS)), "UTC")).toBe("");
    expect(measuredNote(frameAt(START_MS), "UTC")).toBe("");
    expect(withMeasurements(frameAt(START_MS), graph([level("eu", ["a>b 1"])]))).toEqual(frameAt(START_MS));
  });

  test.each([[-MOST_AWAY_MS - 1, false], [-MOST_AWAY_MS, true], [MOST_AWAY_MS, true], [MOST_AWAY_MS + 1, false]])("from %i ms away are taken: %s", (awayMs, taken) => {
    expect(latencyAt(withMeasurements(frameAt(START_MS), wholeAt(START_MS + awayMs)))).toEqual(taken ? { latency_p99_ms: 80 } : {});
  });
});

describe("while time plays", () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });

  /** Frames of one level, and whole graphs whose latency in ms is their number of instants since the start. */
  function playing(speed: 1 | 10 | 30 | 60, measures = true): { store: Store; asked: number[] } {
    const asked: number[] = [];
    const api = new Api("http://h/");
    const ok = <T>(value: T): Promise<Result<T>> => Promise.resolve({ ok: true, value });
    const no: Problem = { kind: "unreachable", status: 0, title: "", detail: "", beforeMs: null, afterMs: null, reason: "" };
    vi.spyOn(api, "extent").mockImplementation(() => ok({ now: new Date(START_MS).toISOString(), recording: { first: new Date(START_MS).toISOString(), last: new Date(START_MS + 900 * STEP_MS).toISOString() }, gaps: [] }));
    vi.spyOn(api, "timeline").mockResolvedValue({ ok: false, problem: no });
    vi.spyOn(api, "instants").mockResolvedValue({ ok: false, problem: no });
    vi.spyOn(api, "annotations").mockImplementation(() => ok([]));
    vi.spyOn(api, "topology").mockImplementation((_, atMs) => ok(wholeAt(atMs)));
    vi.spyOn(api, "graph").mockImplementation((atMs) => {
      asked.push(atMs!);
      return ok(measures ? wholeAt(atMs!, { latency_p99_ms: (atMs! - START_MS) / STEP_MS }) : { ...frameAt(atMs!), measuredMs: atMs });
    });
    vi.spyOn(api, "frames").mockImplementation(({ startMs, endMs }) => {
      const frames = Array.from({ length: (endMs - startMs) / STEP_MS }, (_, index) => ({ askedMs: startMs + index * STEP_MS, about: frameAt(startMs + index * STEP_MS).about }));
      const rates = frames.map(() => [5, 1]);
      const zeros = frames.map(() => [0, 0]);
      return ok<Frames>({ startMs, endMs, stepMs: STEP_MS, graph: frameAt(startMs), frames, levels: [{ cluster: "eu", source: ["a", "a"], target: ["b", "c"], normal: rates, warning: zeros, danger: zeros, notices: [] }] });
    });
    const store = new Store({ ...INITIAL, travel: { ...INITIAL.travel, mode: "playing", atMs: START_MS + 10 * STEP_MS, speed } });
    new Asking(store, api, () => Date.now(), undefined, { hidden: false }).start();
    return { store, asked };
  }

  test("measurements are looked up about once a second, and never disappear", async () => {
    const { store, asked } = playing(10);
    await vi.advanceTimersByTimeAsync(1500);
    const without: number[] = [];
    store.subscribe(({ data }) => { if (data.graph && latencyAt(data.graph)?.["latency_p99_ms"] === undefined) without.push(data.graph.about.instantMs); });
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked.length - before).toBeGreaterThanOrEqual(7);
    expect(asked.length - before).toBeLessThanOrEqual(11);
    expect(without).toEqual([]);
    const shown = store.snapshot.data.graph!;
    expect(shown.about.instantMs).toBeGreaterThan(START_MS + 15 * STEP_MS);
    expect(latencyAt(shown)).toEqual({ latency_p99_ms: (shown.measuredMs! - START_MS) / STEP_MS });
    expect(shown.about.instantMs - shown.measuredMs!).toBeLessThanOrEqual(2 * 60_000);
  });

  test.each([30, 60] as const)("at %d× more than an interval goes by in a second, and frames alone are asked for", async (speed) => {
    const { store, asked } = playing(speed);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(store.snapshot.data.graph!.about.instantMs).toBeGreaterThan(START_MS + 30 * STEP_MS);
    expect(asked).toEqual([]);
  });

  test("a frame that stands long enough has its own measurements", async () => {
    const { store } = playing(1);
    await vi.advanceTimersByTimeAsync(15_000);
    const shown = store.snapshot.data.graph!;
    expect(shown.about.instantMs).toBeGreaterThan(START_MS + 10 * STEP_MS);
    expect(latencyAt(shown)).toEqual({ latency_p99_ms: (shown.about.instantMs - START_MS) / STEP_MS });
    expect(measuredElsewhen(shown)).toBe(false);
  });

  test("where nothing is measured it is not asked for again and again", async () => {
    const { asked } = playing(60, false);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked.length).toBeLessThanOrEqual(2);
  });
});
