/**
 * A traffic graph as this page thinks of it: plain values, plain text.
 *
 * The server's Vizceral format escapes notices for a component that writes them into innerHTML; here
 * they are text again, and whoever draws them does what that place needs.
 */

import { listed, t } from "../texts/say";
import { visible } from "./names";
import { readTitle } from "./titles";

export interface Rates {
  readonly normal: number;
  readonly warning: number;
  readonly danger: number;
}

export type Severity = 0 | 1 | 2;

export interface Notice {
  /** With its value as people read it. */
  readonly title: string;
  /** The title without its value: what several may say. */
  readonly about: string;
  /** The value; null where the title has none. */
  readonly amount: number | null;
  readonly subtitle: string;
  /** http, https or relative, or empty. */
  readonly link: string;
  readonly severity: Severity;
}

export type Measurements = Readonly<Record<string, number>>;

export interface Node {
  /** The key, which the component can hold. */
  readonly name: string;
  /** What people read: what it is called, `visible`. */
  readonly label: string;
  /** What it is called in the recording, and by the server's other answers. */
  readonly recorded: string;
  readonly class: string;
  readonly notices: readonly Notice[];
  readonly measurements: Measurements;
  /** Made up to hold the drawing together; no fact. */
  readonly synthetic: boolean;
}

/** Who reported a connection; empty where its rules do not say whose reports theirs are. */
export type ToldBy = "" | "both" | "caller" | "called";

export interface Edge {
  readonly source: string;
  readonly target: string;
  readonly rates: Rates;
  readonly notices: readonly Notice[];
  readonly measurements: Measurements;
  readonly toldBy: ToldBy;
  readonly synthetic: boolean;
}

/** From which share on errors are red, and warnings yellow: of lines, tables and numbers alike. */
export interface Tones {
  readonly danger: number;
  readonly warning: number;
}

/** Where the configuration has no notice about them. */
export const USUAL_TONES: Tones = { danger: 0.005, warning: 0.05 };

