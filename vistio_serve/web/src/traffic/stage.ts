/** The place of the picture: a canvas, what draws on it, and the theme that both follow. */

import { h, set } from "../dom/elements";
import { readPalette } from "../dom/palette";
import { refusalOf } from "../picture/nodes";
import { type Pictures, drawnSelection, sceneWithChanges } from "../picture/picture";
import { foundAs } from "../picture/scene";
import { isSilent } from "../store/lateness";
import type { Snapshot } from "../store/store";
import { language, t } from "../texts/say";
import { measuredElsewhen } from "../values/measures";
import { type Display, levelOf } from "../values/state";
import { EdgeTexts, type Source } from "./edge-text";
import { STEP_ZOOM, WHOLE, zoomed } from "./lens";
import { Minimap } from "./minimap";
import type { Inspection, TrafficEvents, TrafficView } from "./view";
import { VizceralView } from "./vizceral-view";

const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

// From so many on the picture takes longer to be made than somebody would wait for an answer to his key.
const MANY = 300;

/** Whether particles move: not below what lies over the picture, nor where what moves would look like traffic of now. */
function moves(now: Snapshot): boolean {
  const { display, heat } = now.state;
  return display.particles && !display.table && heat === null && !still.matches && !isSilent(now);
}

export class Stage {
  readonly element = h("div", { class: "stage" });
  private view: (TrafficView & { dispose(): void }) | null = null;
  private look = "";
  private failed = false;
  private palette = readPalette();
  private moving: boolean | null = null;
  private now: Snapshot | null = null;
  /** What the picture still shows, while what is to be shown waits for the page to be painted. */
  private shown: Snapshot | null = null;
  private readonly minimap = new Minimap(() => this.view);
  private readonly edgeTexts = new EdgeTexts(() => this.textSource());

  constructor(
    private readonly events: Omit<TrafficEvents, "looked">,
    private readonly pictures: Pictures,
  ) {
    this.element.append(this.minimap.element);
  }

  /** Calls back when the system has other colours, or asks for less motion. */
  static listen(changed: () => void): void {
    for (const query of [dark, still]) query.addEventListener("change", changed);
  }

  /** Draws what changed; true when the colours did. The picture of a large level follows when all else has been painted. */
  render(now: Snapshot, before: Snapshot | null): boolean {
    this.now = now;
    const repainted = this.follow(now.state.display);
    const since = this.shown ?? before;
    if (!repainted && since && (now.data.graph?.levels.get(levelOf(now.state))?.nodes.length ?? 0) >= MANY) {
      if (!this.shown) requestAnimationFrame(() => setTimeout(() => this.catchUp()));
      this.shown = since;
    } else {
      this.shown = null;
      this.draw(now, since, repainted);
    }
    return repainted;
  }

  private catchUp(): void {
    const { now, shown } = this;
    this.shown = null;
    if (now && shown) this.draw(now, shown, false);
  }

  private draw(now: Snapshot, before: Snapshot | null, repainted: boolean): void {
    const { view } = this;
    if (!view) return;
    const { state, data } = now;
    const fresh = repainted || !before;
    const silent = isSilent(now);
    set(this.element, "data-silent", silent);
    const moving = moves(now);
    if (fresh || moving !== this.moving) view.setMotion(moving);
    this.moving = moving;
    if (fresh || state.display !== before.state.display) view.setLabels(state.display.labels);
    const moved = fresh || state.path !== before.state.path;
    const changed = fresh || data.graph !== before.data.graph || data.topology !== before.data.topology || data.diff !== before.data.diff || data.patterns !== before.data.patterns || state.filters !== before.state.filters || state.crowd !== before.state.crowd;
    // What is selected may have connections that were not drawn.
    const selected = before !== null && state.selection !== before.state.selection && this.pictures.linesOf(now) !== null;
    // A level must be there before it can be entered, and an address may name one before the data come.
    const picture = this.pictures.of(now);
    // A node with a view of its own is taken out of its group.
    if (picture && (changed || moved || selected)) view.show(sceneWithChanges(picture, data));
    if (fresh || state.places !== before.state.places) view.keep(state.places);
    if (moved || changed) view.open(state.path);
    if (moved || state.selection !== before.state.selection || state.find !== before.state.find || state.crowd !== before.state.crowd || (changed && state.find) || (data.graph && !before.data.graph)) {
      const plan = this.pictures.planOf(now);
      // What is not understood means nobody, and must not dim everybody.
      const found = state.find && !refusalOf(state.find, data.patterns) ? foundAs(data.graph?.levels.get(levelOf(state)), state.find, plan.drawnAs, data.patterns) : null;
      view.emphasise(drawnSelection(state.selection, plan), found);
    }
    this.edgeTexts.draw();
    this.minimap.draw(view.places(), this.palette);
  }

  /** What is written at connections; for tests. */
  texts(): readonly string[] {
    return this.edgeTexts.texts();
  }

  /** Larger by one step (1), smaller (-1), or the whole (0). */
  zoom(steps: 1 | -1 | 0): void {
    const { view } = this;
    view?.look(steps === 0 ? WHOLE : zoomed(view.lens, STEP_ZOOM ** steps, view.lens, view.whole));
  }

  /** Another part is seen, of which words and map tell. */
  private looked(): void {
    if (!this.view) return;
    this.edgeTexts.draw();
    this.minimap.draw(this.view.places(), this.palette);
  }

  /** What is shown, with `scale` times as many pixels each way; null where nothing is. */
  drawn(scale: number): HTMLCanvasElement | null {
    this.catchUp();
    const picture = this.view?.draw(scale) ?? null;
    const context = picture?.getContext("2d");
    context?.scale(scale * devicePixelRatio, scale * devicePixelRatio);
    if (context) this.edgeTexts.paint(context, this.palette);
    return picture;
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
    const canvas = h("canvas", { class: "traffic-canvas", "aria-label": t("Traffic graph. Press v for the same as tables. Plus and minus zoom, arrows move what is zoomed, 0 shows the whole."), role: "img", tabindex: 0 });
    // The component writes notices into a sibling of this class.
    const holder = h("div", { class: "traffic" }, canvas, this.edgeTexts.canvas, h("div", { class: "vizceral-notice" }));
    this.element.prepend(holder);
    try {
      this.view = new VizceralView(canvas, { ...this.events, looked: () => this.looked() });
      this.palette = readPalette();
      this.view.setPalette(this.palette);
    } catch (error) {
      this.failed = true;
      this.view = null;
      holder.replaceChildren(h("div", { class: "no-webgl" }, h("h2", {}, t("This browser draws no WebGL")), h("p", {}, t("The same is there as tables (press v), and on the "), h("a", { href: `plain?lang=${language()}` }, t("plain page")), t`. (${String(error)})`)));
    }
  }
}
