/**
 * The state as the fragment of an address, and back: `#/cluster/node?at=2026-11-23T05:10:00Z&...`.
 *
 * Only what differs from the initial state is written. Reading never fails: what cannot be understood
 * is left out, for an old link must still show something. But a moment that is none is kept, to be told:
 * who asks for the past must not be shown the present.
 */

import { readCrowd, writeCrowd } from "./crowd";
import { formatInstant } from "./format";
import { parseInstant } from "./moments";
import {
  EDGE_TEXTS,
  type Filters,
  INITIAL,
  NO_FILTERS,
  SPEEDS,
  type Selection,
  type Speed,
  type State,
  type Travel,
  type Window,
  samePath,
  sameSelection,
} from "./state";

const SEVERITIES = ["info", "warning", "error"];

/** The fragment, with its `#`; empty for the initial state. */
export function toFragment(state: State): string {
  const query = new URLSearchParams();
  const { travel, filters } = state;
  if (travel.atMs !== null) query.set("at", formatInstant(travel.atMs));
  else if (travel.refused) query.set("at", travel.refused);
  if (travel.mode === "playing") query.set("play", travel.direction > 0 ? "forward" : "backward");
  if (travel.speed !== INITIAL.travel.speed) query.set("speed", String(travel.speed));
  if (travel.loop) query.set("loop", windowText(travel.loop));
  if (state.window) query.set("window", windowText(state.window));
  if (state.selection?.kind === "node") query.set("node", state.selection.node);
  if (state.selection?.kind === "edge") {
    query.set("source", state.selection.source);
    query.set("target", state.selection.target);
  }
  if (filters.minRps > 0) query.set("rps", String(filters.minRps));
  if (filters.minErrorPercent > 0) query.set("errors", String(filters.minErrorPercent));
  if (filters.minSeverity >= 0) query.set("severity", SEVERITIES[filters.minSeverity] ?? "");
  for (const name of filters.hiddenClasses) query.append("hide", name);
  writeCrowd(state.crowd, query);
  if (state.edgeText !== INITIAL.edgeText) query.set("text", state.edgeText);
  if (state.find) query.set("find", state.find);
  if (state.baselineMs !== null) query.set("baseline", formatInstant(state.baselineMs));
  const path = state.path.map((name) => `/${encodeURIComponent(name)}`).join("");
  const asked = query.toString();
  return path || asked ? `#${path || "/"}${asked ? `?${asked}` : ""}` : "";
}

/** The state that a fragment stands for; how the user likes to look is taken from `display`. */
export function fromFragment(fragment: string, display = INITIAL.display): State {
  const [path = "", asked = ""] = splitOnce(fragment.replace(/^#/, ""), "?");
  const query = new URLSearchParams(asked);
  return {
    travel: travelFrom(query),
    window: windowFrom(query.get("window")),
    path: path.split("/").filter(Boolean).map(decode).slice(0, 2),
    selection: selectionFrom(query),
    filters: filtersFrom(query),
    crowd: readCrowd(query),
    edgeText: EDGE_TEXTS.find((each) => each === query.get("text")) ?? INITIAL.edgeText,
    find: query.get("find") ?? "",
    baselineMs: parseInstant(query.get("baseline") ?? ""),
    display,
  };
}

/** Whether the way back from `after` should lead to `before`: a step of its own in the browser's history. */
export function isNavigation(before: State, after: State): boolean {
  if (!samePath(before.path, after.path) || !sameSelection(before.selection, after.selection)) return true;
  if (before.travel.mode !== after.travel.mode || before.baselineMs !== after.baselineMs) return true;
  if (before.crowd !== after.crowd) return true;
  return after.travel.mode === "at" && before.travel.atMs !== after.travel.atMs;
}

function travelFrom(query: URLSearchParams): Travel {
  const asked = query.get("at") ?? "";
  const atMs = parseInstant(asked);
  const play = query.get("play");
  const speed = SPEEDS.find((known) => String(known) === query.get("speed")) ?? INITIAL.travel.speed;
  const loop = windowFrom(query.get("loop"));
  if (atMs === null) return { ...INITIAL.travel, refused: asked, speed: speed as Speed, loop };
  const mode = play === "forward" || play === "backward" ? "playing" : "at";
  return { mode, atMs, refused: "", speed: speed as Speed, direction: play === "backward" ? -1 : 1, loop };
}

function selectionFrom(query: URLSearchParams): Selection | null {
  const [node, source, target] = [query.get("node"), query.get("source"), query.get("target")];
  if (node) return { kind: "node", node };
  return source && target ? { kind: "edge", source, target } : null;
}

function filtersFrom(query: URLSearchParams): Filters {
  const severity = SEVERITIES.indexOf(query.get("severity") ?? "");
  return {
    minRps: positive(query.get("rps")),
    minErrorPercent: Math.min(positive(query.get("errors")), 100),
    minSeverity: severity as Filters["minSeverity"],
    hiddenClasses: query.has("hide") ? [...new Set(query.getAll("hide"))].sort() : NO_FILTERS.hiddenClasses,
  };
}

function windowText(window: Window): string {
  return `${formatInstant(window.startMs)}/${formatInstant(window.endMs)}`;
}

function windowFrom(text: string | null): Window | null {
  const [startMs, endMs] = (text ?? "").split("/").map((each) => parseInstant(each));
  return startMs != null && endMs != null && startMs < endMs ? { startMs, endMs } : null;
}

function positive(text: string | null): number {
  const number = Number(text);
  return Number.isFinite(number) && number > 0 ? number : 0;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
