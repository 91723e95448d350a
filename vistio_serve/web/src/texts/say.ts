/**
 * What the page says, in the language of whoever reads it: `t("Find a node")`, `` t`${n} found` ``.
 *
 * The English text stands where it is said, and is the key of its translation, with `{0}`, `{1}` for what is put in.
 * `zh.ts` has the Chinese ones, `chinese.ts` what is more than words; both are loaded where somebody reads Chinese.
 * Texts are asked for when they are shown, and never while a module is loaded: the language is not known then.
 */

import type { zh } from "./zh";

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

/** A text of the page; constants have it as their type, so that the compiler knows each as a key. */
export type Text = keyof typeof zh;
export type Catalogue = Readonly<Record<string, string>>;
type Given = string | number;

/** What a language does otherwise than word by word. English does it where it is written: `values/format.ts`. */
export interface Manner {
  /** As the server is asked for it. */
  readonly language: Language;
  /** As `<html lang>` wants it. */
  readonly tag: string;
  /** Between the parts of a list. */
  readonly comma: string;
  /** A date without its year; zones are the IANA's. */
  day(ms: number, zone: string): string;
  dayAndTime(ms: number, zone: string): string;
  length(count: number, unit: "second" | "minute" | "hour" | "day"): string;
  /** A number from ten thousand on. */
  large(number: number): string;
}

const PLURALS = new Intl.PluralRules("en");

let catalogue: Catalogue = {};
let spoken: Manner | null = null;

/** From now on in a language; what its catalogue does not have is said in English. Without any, in English. */
export function speak(translated: Catalogue = {}, its: Manner | null = null): void {
  [catalogue, spoken] = [translated, its];
}

/** How the language that is spoken does what is more than words; null in English. */
export function manner(): Manner | null {
  return spoken;
}

/** Which language is spoken, as documents of the server are asked for it. */
export function language(): Language {
  return spoken?.language ?? "en";
}

export function t(text: Text): string;
export function t(text: TemplateStringsArray, ...given: readonly Given[]): string;
export function t(text: Text | TemplateStringsArray, ...given: readonly Given[]): string {
  if (typeof text === "string") return asSaid(text);
  return filled(text.reduce((key, part, index) => `${key}{${index - 1}}${part}`), given);
}

/** `1 node`, `2 nodes`: `counted(n, "{0} node", "{0} nodes")`. The second form is the key; Chinese has one for all numbers. */
export function counted(number: number, one: string, other: Text): string {
  return filled(!spoken && PLURALS.select(number) === "one" ? one : other, [number]);
}

/** Names, or what was counted, one after the other. */
export function listed(parts: readonly string[]): string {
  return parts.join(spoken?.comma ?? ", ");
}

function asSaid(text: string): string {
  return catalogue[text] ?? text;
}

/** In one pass: what is put in may have brackets of its own. */
function filled(key: string, given: readonly Given[]): string {
  return asSaid(key).replace(/\{(\d)\}/g, (_, place: string) => String(given[Number(place)]));
}
