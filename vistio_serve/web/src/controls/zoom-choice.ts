/** How much of the recording the timeline shows: usual lengths, an incident, all of it; and the way back. */

import { h, iconButton, set } from "../dom/elements";
import type { Actions, Data, Snapshot, View } from "../store/store";
import { happenedHere } from "../store/subject";
import { t } from "../texts/say";
import type { Incident } from "../values/answers";
import { zoomToIncident } from "../values/happened";
import { type State, zoom } from "../values/state";
import { LENGTHS_MS, zoomBack, zoomOn, zoomToLength } from "../values/zooms";

export class ZoomChoice implements View {
  readonly element: HTMLElement;
  private readonly lengths: ReadonlyMap<number | null, HTMLButtonElement>;
  private readonly incident: HTMLButtonElement;
  private readonly back: HTMLButtonElement;
  private readonly on: HTMLButtonElement;

  constructor(actions: Actions) {
    const button = (text: string, title: string, step: (state: State, data: Data) => State): HTMLButtonElement =>
      h("button", { type: "button", class: "quiet-button", title, onClick: () => actions.change(step) }, text);
    this.lengths = new Map<number | null, HTMLButtonElement>([
      ...Object.entries(LENGTHS_MS).map(([name, lengthMs]) => [lengthMs, button(name, t`Timeline: the newest ${name}, or these around the moment that is shown`, (state, { axis }) => (axis ? zoomToLength(state, lengthMs, axis) : state))] as const),
      [null, button(t("all"), t("Timeline: the whole recording (0)"), (state) => zoom(state, null))],
    ]);
    this.incident = button(t("incident"), t("Timeline: the incident that is shown, or the worst one"), (state, data) => (data.axis ? zoomToIncident(state, incidentsOf({ state, data }), data.axis) : state));
    this.back = iconButton("undo", t("Timeline: what it showed before ([)"), () => actions.change(zoomBack));
    this.on = iconButton("redo", t("Timeline: on again (])"), () => actions.change(zoomOn));
    this.element = h("div", { class: "zooms", role: "group", "aria-label": t("Timeline") }, this.back, this.on, ...this.lengths.values(), this.incident);
  }

  render(now: Snapshot): void {
    const { window, zooms } = now.state;
    const shownMs = window && window.endMs - window.startMs;
    for (const [lengthMs, each] of this.lengths) set(each, "aria-pressed", lengthMs === shownMs ? "true" : "false");
    // Not "disabled": the focus would be lost with the last step.
    set(this.back, "aria-disabled", zooms.back.length === 0 ? "true" : "false");
    set(this.on, "aria-disabled", zooms.on.length === 0 ? "true" : "false");
    set(this.incident, "aria-disabled", incidentsOf(now).length === 0 ? "true" : "false");
  }
}

function incidentsOf({ state, data }: Snapshot): readonly Incident[] {
  return happenedHere(data.happened, state)?.found?.incidents ?? [];
}
