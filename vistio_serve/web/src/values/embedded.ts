/** What a notebook and the page in it tell each other of the state: which moment, which window, who is selected. Pure. */

import { formatInstant } from "./format";
import { parseAbsolute } from "./moments";
import { type Selection, type State, openPath, select, zoom } from "./state";
import { UTC } from "./zones";

/** A level, and who is selected on it; the global level is the empty text. */
export interface Selected {
  readonly cluster: string;
  readonly node?: string;
  readonly source?: string;
  readonly target?: string;
}

/** Of the state what a notebook knows, as JSON. */
export interface Shared {
  /** RFC 3339; null when live. */
  readonly at: string | null;
  /** Start and end; null for the whole recording. */
  readonly window: readonly [string, string] | null;
  /** Null for the global level, nobody selected. */
  readonly selected: Selected | null;
}

export function sharedOf(state: State): Shared {
  const [cluster = "", entered] = state.path;
  const { selection } = state;
  const whom = selection?.kind === "edge" ? { source: selection.source, target: selection.target } : selection ? { node: selection.node } : entered ? { node: entered } : {};
  return {
    at: state.travel.atMs === null ? null : formatInstant(state.travel.atMs),
    window: state.window && [formatInstant(state.window.startMs), formatInstant(state.window.endMs)],
    selected: cluster || selection ? { cluster, ...whom } : null,
  };
}

/** The state with what a notebook asks for; what it has already stays as it is, the object too. */
export function withShared(state: State, asked: Partial<Shared>): State {
  const has = sharedOf(state);
  let next = state;
  if (asked.at !== undefined && asked.at !== has.at) {
    const atMs = asked.at === null ? null : parseAbsolute(asked.at, UTC);
    next = { ...next, travel: { ...next.travel, mode: atMs === null ? "live" : "at", atMs } };
  }
  if (asked.window !== undefined && JSON.stringify(asked.window) !== JSON.stringify(has.window)) {
    const [startMs, endMs] = (asked.window ?? []).map((text) => parseAbsolute(text, UTC));
    next = zoom(next, startMs != null && endMs != null ? { startMs, endMs } : null);
  }
  if (asked.selected !== undefined && !sameSelected(asked.selected, has.selected)) {
    const cluster = asked.selected?.cluster ?? "";
    next = select(openPath(next, cluster ? [cluster] : []), selectionOf(asked.selected));
  }
  return next;
}

/** What of it is not as it was. */
export function newsOf(shared: Shared, known: Shared): Partial<Shared> {
  const names = ["at", "window", "selected"] as const;
  return Object.fromEntries(names.filter((name) => JSON.stringify(shared[name]) !== JSON.stringify(known[name])).map((name) => [name, shared[name]]));
}

function selectionOf(selected: Selected | null): Selection | null {
  if (selected?.node !== undefined) return { kind: "node", node: selected.node };
  if (selected?.source !== undefined && selected.target !== undefined) return { kind: "edge", source: selected.source, target: selected.target };
  return null;
}

function sameSelected(one: Selected | null, other: Selected | null): boolean {
  const keys = ["cluster", "node", "source", "target"] as const;
  return keys.every((key) => (one?.[key] ?? "") === (other?.[key] ?? ""));
}