export interface Level {
  /** "" is the global level, else the cluster. */
  readonly name: string;
  readonly maxVolume: number;
  readonly entryNode: string;
  readonly tones: Tones;
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

export interface FailedRule {
  readonly cluster: string;
  readonly rule: string;
  readonly outcome: string;
  readonly error: string;
}

/** `metadata.vistio`: what this graph is. */
export interface About {
  readonly instantMs: number;
  readonly askedMs: number;
  readonly intervalMs: number;
  readonly failedRules: readonly FailedRule[];
  readonly configuration: string;
  readonly backfilled: boolean;
  readonly tones: Tones;
}

export interface Graph {
  readonly name: string;
  readonly about: About;
  /** The instant that measurements are of; frames have none of their own. Null where there are none. */
  readonly measuredMs: number | null;
  /** By name; "" is always there. */
  readonly levels: ReadonlyMap<string, Level>;
  /** CSS colours by node class. */
  readonly classes: ReadonlyMap<string, string>;
}

/** Who was not answered and could have told more of a level, in words; empty where all were. */
export function notAnswered(about: About, level: string): string {
  const failed = about.failedRules.filter((each) => each.cluster === level || each.outcome === "stale");
  return listed(failed.map((each) => (each.outcome === "stale" ? t`writer ${visible(each.rule)}` : visible([each.cluster, each.rule].filter(Boolean).join("/")))));
}

export const NO_RATES: Rates = { normal: 0, warning: 0, danger: 0 };

export function total(rates: Rates): number {
  return rates.normal + rates.warning + rates.danger;
}

export function sum(all: Iterable<Rates>): Rates {
  let [normal, warning, danger] = [0, 0, 0];
  for (const rates of all) {
    normal += rates.normal;
    warning += rates.warning;
    danger += rates.danger;
  }
  return { normal, warning, danger };
}

export function edgeKey(edge: { readonly source: string; readonly target: string }): string {
  return `${edge.source}--${edge.target}`;
}

/** The most severe of some notices; -1 without any. */
export function worst(notices: readonly Notice[]): -1 | Severity {
  return notices.reduce<-1 | Severity>((most, notice) => (notice.severity > most ? notice.severity : most), -1);
}

/** What a node is called; a name that is not on the level is its own label. */
export function labelOf(level: Level | undefined, name: string): string {
  return (level && labelsOf(level).get(name)) ?? visible(name);
}

/** By level: thousands of connections are sorted by what their ends are called. */
const labels = new WeakMap<Level, ReadonlyMap<string, string>>();

function labelsOf(level: Level): ReadonlyMap<string, string> {
  const known = labels.get(level) ?? new Map(level.nodes.map((node): [string, string] => [node.name, node.label]));
  labels.set(level, known);
  return known;
}

/** From what the recording calls a node to its name on the page. */
export function keyIn(level: Level | undefined): (recorded: string) => string {
  const keys = new Map(level?.nodes.map((node) => [node.recorded, node.name]));
  return (recorded) => keys.get(recorded) ?? recorded;
}

/** What people read of where one is: a cluster, and a node of it. */
export function pathLabels(graph: Graph | null, path: readonly string[]): string[] {
  return path.map((name, depth) => labelOf(graph?.levels.get(depth === 0 ? "" : (path[0] ?? "")), name));
}

// --- the server's JSON ---

export interface RawNotice { title?: string; subtitle?: string; link?: string; severity?: number }
interface RawFacts { synthetic?: boolean; measurements?: Record<string, number>; name?: string; told_by?: string }
interface RawMetadata { vistio?: RawFacts }
interface RawEdge {
  source: string; target: string; metrics?: Partial<Rates>; notices?: RawNotice[]; metadata?: RawMetadata;
}
interface RawNode {
  name: string; displayName?: string; class?: string; notices?: RawNotice[]; metadata?: RawMetadata;
  maxVolume?: number; entryNode?: string; nodes?: RawNode[]; connections?: RawEdge[];
}
export interface RawAbout {
  instant: string; asked: string; interval_s: number; failed_rules: FailedRule[]; configuration: string; backfilled: boolean; marked_from?: Partial<Tones>;
}
export interface RawGraph {
  name: string; maxVolume?: number; entryNode?: string; nodes: RawNode[]; connections?: RawEdge[];
  classes?: { name: string; color: string }[];
  metadata: { vistio: RawAbout };
}

/** The graph in an answer of `/graph`. */
export function readGraph(raw: RawGraph): Graph {
  const about = readAbout(raw.metadata.vistio);
  const levels = new Map<string, Level>([["", readLevel("", raw, about.tones)]]);
  for (const node of raw.nodes) if (node.nodes?.length) levels.set(node.name, readLevel(node.name, node, about.tones));
  return {
    name: raw.name,
    about,
    measuredMs: about.instantMs,
    levels,
    classes: new Map((raw.classes ?? []).map(({ name, color }) => [name, color])),
  };
}

/** What a graph or a frame tells about itself. */
export function readAbout(raw: RawAbout): About {
  return {
    instantMs: Date.parse(raw.instant),
    askedMs: Date.parse(raw.asked),
    intervalMs: raw.interval_s * 1000,
    failedRules: raw.failed_rules,
    configuration: raw.configuration,
    backfilled: raw.backfilled,
    tones: { ...USUAL_TONES, ...raw.marked_from },
  };
}

function readLevel(name: string, raw: Pick<RawNode, "maxVolume" | "entryNode" | "nodes" | "connections">, tones: Tones): Level {
  return {
    name,
    maxVolume: raw.maxVolume ?? 1,
    entryNode: raw.entryNode ?? "",
    tones,
    nodes: (raw.nodes ?? []).map(readNode),
    edges: (raw.connections ?? []).map(readEdge),
  };
}

function readNode(raw: RawNode): Node {
  const facts = raw.metadata?.vistio;
  return {
    name: raw.name,
    label: visible(facts?.name ?? raw.name),
    recorded: facts?.name ?? raw.name,
    class: raw.class ?? "default",
    notices: (raw.notices ?? []).map((notice) => readNotice(notice, false)),
    measurements: facts?.measurements ?? {},
    synthetic: facts?.synthetic ?? false,
  };
}

const TOLD_BY: readonly ToldBy[] = ["both", "caller", "called"];

function readEdge(raw: RawEdge): Edge {
  const facts = raw.metadata?.vistio;
  return {
    source: raw.source,
    target: raw.target,
    rates: { ...NO_RATES, ...raw.metrics },
    notices: (raw.notices ?? []).map((notice) => readNotice(notice, true)),
    measurements: facts?.measurements ?? {},
    toldBy: TOLD_BY.find((each) => each === facts?.told_by) ?? "",
    synthetic: facts?.synthetic ?? false,
  };
}

/** @param ofEdge whether it is of a connection, where its value is a share of requests. */
export function readNotice(raw: RawNotice, ofEdge: boolean): Notice {
  const severity = raw.severity === 2 ? 2 : raw.severity === 1 ? 1 : 0;
  return { ...readTitle(unescape(raw.title ?? ""), ofEdge), subtitle: unescape(raw.subtitle ?? ""), link: raw.link ?? "", severity };
}

const ENTITIES: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&#x27;": "'" };

/** Undoes exactly what the server's `html.escape` did. */
export function unescape(text: string): string {
  return text.replace(/&(?:lt|gt|amp|quot|#x27);/g, (entity) => ENTITIES[entity] ?? entity);
}
