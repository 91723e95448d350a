/** Moments, rates and shares as people read them: the one place where dates and numbers of the page are written. Pure. */

import { manner, t } from "../texts/say";
import { UTC, type Zone, aheadMs, wallMs } from "./zones";

/** RFC 3339 in UTC, without a fraction that is zero: `2026-11-23T05:10:00Z`. For addresses; people read `formatMoment`. */
export function formatInstant(ms: number): string {
  return new Date(Math.round(ms)).toISOString().replace(".000Z", "Z");
}

/** RFC 3339 as the zone's clocks show it: `2026-11-23T06:10:00+01:00`, in UTC `2026-11-23T05:10:00Z`. */
export function formatMoment(ms: number, zone: Zone): string {
  if (zone === UTC) return formatInstant(ms);
  const minutes = Math.round(Math.abs(aheadMs(ms, zone)) / 60_000);
  const two = (number: number): string => String(number).padStart(2, "0");
  const offset = `${aheadMs(ms, zone) < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  return formatInstant(wallMs(Math.round(ms), zone)).replace("Z", offset);
}

/** `2026-11-23 05:10:00`. */
export function formatDateTime(ms: number, zone: Zone): string {
  return `${formatDate(ms, zone)} ${formatTime(ms, zone)}`;
}

/** `05:10:00`. */
export function formatTime(ms: number, zone: Zone): string {
  return new Date(wallMs(ms, zone)).toISOString().slice(11, 19);
}

/** `2026-11-23`. */
export function formatDate(ms: number, zone: Zone): string {
  return new Date(wallMs(ms, zone)).toISOString().slice(0, 10);
}

/** `2026-11-23 05:10:00`, in Chinese `2026年11月23日 05:10:00`: to be read. What is typed back is `formatDateTime`. */
export function formatDayAndTime(ms: number, zone: Zone): string {
  return manner()?.dayAndTime(ms, zone) ?? formatDateTime(ms, zone);
}

/** `11-23`, in Chinese `11月23日`: where the year is known. */
export function formatDay(ms: number, zone: Zone): string {
  return manner()?.day(ms, zone) ?? formatDate(ms, zone).slice(5);
}

/** `8 s`, `12 min`, `3 h`, `2 days`, in Chinese `12分钟`: one unit, for ages and lengths. */
export function formatDuration(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (seconds < 120) return inUnit(seconds, "second", "s");
  if (seconds < 7200) return inUnit(Math.round(seconds / 60), "minute", "min");
  if (seconds < 172_800) return inUnit(Math.round(seconds / 3600), "hour", "h");
  return inUnit(Math.round(seconds / 86_400), "day", "days");
}

function inUnit(count: number, unit: "second" | "minute" | "hour" | "day", sign: string): string {
  return manner()?.length(count, unit) ?? `${count} ${sign}`;
}

/** Three figures with a unit: `1.24k`, `514`, `0.02`; in Chinese large ones are `12.4万`. */
export function formatRate(rps: number): string {
  const its = manner();
  if (rps >= 1e4 && its) return its.large(rps);
  if (rps >= 1e6) return `${(rps / 1e6).toPrecision(3)}M`;
  if (rps >= 1e4) return `${(rps / 1e3).toPrecision(3)}k`;
  if (rps >= 100) return rps.toFixed(0);
  if (rps >= 10) return rps.toFixed(1);
  if (rps === 0) return "0";
  return rps < 0.005 ? "< 0.01" : rps.toFixed(2);
}

/** The share in percent: `0 %`, `< 0.01 %`, `12.5 %`, `> 99.9 %`; a dash where there is nothing to share. */
export function formatShare(part: number, whole: number): string {
  if (!(whole > 0)) return "–";
  const percent = (100 * part) / whole;
  if (percent === 0) return formatPercent("0");
  if (percent < 0.01) return formatPercent("< 0.01");
  if (percent > 99.9 && percent < 100) return formatPercent("> 99.9");
  return formatPercent(percent.toFixed(percent >= 10 ? 1 : 2));
}

/** A figure with the sign, as the language sets it. */
export function formatPercent(figure: number | string): string {
  return t`${figure} %`;
}
