/** The whole level, small, while a part of it is seen: a click or a drag there moves the part. */

import { h, iconButton } from "../dom/elements";
import type { Palette } from "../dom/palette";
import { t } from "../texts/say";
import { STEP_ZOOM, WHOLE, pointAt, sidesOf, within, zoomed } from "./lens";
import type { Lensed } from "./panning";

const WIDTH_PX = 180;

interface Point {
  readonly x: number;
  readonly y: number;
}

export class Minimap {
  private readonly canvas = h("canvas", { class: "minimap-canvas", "aria-hidden": "true" });
  private readonly map = h("div", { class: "minimap-map", hidden: true }, this.canvas);
  readonly element: HTMLElement;

  constructor(private readonly of: () => Lensed | null) {
    const by = (times: number) => () => this.withLensed((on) => on.look(zoomed(on.lens, times, on.lens, on.whole)));
    this.element = h("div", { class: "minimap", role: "group", "aria-label": t("Zoom of the picture") },
      this.map,
      h("div", { class: "minimap-buttons" },
        h("button", { type: "button", class: "icon-button", title: t("Zoom in (.)"), "aria-label": t("Zoom in"), onClick: by(STEP_ZOOM) }, "+"),
        h("button", { type: "button", class: "icon-button", title: t("Zoom out (,)"), "aria-label": t("Zoom out"), onClick: by(1 / STEP_ZOOM) }, "−"),
        iconButton("view", t("Zoom: the whole picture (z)"), () => this.withLensed((on) => on.look(WHOLE)))));
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.go(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) this.go(event);
    });
  }

  draw(nodes: readonly Point[], palette: Palette): void {
    const on = this.of();
    this.map.hidden = !on || on.lens.zoom <= 1;
    if (!on || this.map.hidden) return;
    const { width, height } = on.whole;
    const unit = devicePixelRatio;
    const scale = WIDTH_PX / width;
    this.canvas.width = Math.round(WIDTH_PX * unit);
    this.canvas.height = Math.round(height * scale * unit);
    Object.assign(this.canvas.style, { width: `${WIDTH_PX}px`, height: `${height * scale}px` });
    const ctx = this.canvas.getContext("2d");
    if (!ctx) return;
    const at = ({ x, y }: Point): readonly [number, number] => [(x + width / 2) * scale * unit, (height / 2 - y) * scale * unit];
    ctx.fillStyle = palette.normal;
    for (const node of nodes) {
      const [x, y] = at(node);
      ctx.fillRect(x - unit, y - unit, 2 * unit, 2 * unit);
    }
    const { left, right, top, bottom } = sidesOf(on.lens, on.whole);
    const [[x, y], [far, low]] = [at({ x: left, y: top }), at({ x: right, y: bottom })];
    Object.assign(ctx, { strokeStyle: palette.text, lineWidth: 1.5 * unit });
    ctx.strokeRect(x, y, far - x, low - y);
  }

  private go(event: PointerEvent): void {
    const box = this.canvas.getBoundingClientRect();
    const share = { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
    this.withLensed((on) => on.look(within({ ...on.lens, ...pointAt(WHOLE, on.whole, share) }, on.whole)));
  }

  private withLensed(act: (on: Lensed) => void): void {
    const on = this.of();
    if (on) act(on);
  }
}
