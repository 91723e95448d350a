/**
 * What changed since the baseline, as the page speaks of it. Pure.
 *
 * Between any two moments every rate differs a little. A change is *notable* when something is new or
 * gone, when traffic moved by a fifth, or the share of errors by a percentage point: those are coloured.
 */

import { type Text, listed, t } from "../texts/say";
import type { Diff, DiffChange, DiffEdge, DiffNode } from "../values/answers";
import { OTHERS } from "../values/crowd";
import { type Level, NO_RATES, type Rates, edgeKey, keyIn, total } from "../values/model";
import { visible } from "../values/names";
import type { Plan } from "./groups";

export type ChangeKind = "new" | "gone" | "more" | "less" | "errors";

export interface Change {
  readonly kind: ChangeKind;
  readonly notable: boolean;
  /** Requests per second, now less then. */
  readonly byRps: number;
  /** The share of errors in percentage points, now less then; null where there was nothing to share. */
  readonly byErrors: number | null;
  /** From 0 to 1: how much of it changed. */
  readonly strength: number;
}

/** The changes of one level by its own keys: node names, and `edgeKey`s. */
export interface LevelChanges {
  readonly nodes: ReadonlyMap<string, Change>;
  readonly edges: ReadonlyMap<string, Change>;
}

const NOTABLE_SHARE = 0.2;
const NOTABLE_POINTS = 1;

/** A sign for each kind, read without colours. */
export const SIGNS: Readonly<Record<ChangeKind, string>> = { new: "+", gone: "×", more: "▲", less: "▼", errors: "!" };
export const WORDS: Readonly<Record<ChangeKind, Text>> = {
  new: "new", gone: "gone", more: "more traffic", less: "less traffic", errors: "another share of errors",
};

export function changeOf(before: Rates | null, after: Rates | null): Change {
  const [then, now] = [before ?? NO_RATES, after ?? NO_RATES];
  const [was, is] = [total(then), total(now)];
  const largest = Math.max(was, is);
  const share = largest > 0 ? Math.abs(is - was) / largest : 0;
  const byErrors = was > 0 && is > 0 ? 100 * (now.danger / is - then.danger / was) : null;
  const failing = Math.abs(byErrors ?? 0) >= NOTABLE_POINTS;
  const came = before === null || after === null;
  return {
    kind: before === null ? "new" : after === null ? "gone" : failing && share < NOTABLE_SHARE ? "errors" : is >= was ? "more" : "less",
    notable: came || failing || share >= NOTABLE_SHARE,
    byRps: is - was,
    byErrors,
    strength: came ? 1 : Math.min(1, Math.max(share, Math.abs(byErrors ?? 0) / 20)),
  };
}

/** The changes of a level of the page; what one side has not seen is none. */
export function changesOf(diff: Diff, level: Level): LevelChanges {
  const key = keyIn(level);
  const here = <T extends DiffChange>(all: readonly T[]): T[] => all.filter((each) => each.cluster === level.name && each.change !== "unseen");
  return {
    nodes: new Map(here(diff.nodes).map((each) => [key(each.node), changeOf(each.before, each.after)])),
    edges: new Map(here(diff.edges).map((each) => [edgeKey({ source: key(each.source), target: key(each.target) }), changeOf(each.before, each.after)])),
  };
}

export interface Row {
  readonly cluster: string;
  readonly name: string;
  readonly change: Change;
  /** Where a click leads. */
  readonly selects: { readonly node: string } | { readonly source: string; readonly target: string };
}

/** Closed groups that changed, the strongest change first. */
export function groupRowsOf(changes: LevelChanges, plan: Plan, cluster: string): readonly Row[] {
  const rows = [...plan.groups.values()].flatMap((group): Row[] => {
    const change = changes.nodes.get(group.key);
    return change && !group.open ? [{ cluster, name: group.name === OTHERS ? t("All others") : group.name, change, selects: { node: group.key } }] : [];
  });
  const moved = ({ change }: Row): number => Math.abs(change.byRps);
  return notableFirst(rows.sort((one, other) => moved(other) - moved(one)));
}

/** Ranked as the server did, notable ones first; a level's own, and on the global level those of all. */
export function rowsOf(diff: Diff, levelName: string): { readonly edges: readonly Row[]; readonly nodes: readonly Row[] } {
  const here = (each: DiffChange): boolean => each.change !== "unseen" && within(each, levelName);
  const place = (cluster: string): string => (levelName === "" && cluster !== "" ? `${visible(cluster)}: ` : "");
  const edge = (each: DiffEdge): Row => ({ cluster: each.cluster, name: `${place(each.cluster)}${visible(each.source)} → ${visible(each.target)}`, change: changeOf(each.before, each.after), selects: { source: each.source, target: each.target } });
  const node = (each: DiffNode): Row => ({ cluster: each.cluster, name: `${place(each.cluster)}${visible(each.node)}`, change: changeOf(each.before, each.after), selects: { node: each.node } });
  return { edges: notableFirst(diff.edges.filter(here).map(edge)), nodes: notableFirst(diff.nodes.filter(here).map(node)) };
}

function within(each: DiffChange, levelName: string): boolean {
  return levelName === "" || each.cluster === levelName;
}

/** How many of a level one side has not seen: whether they changed, nobody knows. */
export function unseenOf(changes: readonly DiffChange[], levelName: string): number {
  return changes.filter((each) => each.change === "unseen" && within(each, levelName)).length;
}

function notableFirst(rows: readonly Row[]): Row[] {
  return [...rows.filter((row) => row.change.notable), ...rows.filter((row) => !row.change.notable)];
}

/** `3 new, 1 gone, 7 changed, 2 not seen`; what is not there is not told. */
export function summaryOf(rows: readonly Row[], unseen = 0): string {
  const count = (kinds: readonly ChangeKind[]): number => rows.filter((row) => row.change.notable && kinds.includes(row.change.kind)).length;
  const parts = [[count(["new"]), t`${count(["new"])} new`], [count(["gone"]), t`${count(["gone"])} gone`], [count(["more", "less", "errors"]), t`${count(["more", "less", "errors"])} changed`], [unseen, t`${unseen} not seen`]] as const;
  return listed(parts.filter(([number]) => number > 0).map(([, words]) => words)) || t("nothing notable");
}
