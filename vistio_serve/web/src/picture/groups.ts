/**
 * From a level with too many nodes to one that can be read: nodes become groups, or one node of all others.
 *
 * A `Plan` says which nodes are drawn as which group. It is made from the union of everything that was
 * there, so that it stays while time moves; `arrange` applies it to a level at a moment. Pure.
 */

import { t } from "../texts/say";
import { CROWDED, type Crowd, OTHERS, type Rank, groupKey, isOwnPattern } from "../values/crowd";
import { type Edge, type Level, type Measurements, NO_RATES, type Node, type Notice, edgeKey, sum, total } from "../values/model";
import { append } from "../values/multimap";
import { visible } from "../values/names";
import { LOADING, type Patterns } from "../values/patterns";
import { toldTogether } from "../values/witnesses";
import { INNER_WAYS, type Naming, WAYS, namingOf } from "./naming";

export interface Group {
  readonly key: string;
  readonly name: string;
  /** Names of its nodes. */
  readonly members: readonly string[];
  readonly open: boolean;
}

export interface Plan {
  readonly mode: "all" | "groups" | "top";
  /** The way in which groups were made, or the pattern; empty without groups. */
  readonly by: string;
  /** The key of the closed group that a node is drawn in; nodes that are drawn themselves are not here. */
  readonly drawnAs: ReadonlyMap<string, string>;
  /** By key, open ones too. */
  readonly groups: ReadonlyMap<string, Group>;
}

export const EVERYTHING: Plan = { mode: "all", by: "", drawnAs: new Map(), groups: new Map() };

// An open group with more nodes has groups of its own.
const MANY_INSIDE = 40;
// A notice box with more is higher than the picture.
const MOST_NOTICES = 8;
// A node with more neighbours is looked at with their groups.
const MOST_LIFTED = 60;
// Entries are where a picture begins, so a few of them are never put into groups.
const FEW_ENTRIES = 5;
const ENTRY: Node = { name: "no-caller-seen", label: "no-caller-seen", recorded: "no-caller-seen", class: "default", notices: [], measurements: {}, synthetic: true };

/**
 * Which nodes of a level are drawn as what.
 *
 * @param union everything that was there at some time.
 * @param focus a node with a view of its own: it and its neighbours are drawn as they are.
 * @param first the nodes that are shown when the others are not, from `firstOf`.
 * @param patterns what makes something of a pattern; null while it is being loaded.
 */
export function planOf(union: Level, crowd: Crowd, focus: string | null, first: () => readonly string[], patterns: Patterns | null = null): Plan {
  const nodes = union.nodes.filter((node) => !node.synthetic);
  if (crowd.show === "all" || (crowd.show === "auto" && nodes.length <= CROWDED)) return EVERYTHING;
  const kept = new Set([...entriesOf(union), ...lifted(union, focus)]);
  if (crowd.show === "top") return topPlan(nodes, kept, first());
  const found = bestGrouping(nodes.filter((node) => !kept.has(node.name)), crowd.by, patterns);
  const drawn = leftOf(found, nodes);
  if (crowd.show === "auto" && drawn > CROWDED) return topPlan(nodes, kept, first());
  return groupPlan(found, new Set(crowd.open), nodes);
}

function topPlan(nodes: readonly Node[], kept: ReadonlySet<string>, first: readonly string[]): Plan {
  const shown = new Set(first);
  const members = nodes.map((node) => node.name).filter((name) => !shown.has(name) && !kept.has(name));
  const key = groupKey(OTHERS);
  return {
    mode: "top",
    by: "",
    drawnAs: new Map(members.length > 1 ? members.map((name) => [name, key]) : []),
    groups: new Map(members.length > 1 ? [[key, { key, name: OTHERS, members, open: false }]] : []),
  };
}

interface Grouping {
  readonly by: string;
  readonly byName: ReadonlyMap<string, readonly string[]>;
  readonly grouped: number;
}

