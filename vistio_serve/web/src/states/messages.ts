/**
 * What must be said now: why the picture is not what was asked for, and what can be done. Pure.
 *
 * Several things can be wrong at once. At most one of them leaves nothing to show, and covers the
 * place of the picture; the others stand above it, in the order of `messagesOf`.
 */

import { countsOf } from "../picture/scene";
import { LATE_INTERVALS, isSilent, latenessMs, serverMs } from "../store/lateness";
import type { Snapshot } from "../store/store";
import { type Text, counted, t } from "../texts/say";
import type { Gap, Problem } from "../values/answers";
import { formatDuration, formatInstant, formatMoment, formatTime } from "../values/format";
import { type FailedRule, type Graph, labelOf, notAnswered } from "../values/model";
import { MOMENTS } from "../values/moments";
import { visible } from "../values/names";
import { hasThresholds, levelOf } from "../values/state";

export type Remedy =
  | { readonly text: string; readonly kind: "goto"; readonly atMs: number }
  | { readonly text: string; readonly kind: "open"; readonly path: readonly string[] }
  | { readonly text: string; readonly kind: "visit"; readonly address: string }
  | { readonly text: string; readonly kind: "live" | "unfilter" };

export interface Message {
  readonly kind: string;
  readonly tone: "quiet" | "warning" | "danger";
  readonly title: string;
  /** What was found. */
  readonly detail: string;
  /** What a person can do, or what this page does by itself. */
  readonly advice: string;
  /** One line each, where there is more to tell than fits into a sentence. */
  readonly items: readonly string[];
  readonly remedies: readonly Remedy[];
  /** No picture is shown under it. */
  readonly covers: boolean;
}

const MAX_CLUSTERS = 4;

const DAY_MS = 86_400_000;

const recorded = (): Remedy => ({ text: t("What was recorded, and why not"), kind: "visit", address: "instants" });

const ASKS_AGAIN: Text = "This page goes on asking and returns by itself.";

/** All that must be said; empty when the picture is what was asked for. */
export function messagesOf(now: Snapshot, nowMs: number): readonly Message[] {
  const { problem, graph } = now.data;
  const { refused, unread } = now.state.travel;
  if (refused) return [refusedMessage(refused)];
  if (unread) return [problem ? problemMessage(now, problem, nowMs) : loading()];
  const found = [problem && problemMessage(now, problem, nowMs)];
  if (!graph) return found[0] ? [found[0]] : [now.data.waiting === "hanging" ? hangingMessage(now) : loading()];
  if (!problem && now.data.waiting === "hanging") found.push(hangingMessage(now));
  if (!problem) found.push(ageMessage(now, graph, nowMs), levelMessage(now, graph));
  found.push(rulesMessage(now, graph));
  if (!problem) found.push(contentMessage(now, graph));
  found.push(unloadedMessage(now));
  return found.filter((each) => each !== null);
}

function message(kind: string, tone: Message["tone"], title: string, more: Partial<Message> = {}): Message {
  return { kind, tone, title, detail: "", advice: "", items: [], remedies: [], covers: false, ...more };
}

/** Nothing is shown in its place: the present would be taken for what was asked for. */
function refusedMessage(refused: string): Message {
  return message("no-moment", "warning", t`There is no moment ${visible(refused)}`, { detail: t`A link can say ${t(MOMENTS)}.`, remedies: [{ text: t("Show what is now"), kind: "live" }], covers: true });
}

function loading(): Message {
  return message("loading", "quiet", t("Asking the server"), { covers: true });
}

/** Before it is given up: who sees nothing happen asks again, or believes an old picture. */
function hangingMessage({ state, data: { graph } }: Snapshot): Message {
  return message("hanging", "warning", t("The server has not answered yet"), {
    detail: graph ? t`The picture is of ${formatMoment(graph.about.instantMs, state.zone)} until it does.` : t("It was asked some seconds ago."),
    advice: t("It may be busy, or something between is stuck. This page waits a little longer, and then asks again."),
    covers: !graph,
  });
}

function toLive({ state }: Snapshot): Remedy[] {
  return state.travel.mode === "live" ? [] : [{ text: t("Return to live"), kind: "live" }];
}

