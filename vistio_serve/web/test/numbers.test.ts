/** The two measures of a level, and from when on a number is red: the same everywhere. */

import { describe, expect, test } from "vitest";
import { countedSubjects } from "../src/store/subject";
import type { Timeline } from "../src/values/answers";
import { USUAL_TONES, readAbout } from "../src/values/model";
import { added } from "../src/values/series";
import { EMPTY, extend } from "../src/values/topology";
import { enteringRates, entriesOf, insideRates, toneOf } from "../src/values/traffic";
import { graph, level } from "./graphs";

const eu = level("eu", ["INTERNET>front 90/0/10", "us>cart 5", "front>cart 60/0/40", "cart>db 30"]);

describe("a level", () => {
  test("is entered by those whom nobody calls, and what enters counts once", () => {
    expect(entriesOf(eu)).toEqual(["INTERNET", "us"]);
    expect(enteringRates(eu, eu)).toEqual({ normal: 95, warning: 0, danger: 10 });
  });

  test("is entered by the same ones at each instant: who is called at another one is inside", () => {
    const now = level("eu", ["INTERNET>front 7", "front>cart 3"]);
    const before = level("eu", ["INTERNET>front 7", "gate>front 1", "front>cart 3"]);
    expect(enteringRates(level("eu", ["front>cart 3"]), extend(EMPTY, graph([before])).get("eu"))).toEqual({ normal: 0, warning: 0, danger: 0 });
    expect(enteringRates(now, undefined)).toEqual({ normal: 7, warning: 0, danger: 0 });
  });

  test("has each hop inside; the global level those of all clusters", () => {
    const mesh = graph([eu, level("us", ["a>b 1"])]);
    expect(insideRates(mesh, "eu")).toEqual({ normal: 185, warning: 0, danger: 50 });
    expect(insideRates(mesh, "")).toEqual({ normal: 186, warning: 0, danger: 50 });
  });

  test("is asked for by its entries, a node or a connection as it is", () => {
    const topology = extend(EMPTY, graph([eu]));
    expect(countedSubjects({ level: "eu" }, topology)).toEqual([{ level: "eu", source: "INTERNET" }, { level: "eu", source: "us" }]);
    expect(countedSubjects({ level: "eu", node: "cart" }, topology)).toEqual([{ level: "eu", target: "cart" }]);
    expect(countedSubjects({ level: "eu", node: "INTERNET" }, topology)).toEqual([{ level: "eu", source: "INTERNET" }]);
    expect(countedSubjects({ level: "eu", source: "cart", target: "db" }, topology)).toEqual([]);
    const [eight, nine] = [8, 9].map((count) => extend(EMPTY, graph([level("eu", Array.from({ length: count }, (_, index) => `e${index}>x 1`))])));
    expect([eight, nine].map((each) => countedSubjects({ level: "eu" }, each!).length)).toEqual([8, 0]);
  });
});

test("rates are added where all are known", () => {
  const steps = (normal: (number | null)[]): Timeline => {
    const zeros = normal.map(() => 0);
    return { now: "", start: "", end: "", step_ms: 10_000, gaps: [], steps: { start_ms: zeros, known_normal: zeros, known_warning: zeros, known_danger: zeros, normal, warning: zeros, danger: zeros, edges: zeros, instants: zeros, missing: zeros, notices_info: zeros, notices_warning: zeros, notices_error: zeros } };
  };
  expect(added([steps([1, 0, null, 4]), steps([2, 0, 3, null])])?.steps.normal).toEqual([3, 0, null, null]);
  expect(added([])).toBeNull();
});

describe("a number is marked", () => {
  test("from where the configuration's notices begin", () => {
    const about = { instant: "2026-11-23T05:00:00Z", asked: "2026-11-23T05:00:00Z", interval_s: 10, failed_rules: [], configuration: "", backfilled: false };
    const { tones } = readAbout({ ...about, marked_from: { danger: 0.1 } });
    expect(tones).toEqual({ danger: 0.1, warning: USUAL_TONES.warning });
    expect(toneOf("danger", { normal: 91, warning: 0, danger: 9 }, tones)).toBe("");
    expect(toneOf("danger", { normal: 90, warning: 0, danger: 10 }, tones)).toBe("danger");
    expect(readAbout(about).tones).toEqual(USUAL_TONES);
  });

  test.each([[0.499, ""], [0.5, "danger"], [0.501, "danger"]])("%d percent errors: %j", (percent, tone) => {
    expect(toneOf("danger", { normal: 100 - percent, warning: 0, danger: percent }, USUAL_TONES)).toBe(tone);
  });

  test.each([[4.99, ""], [5, "warning"], [5.01, "warning"]])("%d percent warnings: %j", (percent, tone) => {
    expect(toneOf("warning", { normal: 100 - percent, warning: percent, danger: 0 }, USUAL_TONES)).toBe(tone);
  });

  test("never where there is nothing", () => {
    expect(toneOf("danger", { normal: 0, warning: 0, danger: 0 }, USUAL_TONES)).toBe("");
  });
});