function groupPlan(found: Grouping, open: ReadonlySet<string>, nodes: readonly Node[]): Plan {
  const names = new Set(nodes.map((node) => node.name));
  const groups = new Map<string, Group>();
  const drawnAs = new Map<string, string>();
  const byNode = new Map(nodes.map((node) => [node.name, node]));
  const add = (name: string, members: readonly string[]): void => {
    const key = groupKey(name);
    // A node that is called like a group's key could not be told from it.
    if (names.has(key)) return;
    groups.set(key, { key, name, members, open: open.has(name) });
    if (!open.has(name)) for (const member of members) drawnAs.set(member, key);
    else for (const [inner, some] of innerGroups(members.map((member) => byNode.get(member)!))) add(`${name}/${inner}`, some);
  };
  for (const [name, members] of found.byName) add(name, members);
  return { mode: "groups", by: found.by, drawnAs, groups };
}

/** The groups of an open group with many nodes; none where its nodes can be read, or no way helps. */
function innerGroups(members: readonly Node[]): ReadonlyMap<string, readonly string[]> {
  if (members.length <= MANY_INSIDE) return new Map();
  const all = INNER_WAYS.map((naming) => grouping(members, "", naming)).filter((each) => each.byName.size > 1);
  return (all.find((each) => leftOf(each, members) <= MANY_INSIDE) ?? all[0])?.byName ?? new Map();
}

/** How much is left to draw. */
function leftOf({ byName, grouped }: Grouping, nodes: readonly Node[]): number {
  return nodes.length - grouped + byName.size;
}

/** Groups in the way that was asked for, or in the one that leaves least to draw. */
function bestGrouping(nodes: readonly Node[], by: string, patterns: Patterns | null): Grouping {
  const own = isOwnPattern(by) ? namingOf(by, patterns) : null;
  // Until its engine is there, a pattern is as if nothing were asked: else all of a big level would be drawn for a moment.
  if (own !== null && own !== t(LOADING)) return grouping(nodes, by, typeof own === "string" ? null : own);
  if (own === null && by !== "auto") return grouping(nodes, by, WAYS[by]!.naming);
  const all = Object.entries(WAYS).map(([name, way]) => grouping(nodes, name, way.naming));
  const left = (each: Grouping): number => (each.byName.size < 2 ? Infinity : leftOf(each, nodes));
  // The first way whose picture can be read: a namespace says more than a part of a name.
  return all.find((each) => left(each) <= CROWDED / 2) ?? all.reduce((best, each) => (left(each) < left(best) ? each : best));
}

function grouping(nodes: readonly Node[], by: string, naming: Naming | null): Grouping {
  const byName = new Map<string, string[]>();
  for (const node of nodes) {
    const name = naming?.(node);
    if (name == null) continue;
    append(byName, name, node.name);
  }
  // One node alone is better shown as itself.
  for (const [name, members] of byName) if (members.length < 2) byName.delete(name);
  const sorted = new Map([...byName].sort(([one], [other]) => (one < other ? -1 : 1)));
  return { by, byName: sorted, grouped: [...byName.values()].reduce((count, members) => count + members.length, 0) };
}

function entriesOf(level: Level): string[] {
  const called = new Set(level.edges.map((edge) => edge.target));
  const entries = level.nodes.filter((node) => !called.has(node.name)).map((node) => node.name);
  return entries.length <= FEW_ENTRIES ? entries : entries.filter((name) => name === level.entryNode || name === "INTERNET");
}

function lifted(level: Level, focus: string | null): string[] {
  if (focus === null) return [];
  const neighbours = level.edges.flatMap(({ source, target }) => (source === focus ? [target] : target === focus ? [source] : []));
  return neighbours.length <= MOST_LIFTED ? [focus, ...neighbours] : [focus];
}

// --- the first ones ---

