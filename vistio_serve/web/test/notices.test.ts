/** Notices as people read them: their values, which say the same, and which comes first. */

import { describe, expect, test } from "vitest";
import type { Incident } from "../src/values/answers";
import { readNotice } from "../src/values/model";
import { type PlacedNotice, causesAt, fold } from "../src/values/notices";
import { readTitle } from "../src/values/titles";
import { EMPTY, extend } from "../src/values/topology";
import { START_MS, graph, level, node, notice } from "./graphs";

describe("a title", () => {
  test.each([
    ["[0.12152] High Error Rate", true, "[12.2 %] High Error Rate", "High Error Rate", 0.12152],
    ["[0.12152] High Error Rate", false, "[0.122] High Error Rate", "High Error Rate", 0.12152],
    ["queue: 1234.00000 waiting", false, "queue: 1234 waiting", "queue: waiting", 1234],
    ["0.00500", true, "0.50 %", "0.00500", 0.005],
    ["p99 is 250.5 ms", true, "p99 is 250.5 ms", "p99 is 250.5 ms", null],
    ["v1.00000.2 is old", true, "v1.00000.2 is old", "v1.00000.2 is old", null],
    ["1.123456 is no value", true, "1.123456 is no value", "1.123456 is no value", null],
  ])("%j of a connection (%j) is read as %j", (text, ofEdge, title, about, amount) => {
    expect(readTitle(text, ofEdge)).toEqual({ title, about, amount });
  });

  test("is read after what the server has escaped", () => {
    expect(readNotice({ title: "[0.50000] a &amp;lt; b", severity: 1 }, true)).toMatchObject({ title: "[50.0 %] a &lt; b", about: "a &lt; b" });
  });
});

const placed = (place: string, more: Partial<PlacedNotice>): PlacedNotice => ({ ...notice(2, "High Error Rate"), place, ofEdge: true, cause: Infinity, ...more });

describe("notices that say the same", () => {
  test("are one line, the first cause in front, then the most severe, then the largest", () => {
    const folded = fold([
      placed("a > b", { amount: 0.1 }), placed("b > c", { amount: 0.3 }), placed("c > d", { amount: 0.4, severity: 1 }), placed("d > db", { amount: 0.2, cause: 0.5 }),
      placed("db", { about: "db is saturated", severity: 1, cause: 0 }),
    ]);
    expect(folded.map(({ about, severity, notices }) => [about, severity, notices.map(({ place }) => place)])).toEqual([
      ["db is saturated", 1, ["db"]],
      ["High Error Rate", 2, ["d > db", "b > c", "a > b", "c > d"]],
    ]);
  });
});

describe("the first cause", () => {
  const incident: Incident = { start: new Date(START_MS).toISOString(), end: new Date(START_MS + 60_000).toISOString(), summary: "", first: { cluster: "eu", node: "db", target: null }, hit: [{ cluster: "eu", node: "db" }, { cluster: "", node: "eu" }], worst_share: 1, times_as_long: 1 };
  const topology = extend(EMPTY, graph([level("eu", ["a>d_b 1"], { nodes: [node("a"), node("d_b", { recorded: "db" })] })]));

  test("is who left normal first in the incident of the moment", () => {
    const causes = causesAt([incident], START_MS, topology);
    expect([causes("eu", "d_b"), causes("", "eu"), causes("eu", "a"), causes("us", "d_b")]).toEqual([0, 1, Infinity, Infinity]);
  });

  test.each([[-1, Infinity], [0, 0], [59_999, 0], [60_000, Infinity]])("%i ms after the begin is %d", (afterMs, rank) => {
    expect(causesAt([incident], START_MS + afterMs, topology)("eu", "d_b")).toBe(rank);
    expect(causesAt([{ ...incident, end: null }], START_MS + 60_000, topology)("eu", "d_b")).toBe(0);
  });
});
