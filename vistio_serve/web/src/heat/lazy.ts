/** The place of the heat map: what draws it is loaded when it is first opened. */

import "../style/heat.css";
import { fill, h } from "../dom/elements";
import type { Actions, Snapshot, View } from "../store/store";
import { t } from "../texts/say";

export class LazyHeat implements View {
  readonly element = h("div", { class: "heat-place", hidden: true });
  private loading = false;
  private view: View | null = null;
  private now: Snapshot | null = null;

  constructor(private readonly actions: Actions) {}

  render(now: Snapshot): void {
    this.now = now;
    this.element.hidden = now.state.heat === null;
    if (!this.element.hidden && !this.loading) void this.load();
    this.view?.render(now);
  }

  private async load(): Promise<void> {
    this.loading = true;
    try {
      const { HeatView } = await import("./heat-view");
      this.view = new HeatView(this.actions);
      fill(this.element, this.view.element);
      if (this.now) this.view.render(this.now);
    } catch {
      // A server that was upgraded has other files.
      this.loading = false;
      fill(this.element, h("p", { class: "heat", role: "alert" }, t("The heat map could not be loaded. Reload the page; Esc closes this.")));
    }
  }
}
