/** What a panel is: a titled part of the side column that shows itself when it has something to say. */

import { h } from "../dom";
import type { Snapshot, View } from "../store";

export abstract class Panel implements View {
  readonly element: HTMLElement;
  protected readonly body = h("div", { class: "panel-body" });
  protected readonly heading = h("h2", {});

  private latest: Snapshot | null = null;

  constructor(name: string, title: string) {
    this.heading.textContent = title;
    this.element = h("section", { class: `panel panel-${name}`, "aria-label": title }, this.heading, this.body);
  }

  render(now: Snapshot): void {
    const shown = this.isShown(now);
    this.element.hidden = !shown;
    if (shown && !(this.latest && sameButTime(this.latest, now))) this.update(now);
    this.latest = shown ? now : null;
  }

  /** Whether there is anything to say at this moment. */
  protected abstract isShown(now: Snapshot): boolean;
  /** Brings `body` up to date. Called only while the panel is shown. */
  protected abstract update(now: Snapshot): void;
}

/** While time plays, most moments bring nothing new; a row that is made anew under the mouse loses its click. */
function sameButTime(one: Snapshot, other: Snapshot): boolean {
  if (one.data !== other.data || one.state.travel.mode !== other.state.travel.mode) return false;
  const names = Object.keys(other.state) as (keyof Snapshot["state"])[];
  return names.every((name) => name === "travel" || one.state[name] === other.state[name]);
}
