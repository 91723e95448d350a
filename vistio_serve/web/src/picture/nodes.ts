/** What is known of each node of a level, for expressions, and which of them one means. Pure. */

import { isExpression, isRefused, parse } from "../values/expression";
import { latencyOf } from "../values/measures";
import { type NodeFacts, holds, wrongPattern } from "../values/meant";
import { type Edge, type Level, type Node, NO_RATES, type Rates, type Tones, sum, total, worst } from "../values/model";
import type { Patterns } from "../values/patterns";
import { toneOf } from "../values/traffic";
import { lostOf } from "../values/witnesses";
import { WAYS } from "./naming";

// What is told of it that somebody should look at.
const WARNING = 1;

/** What is wrong with a text that somebody typed, in words; empty where nothing is. */
export function refusalOf(text: string, patterns: Patterns | null): string {
  if (!isExpression(text)) return "";
  const parsed = parse(text);
  return isRefused(parsed) ? parsed.why : (wrongPattern(parsed, patterns) ?? "");
}

/** The nodes of a level of which an expression holds, or that a part of a name is part of; none where it is refused. */
export function meantBy(text: string, level: Level, patterns: Patterns | null): readonly string[] {
  const nodes = level.nodes.filter((node) => !node.synthetic);
  if (!isExpression(text)) {
    const wanted = text.trim().toLowerCase();
    return wanted ? nodes.filter((node) => `${node.recorded}\n${node.label}`.toLowerCase().includes(wanted)).map((node) => node.name) : [];
  }
  const parsed = parse(text);
  if (isRefused(parsed)) return [];
  const facts = factsOf(level);
  return nodes.map((node) => node.name).filter((name) => holds(parsed, facts.get(name)!, patterns) === true);
}

/** Whether its errors are red, or a notice of it is a warning or worse. */
export function isUnhealthy(rates: Rates, notice: number, tones: Tones): boolean {
  return toneOf("danger", rates, tones) !== "" || notice >= WARNING;
}

/** By name: what a node receives, or sends where nobody calls it, as everywhere on this page. */
export function factsOf(level: Level): ReadonlyMap<string, NodeFacts> {
  const [received, sent] = [new Map<string, Edge[]>(), new Map<string, Edge[]>()];
  for (const { name } of level.nodes) {
    received.set(name, []);
    sent.set(name, []);
  }
  for (const edge of level.edges) {
    if (edge.synthetic) continue;
    received.get(edge.target)?.push(edge);
    sent.get(edge.source)?.push(edge);
  }
  return new Map(level.nodes.map((node) => [node.name, factsOfNode(node, level, received.get(node.name) ?? [], sent.get(node.name) ?? [])]));
}

function factsOfNode(node: Node, { name: cluster, tones }: Level, received: readonly Edge[], sent: readonly Edge[]): NodeFacts {
  const edges = received.length ? received : sent;
  const rates = edges.length ? sum(edges.map((edge) => edge.rates)) : NO_RATES;
  const all = total(rates);
  const share = (part: number): number | null => (all > 0 ? (100 * part) / all : null);
  const latencies = [node.measurements, ...received.map((edge) => edge.measurements)].map((each) => latencyOf(each)?.ms).filter((ms) => ms !== undefined);
  // Who saw both ends can say that nothing was lost; else nobody knows.
  const seen = [...received, ...sent].filter((edge) => edge.toldBy === "both" || "lost_rps" in edge.measurements);
  const notice = Math.max(worst(node.notices), ...received.map((edge) => worst(edge.notices)));
  return {
    names: [...new Set([node.recorded, node.label])],
    ns: WAYS.namespace.naming(node),
    cluster,
    class: node.class,
    rps: all,
    errors: share(rates.danger),
    warnings: share(rates.warning),
    latency: latencies.length ? Math.max(...latencies) : null,
    lost: seen.length ? seen.reduce((lost, edge) => lost + lostOf(edge.measurements), 0) : null,
    notice,
    unhealthy: isUnhealthy(rates, notice, tones),
  };
}