function problemMessage(now: Snapshot, problem: Problem, nowMs: number): Message {
  const { graph } = now.data;
  switch (problem.kind) {
    case "unreachable":
      return message(problem.kind, "danger", problem.title, {
        detail: graph ? t`The picture is the last one that it gave, of ${formatMoment(graph.about.instantMs, now.state.zone)} (${problem.detail}).` : t`${capital(problem.detail)}.`,
        advice: t`Is vistio-serve running, and does what is between reach it? ${t(ASKS_AGAIN)}`,
        covers: !graph,
      });
    case "no-recording":
      return message(problem.kind, "quiet", problem.title, { detail: t`${capital(problem.detail)}.`, advice: t(ASKS_AGAIN), covers: true });
    case "nothing-recorded":
      if (isSilent(now)) return silentMessage(now, graph!, problem, nowMs);
      return message(problem.kind, "warning", problem.title, {
        detail: t`${capital(problem.reason || problem.detail)}.`,
        advice: now.state.travel.mode === "live" ? adviceFor(problem, now) : "",
        remedies: [...nearest(now, problem.beforeMs, problem.afterMs), ...toLive(now)],
        covers: true,
      });
    default:
      return message(problem.kind, "danger", problem.title, { detail: problem.detail, remedies: toLive(now), covers: !graph });
  }
}

/** Where instants are recorded and nothing was ever seen, it is the rules that somebody has to look at. */
function adviceFor({ beforeMs }: Problem, { data }: Snapshot): string {
  return data.axis && beforeMs === null ? t`"vistio-record check" says what each rule answers, and why. ${t(ASKS_AGAIN)}` : t`Is the recorder running? ${t(ASKS_AGAIN)}`;
}

/** The last picture stays: it is true of its instant, and the only one to begin with when something broke. */
function silentMessage({ state, data }: Snapshot, graph: Graph, problem: Problem, nowMs: number): Message {
  const { instantMs } = graph.about;
  const ageMs = serverMs(data, nowMs) - instantMs;
  const since = ageMs < DAY_MS ? formatTime(instantMs, state.zone) : formatMoment(instantMs, state.zone);
  // Its scrapes may come, and none of them be answered.
  const scraping = data.axis !== null && data.axis.lastMs > instantMs;
  return message("silent", "warning", scraping ? t`Nothing seen since ${since}` : t`Recorder silent since ${since}`, {
    detail: problem.reason ? t`The picture is the last one, ${formatDuration(ageMs)} old (${problem.reason}).` : t`The picture is the last one, ${formatDuration(ageMs)} old.`,
    advice: scraping ? t`Does the recorder reach its Prometheus? Its log and its /metrics say why. ${t(ASKS_AGAIN)}` : t`Is the recorder running? Its log and its /metrics say why. ${t(ASKS_AGAIN)}`,
    remedies: [recorded()],
  });
}

function nearest({ state }: Snapshot, beforeMs: number | null, afterMs: number | null): Remedy[] {
  const near: Remedy[] = [];
  if (beforeMs !== null) near.push({ text: t`Last before: ${formatMoment(beforeMs, state.zone)}`, kind: "goto", atMs: beforeMs });
  if (afterMs !== null) near.push({ text: t`First after: ${formatMoment(afterMs, state.zone)}`, kind: "goto", atMs: afterMs });
  return near;
}

/** The picture is older than asked: live because nothing newer came, in the past because of a gap. */
function ageMessage(now: Snapshot, graph: Graph, nowMs: number): Message | null {
  const { instantMs, askedMs, intervalMs } = graph.about;
  const shown = formatMoment(instantMs, now.state.zone);
  if (latenessMs(now, nowMs) !== null) {
    return message("stale", "warning", t("Live, but nothing newer comes"), {
      detail: t`The newest recorded instant is ${shown + because(gapAt(now.data.gaps, serverMs(now.data, nowMs) - intervalMs))}.`,
      advice: t("Is the recorder running, and does it reach its Prometheus? Its log and its /metrics say why."),
      remedies: [recorded()],
    });
  }
  if (now.state.travel.mode === "live" || askedMs - instantMs <= LATE_INTERVALS * intervalMs) return null;
  const gap = gapAt(now.data.gaps, askedMs);
  return message("gap", "warning", t`In a gap: this picture is ${formatDuration(askedMs - instantMs)} older than asked`, {
    detail: t`Nothing was recorded at ${formatMoment(askedMs, now.state.zone) + because(gap)}; the newest instant before it is shown.`,
    remedies: [...nearest(now, instantMs, gap && Date.parse(gap.end)), ...toLive(now)],
  });
}

