/**
 * What nodes are meant, said in an expression: `errors > 1% and ns = shop`, `name ~ ^kafka`, `not (rps < 1 or unhealthy)`.
 *
 * A text without a sign or a joining word is no expression but a part of a name. Of which nodes one holds, tells
 * `meant.ts`; what can come next while one is typed, `completion.ts`. Pure.
 */

import { type Text, t } from "../texts/say";

export const TEXT_FIELDS = { name: "what it is called", ns: "its namespace", cluster: "the level it is on", class: "its class" } as const satisfies Record<string, Text>;
export const NUMBER_FIELDS = { rps: "requests a second", errors: "share of errors, as 1%", warnings: "share of warnings, as 5%", latency: "the highest percentile, as 200ms", lost: "requests a second, sent and not received", notice: "its worst: info, warning or error" } as const satisfies Record<string, Text>;
export type TextField = keyof typeof TEXT_FIELDS;
export type NumberField = keyof typeof NUMBER_FIELDS;
export const UNHEALTHY = "unhealthy";

export type Expression =
  | { readonly kind: "and" | "or"; readonly parts: readonly Expression[] }
  | { readonly kind: "not"; readonly part: Expression }
  | { readonly kind: "text"; readonly field: TextField; readonly sign: string; readonly value: string }
  | { readonly kind: "number"; readonly field: NumberField; readonly sign: string; readonly value: number }
  | { readonly kind: "word"; readonly value: string }
  | { readonly kind: typeof UNHEALTHY };

/** What could stand where a text ends, or is wrong. */
export type Expected = { readonly kind: "term" | "joiner" } | { readonly kind: "sign" | "value"; readonly field: TextField | NumberField };

export interface Refused {
  readonly why: string;
  readonly expected: Expected;
}

export const TEXT_SIGNS = ["=", "!=", "~", "!~"] as const;
export const NUMBER_SIGNS = [">", ">=", "<", "<=", "=", "!="] as const;
export const SEVERITIES = ["info", "warning", "error"] as const;
const JOINING = ["and", "or", "not", UNHEALTHY];

interface Token {
  readonly kind: "word" | "quoted" | "sign" | "bracket";
  readonly text: string;
}

const TOKEN = /^(?:"([^"]*)"?|(!=|!~|>=|<=|[=~<>])|([()])|([^\s()=~<>"!]+|!))/;
/** A pattern has brackets and signs of its own, so it goes to the next blank, or stands in quotes. */
const PATTERN = /^(?:"([^"]*)"?|(\S+))/;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let rest = text.trimStart(); rest; rest = rest.trimStart()) {
    const last = tokens.at(-1);
    if (last?.kind === "sign" && last.text.endsWith("~")) {
      const [whole = "", quoted, bare = ""] = PATTERN.exec(rest)!;
      const value = quoted ?? withoutClosing(bare);
      tokens.push({ kind: "quoted", text: value });
      rest = rest.slice(quoted === undefined ? Math.max(1, value.length) : whole.length);
      continue;
    }
    const [whole = "", quoted, sign, bracket, word] = TOKEN.exec(rest)!;
    tokens.push(quoted !== undefined ? { kind: "quoted", text: quoted } : sign ? { kind: "sign", text: sign } : bracket ? { kind: "bracket", text: bracket } : { kind: "word", text: word! });
    rest = rest.slice(whole.length);
  }
  return tokens;
}

/** A pattern without the brackets at its end that close what was opened before it. */
function withoutClosing(pattern: string): string {
  const count = (bracket: string): number => pattern.split(bracket).length - 1;
  const closing = Math.max(0, count(")") - count("("));
  return pattern.replace(new RegExp(`\\){0,${closing}}$`), "");
}

/** Whether a text is an expression, or only a part of a name. */
export function isExpression(text: string): boolean {
  const tokens = tokensOf(text);
  return tokens.some(({ kind, text: word }, index) => kind === "sign" || kind === "quoted" || (kind === "word" && JOINING.includes(word.toLowerCase()) && (index > 0 || tokens.length > 1 || word.toLowerCase() === UNHEALTHY)));
}

export function usesPatterns(text: string): boolean {
  return tokensOf(text).some(({ kind, text: sign }) => kind === "sign" && sign.endsWith("~"));
}

/** @returns what it says, or in words what is wrong with it. */
export function parse(text: string): Expression | Refused {
  return new Parser(tokensOf(text)).all();
}

export function isRefused(parsed: Expression | Refused): parsed is Refused {
  return "why" in parsed;
}

class Stop extends Error {
  constructor(readonly refused: Refused) {
    super(refused.why);
  }
}

