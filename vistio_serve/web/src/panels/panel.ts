/** What a panel is: a titled part of the side column that shows itself when it has something to say. */

import { h, keepingFocus } from "../dom/elements";
import type { Snapshot, View } from "../store/store";

/** What changes with each instant that is shown. */
const MOVING = ["graph", "topology", "axis", "diff"] as const;
const READABLE_MS = 400;

export abstract class Panel implements View {
  readonly element: HTMLElement;
  protected readonly body = h("div", { class: "panel-body" });
  protected readonly heading = h("h2", {});

  /** What `body` tells of. */
  private latest: Snapshot | null = null;
  private updatedAt = -Infinity;
  private waiting: Snapshot | null = null;
  private timer = 0;

  constructor(name: string, title: string) {
    this.heading.textContent = title;
    this.element = h("section", { class: `panel panel-${name}`, "aria-label": title }, this.heading, this.body);
  }

  render(now: Snapshot): void {
    const shown = this.isShown(now);
    this.element.hidden = !shown;
    this.waiting = null;
    if (!shown) this.latest = null;
    else if (!this.latest) this.bring(now);
    else if (!sameBut(this.latest, now, [])) this.putOffOrBring(now, this.latest);
  }

  /** While time moves quickly the picture comes first: tables follow as fast as they can be read. */
  private putOffOrBring(now: Snapshot, latest: Snapshot): void {
    const leftMs = this.updatedAt + READABLE_MS - performance.now();
    if (leftMs <= 0 || !sameBut(latest, now, MOVING)) return this.bring(now);
    this.waiting = now;
    this.timer ||= window.setTimeout(() => {
      this.timer = 0;
      if (this.waiting) this.bring(this.waiting);
    }, leftMs);
  }

  private bring(now: Snapshot): void {
    this.waiting = null;
    this.latest = now;
    this.updatedAt = performance.now();
    keepingFocus(this.element, () => this.update(now));
  }

  /** Whether there is anything to say at this moment. */
  protected abstract isShown(now: Snapshot): boolean;
  /** Brings `body` up to date. Called only while the panel is shown. */
  protected abstract update(now: Snapshot): void;
}

/** Whether two snapshots tell a panel the same, but for the moment of time and some of the data. */
function sameBut(one: Snapshot, other: Snapshot, data: readonly (keyof Snapshot["data"])[]): boolean {
  if (one.state.travel.mode !== other.state.travel.mode) return false;
  const states = Object.keys(other.state) as (keyof Snapshot["state"])[];
  const parts = Object.keys(other.data) as (keyof Snapshot["data"])[];
  return (
    states.every((name) => name === "travel" || one.state[name] === other.state[name]) &&
    parts.every((name) => data.includes(name) || one.data[name] === other.data[name])
  );
}