/** All real nodes of a level, the one with most first; equal ones by name. */
export function ranked(level: Level, rank: Rank): string[] {
  const [received, sent] = [new Map<string, number>(), new Map<string, number>()];
  const errors = new Map<string, number>();
  const add = (to: Map<string, number>, name: string, rate: number): void => void to.set(name, (to.get(name) ?? 0) + rate);
  for (const { source, target, rates } of level.edges) {
    add(received, target, total(rates));
    add(sent, source, total(rates));
    add(errors, target, rates.danger);
  }
  const traffic = (name: string): number => received.get(name) || sent.get(name) || 0;
  const wrong = (name: string): number => (rank === "errors" ? (errors.get(name) ?? 0) : 0);
  const names = level.nodes.filter((node) => !node.synthetic).map((node) => node.name);
  return names.sort((one, other) => wrong(other) - wrong(one) || traffic(other) - traffic(one) || (one < other ? -1 : 1));
}

/**
 * The first nodes, sorted by name. Who was among them stays until it is clearly not, for each change moves the picture.
 *
 * @param before who was shown before; empty at first.
 */
export function firstOf(all: readonly string[], count: number, before: readonly string[]): string[] {
  const shown = new Set(all.slice(0, before.length ? Math.ceil(count * 0.8) : count));
  const near = new Set(all.slice(0, Math.ceil(count * 1.25)));
  for (const name of [...before.filter((each) => near.has(each)), ...all]) {
    if (shown.size >= count) break;
    shown.add(name);
  }
  return [...shown].sort();
}

// --- a level at a moment ---

/** The level with groups as nodes, and the connections between them added up. */
export function arrange(level: Level, plan: Plan): Level {
  if (!plan.drawnAs.size) return level;
  const as = (name: string): string => plan.drawnAs.get(name) ?? name;
  const inside = new Map<string, Edge[]>();
  const between = new Map<string, Edge[]>();
  for (const edge of level.edges) {
    const [source, target] = [as(edge.source), as(edge.target)];
    const grouped = source !== edge.source || target !== edge.target;
    if (source === target && grouped) append(inside, source, edge);
    else append(between, edgeKey({ source, target }), edge);
  }
  const members = new Map<string, Node[]>();
  for (const node of level.nodes) append(members, as(node.name), node);
  const nodes = [...members].map(([key, all]) => (plan.groups.has(key) ? groupNode(plan.groups.get(key)!, all, inside.get(key) ?? []) : all[0]!));
  const edges = [...between.values()].map((all) => bundle(as(all[0]!.source), as(all[0]!.target), all));
  return { ...level, nodes, edges, maxVolume: Math.max(level.maxVolume, ...edges.map((edge) => total(edge.rates))) };
}

function groupNode(group: Group, members: readonly Node[], inside: readonly Edge[]): Node {
  const classes = new Set(members.map((node) => node.class));
  const notices = [
    ...members.flatMap((node) => node.notices.map((notice) => placed(notice, node.label))),
    ...inside.flatMap((edge) => edge.notices.map((notice) => placed(notice, endsOf(edge)))),
  ];
  return {
    name: group.key,
    recorded: group.key,
    label: group.name === OTHERS ? t`${group.members.length} others` : `${group.name} (${group.members.length})`,
    class: classes.size === 1 ? [...classes][0]! : "default",
    notices: mostSevere(notices),
    measurements: {},
    synthetic: false,
  };
}

/** Connections as one: rates, throughputs and what was lost add up, of everything else the largest counts. */
export function bundle(source: string, target: string, edges: readonly Edge[]): Edge {
  if (edges.length === 1) return { ...edges[0]!, source, target };
  return {
    source,
    target,
    rates: sum(edges.map((edge) => edge.rates)),
    notices: mostSevere(edges.flatMap((edge) => edge.notices.map((notice) => placed(notice, endsOf(edge))))),
    measurements: together(edges.map((edge) => edge.measurements)),
    toldBy: toldTogether(edges),
    synthetic: edges.every((edge) => edge.synthetic),
  };
}

