/** The place of the picture: a canvas, what draws on it, and the theme that both follow. */

import { h, set } from "../dom/elements";
import { readPalette } from "../dom/palette";
import { type Pictures, drawnSelection, sceneWithChanges } from "../picture/picture";
import { foundAs } from "../picture/scene";
import { isSilent } from "../store/lateness";
import type { Snapshot } from "../store/store";
import { measuredElsewhen } from "../values/measures";
import { type Display, levelOf } from "../values/state";
import { EdgeTexts, type Source } from "./edge-text";
import type { Inspection, TrafficEvents, TrafficView } from "./view";
import { VizceralView } from "./vizceral-view";

const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Stage {
  readonly element = h("div", { class: "stage" });
  private view: (TrafficView & { dispose(): void }) | null = null;
  private look = "";
  private failed = false;
  private palette = readPalette();
  private now: Snapshot | null = null;
  private readonly edgeTexts = new EdgeTexts(() => this.textSource());

  constructor(
    private readonly events: TrafficEvents,
    private readonly pictures: Pictures,
  ) {}

  /** Draws what changed; true when the colours did. */
  render(now: Snapshot, before: Snapshot | null): boolean {
    this.now = now;
    const repainted = this.follow(now.state.display);
    const { view } = this;
    if (!view) return repainted;
    const { state, data } = now;
    const fresh = repainted || !before;
    const silent = isSilent(now);
    set(this.element, "data-silent", silent);
    if (fresh || state.display !== before.state.display || silent !== isSilent(before)) {
      // What moves would look like traffic of now.
      view.setMotion(state.display.particles && !state.display.table && !still.matches && !silent);
      view.setLabels(state.display.labels);
    }
    const moved = fresh || state.path !== before.state.path;
    const changed = fresh || data.graph !== before.data.graph || data.topology !== before.data.topology || data.diff !== before.data.diff || state.filters !== before.state.filters || state.crowd !== before.state.crowd;
    // A level must be there before it can be entered, and an address may name one before the data come.
    const picture = this.pictures.of(now);
    // A node with a view of its own is taken out of its group.
    if (picture && (changed || moved)) view.show(sceneWithChanges(picture, data));
    if (moved || changed) view.open(state.path);
    if (moved || state.selection !== before.state.selection || state.find !== before.state.find || state.crowd !== before.state.crowd || (data.graph && !before.data.graph)) {
      const plan = this.pictures.planOf(now);
      const found = state.find ? foundAs(data.graph?.levels.get(levelOf(state)), state.find, plan.drawnAs) : null;
      view.emphasise(drawnSelection(state.selection, plan), found);
    }
    this.edgeTexts.draw();
    return repainted;
  }

  /** What is written at connections; for tests. */
  texts(): readonly string[] {
    return this.edgeTexts.texts();
  }

  /** Puts nodes that were dragged back to their places. */
  layOutAgain(): void {
    this.view?.layOutAgain();
  }

  /** What is shown, with a line of text under it. */
  async toPng(caption: string): Promise<Blob | null> {
    const drawn = this.view?.draw();
    if (!drawn) return null;
    const made = document.createElement("canvas");
    const line = Math.round(28 * devicePixelRatio);
    [made.width, made.height] = [drawn.width, drawn.height + line];
    const context = made.getContext("2d");
    if (!context) return null;
    context.fillStyle = this.palette.ground;
    context.fillRect(0, 0, made.width, made.height);
    context.drawImage(drawn, 0, 0);
    if (this.edgeTexts.texts().length) context.drawImage(this.edgeTexts.canvas, 0, 0, drawn.width, drawn.height);
    Object.assign(context, { fillStyle: this.palette.text, font: `${Math.round(line * 0.45)}px system-ui, sans-serif`, textBaseline: "middle" });
    context.fillText(caption, line / 2, drawn.height + line / 2);
    return new Promise((resolve) => made.toBlob(resolve, "image/png"));
  }

  private textSource(): Source | null {
    const { now, view } = this;
    if (!now || !view) return null;
    const { zooming } = view.inspect();
    // While levels change, nodes are not where they will be.
    const kind = zooming || now.state.display.table ? "none" : now.state.edgeText;
    if (kind === "none") return { edges: [], kind, elsewhen: false, palette: this.palette, placeOf: () => null };
    const level = this.pictures.of(now)?.scene.levels.get(levelOf(now.state));
    const focus = now.state.path[1];
    const edges = (level?.edges ?? []).filter((edge) => focus === undefined || edge.source === focus || edge.target === focus);
    return { edges, kind, elsewhen: now.data.graph !== null && measuredElsewhen(now.data.graph), palette: this.palette, placeOf: (node) => view.placeOf(node) };
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
    const holder = h("div", { class: "traffic" }, canvas, this.edgeTexts.canvas, h("div", { class: "vizceral-notice" }));
    this.element.prepend(holder);
    try {
      this.view = new VizceralView(canvas, this.events);
      this.palette = readPalette();
      this.view.setPalette(this.palette);
    } catch (error) {
      this.failed = true;
      this.view = null;
      holder.replaceChildren(h("div", { class: "no-webgl" }, h("h2", {}, "This browser draws no WebGL"), h("p", {}, `The same is there as tables (press v), and on the `, h("a", { href: "plain" }, "plain page"), `. (${String(error)})`)));
    }
  }
}
