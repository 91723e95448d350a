/** Lanes over the chart, on its axis of time: what happened. */

import { fill, h, setText } from "../dom/elements";
import type { Actions, Happened, Snapshot } from "../store/store";
import { happenedHere } from "../store/subject";
import type { Incident } from "../values/answers";
import { goToIncident, whenOf } from "../values/happened";
import { visible } from "../values/names";
import type { Window } from "../values/state";

export class Lanes {
  readonly element: HTMLElement;
  private readonly incidents = h("div", { class: "lane-line" });
  private shown = "";

  constructor(private readonly actions: Actions) {
    this.element = h("div", { class: "timeline-lanes" }, lane("incidents", this.incidents));
  }

  render({ state, data }: Snapshot, extent: Window): void {
    const happened = happenedHere(data.happened, state);
    const inputs = JSON.stringify([happened, extent]);
    if (inputs === this.shown) return;
    this.shown = inputs;
    if (happened?.found?.incidents.length) fill(this.incidents, ...happened.found.incidents.map((incident) => this.incident(incident, happened, extent)));
    else setText(this.incidents, happened?.found ? "none" : happened?.problem ? "not known" : "…");
  }

  /** Where the plot is, in CSS pixels from the left edge: lanes have the same axis. */
  place(leftPx: number, widthPx: number): void {
    this.element.style.setProperty("--plot-left", `${leftPx}px`);
    this.element.style.setProperty("--plot-width", `${widthPx}px`);
  }

  private incident(incident: Incident, { window }: Happened, extent: Window): HTMLElement {
    const open = (): void => this.actions.change((state, data) => (data.axis ? goToIncident(state, incident, data.axis, data.topology) : state));
    const [left, width] = placeOf(Date.parse(incident.start), incident.end === null ? window.endMs : Date.parse(incident.end), extent);
    const made = h("button", { type: "button", class: "lane-incident", title: `${whenOf(incident, window)}: ${visible(incident.summary)}`, onClick: open }, visible(incident.first.node));
    // Not an attribute, which the policy of the page forbids.
    Object.assign(made.style, { left: `${left}%`, width: `${width}%` });
    return made;
  }
}

function lane(name: string, line: HTMLElement): HTMLElement {
  return h("div", { class: "lane" }, h("span", { class: "lane-name", title: name }, name), line);
}

/** Left edge and width in percent of the axis, cut to it. */
export function placeOf(startMs: number, endMs: number, extent: Window): readonly [left: number, width: number] {
  const share = (ms: number): number => (100 * (Math.min(Math.max(ms, extent.startMs), extent.endMs) - extent.startMs)) / (extent.endMs - extent.startMs);
  return [share(startMs), share(endMs) - share(startMs)];
}
