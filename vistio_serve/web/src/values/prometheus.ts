/** Links to Prometheus' own graph page that lead to the moment that is shown. Pure. */

import { formatDate, formatTime } from "./format";
import type { Graph, Level, Notice } from "./model";

const RANGE = "1h";
// The moment is not at the very edge of Prometheus' graph: what came after it is to be seen.
const AFTER_MS = 15 * 60_000;

/** Whether a link is of Prometheus' graph page. */
export function isQueryLink(link: string): boolean {
  return /[?&]g0\.expr=/.test(link);
}

/** The link with a moment; a link that has one, or leads elsewhere, is left as it is. */
export function linkAt(link: string, ms: number): string {
  if (!isQueryLink(link) || /[?&]g0\.(?:end|moment)_input=/.test(link)) return link;
  const time = (at: number): string => `${formatDate(at)} ${formatTime(at)}`;
  const query = new URLSearchParams();
  if (!/[?&]g0\.tab=/.test(link)) query.set("g0.tab", "0");
  if (!/[?&]g0\.range_input=/.test(link)) query.set("g0.range_input", RANGE);
  query.set("g0.end_input", time(ms + AFTER_MS));
  query.set("g0.moment_input", time(ms));
  const [address, fragment] = link.split(/(?=#)/, 2);
  return `${address}&${query.toString()}${fragment ?? ""}`;
}

/** The graph with its notices' links at its own instant. */
export function withLinksAt(graph: Graph): Graph {
  const dated = (notices: readonly Notice[]): readonly Notice[] => notices.map((notice) => ({ ...notice, link: linkAt(notice.link, graph.about.instantMs) }));
  const told = <T extends { readonly notices: readonly Notice[] }>(each: T): T => (each.notices.length ? { ...each, notices: dated(each.notices) } : each);
  const levels = [...graph.levels].map(([name, level]): [string, Level] => [name, { ...level, nodes: level.nodes.map(told), edges: level.edges.map(told) }]);
  return { ...graph, levels: new Map(levels) };
}
