// @vitest-environment happy-dom
import { describe, expect, test, vi } from "vitest";
import { Api } from "../src/asking/api";
import { Trends } from "../src/asking/trends";
import { TrendChart } from "../src/panels/trend-chart";
import { type Box, drawTrend } from "../src/panels/trend-lines";
import { UTC } from "../src/values/zones";
import { type Data, NO_DATA, Store, type Trend } from "../src/store/store";
import { LENGTH_MS, STEP_MS, trendSubject, trendWindow } from "../src/store/trend";
import type { Timeline } from "../src/values/answers";
import { INITIAL, type State } from "../src/values/state";
import { extend } from "../src/values/topology";
import { type Axis, goTo, play } from "../src/values/travel";
import { START_MS, edge, graph, level } from "./graphs";

const minute = (count: number): number => START_MS + count * STEP_MS;
const axis: Axis = { firstMs: minute(-300), lastMs: minute(300), stepMs: 10_000 };
const at = (atMs: number): State => goTo(INITIAL, atMs, axis);
const mesh = graph([level("eu", [edge("a>b 90"), edge("b>c 7"), edge("b>d 0", { synthetic: true })])]);
const data: Data = { ...NO_DATA, axis, graph: mesh, topology: extend(NO_DATA.topology, mesh) };
const subject = { level: "eu", target: "b" };
const state: State = { ...at(minute(0)), path: ["eu"], selection: { kind: "node", node: "b" } };

describe("what a trend is asked of", () => {
  test.each([
    [{ kind: "node", node: "b" }, { level: "eu", target: "b" }],
    [{ kind: "node", node: "a" }, { level: "eu", source: "a" }],
    [{ kind: "edge", source: "a", target: "b" }, { level: "eu", source: "a", target: "b" }],
    [null, null],
  ] as const)("of %j is %j", (selection, expected) => {
    expect(trendSubject({ ...INITIAL, path: ["eu"], selection }, data)).toEqual(expected);
  });

  test("of a node that is looked at is the node, as long as nothing else is selected", () => {
    expect(trendSubject({ ...INITIAL, path: ["eu", "c"] }, data)).toEqual({ level: "eu", target: "c" });
  });
});

describe("the hour", () => {
  test.each([[0, 1], [59_999, 1], [60_000, 2]])("that is shown %i ms after the minute ends with minute %i", (ms, end) => {
    expect(trendWindow(at(minute(0) + ms), axis, null)).toEqual({ startMs: minute(end) - LENGTH_MS, endMs: minute(end) });
  });

  test("stays while playing, and then has room ahead, but not beyond the recording", () => {
    const kept = trendWindow(at(minute(0)), axis, null);
    expect(trendWindow(play(at(minute(0) + 30_000), axis), axis, kept)).toBe(kept);
    expect(trendWindow(play(at(minute(1)), axis), axis, kept).endMs).toBe(minute(32));
    expect(trendWindow(play(at(minute(299)), axis), axis, kept).endMs).toBe(minute(301));
    expect(trendWindow(play(at(minute(-70)), axis, -1), axis, kept).endMs).toBe(minute(-69));
  });

  test("follows the moment where time stands, whatever was kept", () => {
    expect(trendWindow(at(minute(-10)), axis, trendWindow(at(minute(0)), axis, null)).endMs).toBe(minute(-9));
  });
});

const timelineOf = (normal: Timeline["steps"]["normal"], danger: Timeline["steps"]["danger"], gaps: Timeline["gaps"] = []): Timeline => {
  const zeros = normal.map(() => 0);
  const warning = normal.map((each) => each && 0);
  const steps = { start_ms: normal.map((_, index) => minute(index)), normal, warning, danger, known_normal: normal, known_warning: warning, known_danger: danger, edges: zeros, instants: zeros, missing: zeros, notices_info: zeros, notices_warning: zeros, notices_error: zeros };
  return { now: "", start: "", end: "", step_ms: STEP_MS, steps, gaps };
};
const box: Box = { width: 40, rate: { top: 0, height: 100 }, errors: { top: 100, height: 100 } };
const trendOf = (timeline: Timeline): Trend & { timeline: Timeline } => ({ subject, window: { startMs: minute(0), endMs: minute(4) }, timeline, problem: null });
const gap = (startMs: number, endMs: number): Timeline["gaps"][number] => ({ start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString(), writer: "main", missing: 1, reason: "not running" });

