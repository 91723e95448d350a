/**
 * What the user asked to see, as one immutable value, and the pure steps from one to the next.
 *
 * Nothing here knows what was recorded or how it is drawn. Steps through time are in `travel.ts`;
 * `url.ts` writes this value into the page's address and reads it back.
 */

import type { Language } from "../texts/say";
import { type Crowd, NO_CROWD } from "./crowd";
import { NO_PLACES, type Places } from "./places";
import { UTC, type Zone } from "./zones";

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

/** What the heat map shows of services. */
export const HEAT_KINDS = ["errors", "latency", "change"] as const;
export type HeatKind = (typeof HEAT_KINDS)[number];

export interface Filters {
  /** Edges below this many requests per second are hidden. */
  readonly minRps: number;
  /** Edges below this share of errors, in percent, are hidden. */
  readonly minErrorPercent: number;
  /** -1 shows all; 0, 1, 2 only edges and nodes with a notice at least that severe. */
  readonly minSeverity: -1 | 0 | 1 | 2;
  /** Node classes that are hidden, sorted. */
  readonly hiddenClasses: readonly string[];
  /** An expression: the nodes that it means are hidden. */
  readonly hide: string;
  /** Only what somebody should look at, and who calls it. */
  readonly unhealthyOnly: boolean;
}

export const SPEEDS = [1, 2, 5, 10, 30, 60] as const;
export type Speed = (typeof SPEEDS)[number];

export interface Travel {
  readonly mode: Mode;
  /** The moment asked for; null exactly when live. */
  readonly atMs: number | null;
  /** What a link says in place of a moment, and is none; empty where all is well. */
  readonly refused: string;
  /** A whole link that means a moment by the server's clock (`at=-45m`), until that is known; else empty. */
  readonly unread: string;
  /** Recorded seconds per second of playing. */
  readonly speed: Speed;
  readonly direction: 1 | -1;
  readonly loop: Window | null;
}

export type Theme = "auto" | "light" | "dark";

/** How this user likes to look; kept in the browser, not in links. */
export interface Display {
  readonly theme: Theme;
  /** `auto`: what the browser prefers. */
  readonly language: Language | "auto";
  readonly labels: boolean;
  readonly particles: boolean;
  /** The level as tables in place of the picture. */
  readonly table: boolean;
  /** Larger and with more contrast, to be read from the back of a room. */
  readonly projection: boolean;
}

/** Stretches of time that the timeline showed, the last one at the end; and from where one went back, the next one first. */
export interface Zooms {
  readonly back: readonly (Window | null)[];
  readonly on: readonly (Window | null)[];
}

export interface State {
  readonly travel: Travel;
  /** In which all times are shown, and read where they have no offset. */
  readonly zone: Zone;
  /** What the timeline shows; null is the whole recording. */
  readonly window: Window | null;
  /** What it showed before, and from where one went back. */
  readonly zooms: Zooms;
  /** Names from the global level down: [], [cluster] or [cluster, node]. */
  readonly path: readonly string[];
  readonly selection: Selection | null;
  readonly filters: Filters;
  readonly crowd: Crowd;
  /** Where somebody put nodes. */
  readonly places: Places;
  /** What is written at the connections. */
  readonly edgeText: EdgeText;
  /** What the heat map shows, in place of the picture; null while it is closed. */
  readonly heat: HeatKind | null;
  /** What the locator looks for: a part of a name, or an expression. */
  readonly find: string;
  /** The moment that the shown one is compared with. */
  readonly baselineMs: number | null;
  readonly display: Display;
}

// Nobody goes back further.
const MOST_ZOOMS = 50;

export const NO_FILTERS: Filters = { minRps: 0, minErrorPercent: 0, minSeverity: -1, hiddenClasses: [], hide: "", unhealthyOnly: false };

export const INITIAL: State = {
  travel: { mode: "live", atMs: null, refused: "", unread: "", speed: 10, direction: 1, loop: null },
  zone: UTC,
  window: null,
  zooms: { back: [], on: [] },
  path: [],
  selection: null,
  filters: NO_FILTERS,
  crowd: NO_CROWD,
  places: NO_PLACES,
  edgeText: "none",
  heat: null,
  find: "",
  baselineMs: null,
  display: { theme: "auto", language: "auto", labels: true, particles: true, table: false, projection: false },
};

/** Another level; what was selected on the old one is no longer there. */
export function openPath(state: State, path: readonly string[]): State {
  if (samePath(state.path, path)) return state;
  // Groups are a level's own, and so is what is near one of its nodes.
  const crowd = (state.crowd.open.length || state.crowd.around) && state.path[0] !== path[0] ? { ...state.crowd, open: [], around: null } : state.crowd;
  return { ...state, path: path.slice(0, 2), selection: null, crowd };
}

export function enter(state: State, name: string): State {
  return openPath(state, [...state.path, name]);
}

export function leave(state: State): State {
  return state.path.length ? openPath(state, state.path.slice(0, -1)) : state;
}

/** What Esc does: first the search, then the heat map, then the selection, then up a level. */
export function back(state: State): State {
  if (state.find) return { ...state, find: "" };
  if (state.heat) return { ...state, heat: null };
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
  const next = window && window.startMs < window.endMs ? window : null;
  if (JSON.stringify(next) === JSON.stringify(state.window)) return state;
  return { ...state, window: next, zooms: { back: [...state.zooms.back, state.window].slice(-MOST_ZOOMS), on: [] } };
}

/** Whether no moment is shown, since the link says none, or none that can be read yet: the present is not what it asks for. */
export function isNowhere({ travel }: State): boolean {
  return travel.refused !== "" || travel.unread !== "";
}

/** Opens the heat map with errors, or closes it. */
export function toggleHeat(state: State): State {
  return { ...state, heat: state.heat === null ? "errors" : null };
}

export function isFiltered(filters: Filters): boolean {
  return hasThresholds(filters) || filters.hide.trim() !== "" || filters.unhealthyOnly;
}

export function hasThresholds(filters: Filters): boolean {
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
