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

export const LAYOUTS = ["auto", "tree", "columns", "circle"] as const;
export type LayoutKind = (typeof LAYOUTS)[number];

export interface Crowd {
  readonly show: Show;
  /** A name of `WAYS` in `picture/naming.ts`, or a regular expression whose first group names the group. */
  readonly by: string;
  /** How many nodes are shown, by `rank`, when the others are hidden. */
  readonly top: number;
  readonly rank: Rank;
  /** `auto` is a tree, or columns where there are groups. */
  readonly layout: LayoutKind;
  /** Names of groups whose nodes are shown, sorted. */
  readonly open: readonly string[];
}

/** More nodes than this are label clutter. */
export const CROWDED = 120;
export const MOST_TOP = 500;

export const NO_CROWD: Crowd = { show: "auto", by: "auto", top: 50, rank: "traffic", layout: "auto", open: [] };

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
    open: query.has("open") ? [...new Set(query.getAll("open"))].sort() : NO_CROWD.open,
  };
}
