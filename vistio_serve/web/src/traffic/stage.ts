/** The place of the picture: a canvas, what draws on it, and the theme that both follow. */

import { h, set } from "../dom";
import { type Display, levelOf } from "../state";
import type { Snapshot } from "../store";
import { readPalette } from "../style/palette";
import { type Pictures, drawnSelection } from "./picture";
import { foundAs, withChanges } from "./scene";
import type { Inspection, TrafficEvents, TrafficView } from "./view";
import { VizceralView } from "./vizceral-view";

const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Stage {
  readonly element = h("div", { class: "stage" });
  private view: (TrafficView & { dispose(): void }) | null = null;
  private look = "";
  private failed = false;

  constructor(
    private readonly events: TrafficEvents,
    private readonly pictures: Pictures,
  ) {}

  /** Draws what changed; true when the colours did. */
  render(now: Snapshot, before: Snapshot | null): boolean {
    const repainted = this.follow(now.state.display);
    const { view } = this;
    if (!view) return repainted;
    const { state, data } = now;
    const fresh = repainted || !before;
    if (fresh || state.display !== before.state.display) {
      view.setMotion(state.display.particles && !state.display.table && !still.matches);
      view.setLabels(state.display.labels);
    }
    const moved = fresh || state.path !== before.state.path;
    const changed = fresh || data.graph !== before.data.graph || data.topology !== before.data.topology || data.diff !== before.data.diff || state.filters !== before.state.filters || state.crowd !== before.state.crowd;
    // A level must be there before it can be entered, and an address may name one before the data come.
    const picture = this.pictures.of(now);
    // A node with a view of its own is taken out of its group.
    if (picture && (changed || moved)) view.show(withChanges(picture.scene, data.diff));
    if (moved || changed) view.open(state.path);
    if (moved || state.selection !== before.state.selection || state.find !== before.state.find || state.crowd !== before.state.crowd || (data.graph && !before.data.graph)) {
      const plan = this.pictures.planOf(now);
      const found = state.find ? foundAs(data.graph?.levels.get(levelOf(state)), state.find, plan.drawnAs) : null;
      view.emphasise(drawnSelection(state.selection, plan), found);
    }
    return repainted;
  }

  inspect(): Inspection | null {
    return this.view?.inspect() ?? null;
  }

  placeOf(node: string): { x: number; y: number } | null {
    return this.view?.placeOf(node) ?? null;
  }

  private follow({ theme: asked, projection }: Display): boolean {
    const theme = asked === "auto" ? (dark.matches ? "dark" : "light") : asked;
    const look = `${theme} ${projection}`;
    if (look === this.look) return false;
    this.look = look;
    set(document.documentElement, "data-theme", theme);
    set(document.documentElement, "data-projection", projection);
    if (this.failed) return true;
    this.mount();
    return true;
  }

  /** What was drawn keeps its colours for ever, so another theme draws on another canvas. */
  private mount(): void {
    this.view?.dispose();
    this.element.querySelector(".traffic")?.remove();
    const canvas = h("canvas", { class: "traffic-canvas", "aria-label": "Traffic graph. Press v for the same as tables.", role: "img" });
    // The component writes notices into a sibling of this class.
    const holder = h("div", { class: "traffic" }, canvas, h("div", { class: "vizceral-notice" }));
    this.element.prepend(holder);
    try {
      this.view = new VizceralView(canvas, this.events);
      this.view.setPalette(readPalette());
    } catch (error) {
      this.failed = true;
      this.view = null;
      holder.replaceChildren(h("div", { class: "no-webgl" }, h("h2", {}, "This browser draws no WebGL"), h("p", {}, `The same is there as tables (press v), and on the `, h("a", { href: "plain" }, "plain page"), `. (${String(error)})`)));
    }
  }
}
