/** What happened in the timeline's window: the first thing that one wants to know, so it stands there without a click. */

import "../style/happened.css";
import { fill, h, set, setText } from "../dom/elements";
import type { Actions, Happened, Snapshot } from "../store/store";
import { happenedHere } from "../store/subject";
import type { Incident } from "../values/answers";
import { goToIncident, seenOf, whenOf, worstFirst } from "../values/happened";
import { visible } from "../values/names";
import { Panel } from "./panel";

// More are read in the lane of the timeline.
const SHOWN = 5;

export class HappenedPanel extends Panel {
  private readonly list = h("ol", { class: "incidents" });
  private readonly note = h("p", { class: "quiet", role: "status" });
  private shown: unknown = null;

  constructor(private readonly actions: Actions) {
    super("happened", "What happened");
    this.body.append(this.list, this.note);
  }

  protected isShown({ state, data }: Snapshot): boolean {
    return data.axis !== null && state.selection === null && state.path.length < 2;
  }

  protected update({ state, data }: Snapshot): void {
    const happened = happenedHere(data.happened, state);
    const inputs = JSON.stringify([happened]);
    if (inputs === this.shown) return;
    this.shown = inputs;
    const found = worstFirst(happened?.found?.incidents ?? []);
    const all = found.map((incident) => this.item(incident, happened!));
    fill(this.list, ...all.slice(0, SHOWN));
    if (all.length > SHOWN) this.list.append(h("li", {}, h("details", {}, h("summary", {}, `${all.length - SHOWN} more`), h("ol", { class: "incidents" }, ...all.slice(SHOWN)))));
    this.list.hidden = found.length === 0;
    setText(this.note, noteOf(happened));
    set(this.note, "data-problem", happened?.problem != null);
  }

  private item(incident: Incident, { window }: Happened): HTMLElement {
    const open = (): void => this.actions.change((state, data) => (data.axis ? goToIncident(state, incident, data.axis, data.topology) : state));
    return h("li", {}, h("button", { type: "button", class: "incident", title: "Go there, and show where it began", onClick: open },
      h("strong", {}, `${whenOf(incident, window)}: `), visible(incident.summary)));
  }
}

/** How far the answer can be trusted, or why there is none. */
export function noteOf(happened: Happened | null): string {
  if (!happened || (!happened.found && !happened.problem)) return "It is being worked out…";
  const { found, problem, window } = happened;
  if (!found) return `It cannot be told: ${problem!.detail || problem!.title}`;
  const nothing = found.incidents.length ? "" : "Nothing left its normal. ";
  return `${nothing}Looked at: ${seenOf(found, window)}.`;
}
