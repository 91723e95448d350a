// @vitest-environment happy-dom
/** A screen on a wall: what it shows when. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Kiosk } from "../src/controls/kiosk";
import { Store } from "../src/store/store";
import type { Incident } from "../src/values/answers";
import { broken, kioskMs, nextLevel, showLevel } from "../src/values/kiosk";
import { INITIAL, openPath, select } from "../src/values/state";
import { EMPTY, extend } from "../src/values/topology";
import { goTo } from "../src/values/travel";
import { graph, level, node, notice } from "./graphs";

const well = graph([level("eu", ["a>b"]), level("us", ["a>b"])]);
const noticed = graph([level("eu", ["a>b"]), level("us", ["a>b"], { nodes: [node("a"), node("b", { notices: [notice(2)] })] })]);
const incident = (more: Partial<Incident> = {}): Incident => ({ start: "2026-11-23T05:00:00Z", end: null, summary: "", first: { cluster: "eu", node: "b", target: null }, hit: [], worst_share: 0.1, times_as_long: 1, ...more });
const topology = extend(EMPTY, well);

describe("the address", () => {
  test.each([["", null], ["?other", null], ["?kiosk", 20_000], ["?kiosk=", 20_000], ["?kiosk=30", 30_000], ["?kiosk=1", 5_000], ["?kiosk=soon", 20_000]])("%s", (search, ms) => {
    expect(kioskMs(search)).toBe(ms);
  });
});

describe("what breaks", () => {
  test("is where an incident lasts, the worst first, then where error notices are", () => {
    const little = incident({ first: { cluster: "us", node: "b", target: null }, worst_share: 0.05 });
    expect(broken(well, [little, incident()], topology)).toEqual(["eu", "us"]);
    expect(broken(noticed, [incident()], topology)).toEqual(["eu", "us"]);
    expect(broken(noticed, [], topology)).toEqual(["us"]);
  });

  test("is nothing that is over, nowhere that is not there, and no mere warning", () => {
    expect(broken(well, [incident({ end: "2026-11-23T05:10:00Z" })], topology)).toEqual([]);
    expect(broken(well, [incident({ first: { cluster: "asia", node: "b", target: null } })], topology)).toEqual([]);
    expect(broken(graph([level("eu", [], { nodes: [node("a", { notices: [notice(1)] })] })]), [], topology)).toEqual([]);
  });
});

describe("the round", () => {
  test("goes through the mesh and all clusters, and begins again", () => {
    const round = ["", "", ""].reduce<string[]>((seen) => [...seen, nextLevel(well, [], seen.at(-1) ?? "")], []);
    expect(round).toEqual(["eu", "us", ""]);
  });

  test("is only through what breaks", () => {
    expect(nextLevel(well, ["us"], "")).toBe("us");
    expect(nextLevel(well, ["us"], "us")).toBe("us");
    expect(nextLevel(well, ["us", "eu"], "us")).toBe("eu");
  });

  test("shows a level live, with nobody selected, and changes nothing where it is shown", () => {
    const away = goTo(select(openPath(INITIAL, ["eu", "b"]), { kind: "node", node: "b" }), 0, { firstMs: 0, lastMs: 60_000, stepMs: 10_000 });
    const shown = showLevel(away, "us");
    expect(shown).toMatchObject({ path: ["us"], selection: null, travel: { mode: "live", atMs: null } });
    expect(showLevel(shown, "us")).toBe(shown);
    expect(showLevel(shown, "")).toMatchObject({ path: [] });
  });
});

describe("by itself", () => {
  const store = (): Store => new Store(INITIAL, (run) => run());
  const level = (of: Store): string => of.snapshot.state.path[0] ?? "";

  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  test("it goes on, and to what breaks at once", () => {
    const shown = store();
    new Kiosk(shown, 10_000).start();
    shown.learn({ graph: well, topology });
    vi.advanceTimersByTime(9_999);
    expect(level(shown)).toBe("");
    vi.advanceTimersByTime(1);
    expect(level(shown)).toBe("eu");
    shown.learn({ graph: noticed });
    expect(level(shown)).toBe("us");
    vi.advanceTimersByTime(30_000);
    expect(level(shown)).toBe("us");
    shown.learn({ graph: well });
    vi.advanceTimersByTime(10_000);
    expect(level(shown)).toBe("");
  });

  test("whoever touches it has a minute", () => {
    const shown = store();
    new Kiosk(shown, 10_000).start();
    shown.learn({ graph: well, topology });
    document.dispatchEvent(new Event("pointerdown"));
    shown.learn({ graph: noticed });
    vi.advanceTimersByTime(59_000);
    expect(level(shown)).toBe("");
    vi.advanceTimersByTime(1_000);
    expect(level(shown)).toBe("us");
  });
});
