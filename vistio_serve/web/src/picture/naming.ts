/** Which group a node belongs to, by its name or its class. Pure. */

import type { Text } from "../texts/say";
import type { WAY_NAMES } from "../values/crowd";
import type { Node } from "../values/model";
import { type Patterns, patternOf } from "../values/patterns";

/** The group's name; null for a node that belongs to none. */
export type Naming = (node: Pick<Node, "label" | "class">) => string | null;

export interface Way {
  readonly says: Text;
  /** In a sentence. */
  readonly short: Text;
  readonly naming: Naming;
}

/** The ways that need no pattern, in the order in which they are tried. */
export const WAYS: Readonly<Record<string, Way>> & Readonly<Record<(typeof WAY_NAMES)[number], Way>> = {
  namespace: { says: "namespace", short: "namespace", naming: ({ label }) => first(/^([^/]+)\/./, label) ?? first(/^[^./]+\.([^./]+)/, label) },
  prefix: { says: "first word of the name", short: "prefix", naming: ({ label }) => first(/^([^-_.:/]+)[-_:]./, label) },
  class: { says: "class", short: "class", naming: (node) => (node.class === "default" || node.class === "normal" ? null : node.class) },
};

/** Inside of an open group with many nodes, by what is left of their names; in the order in which they are tried. */
export const INNER_WAYS: readonly Naming[] = [
  ({ label }) => first(/^([^-_.:]+)[-_:]./, local(label)),
  // Versions of one service: what stands before v1, 1.2 or canary.
  ({ label }) => first(/^(.+?)[-_.](?:v?\d[\w.]*|canary|stable)$/, local(label)),
];

/** The name without its namespace. */
function local(label: string): string {
  const [before, after] = label.split("/", 2);
  return after ? after : first(/^([^.]+)\.[^.]+/, before ?? "") ?? label;
}

/** A naming of one's own: the first group of a regular expression, or all that it matches; a text says why it is none. */
export function namingOf(by: string, patterns: Patterns | null): Naming | string {
  const pattern = patternOf(by, patterns);
  return typeof pattern === "string" ? pattern : ({ label }) => pattern.first(label) || null;
}

function first(regex: RegExp, text: string): string | null {
  const found = regex.exec(text);
  return (found?.[1] ?? found?.[0]) || null;
}
