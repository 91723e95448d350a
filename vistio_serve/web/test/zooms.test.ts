/** What the timeline shows: usual lengths, incidents, back and on, and along with live. */

import { describe, expect, test } from "vitest";
import type { Incident } from "../src/values/answers";
import { INITIAL, type State, zoom } from "../src/values/state";
import { type Axis, goTo } from "../src/values/travel";
import { isNavigation } from "../src/values/url";
import { zoomToIncident } from "../src/values/happened";
import { LENGTHS_MS, slide, zoomBack, zoomOn, zoomToLength } from "../src/values/zooms";
import { START_MS } from "./graphs";

const MINUTE_MS = 60_000;
const minute = (number: number): number => START_MS + number * MINUTE_MS;
const axis: Axis = { firstMs: minute(0), lastMs: minute(600), stepMs: 10_000 };
const incident = (from: number, to: number | null, worst_share = 0.1): Incident => ({ start: new Date(minute(from)).toISOString(), end: to === null ? null : new Date(minute(to)).toISOString(), summary: "", first: { cluster: "eu", node: "db", target: null }, hit: [], worst_share, times_as_long: 1 });
const minutes = ({ window }: State): readonly number[] | null => window && [window.startMs, window.endMs].map((ms) => (ms - START_MS) / MINUTE_MS);

describe("a usual length", () => {
  test.each(Object.entries(LENGTHS_MS))("%s is the newest of the recording, with a little room ahead", (_, lengthMs) => {
    const { window } = zoomToLength(INITIAL, lengthMs, axis);
    expect(window!.endMs - window!.startMs).toBe(lengthMs);
    expect(window!.endMs).toBeGreaterThan(axis.lastMs);
    expect(window!.endMs - axis.lastMs).toBeLessThanOrEqual(lengthMs / 15);
  });

  test("is around the moment that is shown, where that is older", () => {
    expect(minutes(zoomToLength(goTo(INITIAL, minute(300), axis), 60 * MINUTE_MS, axis))).toEqual([270, 330]);
    const edge = zoomToLength(INITIAL, 60 * MINUTE_MS, axis).window!.startMs;
    expect(zoomToLength(goTo(INITIAL, edge, axis), 60 * MINUTE_MS, axis).window!.startMs).toBe(edge);
    expect(zoomToLength(goTo(INITIAL, edge - 1, axis), 60 * MINUTE_MS, axis).window!.startMs).toBe(edge - 1 - 30 * MINUTE_MS);
  });
});

describe("an incident", () => {
  test("is the one that is shown, else the worst, with half its length on both sides", () => {
    const both = [incident(100, 140, 0.1), incident(300, 320, 0.4)];
    expect(minutes(zoomToIncident(INITIAL, both, axis))).toEqual([290, 330]);
    expect(minutes(zoomToIncident(goTo(INITIAL, minute(110), axis), both, axis))).toEqual([80, 160]);
  });

  test("that is short, at an end, or lasts, is shown as far as there is anything", () => {
    expect(minutes(zoomToIncident(INITIAL, [incident(1, 2)], axis))).toEqual([0, 8]);
    expect(zoomToIncident(INITIAL, [incident(580, null)], axis).window).toEqual({ startMs: minute(570), endMs: axis.lastMs + axis.stepMs });
    expect(zoomToIncident(INITIAL, [], axis)).toBe(INITIAL);
  });
});

test("back and on lead through what was shown, and a new stretch forgets the way on", () => {
  const wide = zoom(INITIAL, { startMs: minute(0), endMs: minute(100) });
  const narrow = zoom(wide, { startMs: minute(10), endMs: minute(20) });
  expect(minutes(zoomBack(narrow))).toEqual([0, 100]);
  expect(minutes(zoomBack(zoomBack(narrow)))).toBeNull();
  expect(minutes(zoomOn(zoomBack(narrow)))).toEqual([10, 20]);
  expect(zoomOn(narrow)).toBe(narrow);
  expect(zoomBack(INITIAL)).toBe(INITIAL);
  const other = zoom(zoomBack(narrow), { startMs: minute(50), endMs: minute(60) });
  expect(zoomOn(other)).toBe(other);
  expect(minutes(zoomBack(other))).toEqual([0, 100]);
  expect(zoom(other, other.window)).toBe(other);
  expect(isNavigation(wide, narrow)).toBe(true);
});

describe("while live", () => {
  const live = zoomToLength(INITIAL, 60 * MINUTE_MS, axis);
  const endMs = live.window!.endMs;
  const to = (lastMs: number): Axis => ({ ...axis, lastMs });

  test.each([[endMs - 10_000, 0], [endMs, 4], [endMs + 9 * MINUTE_MS, 12]])("the window moves when the newest instant leaves it: %d, by %d minutes", (lastMs, by) => {
    const moved = slide(live, axis, to(lastMs));
    expect(moved.window).toEqual({ startMs: live.window!.startMs + by * MINUTE_MS, endMs: endMs + by * MINUTE_MS });
    expect(isNavigation(live, moved)).toBe(false);
  });

  test("one that showed only the past stays, and so does any in the past", () => {
    const past = zoom(INITIAL, { startMs: minute(0), endMs: axis.lastMs });
    expect(slide(past, axis, to(endMs))).toBe(past);
    const standing = goTo(live, minute(590), axis);
    expect(slide(standing, axis, to(endMs))).toBe(standing);
    expect(slide(INITIAL, axis, to(endMs))).toBe(INITIAL);
  });
});
