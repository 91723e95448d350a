/** What of a crowded level is not drawn by itself: said on the picture, with the way to see it. */

import { h, setText } from "../dom/elements";
import { type Plan, type Told, toldOf } from "../picture/groups";
import { WAYS } from "../picture/naming";
import type { Pictures } from "../picture/picture";
import { countsOf } from "../picture/scene";
import type { Actions, Snapshot, View } from "../store/store";
import { NO_CROWD, OTHERS } from "../values/crowd";
import { formatRate, formatShare } from "../values/format";
import { setCrowd } from "../values/opening";
import { isFiltered, levelOf } from "../values/state";

export class CrowdNoteView implements View {
  readonly element: HTMLElement;
  private readonly text = h("p", { role: "status" });
  private readonly close: HTMLButtonElement;
  private readonly other: HTMLButtonElement;

  constructor(actions: Actions, private readonly pictures: Pictures) {
    this.close = h("button", { type: "button", class: "quiet-button", onClick: () => actions.change((state) => setCrowd(state, { open: [] })) }, "Close all groups");
    this.other = h("button", { type: "button", class: "quiet-button", onClick: () => actions.change((state) => setCrowd(state, { show: this.other.dataset["to"] === "top" ? "top" : NO_CROWD.show })) });
    this.element = h("div", { class: "crowd-note" }, this.text, this.close, this.other);
  }

  render(now: Snapshot): void {
    const { state, data } = now;
    const level = data.graph?.levels.get(levelOf(state));
    const plan = this.pictures.planOf(now);
    const hidden = data.graph && isFiltered(state.filters) ? countsOf(data.graph, levelOf(state), state.filters) : null;
    const grouped = plan.mode !== "all";
    this.element.hidden = !level || (!grouped && !hidden);
    if (!level || this.element.hidden) return;
    const parts = grouped ? [noteOf(toldOf(level, plan), plan, state.crowd.rank)] : [];
    if (hidden) parts.push(`Filters hide ${count(hidden.hiddenNodes, "node")} and ${count(hidden.hiddenEdges, "connection")}.`);
    setText(this.text, parts.join(" "));
    this.text.title = parts.join(" ");
    this.close.hidden = ![...plan.groups.values()].some((group) => group.open);
    this.other.hidden = !grouped;
    this.other.dataset["to"] = plan.mode === "groups" ? "top" : "auto";
    setText(this.other, plan.mode === "groups" ? `Show the first ${state.crowd.top}` : "Show groups");
    // Without groups that help there is nothing to return to.
    if (plan.mode === "top" && state.crowd.show === "auto") this.other.hidden = true;
  }
}

/** One or two sentences: how much is drawn as what, and which share of the traffic is not drawn. */
export function noteOf(told: Told, plan: Plan, rank: "traffic" | "errors"): string {
  if (plan.mode === "top") {
    const others = [...plan.groups.values()].find((group) => group.name === OTHERS);
    if (!others) return `All ${told.nodes} nodes.`;
    const by = rank === "errors" ? "errors" : "requests";
    return `The first ${told.nodes - told.grouped} of ${told.nodes} nodes by ${by}. The ${told.grouped} others are one node; ${formatShare(told.groupedRate, told.rate)} of all requests go there (${formatRate(told.groupedRate)} /s).`;
  }
  const way = WAYS[plan.by] ? plan.by : "pattern";
  return `${told.nodes} nodes, ${told.grouped} of them in ${count(told.closed, "group")} by ${way}. ${formatShare(told.insideRate, told.rate)} of all requests stay inside of groups (${formatRate(told.insideRate)} /s).`;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
