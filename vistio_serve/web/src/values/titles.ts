/** Titles of notices as people read them. Pure. */

import { formatRate, formatShare } from "./format";

// The server fills a title's `{{ .value }}` in with five decimals, as Vistio did.
const VALUE = /([[(]?)((?<![\w.])-?\d+\.\d{5}(?!\w|\.\d))([\])]?)/;

/** A title with its value as it is read, and without it; the value is null where the title has none. */
export interface Said {
  readonly title: string;
  readonly about: string;
  readonly amount: number | null;
}

/** @param ofEdge of a connection a notice tells the share of its requests; of a node what was measured, in a unit of its own. */
export function readTitle(text: string, ofEdge: boolean): Said {
  const amount = Number(VALUE.exec(text)?.[2] ?? Number.NaN);
  if (Number.isNaN(amount)) return { title: text, about: text, amount: null };
  const about = text.replace(VALUE, "").replace(/\s+/g, " ").replace(/^[\s:,-]+|[\s:,-]+$/g, "");
  return { title: text.replace(VALUE, `$1${amountText(amount, ofEdge)}$3`), about: about || text, amount };
}

export function amountText(amount: number, ofEdge: boolean): string {
  if (ofEdge) return formatShare(amount, 1);
  return Math.abs(amount) >= 100 ? formatRate(amount) : String(Number(amount.toPrecision(3)));
}
