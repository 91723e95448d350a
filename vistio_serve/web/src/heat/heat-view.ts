/** The heat map: services by time. Loaded when it is first opened. */

import { fill, h, set, setText } from "../dom/elements";
import { readPalette } from "../dom/palette";
import type { Actions, Heated, Snapshot, View } from "../store/store";
import { asRecorded, heatHere } from "../store/subject";
import { t } from "../texts/say";
import type { Heat } from "../values/answers";
import { formatTime } from "../values/format";
import { HEAT_WORDS, type HeatPlace, type HeatRow, cellText, columnsOf, findPlace, goToCell, heatRows, placeOf, rowText, stepMs } from "../values/heat";
import { USUAL_TONES } from "../values/model";
import { HEAT_KINDS, type HeatKind, levelOf } from "../values/state";
import { playheadMs } from "../values/travel";
import type { Zone } from "../values/zones";
import { ROW_PX, drawCells } from "./drawing";

const MOST_TICKS = 6;
// A moment and some room beside it.
const TICK_REM = 4.75;

export class HeatView implements View {
  readonly element: HTMLElement;
  private readonly title = h("h2", {});
  private readonly kinds: ReadonlyMap<HeatKind, HTMLButtonElement>;
  private readonly says = h("p", { class: "heat-says", role: "status" });
  private readonly message = h("p", { class: "quiet" });
  private readonly canvas = h("canvas", { class: "heat-cells", "aria-hidden": "true" });
  private readonly cursor = h("div", { class: "heat-cursor", hidden: true });
  private readonly playhead = h("div", { class: "heat-playhead", hidden: true });
  private readonly plot = h("div", { class: "heat-plot" }, this.canvas, this.playhead, this.cursor);
  private readonly names = h("ol", { class: "heat-names" });
  private readonly ticks = h("div", { class: "heat-ticks", "aria-hidden": "true" });
  private readonly body = h("div", { class: "heat-body" }, h("div", { class: "heat-corner" }), this.ticks, this.names, this.plot);
  private shown: { readonly heat: Heat; readonly kind: HeatKind; readonly level: string; readonly theme: string; readonly zone: Zone; readonly redFrom: number } | null = null;
  private rows: readonly HeatRow[] = [];
  private at: { row: number; column: number } = { row: 0, column: 0 };
  /** The cell that the cursor is on, whatever row and column it has in the next answer. */
  private meant: HeatPlace | null = null;
  private drawnWidth = 0;
  private entering = false;

