import { describe, expect, test } from "vitest";
import { Api } from "../src/asking/api";
import { fileName } from "../src/controls/export";
import { type Wanted, textOf, withRoom } from "../src/traffic/edge-text";
import { formatLatency, formatThroughput, latencyOf, throughputOf, wordsOf } from "../src/values/measures";
import { INITIAL } from "../src/values/state";
import { fromFragment, toFragment } from "../src/values/url";
import { edge } from "./graphs";

describe("measures", () => {
  test("of several percentiles the highest is the latency", () => {
    expect(latencyOf({ latency_p50_ms: 5, latency_p999_ms: 90, latency_p99_ms: 50 })).toEqual({ ms: 90, percentile: 99.9 });
    expect(latencyOf({ saturation: 1 })).toBeNull();
  });

  test("bytes of both directions are the throughput; zero is measured, nothing is not", () => {
    expect(throughputOf({ sent_bytes_per_second: 5, received_bytes_per_second: 7, connections_per_second: 99 })).toBe(12);
    expect(throughputOf({ sent_bytes_per_second: 0 })).toBe(0);
    expect(throughputOf({})).toBeNull();
  });

  test.each([[0.1234, "0.123 ms"], [12.345, "12.3 ms"], [250, "250 ms"], [999, "999 ms"], [1000, "1.00 s"], [90_000, "1.50 min"]])("%d ms reads %s", (ms, text) => {
    expect(formatLatency(ms)).toBe(text);
  });

  test.each([[0, "0 B/s"], [999, "999 B/s"], [1000, "1 kB/s"], [1_520_000, "1.52 MB/s"], [999_600, "1 MB/s"], [2.5e13, "25 TB/s"]])("%d bytes per second read %s", (bytes, text) => {
    expect(formatThroughput(bytes)).toBe(text);
  });

  test("names become words, and say their unit", () => {
    expect(wordsOf("latency_p999_ms", 5)).toEqual(["Latency, 99.9 %", "5 ms"]);
    expect(wordsOf("sent_bytes_per_second", 2048)).toEqual(["Sent", "2.05 kB/s"]);
    expect(wordsOf("retries_per_second", 2)).toEqual(["retries_per_second", "2.00 /s"]);
  });
});

describe("texts at connections", () => {
  const measured = edge("a>b 90/0/10", { measurements: { latency_p99_ms: 12, sent_bytes_per_second: 3000 } });
  test.each([["none", ""], ["rate", "100/s"], ["errors", "10.0 %"], ["latency", "12 ms"], ["throughput", "3 kB/s"]] as const)("of %s", (kind, text) => {
    expect(textOf(measured, kind)).toBe(text);
  });

  test("measured at another instant are marked, and nothing else is", () => {
    expect((["rate", "errors", "latency", "throughput"] as const).map((kind) => textOf(measured, kind, true))).toEqual(["100/s", "10.0 %", "~12 ms", "~3 kB/s"]);
  });

  test("nothing where there is nothing, or where the connection was made up", () => {
    expect((["rate", "errors", "latency", "throughput"] as const).map((kind) => textOf(edge("a>b 0"), kind)).join("")).toBe("");
    expect(textOf(edge("a>b 5", { synthetic: true }), "rate")).toBe("");
  });

  const wanted = (key: string, to = { x: 100, y: 50 }): Wanted => ({ key, text: key, from: { x: 0, y: 50 }, to, width: 20 });

  test("do not cover each other, the first wanted come first, and what has no room is left out", () => {
    const written = withRoom(Array.from({ length: 6 }, (_, index) => wanted(`e${index}`)), { width: 100, height: 100 });
    expect(written.map(({ key, x }) => `${key} ${x}`)).toEqual(["e0 58", "e1 30"]);
    const apart = withRoom([wanted("a"), wanted("b", { x: 300, y: 50 })], { width: 400, height: 100 });
    expect(apart.map(({ x }) => x)).toEqual([58, 174]);
  });

  test("do not cover nodes", () => {
    expect(withRoom([wanted("a")], { width: 400, height: 100 }, [{ x: 58, y: 50 }]).map(({ x }) => x)).toEqual([30]);
  });

  test("stay inside of the picture", () => {
    expect(withRoom([wanted("out", { x: 900, y: 50 })], { width: 400, height: 100 }).map(({ x }) => x)).toEqual([378]);
    expect(withRoom([wanted("out", { x: 9000, y: 50 })], { width: 400, height: 100 })).toEqual([]);
  });

  test("are in the link", () => {
    expect(toFragment({ ...INITIAL, edgeText: "latency" })).toBe("#/?text=latency");
    expect([fromFragment("#/?text=latency", INITIAL.display, 0).edgeText, fromFragment("#/?text=<b>", INITIAL.display, 0).edgeText]).toEqual(["latency", "none"]);
  });
});

describe("export", () => {
  test("gives a file a name that every file system takes", () => {
    expect(fileName("../a b/<c>", "2026-11-23T05:10:00Z")).toBe(".._a_b_c_-2026-11-23T051000Z");
  });

  test("lists the formats that the server describes, and none when it does not answer", async () => {
    const answer = { paths: { "/graph": { get: { parameters: [{ name: "at" }, { name: "format", schema: { enum: ["dot", "vizceral"] } }] } } } };
    expect(await new Api("http://h/v/", async () => Response.json(answer)).formats()).toEqual(["dot", "vizceral"]);
    expect(await new Api("http://h/v/", async () => Promise.reject(new TypeError("gone"))).formats()).toEqual([]);
  });
});