function gapAt(gaps: readonly Gap[], atMs: number): Gap | null {
  return gaps.find((gap) => Date.parse(gap.start) <= atMs && atMs < Date.parse(gap.end)) ?? null;
}

function because(gap: Gap | null): string {
  return gap?.reason ? ` (${gap.reason})` : "";
}

/** What was entered is not there at this instant. */
function levelMessage(now: Snapshot, graph: Graph): Message | null {
  const { state } = now;
  const [cluster, node] = state.path;
  if (cluster === undefined) return null;
  const level = graph.levels.get(cluster);
  if (!level) {
    const lost = notAnswered(graph.about, cluster);
    const others = [...graph.levels.keys()].filter(Boolean).sort().slice(0, MAX_CLUSTERS);
    return message("no-level", "warning", t`There is no cluster ${visible(cluster)} at this instant`, {
      detail: lost ? t`It was not seen: ${lost} was not answered.` : t("Its rules saw no traffic, or it has another name."),
      remedies: [{ text: t("All clusters"), kind: "open", path: [] }, ...others.map((name): Remedy => ({ text: visible(name), kind: "open", path: [name] })), ...toLive(now)],
      covers: true,
    });
  }
  if (node === undefined || level.nodes.some((each) => each.name === node)) return null;
  const missing = notAnswered(graph.about, cluster);
  return message("no-node", "warning", missing ? t`${labelOf(level, node)} is not seen at this instant` : t`${labelOf(level, node)} is not there at this instant`, {
    detail: missing ? t`It was not seen: ${missing} was not answered.` : t("Nobody was seen to call it, and it called nobody."),
    remedies: [{ text: t`Back to ${visible(cluster)}`, kind: "open", path: [cluster] }, ...toLive(now)],
  });
}

function rulesMessage({ state }: Snapshot, graph: Graph): Message | null {
  const level = levelOf(state);
  const failed = graph.about.failedRules.filter((rule) => level === "" || rule.cluster === level || rule.cluster === "");
  if (!failed.length) return null;
  return message("failed-rules", "warning", counted(failed.length, "One rule was not answered", "{0} rules were not answered"), {
    detail: t("What they measure is not seen at this instant, which is not the same as quiet."),
    advice: t("`vistio-record check` asks each rule and says what is wrong with it."),
    items: failed.map(ruleText),
    remedies: [{ text: t("Configuration of then"), kind: "visit", address: `config?at=${encodeURIComponent(formatInstant(graph.about.instantMs))}` }],
  });
}

function ruleText({ cluster, rule, outcome, error }: FailedRule): string {
  return t`${`${cluster || t("global")} ${rule}`}: ${error || outcome}`;
}

/** Everything is in order, and there is still nothing to see. */
function contentMessage({ state, data: { patterns } }: Snapshot, graph: Graph): Message | null {
  const level = graph.levels.get(levelOf(state));
  if (!level) return null;
  const counts = countsOf(graph, level.name, state.filters, patterns);
  // A mesh may be recorded without anything between its clusters.
  if (counts.edges > 0 || (level.name === "" && [...graph.levels.values()].some((each) => each.edges.some((edge) => !edge.synthetic)))) return null;
  if (counts.hiddenEdges > 0 && state.filters.unhealthyOnly && !hasThresholds(state.filters) && !state.filters.hide) {
    return message("all-well", "quiet", t("Nothing here is unhealthy at this instant"), { detail: t`${counts.hiddenEdges} connections are there, without red errors or a warning.`, remedies: [{ text: t("Show all"), kind: "unfilter" }] });
  }
  if (counts.hiddenEdges > 0) {
    return message("all-hidden", "quiet", t("The filters hide everything"), {
      detail: t`${counts.hiddenEdges} connections are there.`,
      remedies: [{ text: t("Show all"), kind: "unfilter" }],
    });
  }
  const unseen = graph.about.failedRules.some((rule) => rule.cluster === level.name || rule.cluster === "");
  return unseen ? null : message("quiet", "quiet", t("No traffic"), { detail: t("All rules of this level were answered, and none saw a request.") });
}

function unloadedMessage({ data: { unloaded } }: Snapshot): Message | null {
  return unloaded ? message("unloaded", "warning", t("A part of this page could not be loaded"), { detail: t`${capital(unloaded)}.`, advice: t("All else works. Try again; if it stays so, reload the page: the server may have another version by now.") }) : null;
}

function capital(text: string): string {
  return text.replace(/[.]$/, "").replace(/^[a-z]/, (letter) => letter.toUpperCase());
}
