/** A screen on a wall, which nobody touches: what it shows when. Pure. */

import type { Incident } from "./answers";
import { type Graph, keyIn, worst } from "./model";
import { worstFirst } from "./happened";
import { type State, openPath, select } from "./state";
import type { Topology } from "./topology";
import { goLive } from "./travel";

const USUAL_S = 20;
const LEAST_S = 5;

/** How long each level is shown, in ms, as an address says it: `?kiosk`, `?kiosk=30`; null where it asks for none. */
export function kioskMs(search: string): number | null {
  const asked = new URLSearchParams(search).get("kiosk");
  if (asked === null) return null;
  const seconds = asked === "" ? USUAL_S : Number(asked);
  return 1000 * (Number.isFinite(seconds) ? Math.max(seconds, LEAST_S) : USUAL_S);
}

/** The levels in which something breaks now: where incidents last, the worst first, then where error notices are. */
export function broken(graph: Graph, incidents: readonly Incident[], topology: Topology): string[] {
  const lasting = worstFirst(incidents.filter(({ end }) => end === null)).map(({ first }) => first.cluster && keyIn(topology.get(""))(first.cluster));
  const noticed = [...graph.levels.values()].filter((level) => level.name !== "" && [...level.nodes, ...level.edges].some((each) => worst(each.notices) === 2));
  return [...new Set([...lasting, ...noticed.map(({ name }) => name)])].filter((name) => graph.levels.has(name));
}

/** The next level: of those in which something breaks, else of all, the mesh first. */
export function nextLevel(graph: Graph, breaks: readonly string[], shown: string): string {
  const all = [...graph.levels.keys()].sort();
  const round = breaks.length > 0 ? breaks : all;
  return round[(round.indexOf(shown) + 1) % round.length] ?? "";
}

/** Shows a level as it is now. */
export function showLevel(state: State, level: string): State {
  const there = state.selection === null && (state.path[0] ?? "") === level && state.path.length < 2;
  const shown = there ? state : select(openPath(state, level === "" ? [] : [level]), null);
  return shown.travel.mode === "live" ? shown : goLive(shown);
}
