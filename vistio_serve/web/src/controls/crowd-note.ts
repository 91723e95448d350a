/** What of a crowded level is not drawn by itself: said on the picture, with the way to see it. */

import { h, setText } from "../dom/elements";
import { type Plan, type Told, toldOf } from "../picture/groups";
import { WAYS } from "../picture/naming";
import { refusalOf } from "../picture/nodes";
import type { Pictures } from "../picture/picture";
import { countsOf } from "../picture/scene";
import type { Actions, Snapshot, View } from "../store/store";
import { counted, t } from "../texts/say";
import { NO_CROWD, OTHERS } from "../values/crowd";
import { formatRate, formatShare } from "../values/format";
import { setCrowd } from "../values/opening";
import { isFiltered, levelOf } from "../values/state";

export class CrowdNoteView implements View {
  readonly element: HTMLElement;
  private readonly text = h("p", { role: "status" });
  private readonly close: HTMLButtonElement;
  private readonly other: HTMLButtonElement;
  private readonly lines: HTMLButtonElement;

  constructor(actions: Actions, private readonly pictures: Pictures) {
    this.close = h("button", { type: "button", class: "quiet-button", onClick: () => actions.change((state) => setCrowd(state, { open: [] })) }, t("Close all groups"));
    this.other = h("button", { type: "button", class: "quiet-button", onClick: () => actions.change((state) => setCrowd(state, { show: this.other.dataset["to"] === "top" ? "top" : NO_CROWD.show })) });
    this.lines = h("button", { type: "button", class: "quiet-button", onClick: () => actions.change((state) => setCrowd(state, { allLines: !state.crowd.allLines })) });
    this.element = h("div", { class: "crowd-note" }, this.text, this.close, this.other, this.lines);
  }

  render(now: Snapshot): void {
    const { state, data } = now;
    const level = this.pictures.of(now)?.near.get(levelOf(state)) ?? data.graph?.levels.get(levelOf(state));
    const plan = this.pictures.planOf(now);
    const hidden = data.graph && isFiltered(state.filters) ? countsOf(data.graph, levelOf(state), state.filters, data.patterns) : null;
    const grouped = plan.mode !== "all";
    const lines = this.pictures.linesOf(now);
    this.element.hidden = !level || (!grouped && !hidden && !lines && !state.crowd.allLines);
    this.lines.hidden = !lines && !state.crowd.allLines;
    setText(this.lines, state.crowd.allLines ? t("Main connections only") : t`All connections (${lines?.left ?? 0} more)`);
    if (!level || this.element.hidden) return;
    const parts = grouped ? [noteOf(toldOf(level, plan), plan, state.crowd.rank)] : [];
    if (lines) parts.push(t`${counted(lines.left, "{0} connection", "{0} connections")} with little traffic (${formatShare(lines.leftRate, lines.rate)} of what is between) not drawn; what you select has all of its own.`);
    const refusal = refusalOf(state.filters.hide, data.patterns);
    if (refusal) parts.push(t`What to hide cannot be understood: ${refusal}.`);
    if (hidden && (hidden.hiddenNodes || hidden.hiddenEdges || !refusal)) parts.push(t`Filters hide ${counted(hidden.hiddenNodes, "{0} node", "{0} nodes")} and ${counted(hidden.hiddenEdges, "{0} connection", "{0} connections")}.`);
    setText(this.text, parts.join(" "));
    this.text.title = parts.join(" ");
    this.close.hidden = ![...plan.groups.values()].some((group) => group.open);
    this.other.hidden = !grouped;
    this.other.dataset["to"] = plan.mode === "groups" ? "top" : "auto";
    setText(this.other, plan.mode === "groups" ? t`Show the first ${state.crowd.top}` : t("Show groups"));
    // Without groups that help there is nothing to return to.
    if (plan.mode === "top" && state.crowd.show === "auto") this.other.hidden = true;
  }
}

/** One or two sentences: how much is drawn as what, and which share of the traffic is not drawn. */
export function noteOf(told: Told, plan: Plan, rank: "traffic" | "errors"): string {
  if (plan.mode === "top") {
    const others = [...plan.groups.values()].find((group) => group.name === OTHERS);
    if (!others) return t`All ${told.nodes} nodes.`;
    const by = t(rank === "errors" ? "errors" : "requests");
    return t`The first ${told.nodes - told.grouped} of ${told.nodes} nodes by ${by}. The ${told.grouped} others are one node; ${formatShare(told.groupedRate, told.rate)} of all requests go there (${formatRate(told.groupedRate)} /s).`;
  }
  const way = t(WAYS[plan.by]?.short ?? "pattern");
  return t`${told.nodes} nodes, ${told.grouped} of them in ${counted(told.closed, "{0} group", "{0} groups")} by ${way}. ${formatShare(told.insideRate, told.rate)} of all requests stay inside of groups (${formatRate(told.insideRate)} /s).`;
}