  constructor(private readonly actions: Actions) {
    this.kinds = new Map(HEAT_KINDS.map((kind) => [kind, h("button", { type: "button", class: "button", onClick: () => actions.change((state) => ({ ...state, heat: kind })) }, t(HEAT_WORDS[kind]))]));
    this.element = h("section", { class: "heat", hidden: true, "aria-label": t("Heat map"), onKeyDown: (event) => this.onKey(event as KeyboardEvent) },
      h("header", { class: "heat-head" }, this.title, h("div", { class: "panel-buttons", role: "group", "aria-label": t("Coloured by") }, ...this.kinds.values()), this.says),
      this.message, this.body);
    this.plot.addEventListener("pointermove", (event) => this.point(event, false));
    this.plot.addEventListener("pointerleave", () => (this.cursor.hidden = true));
    this.plot.addEventListener("click", (event) => this.point(event, true));
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  render(now: Snapshot): void {
    const { state, data } = now;
    const kind = state.heat;
    const opened = this.element.hidden && kind !== null;
    this.element.hidden = kind === null;
    if (kind === null) return;
    const heated = heatHere(data.heated, state);
    setText(this.title, t`Services by time, by ${t(HEAT_WORDS[kind])}`);
    for (const [each, button] of this.kinds) set(button, "aria-pressed", String(each === kind));
    const heat = heated?.heat ?? null;
    const next = heat && { heat, kind, level: asRecorded({ level: levelOf(state) }, data.topology).level, theme: document.documentElement.dataset["theme"] ?? "", zone: state.zone, redFrom: (data.graph?.about.tones ?? USUAL_TONES).danger };
    if (JSON.stringify({ ...next, heat: 0 }) !== JSON.stringify({ ...this.shown, heat: 0 }) || next?.heat !== this.shown?.heat) this.show(next, kind);
    setText(this.message, messageOf(heated, this.rows.length));
    this.showPlayhead(data.axis && playheadMs(state, data.axis));
    if (opened) this.kinds.get(kind)?.focus({ preventScroll: true });
    // Whoever opened it by a key goes on in the rows, once they are there.
    if (opened || this.entering) this.entering = !this.enterRows();
  }

  private show(next: typeof this.shown, kind: HeatKind): void {
    const focused = this.names.contains(document.activeElement);
    this.shown = next;
    this.rows = next ? heatRows(next.heat, next.kind, next.level, next.redFrom) : [];
    const found = next && this.meant && findPlace(next.heat, this.rows, this.meant);
    this.at = { row: found?.row ?? 0, column: found?.column ?? 0 };
    fill(this.names, ...this.rows.map((row, number) => this.nameOf(row, number)));
    this.cursor.hidden = found?.column == null;
    if (this.cursor.hidden) setText(this.says, "");
    else this.moveTo(this.at.row, this.at.column);
    // Who was in the rows goes on there, once they are there again: at once, or when a window that moved on is answered.
    if (focused) this.kinds.get(kind)?.focus({ preventScroll: true });
    this.entering ||= focused;
    this.drawnWidth = 0;
    this.draw();
  }

  /** False while there are none; somebody who went elsewhere meanwhile is left there. */
  private enterRows(): boolean {
    const first = this.nameButtons()[this.at.row];
    if (first && this.element.contains(document.activeElement)) first.focus({ preventScroll: true });
    return first !== undefined;
  }

  private nameOf(row: HeatRow, number: number): HTMLElement {
    const said = this.shown ? rowText(this.shown.heat, row, this.shown.kind, this.shown.zone) : row.label;
    const first = row.firstError ?? row.worst ?? 0;
    const button = h("button", { type: "button", tabindex: number === this.at.row ? 0 : -1, "aria-label": said, title: said, onClick: () => this.go(number, this.at.row === number && !this.cursor.hidden ? this.at.column : first) }, row.label);
    button.addEventListener("focus", () => this.moveTo(number, this.at.row === number && !this.cursor.hidden ? this.at.column : first));
    return h("li", {}, button);
  }

  private draw(): void {
    const width = this.plot.clientWidth;
    if (!this.shown || !width || width === this.drawnWidth) return;
    this.drawnWidth = width;
    const { heat, kind, zone } = this.shown;
    const columns = columnsOf(heat);
    drawCells(this.canvas, width, this.rows, columns, kind, readPalette());
    this.canvas.style.height = `${this.rows.length * ROW_PX}px`;
    const room = Math.floor(width / (TICK_REM * parseFloat(getComputedStyle(document.documentElement).fontSize)));
    const length = Math.max(1, Math.min(MOST_TICKS, room));
    fill(this.ticks, ...Array.from({ length }, (_, tick) => {
      const column = Math.round((columns * tick) / length);
      const mark = h("span", {}, formatTime(stepMs(heat, column), zone));
      mark.style.left = `${(100 * column) / columns}%`;
      return mark;
    }));
  }

  private showPlayhead(atMs: number | null): void {
    const { shown } = this;
    const share = shown && atMs !== null ? (atMs - Date.parse(shown.heat.start)) / (columnsOf(shown.heat) * shown.heat.step_ms) : -1;
    this.playhead.hidden = !(share >= 0 && share <= 1);
    this.playhead.style.left = `${100 * share}%`;
  }

  private point(event: MouseEvent, go: boolean): void {
    if (!this.shown || !this.rows.length) return;
    const box = this.plot.getBoundingClientRect();
    const columns = columnsOf(this.shown.heat);
    const row = Math.floor((event.clientY - box.top) / ROW_PX);
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    if (row < 0 || row >= this.rows.length || column < 0 || column >= columns) return;
    if (go) this.go(row, column);
    else this.moveTo(row, column);
  }

  private onKey(event: KeyboardEvent): void {
    if (!this.shown || !this.names.contains(event.target as Node) || event.ctrlKey || event.metaKey || event.altKey) return;
    const columns = columnsOf(this.shown.heat);
    const far = event.shiftKey ? 10 : 1;
    const steps: Readonly<Record<string, readonly [number, number]>> = { ArrowUp: [-far, 0], ArrowDown: [far, 0], ArrowLeft: [0, -far], ArrowRight: [0, far], Home: [0, -columns], End: [0, columns] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const row = Math.min(Math.max(this.at.row + step[0], 0), this.rows.length - 1);
    this.moveTo(row, Math.min(Math.max(this.at.column + step[1], 0), columns - 1));
    this.nameButtons()[row]?.focus();
  }

  private moveTo(row: number, column: number): void {
    const { shown } = this;
    const found = this.rows[row];
    if (!shown || !found) return;
    const buttons = this.nameButtons();
    if (row !== this.at.row) {
      set(buttons[this.at.row]!, "tabindex", -1);
      set(buttons[row]!, "tabindex", 0);
    }
    this.at = { row, column };
    this.meant = placeOf(shown.heat, found, column);
    const columns = columnsOf(shown.heat);
    this.cursor.hidden = false;
    Object.assign(this.cursor.style, { left: `${(100 * column) / columns}%`, width: `max(3px, ${100 / columns}%)`, top: `${row * ROW_PX}px`, height: `${ROW_PX - 1}px` });
    setText(this.says, cellText(shown.heat, found, column, shown.zone));
  }

  private go(row: number, column: number): void {
    const found = this.rows[row];
    const { shown } = this;
    if (!shown || !found) return;
    this.actions.change((state, { axis, topology }) => (axis ? goToCell(state, shown.heat, found, column, axis, topology) : state));
  }

  private nameButtons(): HTMLButtonElement[] {
    return [...this.names.querySelectorAll("button")];
  }
}

function messageOf(heated: Heated | null, rows: number): string {
  if (heated?.problem && !heated.heat) return t`${heated.problem.title}: ${heated.problem.detail}`;
  if (!heated?.heat) return t("Being worked out …");
  if (!rows) return t("Nothing of this was measured in the timeline's window.");
  return t("By first error, then by requests. Hatched: not seen. A click, or Enter, goes to that node and moment.");
}

