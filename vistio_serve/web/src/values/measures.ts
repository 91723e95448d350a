/** Latency and throughput among the measurements of an edge or a node, and how they are written. Pure. */

import { type Text, t } from "../texts/say";
import { formatRate, formatTime } from "./format";
import type { Graph, Measurements } from "./model";
import type { Zone } from "./zones";

/** Whether measurements are of another instant than rates, as while time plays. */
export function measuredElsewhen({ about, measuredMs }: Graph): boolean {
  return measuredMs !== null && measuredMs !== about.instantMs;
}

/** Said wherever such measurements are; else empty. */
export function measuredNote(graph: Graph, zone: Zone): string {
  return measuredElsewhen(graph) ? t`Latencies, bytes and other measurements are those of ${formatTime(graph.measuredMs!, zone)}.` : "";
}

/** The highest recorded percentile, such as the 99th; null where none was measured. */
export function latencyOf(measurements: Measurements): { readonly ms: number; readonly percentile: number } | null {
  let found: { ms: number; percentile: number } | null = null;
  for (const [name, ms] of Object.entries(measurements)) {
    const digits = /^latency_p(\d+)_ms$/.exec(name)?.[1];
    if (digits === undefined) continue;
    // p999 is 99.9 %.
    const percentile = Number(`${digits.slice(0, 2)}.${digits.slice(2)}`);
    if (!found || percentile > found.percentile) found = { ms, percentile };
  }
  return found;
}

/** Bytes per second in both directions together; null where none were measured. */
export function throughputOf(measurements: Measurements): number | null {
  const all = Object.entries(measurements).filter(([name]) => name.endsWith("bytes_per_second"));
  return all.length ? all.reduce((sum, [, value]) => sum + value, 0) : null;
}

/** `12.3 ms`, `1.24 s`. */
export function formatLatency(ms: number): string {
  if (ms >= 60_000) return `${(ms / 60_000).toPrecision(3)} min`;
  return ms >= 1000 ? `${(ms / 1000).toPrecision(3)} s` : `${ms >= 100 ? ms.toFixed(0) : Number(ms.toPrecision(3))} ms`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** `512 B/s`, `1.24 MB/s`: decimal units, as networks are measured. */
export function formatThroughput(bytesPerSecond: number): string {
  let [value, unit] = [bytesPerSecond, 0];
  while (Math.abs(value) >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 || value >= 100 ? value.toFixed(0) : Number(value.toPrecision(3))} ${UNITS[unit]}/s`;
}

/** Before what the caller measured, where the called side measured it too. */
const CALLER = "caller_";

const NAMES: Readonly<Record<string, Text>> = {
  sent_bytes_per_second: "Sent",
  received_bytes_per_second: "Received",
  connections_per_second: "Connections",
  latency_mean_ms: "Latency, mean",
};

/** A measurement's name and value in words; the unit is at the end of its name. */
export function wordsOf(name: string, value: number): readonly [name: string, value: string] {
  if (name.startsWith(CALLER)) {
    const [words, text] = wordsOf(name.slice(CALLER.length), value);
    return [t`${words}, for the caller`, text];
  }
  const percentile = /^latency_p(\d+)_ms$/.exec(name)?.[1];
  if (percentile === "50") return [t("Latency, median"), formatLatency(value)];
  if (percentile !== undefined) return [t`Latency, ${percentile.slice(0, 2) + (percentile.length > 2 ? `.${percentile.slice(2)}` : "")} %`, formatLatency(value)];
  const known = NAMES[name] ? t(NAMES[name]) : name;
  if (name.endsWith("_bytes_per_second")) return [known, formatThroughput(value)];
  if (name.endsWith("_per_second")) return [known, `${formatRate(value)} /s`];
  if (name.endsWith("_ms")) return [known, formatLatency(value)];
  return [known, Math.abs(value) >= 100 ? formatRate(value) : String(Number(value.toPrecision(3)))];
}
