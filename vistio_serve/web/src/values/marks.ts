/** Marks on the timeline as people write them, and who may write. Pure. */

import { t } from "../texts/say";
import type { Annotation } from "./answers";
import { formatInstant, formatMoment } from "./format";
import { MOMENTS, parseInstant } from "./moments";
import type { Zone } from "./zones";

/** What this browser may do here, as the server says. */
export interface Access {
  /** Of a user or a token; empty: nobody has said. */
  readonly name: string;
  /** For whom a proxy asks. */
  readonly user: string;
  readonly scopes: readonly string[];
  /** Whether anybody may annotate, with the right credentials. */
  readonly annotating: boolean;
}

export const KINDS = ["deployment", "incident", "note"] as const;

/** What stands in the fields of the form. */
export interface Draft {
  readonly text: string;
  readonly kind: string;
  readonly start: string;
  /** Empty: it happened at one instant. */
  readonly end: string;
  readonly cluster: string;
  readonly node: string;
  readonly link: string;
}

/** A mark as the server takes it. */
export type Mark = Omit<Draft, "end"> & { readonly end: string | null; readonly tags: Annotation["tags"] };

export function mayAnnotate(access: Access | null): boolean {
  return access?.scopes.includes("annotate") ?? false;
}

/** Who makes marks here, in a line; empty where nobody has said who he is. */
export function whoIs(access: Access | null): string {
  return access?.user || access?.name || "";
}

/** A new mark of a moment, about what is looked at. */
export function draftAt(atMs: number, zone: Zone, cluster = "", node = ""): Draft {
  return { text: "", kind: "note", start: formatMoment(atMs, zone), end: "", cluster, node, link: "" };
}

export function draftOf({ text, kind, start, end, cluster, node, link }: Annotation, zone: Zone): Draft {
  return { text, kind, start: formatMoment(Date.parse(start), zone), end: end === null ? "" : formatMoment(Date.parse(end), zone), cluster, node, link };
}

/** When it was, in a line. */
export function whenOf({ start, end }: Annotation, zone: Zone): string {
  return [start, end].flatMap((each) => (each === null ? [] : [formatMoment(Date.parse(each), zone)])).join(t(" to "));
}

/**
 * The mark that a draft describes, or what is wrong with its moments; the rest is for the server to say.
 *
 * @param zone of times without an offset.
 * @param tags of the mark that is edited; the form does not show them.
 */
export function markOf(draft: Draft, nowMs: number, zone: Zone, tags: Annotation["tags"] = {}): Mark | { readonly wrong: string } {
  const [startMs, endMs] = [draft.start, draft.end].map((text) => (text.trim() ? parseInstant(text, nowMs, zone) : undefined));
  if (startMs === undefined || startMs === null) return { wrong: t`From: ${draft.start.trim() || t("nothing")} is no moment; such are ${t(MOMENTS)}` };
  if (endMs === null) return { wrong: t`Until: ${draft.end} is no moment; such are ${t(MOMENTS)}` };
  if (endMs !== undefined && endMs <= startMs) return { wrong: t("Until: is not after From; leave it empty for what happened at one instant") };
  return { ...draft, text: draft.text.trim(), start: formatInstant(startMs), end: endMs === undefined ? null : formatInstant(endMs), tags };
}
