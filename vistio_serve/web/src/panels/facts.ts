/** Facts about nodes and edges that panels share. Pure, but for `rateBar`. */

import { h } from "../dom/elements";
import { t } from "../texts/say";
import { formatRate, formatShare } from "../values/format";
import { formatLatency, formatThroughput, throughputOf, wordsOf } from "../values/measures";
import { type Edge, type Level, type Measurements, type Rates, type Tones, edgeKey, sum, total } from "../values/model";
import { toneOf } from "../values/traffic";
import { TOLD_WORDS, lostOf, networkOf } from "../values/witnesses";

/** Rows of a definition list. */
export type Fact = readonly [name: string, value: string, tone?: "danger" | "warning" | undefined];

export function rateFacts(rates: Rates, tones: Tones): Fact[] {
  const all = total(rates);
  return [
    [t("Requests"), `${formatRate(all)} /s`],
    [t("Errors"), `${formatShare(rates.danger, all)} · ${formatRate(rates.danger)} /s`, toneOf("danger", rates, tones) || undefined],
    [t("Warnings"), `${formatShare(rates.warning, all)} · ${formatRate(rates.warning)} /s`, toneOf("warning", rates, tones) || undefined],
  ];
}

/** What both ends tell of a connection, and where they differ. */
export function witnessFacts({ toldBy, measurements }: Edge): Fact[] {
  const [lost, network] = [lostOf(measurements), networkOf(measurements)];
  const facts: (Fact | false)[] = [
    toldBy !== "" && [t("Told by"), t(TOLD_WORDS[toldBy])],
    lost > 0 && [t("Lost: sent, not received"), `${formatRate(lost)} /s`, "danger"],
    network !== null && [t("Network delay, mean"), formatLatency(network)],
  ];
  return facts.filter((fact) => fact !== false);
}

const OF_BOTH_ENDS = ["lost_rps", "network_ms"];

/** Well-known measures come first, in the order in which people ask for them. */
const FIRST_MEASURES = ["latency_p50_ms", "latency_p90_ms", "latency_p95_ms", "latency_p99_ms", "latency_mean_ms", "caller_latency_mean_ms", "sent_bytes_per_second", "received_bytes_per_second", "connections_per_second"];

export function measurementFacts(measurements: Measurements): Fact[] {
  const known = FIRST_MEASURES.filter((name) => name in measurements);
  const others = Object.keys(measurements).filter((name) => !FIRST_MEASURES.includes(name) && !OF_BOTH_ENDS.includes(name)).sort();
  return [...known, ...others].map((name) => wordsOf(name, measurements[name] ?? 0));
}

/** Throughput of several connections together; their latencies have no meaningful sum. */
export function throughputFacts(edges: readonly Edge[], name: string): Fact[] {
  const all = edges.map((edge) => throughputOf(edge.measurements)).filter((each) => each !== null);
  return all.length ? [[name, formatThroughput(all.reduce((one, other) => one + other, 0))]] : [];
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
