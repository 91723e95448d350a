/**
 * Regular expressions that somebody types. They are matched in time that grows with the text alone: the browser's own
 * engine can be held up for minutes by a dozen characters. The syntax is that of configurations (RE2). Pure.
 */

import { t } from "../texts/say";

export interface Pattern {
  /** The first group of what it finds, or all of it; null where it finds nothing. */
  first(text: string): string | null;
}

/** What makes patterns of texts; a text in its place says what is wrong. */
export type Patterns = (pattern: string) => Pattern | string;

/** Nobody asks for longer ones; each character may cost a name's length. */
export const LONGEST_PATTERN = 200;

/** Said while the engine is under way, which is loaded when it is first needed. */
export const LOADING = "regular expressions are being loaded";

export function patternOf(pattern: string, patterns: Patterns | null): Pattern | string {
  if (pattern.length > LONGEST_PATTERN) return t`a pattern has ${LONGEST_PATTERN} characters at most`;
  return patterns ? patterns(pattern) : t(LOADING);
}