export function together(all: readonly Measurements[]): Measurements {
  const made: Record<string, number> = {};
  for (const measurements of all) {
    for (const [name, value] of Object.entries(measurements)) {
      const before = made[name];
      made[name] = before === undefined ? value : /_(?:per_second|rps)$/.test(name) ? before + value : Math.max(before, value);
    }
  }
  return made;
}

function endsOf({ source, target }: Edge): string {
  return `${visible(source)} → ${visible(target)}`;
}

function placed(notice: Notice, place: string): Notice {
  return { ...notice, subtitle: notice.subtitle ? `${place}: ${notice.subtitle}` : place };
}

function mostSevere(notices: readonly Notice[]): Notice[] {
  return [...notices].sort((one, other) => other.severity - one.severity).slice(0, MOST_NOTICES);
}

/**
 * The level with entries in front and with a way from them to every node, for else the component finds no place
 * for it: where groups call each other and nobody calls them, an entry is made up.
 */
export function entered(level: Level): Level {
  const outgoing = new Map<string, string[]>();
  const called = new Set<string>();
  for (const { source, target } of level.edges) {
    if (source !== target) called.add(target);
    append(outgoing, source, target);
  }
  const entries = level.nodes.filter((node) => !called.has(node.name) && outgoing.has(node.name));
  const reached = new Set<string>();
  const reach = (name: string): void => {
    const waiting = [name];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (reached.has(next)) continue;
      reached.add(next);
      waiting.push(...(outgoing.get(next) ?? []));
    }
  };
  for (const entry of entries) reach(entry.name);
  const callers = [...level.nodes].sort((one, other) => (outgoing.get(other.name)?.length ?? 0) - (outgoing.get(one.name)?.length ?? 0));
  const missing: string[] = [];
  for (const node of callers) {
    if (reached.has(node.name)) continue;
    missing.push(node.name);
    reach(node.name);
  }
  const first = new Set(entries.map((node) => node.name));
  const ordered = [...entries, ...level.nodes.filter((node) => !first.has(node.name))];
  if (!missing.length) return { ...level, nodes: ordered };
  const entry = entries.find((node) => node.synthetic) ?? ENTRY;
  const made = missing.map((target): Edge => ({ source: entry.name, target, rates: NO_RATES, notices: [], measurements: {}, toldBy: "", synthetic: true }));
  return { ...level, nodes: first.has(entry.name) ? ordered : [entry, ...ordered], edges: [...level.edges, ...made] };
}

// --- what is told ---

export interface Told {
  /** Nodes of the level, without what was made up. */
  readonly nodes: number;
  /** Nodes that are not drawn themselves. */
  readonly grouped: number;
  /** Closed groups. */
  readonly closed: number;
  /** Requests per second of all connections, and of those that are not drawn, for they stay inside of one group. */
  readonly rate: number;
  readonly insideRate: number;
  /** Requests per second of connections that end at a node that is not drawn itself. */
  readonly groupedRate: number;
}

export function toldOf(level: Level, plan: Plan): Told {
  let [rate, insideRate, groupedRate] = [0, 0, 0];
  for (const edge of level.edges) {
    const [source, target] = [plan.drawnAs.get(edge.source), plan.drawnAs.get(edge.target)];
    const edgeRate = total(edge.rates);
    rate += edgeRate;
    if (target !== undefined) groupedRate += edgeRate;
    if (target !== undefined && source === target) insideRate += edgeRate;
  }
  const real = level.nodes.filter((node) => !node.synthetic);
  return {
    nodes: real.length,
    grouped: real.filter((node) => plan.drawnAs.has(node.name)).length,
    closed: [...plan.groups.values()].filter((group) => !group.open).length,
    rate,
    insideRate,
    groupedRate,
  };
}
