/** Facts about nodes and edges that panels share. Pure, but for `rateBar`. */

import { h } from "../dom";
import { formatRate, formatShare } from "../format";
import { type Edge, type Level, type Measurements, type Rates, edgeKey, sum, total } from "../model";

/** Rows of a definition list. */
export type Fact = readonly [name: string, value: string, tone?: "danger" | "warning" | undefined];

export function rateFacts(rates: Rates): Fact[] {
  const all = total(rates);
  return [
    ["Requests", `${formatRate(all)} /s`],
    ["Errors", `${formatShare(rates.danger, all)} · ${formatRate(rates.danger)} /s`, rates.danger > 0 ? "danger" : undefined],
    ["Warnings", `${formatShare(rates.warning, all)} · ${formatRate(rates.warning)} /s`, rates.warning > 0 ? "warning" : undefined],
  ];
}

/** Well-known measures, in the order in which people ask for them. */
const MEASURES: Readonly<Record<string, readonly [label: string, unit: string]>> = {
  latency_p50_ms: ["Latency, median", "ms"],
  latency_p90_ms: ["Latency, 90 %", "ms"],
  latency_p99_ms: ["Latency, 99 %", "ms"],
  sent_bytes_per_second: ["Sent", "B/s"],
  received_bytes_per_second: ["Received", "B/s"],
  connections_per_second: ["Connections", "/s"],
};

export function measurementFacts(measurements: Measurements): Fact[] {
  const known = Object.keys(MEASURES).filter((name) => name in measurements);
  const others = Object.keys(measurements).filter((name) => !(name in MEASURES)).sort();
  return [...known, ...others].map((name) => {
    const [label, unit] = MEASURES[name] ?? [name, ""];
    const value = measurements[name] ?? 0;
    return [label, `${Math.abs(value) >= 100 ? formatRate(value) : Number(value.toPrecision(3))} ${unit}`.trim()];
  });
}

export function incoming(level: Level, node: string): Edge[] {
  return level.edges.filter((edge) => edge.target === node && !edge.synthetic);
}

export function outgoing(level: Level, node: string): Edge[] {
  return level.edges.filter((edge) => edge.source === node && !edge.synthetic);
}

/** What a node receives; for one that nobody calls, what it sends. */
export function trafficOf(level: Level, node: string): Rates {
  const received = incoming(level, node);
  return sum((received.length ? received : outgoing(level, node)).map((edge) => edge.rates));
}

export function findEdge(level: Level, source: string, target: string): Edge | undefined {
  const key = edgeKey({ source, target });
  return level.edges.find((edge) => edgeKey(edge) === key);
}

export function factList(facts: readonly Fact[]): HTMLElement {
  return h("dl", { class: "facts" }, ...facts.map(([name, value, tone]) => h("div", {}, h("dt", {}, name), h("dd", { class: tone }, value))));
}
