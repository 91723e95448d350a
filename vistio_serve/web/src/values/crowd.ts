/**
 * What the user wants to see of a level with too many nodes to be read: groups, the busiest, or all. Pure.
 *
 * A closed group is drawn as one node; its name in the picture, in selections and in addresses is its key.
 */

/** `auto` groups when there are more than `CROWDED` nodes, and shows the first ones where groups do not help. */
export const SHOWS = ["auto", "groups", "top", "all"] as const;
export type Show = (typeof SHOWS)[number];

export const RANKS = ["traffic", "errors"] as const;
export type Rank = (typeof RANKS)[number];

export const LAYOUTS = ["auto", "tree", "columns", "circle", "forces"] as const;
export type LayoutKind = (typeof LAYOUTS)[number];

/** What nodes can be grouped by without a pattern; `picture/naming.ts` says how. */
export const WAY_NAMES = ["namespace", "prefix", "class"] as const;

export function isOwnPattern(by: string): boolean {
  return by !== "auto" && !WAY_NAMES.some((each) => each === by);
}

/** As many as there are. */
export const ALL_HOPS = 99;

/** Only what is near a node: so many hops up to its callers, and down to what it calls. */
export interface Around {
  readonly node: string;
  readonly up: number;
  readonly down: number;
}

export interface Crowd {
  readonly show: Show;
  /** `auto`, one of `WAY_NAMES`, or a regular expression whose first group names the group. */
  readonly by: string;
  /** How many nodes are shown, by `rank`, when the others are hidden. */
  readonly top: number;
  readonly rank: Rank;
  /** `auto` is a tree, or where there are groups columns, and forces where these have more connections than are drawn. */
  readonly layout: LayoutKind;
  /** Names of groups whose nodes are shown, sorted. */
  readonly open: readonly string[];
  /** All connections, also where nobody can tell them apart. */
  readonly allLines: boolean;
  readonly around: Around | null;
}

/** More nodes than this are label clutter. */
export const CROWDED = 120;
export const MOST_TOP = 500;

export const NO_CROWD: Crowd = { show: "auto", by: "auto", top: 50, rank: "traffic", layout: "auto", open: [], allLines: false, around: null };

const PREFIX = "group:";
/** The one node for all that are not among the first ones. */
export const OTHERS = "*";

export function groupKey(name: string): string {
  return PREFIX + name;
}

/** The name in a group's key; null for a node. */
export function groupOf(key: string): string | null {
  return key.startsWith(PREFIX) ? key.slice(PREFIX.length) : null;
}

/** Writes what differs from `NO_CROWD` into an address. */
export function writeCrowd(crowd: Crowd, query: URLSearchParams): void {
  if (crowd.show !== NO_CROWD.show) query.set("show", crowd.show);
  if (crowd.by !== NO_CROWD.by) query.set("by", crowd.by);
  if (crowd.top !== NO_CROWD.top) query.set("top", String(crowd.top));
  if (crowd.rank !== NO_CROWD.rank) query.set("rank", crowd.rank);
  if (crowd.layout !== NO_CROWD.layout) query.set("layout", crowd.layout);
  for (const name of crowd.open) query.append("open", name);
  if (crowd.allLines) query.set("lines", "all");
  if (crowd.around) {
    const { node, up, down } = crowd.around;
    query.set("around", node);
    query.set("hops", [up, down].map((hops) => (hops === ALL_HOPS ? "all" : hops)).join("/"));
  }
}

/** What cannot be understood is as if it were not there. */
export function readCrowd(query: URLSearchParams): Crowd {
  const top = Number(query.get("top"));
  return {
    show: SHOWS.find((each) => each === query.get("show")) ?? NO_CROWD.show,
    by: query.get("by") || NO_CROWD.by,
    top: Number.isInteger(top) && top >= 1 && top <= MOST_TOP ? top : NO_CROWD.top,
    rank: RANKS.find((each) => each === query.get("rank")) ?? NO_CROWD.rank,
    layout: LAYOUTS.find((each) => each === query.get("layout")) ?? NO_CROWD.layout,
    allLines: query.get("lines") === "all",
    around: readAround(query),
    open: query.has("open") ? [...new Set(query.getAll("open"))].sort() : NO_CROWD.open,
  };
}

function readAround(query: URLSearchParams): Around | null {
  const node = query.get("around");
  if (!node) return null;
  const [up, down] = (query.get("hops") ?? "").split("/");
  const hops = (text: string | undefined): number => (text === "all" ? ALL_HOPS : /^\d{1,2}$/.test(text ?? "") ? Number(text) : 1);
  return { node, up: hops(up), down: hops(down) };
}
