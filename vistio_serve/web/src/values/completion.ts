/** What can come next in an expression that is being typed. Pure. */

import { type Text, t } from "../texts/say";
import { type Expected, NUMBER_FIELDS, SEVERITIES, TEXT_FIELDS, UNHEALTHY, isExpression, isRefused, parse, signsOf } from "./expression";

/** What there is on the level, for values. */
export interface Known {
  readonly names: readonly string[];
  readonly namespaces: readonly string[];
  readonly clusters: readonly string[];
  readonly classes: readonly string[];
}

export interface Completion {
  /** The whole text, with it. */
  readonly text: string;
  readonly shown: string;
  readonly about: string;
}

const MOST = 8;
const ABOUT_SIGNS: Readonly<Record<string, Text>> = { "~": "a regular expression finds something in it", "!~": "a regular expression finds nothing in it" };

/** @param text up to where it is being typed. */
export function completionsOf(text: string, known: Known): readonly Completion[] {
  const [, before = "", partial = ""] = /^(.*?)([^\s()=~<>!"]*|[=~<>!]+)$/s.exec(text) ?? [];
  const isSign = /^[=~<>!]+$/.test(partial);
  const start = isSign ? before : text.slice(0, text.length - partial.length);
  const wanted = partial.toLowerCase();
  const fitting = optionsOf(expectedAfter(start), known).filter(([option]) => option.toLowerCase().replace(/^"/, "").startsWith(wanted) && option.toLowerCase() !== wanted);
  // Whoever looks for a name is left alone, until it can be meant for more.
  if (!partial && !isExpression(start) && expectedAfter(start).kind !== "sign") return [];
  return fitting.slice(0, MOST).map(([option, about]) => ({ text: `${start}${/[\s(]$|^$/.test(start) ? "" : " "}${option}${option === "(" ? "" : " "}`, shown: option, about: about && t(about) }));
}

function expectedAfter(text: string): Expected {
  if (!text.trim()) return { kind: "term" };
  const parsed = parse(text);
  return isRefused(parsed) ? parsed.expected : { kind: "joiner" };
}

function optionsOf(expected: Expected, known: Known): readonly (readonly [option: string, about: Text | ""])[] {
  const plain = (all: readonly string[], about: Text | ""): (readonly [string, Text | ""])[] => all.map((each) => [quoted(each), about]);
  switch (expected.kind) {
    case "term": return [...Object.entries({ ...NUMBER_FIELDS, ...TEXT_FIELDS }), [UNHEALTHY, "red errors, or a notice that is a warning or worse"], ["not", "all others"], ["(", ""]];
    case "joiner": return [["and", ""], ["or", ""]];
    case "sign": return signsOf(expected.field).map((sign) => [sign, ABOUT_SIGNS[sign] ?? ""]);
    case "value":
      switch (expected.field) {
        case "name": return plain(known.names, "");
        case "ns": return plain(known.namespaces, "namespace");
        case "cluster": return plain(known.clusters, "cluster");
        case "class": return plain(known.classes, "class");
        case "notice": return plain(SEVERITIES, "");
        default: return [];
      }
  }
}

function quoted(text: string): string {
  return /[\s()=~<>"!]/.test(text) && !text.includes('"') ? `"${text}"` : text;
}
