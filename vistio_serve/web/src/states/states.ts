/**
 * When the picture is not what was asked for, the page says why, and what can be done.
 *
 * `messageOf` decides (pure); `StatesView` shows it: as a cover where there is no picture, else as a
 * band above it.
 */

import { h } from "../dom";
import { formatDuration, formatInstant } from "../format";
import { levelOf, openPath } from "../state";
import type { Actions, Snapshot, View } from "../store";
import { goLive, goTo } from "../travel";

export interface Remedy {
  readonly text: string;
  readonly kind: "goto" | "live" | "up";
  readonly atMs?: number;
}

export interface Message {
  readonly kind: string;
  readonly tone: "quiet" | "warning" | "danger";
  readonly title: string;
  readonly detail: string;
  readonly remedies: readonly Remedy[];
  /** No picture is shown under it. */
  readonly covers: boolean;
}

const LATE_INTERVALS = 3;

/** What must be said now; null when the picture is what was asked for. */
export function messageOf({ state, data }: Snapshot): Message | null {
  const { problem, graph } = data;
  const live: Remedy[] = state.travel.mode === "live" ? [] : [{ text: "Return to live", kind: "live" }];
  if (problem?.kind === "unreachable") {
    return { kind: "unreachable", tone: "danger", title: problem.title, detail: graph ? "The picture is the last one that it gave. This page goes on asking." : `This page goes on asking. (${problem.detail})`, remedies: [], covers: !graph };
  }
  if (problem?.kind === "no-recording") {
    return { kind: "no-recording", tone: "quiet", title: problem.title, detail: `${problem.detail} This page goes on asking.`, remedies: [], covers: true };
  }
  if (problem?.kind === "nothing-recorded") {
    const near: Remedy[] = [];
    if (problem.beforeMs !== null) near.push({ text: `Last before: ${formatInstant(problem.beforeMs)}`, kind: "goto", atMs: problem.beforeMs });
    if (problem.afterMs !== null) near.push({ text: `First after: ${formatInstant(problem.afterMs)}`, kind: "goto", atMs: problem.afterMs });
    return { kind: "nothing-recorded", tone: "warning", title: problem.title, detail: problem.reason || problem.detail, remedies: [...near, ...live], covers: true };
  }
  if (problem) return { kind: problem.kind, tone: "danger", title: problem.title, detail: problem.detail, remedies: live, covers: !graph };
  if (!graph) return { kind: "loading", tone: "quiet", title: "Asking the server", detail: "", remedies: [], covers: true };
  if (state.path.length && !graph.levels.has(levelOf(state))) {
    return { kind: "no-level", tone: "warning", title: `There is no cluster ${levelOf(state)} at this instant`, detail: "Its rules saw no traffic, or it has another name.", remedies: [{ text: "Show all clusters", kind: "up" }, ...live], covers: true };
  }
  const { failedRules, askedMs, instantMs, intervalMs } = graph.about;
  const here = failedRules.filter((rule) => levelOf(state) === "" || rule.cluster === levelOf(state) || rule.cluster === "");
  if (here.length) {
    const rules = here.slice(0, 3).map((rule) => `${rule.cluster || "global"} ${rule.rule}: ${rule.error || rule.outcome}`).join("; ");
    const more = here.length > 3 ? `; and ${here.length - 3} more` : "";
    return { kind: "failed-rules", tone: "warning", title: here.length === 1 ? "One rule was not answered" : `${here.length} rules were not answered`, detail: `Their part of the graph is not seen, which is not the same as quiet. ${rules}${more}`, remedies: [], covers: false };
  }
  if (state.travel.mode !== "live" && askedMs - instantMs > LATE_INTERVALS * intervalMs) {
    return { kind: "gap", tone: "warning", title: `This instant is ${formatDuration(askedMs - instantMs)} older than asked`, detail: "There is a gap between; the newest instant before it is shown.", remedies: live, covers: false };
  }
  return null;
}

export class StatesView implements View {
  readonly element = h("div", { class: "states", role: "alert", hidden: true });
  private shown = "";

  constructor(private readonly actions: Actions) {}

  render(now: Snapshot): void {
    const message = messageOf(now);
    const key = JSON.stringify(message);
    if (key === this.shown) return;
    this.shown = key;
    this.element.hidden = !message;
    if (!message) return;
    this.element.className = `states ${message.covers ? "cover" : "band"} tone-${message.tone}`;
    this.element.dataset["kind"] = message.kind;
    this.element.replaceChildren(
      h("h2", {}, message.title),
      h("p", {}, message.detail),
      h("div", { class: "remedies" }, ...message.remedies.map((remedy) => h("button", { type: "button", class: "button", onClick: () => this.run(remedy) }, remedy.text))));
  }

  private run(remedy: Remedy): void {
    this.actions.change((state, { axis }) => {
      if (remedy.kind === "live") return goLive(state);
      if (remedy.kind === "up") return openPath(state, []);
      return axis && remedy.atMs !== undefined ? goTo(state, remedy.atMs, axis) : state;
    });
  }
}
