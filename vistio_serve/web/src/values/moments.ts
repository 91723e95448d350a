/** Moments as people write them. Pure. */

import { type Zone, momentAt, wallMs } from "./zones";

const DAY_MS = 86_400_000;
const UNITS_MS: Readonly<Record<string, number>> = { d: DAY_MS, h: 3_600_000, m: 60_000, s: 1000 };
// Fewer digits of an epoch are seconds, as the server reads them.
const EPOCH_MS_FROM = 1e11;

/** What can be written, for whoever wrote something else. */
export const MOMENTS = "03:35, -2h, now, yesterday 14:00, 2026-11-23 05:10:00 or 2026-11-23T06:10:00+01:00";

/**
 * Epoch milliseconds of what somebody wrote; null where that is no moment, such as 25:00, 30 February, or what clocks leave
 * out when summer begins.
 *
 * `03:35` is the last one that there was; words are English or Chinese, whichever the page speaks. Relative ones (`-15m`, `-1h30m`) and epochs are as the server reads them.
 *
 * @param nowMs by the server's clock.
 * @param zone of times without an offset.
 */
export function parseInstant(given: string, nowMs: number, zone: Zone): number | null {
  // Chinese keyboards write a colon of their own.
  const text = given.trim().replaceAll("：", ":");
  if (/^(?:now|现在)$/i.test(text)) return nowMs;
  if (/^-(?:\d+[dhms])+$/.test(text)) {
    return nowMs - [...text.matchAll(/(\d+)([dhms])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS_MS[unit ?? ""] ?? 0), 0);
  }
  const nowWall = wallMs(nowMs, zone);
  const midnight = nowWall - (nowWall % DAY_MS);
  const [, day, clock] = /^(?:(yesterday|today|昨天|今天)(?: +|$))?(.*)$/i.exec(text) ?? [];
  const sinceMs = clock === "" && day ? 0 : timeOfDay(clock ?? "");
  if (sinceMs === null) return parseAbsolute(text, zone);
  if (day) return momentAt(midnight + sinceMs - (/^[y昨]/i.test(day) ? DAY_MS : 0), zone);
  return [0, DAY_MS].map((back) => momentAt(midnight + sinceMs - back, zone)).find((ms) => ms !== null && ms <= nowMs) ?? null;
}

/** What is the same moment whenever it is read: an epoch, or a date with a time. */
export function parseAbsolute(given: string, zone: Zone): number | null {
  const text = given.trim();
  if (/^\d{9,13}(?:\.\d+)?$/.test(text)) return Number(text) < EPOCH_MS_FROM ? Number(text) * 1000 : Number(text);
  return dateAndTime(text, zone);
}

/** Milliseconds since midnight of `03:35` or `03:35:10.5`. */
function timeOfDay(text: string): number | null {
  const [, hours, minutes, seconds = "0"] = /^(\d\d?):(\d\d)(?::(\d\d(?:\.\d+)?))?$/.exec(text) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) >= 60) return null;
  return Math.round(1000 * (3600 * Number(hours) + 60 * Number(minutes) + Number(seconds)));
}

/** RFC 3339, with a blank for its T, or without an offset. */
function dateAndTime(text: string, zone: Zone): number | null {
  const [, date, clock, offset] = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?$/.exec(text) ?? [];
  const sinceMs = timeOfDay(clock ?? "");
  const midnightMs = Date.parse(`${date}T00:00:00Z`);
  if (sinceMs === null || Number.isNaN(midnightMs)) return null;
  // 30 February is the second of March for those who only add up.
  if (new Date(midnightMs).toISOString().slice(0, 10) !== date) return null;
  if (offset === undefined) return momentAt(midnightMs + sinceMs, zone);
  const [, sign, hours, minutes = "0"] = /^([+-])(\d\d):?(\d\d)?$/.exec(offset) ?? [];
  if (sign === undefined) return midnightMs + sinceMs;
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  return midnightMs + sinceMs - (sign === "-" ? -1 : 1) * (3_600_000 * Number(hours) + 60_000 * Number(minutes));
}