class Parser {
  private index = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  all(): Expression | Refused {
    try {
      const found = this.either();
      const next = this.tokens[this.index];
      if (next) this.stop(next.text === ")" ? t("a ) closes nothing") : t`before ${next.text} comes and, or`, { kind: "joiner" });
      return found;
    } catch (error) {
      if (error instanceof Stop) return error.refused;
      throw error;
    }
  }

  private either(): Expression {
    const parts = [this.both()];
    while (this.takes("or")) parts.push(this.both());
    return parts.length > 1 ? { kind: "or", parts } : parts[0]!;
  }

  private both(): Expression {
    const parts = [this.one()];
    while (this.takes("and")) parts.push(this.one());
    return parts.length > 1 ? { kind: "and", parts } : parts[0]!;
  }

  private one(): Expression {
    if (this.takes("not")) return { kind: "not", part: this.one() };
    const token = this.tokens[this.index];
    if (!token) return this.stop(t("here comes a name, or what is asked for, such as errors > 1%"), { kind: "term" });
    if (token.text === "(" && token.kind === "bracket") {
      this.index++;
      const inside = this.either();
      const closing = this.tokens[this.index];
      if (closing?.text !== ")") return this.stop(t("a ) is missing"), { kind: "joiner" });
      this.index++;
      return inside;
    }
    if (token.kind === "sign" || token.kind === "bracket") return this.stop(t`before ${token.text} comes what is asked for, such as name or errors`, { kind: "term" });
    this.index++;
    const next = this.tokens[this.index];
    const field = token.text.toLowerCase();
    const isField = field in TEXT_FIELDS || field in NUMBER_FIELDS;
    if (next?.kind !== "sign") {
      if (token.kind === "word" && isField && !next) return this.stop(t`after ${field} comes ${signsOf(field as TextField).join(", ")}`, { kind: "sign", field: field as TextField });
      if (token.kind === "word" && ["and", "or"].includes(field)) return this.stop(t`before ${field} something is missing`, { kind: "term" });
      return token.kind === "word" && field === UNHEALTHY ? { kind: UNHEALTHY } : { kind: "word", value: token.text };
    }
    if (!isField) return this.stop(t`${token.text} cannot be asked for; these can: ${[...Object.keys(TEXT_FIELDS), ...Object.keys(NUMBER_FIELDS)].join(", ")}`, { kind: "term" });
    return this.compared(field as TextField | NumberField, next.text);
  }

  private compared(field: TextField | NumberField, sign: string): Expression {
    this.index++;
    if (!(signsOf(field) as readonly string[]).includes(sign)) return this.stop(t`${field} is asked by ${signsOf(field).join(", ")}`, { kind: "sign", field });
    const token = this.tokens[this.index];
    const expected: Expected = { kind: "value", field };
    if (!token || token.kind === "sign" || token.kind === "bracket") return this.stop(t`after ${`${field} ${sign}`} comes ${t(field in TEXT_FIELDS ? "a text" : "a number")}`, expected);
    this.index++;
    if (isText(field)) return { kind: "text", field, sign, value: token.text };
    const value = field === "notice" ? SEVERITIES.findIndex((each) => each === token.text.toLowerCase()) : numberIn(field, token.text);
    if (value === null || value < 0) return this.stop(field === "notice" ? t`a notice is ${SEVERITIES.join(", ")}` : t`${token.text} is no number of ${field}: ${t(NUMBER_FIELDS[field])}`, expected);
    return { kind: "number", field, sign, value };
  }

  private takes(word: string): boolean {
    const token = this.tokens[this.index];
    const taken = token?.kind === "word" && token.text.toLowerCase() === word;
    if (taken) this.index++;
    return taken;
  }

  private stop(why: string, expected: Expected): never {
    throw new Stop({ why, expected });
  }
}

function isText(field: TextField | NumberField): field is TextField {
  return field in TEXT_FIELDS;
}

export function signsOf(field: TextField | NumberField): readonly string[] {
  return isText(field) ? TEXT_SIGNS : NUMBER_SIGNS;
}

/** In percent, milliseconds or requests a second, whichever the field is in. */
function numberIn(field: NumberField, text: string): number | null {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(%|ms|s|\/s)?$/.exec(text) ?? [];
  if (digits === undefined) return null;
  const units = field === "errors" || field === "warnings" ? ["%"] : field === "latency" ? ["ms", "s"] : ["/s"];
  if (unit !== undefined && !units.includes(unit)) return null;
  return Number(digits) * (unit === "s" ? 1000 : 1);
}
