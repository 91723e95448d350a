/** Which group a node belongs to, by its name or its class. Pure. */

import type { Node } from "../values/model";

/** The group's name; null for a node that belongs to none. */
export type Naming = (node: Pick<Node, "label" | "class">) => string | null;

export interface Way {
  readonly says: string;
  readonly naming: Naming;
}

/** The ways that need no pattern, in the order in which they are tried. */
export const WAYS: Readonly<Record<string, Way>> = {
  namespace: { says: "namespace", naming: ({ label }) => first(/^([^/]+)\/./, label) ?? first(/^[^./]+\.([^./]+)/, label) },
  prefix: { says: "first word of the name", naming: ({ label }) => first(/^([^-_.:/]+)[-_:]./, label) },
  class: { says: "class", naming: (node) => (node.class === "default" || node.class === "normal" ? null : node.class) },
};

const LONGEST_PATTERN = 200;

/** A naming of one's own: the first group of a regular expression, or all that it matches; null when it is none. */
export function namingOf(pattern: string): Naming | null {
  if (!pattern || pattern.length > LONGEST_PATTERN) return null;
  try {
    const regex = new RegExp(pattern, "u");
    return ({ label }) => first(regex, label);
  } catch {
    return null;
  }
}

function first(regex: RegExp, text: string): string | null {
  const found = regex.exec(text);
  return (found?.[1] ?? found?.[0]) || null;
}
