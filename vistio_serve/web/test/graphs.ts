/** Small graphs in a notation that a test can be read by: `"a>b 10/1/2"` is normal, warning, danger. */

import { type Edge, type FailedRule, type Graph, type Level, type Node, type Notice, USUAL_TONES } from "../src/values/model";

export function notice(severity: 0 | 1 | 2, title = "high error rate"): Notice {
  return { title, about: title, amount: null, subtitle: "", link: "", severity };
}

export function node(name: string, more: Partial<Node> = {}): Node {
  return { name, label: name, recorded: more.label ?? name, class: "default", notices: [], measurements: {}, synthetic: false, ...more };
}

export function edge(text: string, more: Partial<Edge> = {}): Edge {
  const [ends = "", rates = "1"] = text.split(" ");
  const [source = "", target = ""] = ends.split(">");
  const [normal = 0, warning = 0, danger = 0] = rates.split("/").map(Number);
  return { source, target, rates: { normal, warning, danger }, notices: [], measurements: {}, toldBy: "", synthetic: false, ...more };
}

export function level(name: string, edges: readonly (string | Edge)[], more: Partial<Level> = {}): Level {
  const made = edges.map((each) => (typeof each === "string" ? edge(each) : each));
  const names = new Set(made.flatMap((each) => [each.source, each.target]));
  return { name, maxVolume: 100, entryNode: "INTERNET", tones: USUAL_TONES, nodes: [...names].map((each) => node(each)), edges: made, ...more };
}

export const START_MS = Date.parse("2026-11-23T05:00:00Z");

export function graph(levels: readonly Level[], more: { atMs?: number; askedMs?: number; failedRules?: readonly FailedRule[] } = {}): Graph {
  const { atMs = START_MS, askedMs = atMs, failedRules = [] } = more;
  return {
    name: "mesh",
    about: { instantMs: atMs, askedMs, intervalMs: 10_000, failedRules, configuration: "c0ffee", backfilled: false, tones: USUAL_TONES },
    measuredMs: atMs,
    levels: new Map([["", level("", [])], ...levels.map((each): [string, Level] => [each.name, each])]),
    classes: new Map(),
  };
}
