/** Links to the queries of notices, at the moment that is shown and where the reader can reach them. Pure. */

import { formatDateTime, formatInstant } from "./format";
import type { Graph, Level, Notice } from "./model";
import { UTC } from "./zones";

const RANGE = "1h";
const RANGE_MS = 3_600_000;
// The moment is not at the very edge of Prometheus' graph: what came after it is to be seen.
const AFTER_MS = 15 * 60_000;

/** The recorder's own address of Prometheus; else no links at all, or where the reader finds it: see `--query-links`. */
export const AS_RECORDED = "recorded";
export const NO_LINKS = "none";

/** Whether a link is of Prometheus' graph page. */
export function isQueryLink(link: string): boolean {
  return /[?&]g0\.expr=/.test(link);
}

/**
 * The link with a moment; a link that has one, or leads elsewhere, is left as it is.
 *
 * @param to where queries are opened, as `vistio-serve --query-links` says it.
 */
export function linkAt(link: string, ms: number, to: string = AS_RECORDED): string {
  if (!isQueryLink(link) || to === AS_RECORDED) return dated(link, ms);
  if (to === NO_LINKS) return "";
  if (to.includes("{query}")) return filled(to, link, ms);
  const [, query = ""] = link.split(/(?=\?)/, 2);
  return dated(`${to.replace(/\/$/, "")}/graph${query}`, ms);
}

function dated(link: string, ms: number): string {
  if (!isQueryLink(link) || /[?&]g0\.(?:end|moment)_input=/.test(link)) return link;
  // As Prometheus reads it.
  const time = (at: number): string => formatDateTime(at, UTC);
  const query = new URLSearchParams();
  if (!/[?&]g0\.tab=/.test(link)) query.set("g0.tab", "0");
  if (!/[?&]g0\.range_input=/.test(link)) query.set("g0.range_input", RANGE);
  query.set("g0.end_input", time(ms + AFTER_MS));
  query.set("g0.moment_input", time(ms));
  const [address, fragment] = link.split(/(?=#)/, 2);
  return `${address}&${query.toString()}${fragment ?? ""}`;
}

/** The address of another tool, such as Grafana's, with the query and the hour around the moment in it. */
function filled(address: string, link: string, ms: number): string {
  const [startMs, endMs] = [ms + AFTER_MS - RANGE_MS, ms + AFTER_MS];
  const values: Readonly<Record<string, string>> = {
    query: new URLSearchParams(link.split("?")[1]?.split("#")[0]).get("g0.expr") ?? "",
    start: formatInstant(startMs),
    end: formatInstant(endMs),
    start_ms: String(startMs),
    end_ms: String(endMs),
  };
  return address.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? encodeURIComponent(values[name]!) : whole));
}

/** The graph with its notices' links at its own instant. */
export function withLinksAt(graph: Graph, to: string = AS_RECORDED): Graph {
  const linked = (notices: readonly Notice[]): readonly Notice[] => notices.map((notice) => ({ ...notice, link: linkAt(notice.link, graph.about.instantMs, to) }));
  const told = <T extends { readonly notices: readonly Notice[] }>(each: T): T => (each.notices.length ? { ...each, notices: linked(each.notices) } : each);
  const levels = [...graph.levels].map(([name, level]): [string, Level] => [name, { ...level, nodes: level.nodes.map(told), edges: level.edges.map(told) }]);
  return { ...graph, levels: new Map(levels) };
}
