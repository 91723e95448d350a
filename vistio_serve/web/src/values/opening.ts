/** Steps between groups: which are open, and how a crowd is shown. Pure. */

import { type Around, type Crowd, MOST_TOP, OTHERS, groupKey, groupOf } from "./crowd";
import { type State, openPath } from "./state";

export function setCrowd(state: State, change: Partial<Crowd>): State {
  const crowd = { ...state.crowd, ...change };
  const top = Math.min(Math.max(1, Math.round(crowd.top) || 1), MOST_TOP);
  return { ...state, crowd: { ...crowd, top, open: [...new Set(crowd.open)].sort() } };
}

/** Shows a group's nodes in its place; the one of all others becomes smaller. */
export function openGroup(state: State, name: string): State {
  const { crowd, selection } = state;
  const next = name === OTHERS ? setCrowd(state, { top: crowd.top * 2 }) : setCrowd(state, { open: [...crowd.open, name] });
  const gone = selection?.kind === "node" && selection.node === groupKey(name);
  return gone ? { ...next, selection: null } : next;
}

export function closeGroup(state: State, name: string): State {
  return setCrowd(state, { open: state.crowd.open.filter((each) => each !== name) });
}

/** Only what is near a node, one hop where nothing else was said; null for everything again. */
export function setAround(state: State, change: Partial<Around> | null): State {
  if (change === null) return setCrowd(state, { around: null });
  const around = { node: "", up: 1, down: 1, ...state.crowd.around, ...change };
  return around.node ? setCrowd(state, { around }) : state;
}

/** What a double click does: opens a group, or enters a level or a node. */
export function openOrEnter(state: State, path: readonly string[]): State {
  const group = path.length === 2 ? groupOf(path[1] ?? "") : null;
  return group === null ? openPath(state, path) : openGroup(openPath(state, path.slice(0, 1)), group);
}
