/** Names are shown as the server shows them: one list of cases for both. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rowsOf } from "../src/picture/changes";
import { matches } from "../src/picture/scene";
import { asRecorded } from "../src/store/subject";
import { pathLabels, readGraph } from "../src/values/model";
import { visible } from "../src/values/names";

const CASES = JSON.parse(readFileSync(new URL("visible_names.json", import.meta.url), "utf8")) as [string, string][];

describe("a name is shown with what cannot be seen in it", () => {
  it.each(CASES)("%j", (name, shown) => {
    expect(visible(name)).toBe(shown);
  });
});

it("shows no two of the cases alike", () => {
  expect(new Set(CASES.map(([name]) => visible(name))).size).toBe(CASES.length);
});

const HIDING = "ca\u200brt";
const nodes = [{ name: HIDING, displayName: "ca\\u200brt" }, { name: "cart" }, { name: "constructor_", displayName: "constructor", metadata: { vistio: { name: "constructor" } } }];
const about = { instant: "2026-11-23T05:00:00Z", asked: "2026-11-23T05:00:00Z", interval_s: 10, failed_rules: [], configuration: "", backfilled: false };
const graph = readGraph({ name: "mesh", nodes: [{ name: "e\nu", nodes }], metadata: { vistio: about } });
const level = graph.levels.get("e\nu");

describe("a graph whose names cannot all be seen", () => {
  it("has keys for the component, names for the server and labels for people", () => {
    expect(level?.nodes.map(({ name, recorded, label }) => [name, recorded, label])).toEqual([
      [HIDING, HIDING, "ca\\u200brt"], ["cart", "cart", "cart"], ["constructor_", "constructor", "constructor"],
    ]);
  });

  it("is searched by what is shown and by what is hidden", () => {
    expect(matches(level, "\\u200B", null)).toEqual([HIDING]);
    expect(matches(level, "a\u200b", null)).toEqual([HIDING]);
    expect(matches(level, "cart", null)).toEqual(["cart"]);
  });

  it("says where one is so that it can be read", () => {
    expect(pathLabels(graph, ["e\nu", HIDING])).toEqual(["e\\u000au", "ca\\u200brt"]);
    expect(pathLabels(null, ["e\nu", HIDING])).toEqual(["e\\u000au", "ca\\u200brt"]);
  });

  it("is asked about by the names of the recording", () => {
    expect(asRecorded({ level: "e\nu", node: "constructor_" }, graph.levels)).toEqual({ level: "e\nu", node: "constructor" });
    expect(asRecorded({ level: "e\nu", source: HIDING, target: "gone" }, graph.levels)).toEqual({ level: "e\nu", source: HIDING, target: "gone" });
    expect(asRecorded({ level: "" }, graph.levels)).toEqual({ level: "" });
  });

  it("is compared by its exact names, which are shown", () => {
    const rates = { normal: 1, warning: 0, danger: 0 };
    const change = { cluster: "e\nu", change: "new", before: null, after: rates };
    const diff = { edges: [{ ...change, source: "cart", target: HIDING }], nodes: [{ ...change, node: HIDING }] } as unknown as Parameters<typeof rowsOf>[0];
    const { edges, nodes: changed } = rowsOf(diff, "");
    expect([edges[0]?.name, edges[0]?.selects]).toEqual(["e\\u000au: cart → ca\\u200brt", { source: "cart", target: HIDING }]);
    expect([changed[0]?.name, changed[0]?.selects]).toEqual(["e\\u000au: ca\\u200brt", { node: HIDING }]);
  });
});
