/** Instants, rates and shares as people read them. All times are UTC, as in the answers. */

/** RFC 3339 in UTC, without a fraction that is zero: `2026-11-23T05:10:00Z`. */
export function formatInstant(ms: number): string {
  return new Date(Math.round(ms)).toISOString().replace(".000Z", "Z");
}

/** `05:10:00`. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}

/** `2026-11-23`. */
export function formatDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** `8 s`, `12 min`, `3 h`, `2 days`: one unit, for ages and lengths. */
export function formatDuration(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** Three figures with a unit: `1.24k`, `514`, `0.02`. */
export function formatRate(rps: number): string {
  if (rps >= 1e6) return `${(rps / 1e6).toPrecision(3)}M`;
  if (rps >= 1e4) return `${(rps / 1e3).toPrecision(3)}k`;
  if (rps >= 100) return rps.toFixed(0);
  if (rps >= 10) return rps.toFixed(1);
  if (rps === 0) return "0";
  return rps < 0.005 ? "< 0.01" : rps.toFixed(2);
}

/** The share in percent: `0 %`, `< 0.01 %`, `12.5 %`; a dash where there is nothing to share. */
export function formatShare(part: number, whole: number): string {
  if (!(whole > 0)) return "–";
  const percent = (100 * part) / whole;
  if (percent === 0) return "0 %";
  if (percent < 0.01) return "< 0.01 %";
  return `${percent >= 10 ? percent.toFixed(1) : percent.toFixed(2)} %`;
}