describe("a drawn trend", () => {
  test("has a point in the middle of each step, under a maximum that is easy to read", () => {
    const drawn = drawTrend(trendOf(timelineOf([80, 0, 40, 72], [0, 0, 40, 8])), box, minute(0), UTC);
    expect(drawn.rate).toEqual({ max: 100, line: "M5.0 20.0h0L15.0 100.0L25.0 20.0L35.0 20.0" });
    expect(drawn.errors).toEqual({ max: 60, line: "M5.0 200.0h0L15.0 200.0L25.0 116.7L35.0 183.3" });
  });

  test("breaks where nobody looked, and a point alone is a dot", () => {
    expect(drawTrend(trendOf(timelineOf([100, null, 100, null], [0, null, 0, null])), box, minute(0), UTC).rate.line).toBe("M5.0 16.7h0M25.0 16.7h0");
  });

  test("does not make little of errors look like much", () => {
    expect(drawTrend(trendOf(timelineOf([999], [1])), box, minute(0), UTC).errors.max).toBe(4);
  });

  test("hatches gaps, cut to the hour, and the smallest can be seen", () => {
    const gaps = [gap(minute(-5), minute(1)), gap(minute(2), minute(2) + 1000), gap(minute(9), minute(10))];
    expect(drawTrend(trendOf(timelineOf([1], [0], gaps)), box, minute(0), UTC).gaps).toEqual([[0, 10], [20, 2]]);
  });

  test("says the same in words", () => {
    const trend = trendOf(timelineOf([80, 5, null, 72], [0, 0, null, 8], [gap(minute(2), minute(3))]));
    expect(drawTrend(trend, box, minute(3) + 10_000, UTC).says).toBe("Requests per second: at least 5.00, at most 80.0, 80.0 at 05:03:10. Errors: at most 10.0 %, 10.0 % at 05:03:10. 1 gap.");
    expect(drawTrend(trend, box, minute(2), UTC).says).toContain("none known at 05:02:00");
    expect(drawTrend(trendOf(timelineOf([null], [null])), box, minute(0), UTC).says).toBe("Nothing was recorded in this hour.");
  });
});

describe("the chart", () => {
  const shown = (change: Partial<Data>, of: State = state): TrendChart => {
    const chart = new TrendChart();
    chart.render({ state: of, data: { ...data, ...change } });
    return chart;
  };
  const trend = trendOf(timelineOf([80, 5], [0, 0]));

  test("marks the moment that is shown", () => {
    const marker = shown({ trend }).element.querySelector(".trend-marker")!;
    expect([marker.getAttribute("x1"), marker.getAttribute("visibility")]).toEqual(["0.0", "visible"]);
    const later = shown({ trend, graph: graph([...mesh.levels.values()], { atMs: minute(2) }) }).element.querySelector(".trend-marker")!;
    expect(later.getAttribute("x1")).toBe("180.0");
  });

  test("of something else is not shown, nor is one of a level", () => {
    expect(shown({ trend }, { ...state, selection: { kind: "node", node: "c" } }).element.querySelector(".trend-rate")?.getAttribute("d")).toBe("");
    expect(shown({ trend }, { ...state, selection: null }).element.hidden).toBe(true);
  });

  test("that was not answered says so", () => {
    const problem = { kind: "unreachable", status: 0, title: "The server does not answer", detail: "", beforeMs: null, afterMs: null, reason: "" };
    expect(shown({ trend: { ...trend, timeline: null, problem } }).element.textContent).toContain("The server does not answer");
  });
});

test("a trend is asked for once for a selection and a minute", async () => {
  const asked: string[] = [];
  const fetcher = vi.fn(async (address: string) => {
    asked.push(new URL(address).search);
    return new Response(JSON.stringify(timelineOf([1], [0])));
  });
  const store = new Store(state, (run) => run());
  store.learn(data);
  new Trends(store, new Api("http://vistio/", fetcher as unknown as typeof fetch)).start();
  const settled = (): Promise<void> => vi.waitFor(() => expect(store.snapshot.data.trend?.subject).toEqual(trendSubject(store.snapshot.state, store.snapshot.data)));
  await settled();
  for (const ms of [10_000, 20_000, 50_000]) store.change((before) => goTo(before, minute(0) + ms, axis));
  expect(asked).toEqual(["?start=2026-11-23T04%3A01%3A00Z&end=2026-11-23T05%3A01%3A00Z&step=60000ms&cluster=eu&target=b"]);
  store.change((before) => ({ ...before, selection: { kind: "node", node: "c" } }));
  await settled();
  expect(asked).toHaveLength(2);
  expect(asked[1]).toContain("target=c");
});
