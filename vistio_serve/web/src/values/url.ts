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
import { readPlaces, writePlaces } from "./places";
import { UTC, zoneNamed } from "./zones";
import {
  type Display,
  EDGE_TEXTS,
  HEAT_KINDS,
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
  if (travel.unread) return travel.unread;
  if (travel.atMs !== null) query.set("at", formatInstant(travel.atMs));
  else if (travel.refused) query.set("at", travel.refused);
  if (state.zone !== UTC) query.set("tz", state.zone);
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
  if (filters.hide) query.set("without", filters.hide);
  if (filters.unhealthyOnly) query.set("only", "unhealthy");
  writeCrowd(state.crowd, query);
  writePlaces(state.places, query);
  if (state.edgeText !== INITIAL.edgeText) query.set("text", state.edgeText);
  if (state.heat) query.set("heat", state.heat);
  if (state.find) query.set("find", state.find);
  if (state.baselineMs !== null) query.set("baseline", formatInstant(state.baselineMs));
  const path = state.path.map((name) => `/${encodeURIComponent(name)}`).join("");
  const asked = query.toString();
  return path || asked ? `#${path || "/"}${asked ? `?${asked}` : ""}` : "";
}

/**
 * The state that a fragment stands for.
 *
 * @param display how the user likes to look.
 * @param nowMs by the server's clock; null while that is not known, when a link that needs it stays unread.
 */
export function fromFragment(fragment: string, display: Display, nowMs: number | null): State {
  if (nowMs === null && isRelative(fragment)) return { ...INITIAL, travel: { ...INITIAL.travel, unread: fragment }, display };
  const [path = "", asked = ""] = splitOnce(fragment.replace(/^#/, ""), "?");
  const query = new URLSearchParams(asked);
  const zone = zoneNamed(query.get("tz") ?? UTC);
  // In an address that was written by hand, the plus before an offset stands for a blank.
  const read = (text: string): number | null => parseInstant(text.replace(/(:\d\d(?:\.\d+)?) (?=\d\d:?\d\d$)/, "$1+"), nowMs ?? 0, zone ?? UTC);
  return {
    travel: travelFrom(query, read, zone === null),
    zone: zone ?? UTC,
    window: windowFrom(query.get("window"), read),
    zooms: INITIAL.zooms,
    path: path.split("/").filter(Boolean).map(decode).slice(0, 2),
    selection: selectionFrom(query),
    filters: filtersFrom(query),
    crowd: readCrowd(query),
    places: readPlaces(query),
    edgeText: EDGE_TEXTS.find((each) => each === query.get("text")) ?? INITIAL.edgeText,
    heat: HEAT_KINDS.find((each) => each === query.get("heat")) ?? INITIAL.heat,
    find: query.get("find") ?? "",
    baselineMs: read(query.get("baseline") ?? ""),
    display,
  };
}

/** Whether a link means another moment when it is read at another time, as `at=-15m` does. */
export function isRelative(fragment: string): boolean {
  // Two days, and two times of day.
  const [one, other] = [1e12, 1e12 + 1.4e8].map((nowMs) => toFragment(fromFragment(fragment, INITIAL.display, nowMs)));
  return one !== other;
}

/** The state with its link read, once the server's clock is known. */
export function withLinkRead(state: State, nowMs: number): State {
  return state.travel.unread ? fromFragment(state.travel.unread, state.display, nowMs) : state;
}

/** Whether the way back from `after` should lead to `before`: a step of its own in the browser's history. */
export function isNavigation(before: State, after: State): boolean {
  if (!samePath(before.path, after.path) || !sameSelection(before.selection, after.selection)) return true;
  if (before.travel.mode !== after.travel.mode || before.baselineMs !== after.baselineMs) return true;
  if (before.crowd !== after.crowd || before.heat !== after.heat || before.zooms !== after.zooms) return true;
  return after.travel.mode === "at" && before.travel.atMs !== after.travel.atMs;
}

type Read = (text: string) => number | null;

function travelFrom(query: URLSearchParams, read: Read, strangeZone: boolean): Travel {
  const asked = query.get("at") ?? "";
  const atMs = read(asked);
  const play = query.get("play");
  const speed = SPEEDS.find((known) => String(known) === query.get("speed")) ?? INITIAL.travel.speed;
  const loop = windowFrom(query.get("loop"), read);
  const refused = asked && strangeZone ? `${asked} in ${query.get("tz")}` : (momentsIn(query).find((text) => read(text) === null) ?? "");
  if (atMs === null || refused) return { ...INITIAL.travel, refused, speed: speed as Speed, loop };
  const mode = play === "forward" || play === "backward" ? "playing" : "at";
  return { ...INITIAL.travel, mode, atMs, speed: speed as Speed, direction: play === "backward" ? -1 : 1, loop };
}

/** All that a link says of moments. */
function momentsIn(query: URLSearchParams): string[] {
  const given = (name: string): string[] => (query.get(name) ? [query.get(name)!] : []);
  return [...given("at"), ...given("baseline"), ...[...given("window"), ...given("loop")].flatMap((each) => each.split("/"))];
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
    hide: query.get("without") ?? "",
    unhealthyOnly: query.get("only") === "unhealthy",
  };
}

function windowText(window: Window): string {
  return `${formatInstant(window.startMs)}/${formatInstant(window.endMs)}`;
}

function windowFrom(text: string | null, read: Read): Window | null {
  const [startMs, endMs] = (text ?? "").split("/").map(read);
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
