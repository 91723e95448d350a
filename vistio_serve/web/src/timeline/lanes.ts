/** Lanes over the chart, on its axis of time: what happened, and on the global level what each cluster has of notices. */

import { fill, h, setText } from "../dom/elements";
import type { Actions, Happened, Snapshot } from "../store/store";
import { belowHere, happenedHere } from "../store/subject";
import { t } from "../texts/say";
import type { Incident, Timeline } from "../values/answers";
import { goToIncident, lastedOf, whenOf } from "../values/happened";
import { labelOf } from "../values/model";
import { visible } from "../values/names";
import { type Mark, noticeMarks } from "../values/series";
import { type Window, openPath } from "../values/state";
import { goTo, onGrid } from "../values/travel";
import type { Zone } from "../values/zones";

// More would leave no room for the picture.
const MOST_CLUSTERS = 6;

interface ClusterLane {
  readonly level: string;
  readonly marks: readonly Mark[];
}

export class Lanes {
  readonly element: HTMLElement;
  private readonly incidents = h("div", { class: "lane-line" });
  private readonly clusters = h("div", { class: "lane-clusters" });
  private extent: Window = { startMs: 0, endMs: 1 };
  private shown: readonly unknown[] = [];

  /** @param read says what was at the moment at which the mouse points; null when it points nowhere. */
  constructor(private readonly actions: Actions, private readonly read: (ms: number | null) => void) {
    this.element = h("div", { class: "timeline-lanes" }, h("div", { class: "lane" }, h("span", { class: "lane-name" }, t("incidents")), this.incidents), this.clusters);
  }

  render({ state, data }: Snapshot, extent: Window): void {
    const [happened, below] = [happenedHere(data.happened, state), belowHere(data.below, state)];
    const inputs = [happened, below, state.zone, extent.startMs, extent.endMs];
    if (inputs.every((each, index) => each === this.shown[index])) return;
    [this.shown, this.extent] = [inputs, extent];
    if (happened?.found?.incidents.length) fill(this.incidents, ...happened.found.incidents.map((incident) => this.incident(incident, happened, state.zone)));
    else setText(this.incidents, happened?.found ? t("none") : happened?.problem ? t("not known") : "…");
    const lanes = clusterLanes(below?.timelines ?? new Map());
    const names = data.graph?.levels.get("");
    fill(this.clusters, ...lanes.slice(0, MOST_CLUSTERS).map((lane) => this.cluster(lane, labelOf(names, lane.level))),
      lanes.length > MOST_CLUSTERS && h("p", { class: "lane-more" }, t`notices in ${lanes.length - MOST_CLUSTERS} more clusters`));
  }

  /** Where the plot is, in CSS pixels from the left edge: lanes have the same axis. */
  place(leftPx: number, widthPx: number): void {
    this.element.style.setProperty("--plot-left", `${leftPx}px`);
    this.element.style.setProperty("--plot-width", `${widthPx}px`);
  }

  private incident(incident: Incident, { window }: Happened, zone: Zone): HTMLElement {
    const open = (): void => this.actions.change((state, data) => (data.axis ? goToIncident(state, incident, data.axis, data.topology) : state));
    const title = t`${whenOf(incident, window, zone)}: ${visible(incident.summary)}`;
    const made = h("button", { type: "button", class: "lane-incident", title, onClick: open }, visible(incident.first.node));
    const { startMs, endMs } = lastedOf(incident, window.endMs);
    return this.at(made, startMs, endMs);
  }

  private cluster({ level, marks }: ClusterLane, name: string): HTMLElement {
    const enter = (): void => this.actions.change((state) => openPath(state, [level]));
    const line = h("div", { class: "lane-line lane-notices" }, ...marks.map((mark) => this.at(h("span", { class: `lane-mark ${mark.kind}` }), mark.startMs, mark.endMs)));
    const pointed = (event: Event): number => {
      const { left, width } = line.getBoundingClientRect();
      return this.extent.startMs + (((event as MouseEvent).clientX - left) / width) * (this.extent.endMs - this.extent.startMs);
    };
    line.addEventListener("mousemove", (event) => this.read(pointed(event)));
    line.addEventListener("mouseleave", () => this.read(null));
    line.addEventListener("click", (event) => this.actions.change((state, { axis }) => (axis ? goTo(openPath(state, [level]), onGrid(pointed(event), axis), axis) : state)));
    return h("div", { class: "lane" }, h("button", { type: "button", class: "lane-name", title: t`Notices in ${name}: enter it`, onClick: enter }, name), line);
  }

  private at(made: HTMLElement, startMs: number, endMs: number): HTMLElement {
    const [left, width] = placeOf(startMs, endMs, this.extent);
    // Not an attribute, which the policy of the page forbids.
    Object.assign(made.style, { left: `${left}%`, width: `${width}%` });
    return made;
  }
}

/** The clusters that have notices, in the order in which they had the first ones. */
export function clusterLanes(timelines: ReadonlyMap<string, Timeline>): ClusterLane[] {
  const lanes = [...timelines].map(([level, timeline]): ClusterLane => ({ level, marks: noticeMarks(timeline) })).filter(({ marks }) => marks.length > 0);
  return lanes.sort((one, other) => one.marks[0]!.startMs - other.marks[0]!.startMs || one.level.localeCompare(other.level));
}

/** Left edge and width in percent of the axis, cut to it. */
export function placeOf(startMs: number, endMs: number, extent: Window): readonly [left: number, width: number] {
  const share = (ms: number): number => (100 * (Math.min(Math.max(ms, extent.startMs), extent.endMs) - extent.startMs)) / (extent.endMs - extent.startMs);
  return [share(startMs), share(endMs) - share(startMs)];
}
