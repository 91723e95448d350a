/** Moments as people write them. Pure. */

const DAY_MS = 86_400_000;
const UNITS_MS: Readonly<Record<string, number>> = { d: DAY_MS, h: 3_600_000, m: 60_000, s: 1000 };
// Fewer digits of an epoch are seconds, as the server reads them.
const EPOCH_MS_FROM = 1e11;

/** What can be written, for whoever wrote something else. */
export const MOMENTS = "03:35, -2h, now, yesterday 14:00, 2026-11-23 05:10:00 or 2026-11-23T06:10:00+01:00";

/**
 * Epoch milliseconds of what somebody wrote; null where that is no moment, such as 25:00 or 30 February.
 *
 * `03:35` is the last one that there was. Without an offset, times are UTC. Relative ones (`-15m`, `-1h30m`) and epochs are
 * as the server reads them.
 *
 * @param nowMs by the server's clock.
 */
export function parseInstant(given: string, nowMs = Date.now()): number | null {
  const text = given.trim();
  if (/^now$/i.test(text)) return nowMs;
  if (/^-(?:\d+[dhms])+$/.test(text)) {
    return nowMs - [...text.matchAll(/(\d+)([dhms])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS_MS[unit ?? ""] ?? 0), 0);
  }
  if (/^\d{9,13}(?:\.\d+)?$/.test(text)) return Number(text) < EPOCH_MS_FROM ? Number(text) * 1000 : Number(text);
  const midnightMs = nowMs - (nowMs % DAY_MS);
  const [, day, clock] = /^(?:(yesterday|today)(?: +|$))?(.*)$/i.exec(text) ?? [];
  const sinceMs = clock === "" && day ? 0 : timeOfDay(clock ?? "");
  if (sinceMs !== null) {
    if (day) return midnightMs + sinceMs - (/^y/i.test(day) ? DAY_MS : 0);
    return midnightMs + sinceMs <= nowMs ? midnightMs + sinceMs : midnightMs + sinceMs - DAY_MS;
  }
  return dateAndTime(text);
}

/** Milliseconds since midnight of `03:35` or `03:35:10.5`. */
function timeOfDay(text: string): number | null {
  const [, hours, minutes, seconds = "0"] = /^(\d\d?):(\d\d)(?::(\d\d(?:\.\d+)?))?$/.exec(text) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) >= 60) return null;
  return Math.round(1000 * (3600 * Number(hours) + 60 * Number(minutes) + Number(seconds)));
}

/** RFC 3339, with a blank for its T, or without an offset in UTC. */
function dateAndTime(text: string): number | null {
  const [, date, clock, zone = "Z"] = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?$/.exec(text) ?? [];
  const sinceMs = timeOfDay(clock ?? "");
  const midnightMs = Date.parse(`${date}T00:00:00Z`);
  if (sinceMs === null || Number.isNaN(midnightMs)) return null;
  // 30 February is the second of March for those who only add up.
  if (new Date(midnightMs).toISOString().slice(0, 10) !== date) return null;
  const [, sign, hours, minutes = "0"] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  if (sign === undefined) return midnightMs + sinceMs;
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  return midnightMs + sinceMs - (sign === "-" ? -1 : 1) * (3_600_000 * Number(hours) + 60_000 * Number(minutes));
}
