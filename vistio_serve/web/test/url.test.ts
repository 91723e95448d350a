import { describe, expect, test } from "vitest";
import { INITIAL, NO_FILTERS, type State, isNowhere } from "../src/values/state";
import { fromFragment, isNavigation, isRelative, toFragment, withLinkRead } from "../src/values/url";

const atMs = Date.parse("2026-11-23T05:10:00Z");
/** As a page reads it whose server tells the time. */
const read = (fragment: string, nowMs: number | null = atMs): State => fromFragment(fragment, INITIAL.display, nowMs);
const full: State = {
  ...INITIAL,
  travel: { mode: "playing", atMs, refused: "", unread: "", speed: 60, direction: -1, loop: { startMs: atMs, endMs: atMs + 60_000 } },
  zone: "Europe/Berlin",
  window: { startMs: atMs - 600_000, endMs: atMs + 600_000 },
  path: ["eu-west", "cart"],
  selection: { kind: "edge", source: "cart", target: "redis" },
  filters: { minRps: 0.5, minErrorPercent: 2, minSeverity: 1, hide: "name ~ ^kafka and not (errors > 1%)", unhealthyOnly: true, hiddenClasses: ["database", "outside"] },
  find: "car",
  baselineMs: atMs - 60_000,
};

test("the initial state has no fragment, and no fragment is the initial state", () => {
  expect(toFragment(INITIAL)).toBe("");
  expect(read("")).toEqual(INITIAL);
});

test("everything that a colleague needs to see the same comes back", () => {
  expect(read(toFragment(full))).toEqual(full);
});

test("how this user likes to look is not in the link", () => {
  const display = { theme: "light", language: "zh", labels: false, particles: false, table: true, projection: true } as const;
  expect(toFragment({ ...full, display })).toBe(toFragment(full));
  expect(fromFragment(toFragment(full), display, null).display).toBe(display);
});

test.each(["a/b", "a--b", "50%", "?#&=", "naïve 東京", "<img src=x onerror=alert(1)>", " "])("the name %j survives", (name) => {
  const state: State = { ...INITIAL, path: [name, name], selection: { kind: "node", node: name }, find: name };
  expect(read(toFragment(state))).toEqual(state);
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
    ["#/?tz=Mars/Base", INITIAL],
    ["#/?source=a", INITIAL],
    ["#/?rps=-1&errors=x&severity=loud", INITIAL],
    ["#/%E0%A4%A", { ...INITIAL, path: ["%E0%A4%A"] }],
    ["#/?errors=900", { ...INITIAL, filters: { ...NO_FILTERS, minErrorPercent: 100 } }],
  ])("%s", (fragment, state) => {
    expect(read(fragment)).toEqual(state);
  });
});

test.each([
  ["at=2026-11-23T06:10:00%2B01:00", atMs],
  ["at=2026-11-23T06:10:00+01:00", atMs],
  ["at=2026-11-23 05:10", atMs],
  ["at=2026-11-23+05:10:00", atMs],
  ["at=1795410600", atMs],
  ["at=-15m", atMs - 900_000],
  ["at=now", atMs],
  ["at=03:35", atMs - 95 * 60_000],
  ["at=yesterday+14:00", atMs - 15 * 3_600_000 - 10 * 60_000],
  ["at=04:35&tz=Europe/Berlin", atMs - 95 * 60_000],
])("a link by hand can say %s", (asked, ms) => {
  const state = read(`#/eu?${asked}`);
  expect(state.travel).toMatchObject({ mode: "at", atMs: ms, refused: "" });
  expect(toFragment(state)).toContain(encodeURIComponent(new Date(ms).toISOString().replace(".000Z", "Z")));
});

describe("a link that means another moment when it is read at another time", () => {
  test.each(["at=-15m", "at=now", "at=03:35", "at=yesterday", "window=-2h/-1h", "at=2026-11-23T05:10:00Z&baseline=-1h"])("is %s, and waits for the server's clock", (asked) => {
    const waiting = read(`#/eu?${asked}`, null);
    expect(waiting).toEqual({ ...INITIAL, travel: { ...INITIAL.travel, unread: `#/eu?${asked}` } });
    expect([isNowhere(waiting), toFragment(waiting)]).toEqual([true, `#/eu?${asked}`]);
    expect(withLinkRead(waiting, atMs)).toEqual(read(`#/eu?${asked}`));
  });

  test.each(["", "#/eu", toFragment(full), "#/?at=1795410600", "#/?at=garbage"])("is not %j", (fragment) => {
    expect(isRelative(fragment)).toBe(false);
    expect(read(fragment, null)).toEqual(read(fragment));
  });
});

test.each([["baseline=25:00", "25:00"], ["window=x/y", "x"], ["window=2026-11-23T05:10:00Z/31:00", "31:00"], ["at=05:00&loop=1", "1"], ["at=03:35&tz=Mars/Base", "03:35 in Mars/Base"]])("a moment that is none is told wherever it stands: %s", (asked, refused) => {
  expect(read(`#/?${asked}`).travel).toMatchObject({ mode: "live", atMs: null, refused });
});

test.each(["garbage", "2026-02-30T05:00:00Z", "25:00"])("a moment that is none stays one: %s", (text) => {
  const state = read(`#/eu?at=${text}`);
  expect(state).toEqual({ ...INITIAL, path: ["eu"], travel: { ...INITIAL.travel, refused: text } });
  expect(read(toFragment(state))).toEqual(state);
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
