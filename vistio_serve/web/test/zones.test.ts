/** Time zones: what clocks show, when they show it, and what is written and read by them. */

import { describe, expect, test } from "vitest";
import { formatDate, formatDateTime, formatInstant, formatMoment, formatTime } from "../src/values/format";
import { parseInstant } from "../src/values/moments";
import { aheadMs, momentAt, wallMs, zoneNamed } from "../src/values/zones";

const ms = (text: string): number => Date.parse(text);
const BERLIN = "Europe/Berlin";

test.each([
  ["2026-11-23T05:10:00Z", "UTC", "2026-11-23T05:10:00Z"],
  ["2026-11-23T05:10:00Z", BERLIN, "2026-11-23T06:10:00+01:00"],
  ["2026-07-01T05:10:00.250Z", BERLIN, "2026-07-01T07:10:00.250+02:00"],
  ["2026-11-23T05:10:00Z", "America/New_York", "2026-11-23T00:10:00-05:00"],
  ["2026-11-23T04:10:00Z", "America/St_Johns", "2026-11-23T00:40:00-03:30"],
  ["2026-11-23T20:10:00Z", "Asia/Kathmandu", "2026-11-24T01:55:00+05:45"],
  ["1969-12-31T23:59:59.500Z", BERLIN, "1970-01-01T00:59:59.500+01:00"],
])("%s is told in %s as %s, and read as what it was", (instant, zone, told) => {
  expect(formatMoment(ms(instant), zone)).toBe(told);
  expect(formatDateTime(ms(instant), zone)).toBe(told.slice(0, 19).replace("T", " "));
  expect(`${formatDate(ms(instant), zone)}T${formatTime(ms(instant), zone)}`).toBe(told.slice(0, 19));
  expect(formatInstant(Date.parse(told))).toBe(instant);
  expect(parseInstant(told, 0, "UTC")).toBe(ms(instant));
});

// 29 March 2026: after 01:59:59 it is 03:00. 25 October: after 02:59:59 it is 02:00 once more.
test.each([
  ["2026-03-29 01:59:59", "2026-03-29T00:59:59Z"],
  ["2026-03-29 02:00:00", null],
  ["2026-03-29 02:59:59", null],
  ["2026-03-29 03:00:00", "2026-03-29T01:00:00Z"],
  ["2026-10-25 01:59:59", "2026-10-24T23:59:59Z"],
  ["2026-10-25 02:00:00", "2026-10-25T00:00:00Z"],
  ["2026-10-25 02:59:59", "2026-10-25T00:59:59Z"],
  ["2026-10-25 03:00:00", "2026-10-25T02:00:00Z"],
])("when clocks are changed, %s in Berlin is %s", (text, instant) => {
  expect(parseInstant(text, 0, BERLIN)).toBe(instant === null ? null : ms(instant));
});

test("a time of day is of the day that the zone has, and one that was left out is the day before's", () => {
  const now = ms("2026-11-23T23:30:00Z");
  expect(parseInstant("00:15", now, BERLIN)).toBe(ms("2026-11-23T23:15:00Z"));
  expect(parseInstant("yesterday 14:00", now, BERLIN)).toBe(ms("2026-11-23T13:00:00Z"));
  expect(parseInstant("today", now, BERLIN)).toBe(ms("2026-11-23T23:00:00Z"));
  expect(parseInstant("02:30", ms("2026-03-29T12:00:00Z"), BERLIN)).toBe(ms("2026-03-28T01:30:00Z"));
  expect(parseInstant("today 02:30", ms("2026-03-29T12:00:00Z"), BERLIN)).toBeNull();
});

describe("a zone", () => {
  test.each(["UTC", BERLIN, "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"])("%s shows each hour of a month of changes as what it is read as, or an hour before", (zone) => {
    for (const at of ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"].flatMap((day) => Array.from({ length: 72 }, (_, hour) => ms(`${day}T00:30:00Z`) + (hour - 24) * 3_600_000))) {
      const read = momentAt(wallMs(at, zone), zone)!;
      // Shown twice, the first one is meant.
      expect([at, at - 3_600_000, at - 1_800_000]).toContain(read);
      expect(wallMs(read, zone)).toBe(wallMs(at, zone));
    }
  });

  test("has one name, however it is written", () => {
    expect(["utc", "Etc/UTC", "europe/berlin", "Mars/Base", ""].map(zoneNamed)).toEqual(["UTC", "UTC", BERLIN, null, null]);
    expect(aheadMs(ms("2026-07-01T00:00:00Z"), BERLIN)).toBe(7_200_000);
  });
});
