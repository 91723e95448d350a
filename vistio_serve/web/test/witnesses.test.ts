// @vitest-environment happy-dom
/** What two witnesses tell differently, wherever the page tells of connections. */

import { describe, expect, test } from "vitest";
import { withMeasurements } from "../src/frames/measured";
import { columnsOf } from "../src/panels/connections";
import { measurementFacts, witnessFacts } from "../src/panels/facts";
import { bundle } from "../src/picture/groups";
import { NO_DATA, Store } from "../src/store/store";
import { LevelTable } from "../src/table/level-table";
import { textOf } from "../src/traffic/edge-text";
import { wordsOf } from "../src/values/measures";
import { readGraph } from "../src/values/model";
import { INITIAL } from "../src/values/state";
import { START_MS, edge, graph, level } from "./graphs";

const measurements = { caller_latency_mean_ms: 12.5, latency_mean_ms: 10, lost_rps: 3, network_ms: 2.5 };
const both = edge("a>b 7/0/3", { measurements, toldBy: "both" });
const [one, other] = [edge("a>c 5", { toldBy: "caller" }), edge("a>d 5", { toldBy: "called" })];

describe("a connection of which both ends tell", () => {
  test("says in its panel who told, what was lost and what the network took", () => {
    expect(witnessFacts(both)).toEqual([["Told by", "both ends"], ["Lost: sent, not received", "3.00 /s", "danger"], ["Network delay, mean", "2.5 ms"]]);
    expect(witnessFacts(one)).toEqual([["Told by", "the caller only"]]);
    expect(witnessFacts(other)).toEqual([["Told by", "the called side only"]]);
    expect(witnessFacts(edge("a>b 5"))).toEqual([]);
    expect(measurementFacts(measurements)).toEqual([["Latency, mean", "10 ms"], ["Latency, mean, for the caller", "12.5 ms"]]);
    expect(wordsOf("caller_latency_p99_ms", 5)).toEqual(["Latency, 99 %, for the caller", "5 ms"]);
  });

  test.each([[[both, one], ["name", "rate", "errors", "lost", "network"]], [[one, other], ["name", "rate", "errors"]]])("has columns where there is something to tell", (rows, columns) => {
    expect(columnsOf(rows)).toEqual(columns);
  });

  test("is written at the picture's connections", () => {
    expect([textOf(both, "ends"), textOf(both, "ends", true), textOf(one, "ends")]).toEqual(["3.00/s lost · 2.5 ms", "~3.00/s lost · 2.5 ms", ""]);
    expect(textOf(edge("a>b 5", { measurements: { network_ms: 0 } }), "ends")).toBe("0 ms");
  });

  test("is in the tables, which have the columns only where somebody tells", () => {
    const heads = (edges: Parameters<typeof level>[1]): string[] => {
      const store = new Store({ ...INITIAL, path: ["eu"], display: { ...INITIAL.display, table: true } }, (run) => run());
      store.learn({ ...NO_DATA, graph: graph([level("eu", edges)]) });
      const table = new LevelTable(store);
      table.render(store.snapshot);
      return [...table.element.querySelectorAll<HTMLElement>(".wide-table:last-of-type th, .wide-table:last-of-type td")].filter((cell) => !cell.hidden).map((cell) => cell.textContent ?? "");
    };
    expect(heads([both])).toEqual(["Connection", "req/s", "errors", "warnings", "lost/s", "network", "told by", "notices", "a → b", "10.0", "30.0 %", "0 %", "3.00", "2.5 ms", "both ends", ""]);
    expect(heads([one])).toEqual(["Connection", "req/s", "errors", "warnings", "told by", "notices", "a → c", "5.00", "0 %", "0 %", "the caller only", ""]);
    expect(heads(["a>b 5"]).slice(0, 5)).toEqual(["Connection", "req/s", "errors", "warnings", "notices"]);
  });

  test("is read from what the server says, and lent to frames", () => {
    const about = { instant: "2026-11-23T05:00:00Z", asked: "2026-11-23T05:00:00Z", interval_s: 10, failed_rules: [], configuration: "", backfilled: false };
    const connections = [{ source: "a", target: "b", metadata: { vistio: { told_by: "both", measurements } } }, { source: "a", target: "c", metadata: { vistio: { told_by: "<b>" } } }];
    const read = readGraph({ name: "mesh", nodes: [{ name: "eu", nodes: [{ name: "a" }], connections }], metadata: { vistio: about } });
    expect(read.levels.get("eu")?.edges.map((each) => each.toldBy)).toEqual(["both", ""]);
    const frame = { ...graph([level("eu", ["a>b 5", "a>c 1"])], { atMs: START_MS }), measuredMs: null };
    const whole = graph([level("eu", [edge("a>b 5", { toldBy: "caller" })])], { atMs: START_MS });
    expect(withMeasurements(frame, whole).levels.get("eu")?.edges.map((each) => each.toldBy)).toEqual(["caller", ""]);
  });

  test("in a group what was lost adds up, and who told is said where all were told alike", () => {
    const lossy = edge("a>c 1", { toldBy: "both", measurements: { lost_rps: 2, network_ms: 9 } });
    expect(bundle("g", "h", [both, lossy])).toMatchObject({ toldBy: "both", measurements: { lost_rps: 5, network_ms: 9 } });
    expect(bundle("g", "h", [both, one]).toldBy).toBe("");
  });
});
