/**
 * Of which nodes an expression holds. Pure.
 *
 * Three values: what is not known of a node (a latency that nobody measured, a share of no requests) is neither so nor not
 * so, and `not` leaves it there.
 */

import { type Expression, UNHEALTHY } from "./expression";
import { type Patterns, patternOf } from "./patterns";

/** What is known of a node; null is not known. */
export interface NodeFacts {
  /** All names of it: as recorded, and as shown. */
  readonly names: readonly string[];
  readonly ns: string | null;
  readonly cluster: string;
  readonly class: string;
  readonly rps: number | null;
  /** Percent. */
  readonly errors: number | null;
  readonly warnings: number | null;
  /** Milliseconds. */
  readonly latency: number | null;
  readonly lost: number | null;
  /** 0, 1, 2; -1 without any. */
  readonly notice: number | null;
  readonly unhealthy: boolean | null;
}

/** The pattern in it that is none, in words; null where all are well. */
export function wrongPattern(expression: Expression, patterns: Patterns | null): string | null {
  switch (expression.kind) {
    case "and":
    case "or": return expression.parts.map((part) => wrongPattern(part, patterns)).find((each) => each !== null) ?? null;
    case "not": return wrongPattern(expression.part, patterns);
    case "text": {
      const pattern = expression.sign.endsWith("~") ? patternOf(expression.value, patterns) : null;
      return typeof pattern === "string" ? pattern : null;
    }
    default: return null;
  }
}

/** Whether it holds of a node; null where that is not known. */
export function holds(expression: Expression, facts: NodeFacts, patterns: Patterns | null): boolean | null {
  switch (expression.kind) {
    case "and": return all(expression.parts.map((part) => holds(part, facts, patterns)));
    case "or": return negated(all(expression.parts.map((part) => negated(holds(part, facts, patterns)))));
    case "not": return negated(holds(expression.part, facts, patterns));
    case "word": return facts.names.some((name) => name.toLowerCase().includes(expression.value.toLowerCase()));
    case UNHEALTHY: return facts.unhealthy;
    case "text": return textHolds(expression, facts, patterns);
    case "number": return facts[expression.field] === null ? null : compare(facts[expression.field]!, expression.sign, expression.value);
  }
}

function textHolds({ field, sign, value }: Extract<Expression, { kind: "text" }>, facts: NodeFacts, patterns: Patterns | null): boolean | null {
  const given = field === "name" ? facts.names : facts[field] === null ? [] : [facts[field]!];
  // Without a namespace it is in no other one either.
  if (!given.length) return sign.startsWith("!");
  const pattern = sign.endsWith("~") ? patternOf(value, patterns) : null;
  if (typeof pattern === "string") return null;
  const found = given.some((each) => (pattern ? pattern.first(each) !== null : each === value));
  return sign.startsWith("!") ? !found : found;
}

function compare(one: number, sign: string, other: number): boolean {
  switch (sign) {
    case ">": return one > other;
    case ">=": return one >= other;
    case "<": return one < other;
    case "<=": return one <= other;
    case "!=": return one !== other;
    default: return one === other;
  }
}

function all(values: readonly (boolean | null)[]): boolean | null {
  return values.includes(false) ? false : values.includes(null) ? null : true;
}

function negated(value: boolean | null): boolean | null {
  return value === null ? null : !value;
}
