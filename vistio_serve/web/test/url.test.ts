import { describe, expect, test } from "vitest";
import { INITIAL, NO_FILTERS, type State } from "../src/values/state";
import { fromFragment, isNavigation, toFragment } from "../src/values/url";

const atMs = Date.parse("2026-11-23T05:10:00Z");
const full: State = {
  ...INITIAL,
  travel: { mode: "playing", atMs, refused: "", speed: 60, direction: -1, loop: { startMs: atMs, endMs: atMs + 60_000 } },
  window: { startMs: atMs - 600_000, endMs: atMs + 600_000 },
  path: ["eu-west", "cart"],
  selection: { kind: "edge", source: "cart", target: "redis" },
  filters: { minRps: 0.5, minErrorPercent: 2, minSeverity: 1, hiddenClasses: ["database", "outside"] },
  find: "car",
  baselineMs: atMs - 60_000,
};

test("the initial state has no fragment, and no fragment is the initial state", () => {
  expect(toFragment(INITIAL)).toBe("");
  expect(fromFragment("")).toEqual(INITIAL);
});

test("everything that a colleague needs to see the same comes back", () => {
  expect(fromFragment(toFragment(full))).toEqual(full);
});

test("how this user likes to look is not in the link", () => {
  const display = { theme: "light", labels: false, particles: false, table: true, projection: true } as const;
  expect(toFragment({ ...full, display })).toBe(toFragment(full));
  expect(fromFragment(toFragment(full), display).display).toBe(display);
});

test.each(["a/b", "a--b", "50%", "?#&=", "naïve 東京", "<img src=x onerror=alert(1)>", " "])("the name %j survives", (name) => {
  const state: State = { ...INITIAL, path: [name, name], selection: { kind: "node", node: name }, find: name };
  expect(fromFragment(toFragment(state))).toEqual(state);
});

test("a link reads as what it is", () => {
  const state: State = { ...INITIAL, path: ["eu-west"], travel: { ...INITIAL.travel, mode: "at", atMs } };
  expect(toFragment(state)).toBe("#/eu-west?at=2026-11-23T05%3A10%3A00Z");
});

describe("what cannot be understood is left out", () => {
  test.each([
    ["#/?speed=7", INITIAL],
    ["#/?play=forward", INITIAL],
    ["#/?window=2026-11-23T05:10:00Z/2026-11-23T05:10:00Z", INITIAL],
    ["#/?window=x/y&loop=1", INITIAL],
    ["#/?source=a", INITIAL],
    ["#/?rps=-1&errors=x&severity=loud", INITIAL],
    ["#/%E0%A4%A", { ...INITIAL, path: ["%E0%A4%A"] }],
    ["#/?errors=900", { ...INITIAL, filters: { ...NO_FILTERS, minErrorPercent: 100 } }],
  ])("%s", (fragment, state) => {
    expect(fromFragment(fragment)).toEqual(state);
  });
});

test.each(["garbage", "2026-02-30T05:00:00Z", "25:00"])("a moment that is none stays one: %s", (text) => {
  const state = fromFragment(`#/eu?at=${text}`);
  expect(state).toEqual({ ...INITIAL, path: ["eu"], travel: { ...INITIAL.travel, refused: text } });
  expect(fromFragment(toFragment(state))).toEqual(state);
});

describe("the way back leads past", () => {
  const at: State = { ...INITIAL, travel: { ...INITIAL.travel, mode: "at", atMs } };
  test.each<[string, State, State]>([
    ["another level", INITIAL, { ...INITIAL, path: ["eu-west"] }],
    ["another selection", INITIAL, { ...INITIAL, selection: { kind: "node", node: "cart" } }],
    ["another moment", at, { ...at, travel: { ...at.travel, atMs: atMs + 1 } }],
    ["the return to live", at, INITIAL],
  ])("%s", (_, before, after) => {
    expect(isNavigation(before, after)).toBe(true);
  });

  test.each<[string, State, State]>([
    ["time that plays", full, { ...full, travel: { ...full.travel, atMs: atMs + 1 } }],
    ["letters of a search", INITIAL, { ...INITIAL, find: "c" }],
    ["a filter that is tried", INITIAL, { ...INITIAL, filters: { ...NO_FILTERS, minRps: 1 } }],
  ])("but not %s", (_, before, after) => {
    expect(isNavigation(before, after)).toBe(false);
  });
});
