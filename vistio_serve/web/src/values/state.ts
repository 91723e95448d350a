/**
 * What the user asked to see, as one immutable value, and the pure steps from one to the next.
 *
 * Nothing here knows what was recorded or how it is drawn. Steps through time are in `travel.ts`;
 * `url.ts` writes this value into the page's address and reads it back.
 */

import { type Crowd, NO_CROWD } from "./crowd";

export type Mode = "live" | "at" | "playing";

/** `[startMs, endMs)`, epoch milliseconds. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

export type Selection =
  | { readonly kind: "node"; readonly node: string }
  | { readonly kind: "edge"; readonly source: string; readonly target: string };

/** What can be written at connections. */
export const EDGE_TEXTS = ["none", "rate", "errors", "latency", "throughput", "ends"] as const;
export type EdgeText = (typeof EDGE_TEXTS)[number];

export interface Filters {
  /** Edges below this many requests per second are hidden. */
  readonly minRps: number;
  /** Edges below this share of errors, in percent, are hidden. */
  readonly minErrorPercent: number;
  /** -1 shows all; 0, 1, 2 only edges and nodes with a notice at least that severe. */
  readonly minSeverity: -1 | 0 | 1 | 2;
  /** Node classes that are hidden, sorted. */
  readonly hiddenClasses: readonly string[];
}

export const SPEEDS = [1, 2, 5, 10, 30, 60] as const;
export type Speed = (typeof SPEEDS)[number];

export interface Travel {
  readonly mode: Mode;
  /** The moment asked for; null exactly when live. */
  readonly atMs: number | null;
  /** What a link says in place of a moment, and is none; empty where all is well. */
  readonly refused: string;
  /** Recorded seconds per second of playing. */
  readonly speed: Speed;
  readonly direction: 1 | -1;
  readonly loop: Window | null;
}

export type Theme = "auto" | "light" | "dark";

/** How this user likes to look; kept in the browser, not in links. */
export interface Display {
  readonly theme: Theme;
  readonly labels: boolean;
  readonly particles: boolean;
  /** The level as tables in place of the picture. */
  readonly table: boolean;
  /** Larger and with more contrast, to be read from the back of a room. */
  readonly projection: boolean;
}

export interface State {
  readonly travel: Travel;
  /** What the timeline shows; null is the whole recording. */
  readonly window: Window | null;
  /** Names from the global level down: [], [cluster] or [cluster, node]. */
  readonly path: readonly string[];
  readonly selection: Selection | null;
  readonly filters: Filters;
  readonly crowd: Crowd;
  /** What is written at the connections. */
  readonly edgeText: EdgeText;
  /** Text that the locator looks for. */
  readonly find: string;
  /** The moment that the shown one is compared with. */
  readonly baselineMs: number | null;
  readonly display: Display;
}

export const NO_FILTERS: Filters = { minRps: 0, minErrorPercent: 0, minSeverity: -1, hiddenClasses: [] };

export const INITIAL: State = {
  travel: { mode: "live", atMs: null, refused: "", speed: 10, direction: 1, loop: null },
  window: null,
  path: [],
  selection: null,
  filters: NO_FILTERS,
  crowd: NO_CROWD,
  edgeText: "none",
  find: "",
  baselineMs: null,
  display: { theme: "auto", labels: true, particles: true, table: false, projection: false },
};

/** Another level; what was selected on the old one is no longer there. */
export function openPath(state: State, path: readonly string[]): State {
  if (samePath(state.path, path)) return state;
  // Groups are a level's own.
  const crowd = state.crowd.open.length && state.path[0] !== path[0] ? { ...state.crowd, open: [] } : state.crowd;
  return { ...state, path: path.slice(0, 2), selection: null, crowd };
}

export function enter(state: State, name: string): State {
  return openPath(state, [...state.path, name]);
}

export function leave(state: State): State {
  return state.path.length ? openPath(state, state.path.slice(0, -1)) : state;
}

/** What Esc does: first the search, then the selection, then up a level. */
export function back(state: State): State {
  if (state.find) return { ...state, find: "" };
  if (state.selection) return { ...state, selection: null };
  return leave(state);
}

export function select(state: State, selection: Selection | null): State {
  return sameSelection(state.selection, selection) ? state : { ...state, selection };
}

export function setFilters(state: State, change: Partial<Filters>): State {
  const filters = { ...state.filters, ...change };
  return { ...state, filters: { ...filters, hiddenClasses: [...filters.hiddenClasses].sort() } };
}

export function setDisplay(state: State, change: Partial<Display>): State {
  return { ...state, display: { ...state.display, ...change } };
}

/** The timeline's window; one that is empty or turned around shows everything. */
export function zoom(state: State, window: Window | null): State {
  return { ...state, window: window && window.startMs < window.endMs ? window : null };
}

export function isFiltered(filters: Filters): boolean {
  return filters.minRps > 0 || filters.minErrorPercent > 0 || filters.minSeverity >= 0 || filters.hiddenClasses.length > 0;
}

export function samePath(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index]);
}

export function sameSelection(one: Selection | null, other: Selection | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The level whose nodes and edges are drawn: "" for the global one, else the cluster's name. */
export function levelOf(state: State): string {
  return state.path[0] ?? "";
}
