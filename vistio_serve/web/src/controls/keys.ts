/** The keyboard: one table, which the help shows as well. */

import type { Actions } from "../store/store";
import { type Text, t } from "../texts/say";
import { togglePin } from "../values/baseline";
import { back, setDisplay, toggleHeat, zoom } from "../values/state";
import { changeSpeed, goLive, play, step, togglePlaying } from "../values/travel";
import { zoomBack, zoomOn } from "../values/zooms";
import { toggled } from "./around";
import { toNextStop, toggleLoop, travelling } from "./transport";

export interface Key {
  /** As `KeyboardEvent.key` says it. */
  readonly key: string;
  /** Pressed with Ctrl, or the command key: works in fields, too. */
  readonly held?: boolean;
  readonly says: Text;
  run(): void;
}

const NAMES: Readonly<Record<string, string>> = { ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" };

/** As people call it. */
export function nameOf({ key, held }: Pick<Key, "key" | "held">): string {
  return held ? `Ctrl-${key.toUpperCase()}` : key === " " ? t("Space") : (NAMES[key] ?? key);
}

export interface Places {
  search(): void;
  focusLocator(): void;
  focusClock(): void;
  toggleFilters(): void;
  toggleLook(): void;
  openExport(): void;
  openMarks(): void;
  toggleHelp(): void;
  toggleFullScreen(): void;
  /** The picture larger by one step, smaller, or the whole of it. */
  zoom(steps: 1 | -1 | 0): void;
}

export function keysOf(actions: Actions, places: Places): readonly Key[] {
  const steps = (count: number) => () => actions.change(travelling((state, axis) => step(state, axis, count)));
  return [
    { key: " ", says: "play or pause", run: () => actions.change(travelling(togglePlaying)) },
    { key: "ArrowLeft", says: "one instant back (with Shift: ten)", run: steps(-1) },
    { key: "ArrowRight", says: "one instant on (with Shift: ten)", run: steps(1) },
    { key: "b", says: "play backwards", run: () => actions.change(travelling((state, axis) => play(state, axis, -1))) },
    { key: "+", says: "faster", run: () => actions.change((state) => changeSpeed(state, 1)) },
    { key: "-", says: "slower", run: () => actions.change((state) => changeSpeed(state, -1)) },
    { key: "n", says: "next incident, notice, gap or mark", run: () => actions.change(toNextStop(1)) },
    { key: "p", says: "previous incident, notice, gap or mark", run: () => actions.change(toNextStop(-1)) },
    { key: "o", says: "loop over the timeline's window", run: () => actions.change(toggleLoop) },
    { key: "c", says: "pin this moment and compare others with it, or stop comparing", run: () => actions.change(togglePin) },
    { key: "l", says: "live", run: () => actions.change(goLive) },
    { key: "[", says: "timeline: the stretch that was shown before", run: () => actions.change(zoomBack) },
    { key: "]", says: "timeline: on again", run: () => actions.change(zoomOn) },
    { key: "0", says: "timeline: the whole recording", run: () => actions.change((state) => zoom(state, null)) },
    { key: "t", says: "type a moment", run: () => places.focusClock() },
    { key: "k", held: true, says: "search everywhere: clusters, groups, nodes, moments, and all that keys do", run: () => places.search() },
    { key: "/", says: "find a node, by a part of its name or an expression", run: () => places.focusLocator() },
    { key: "f", says: "filters: hide by an expression, unhealthy only, thresholds", run: () => places.toggleFilters() },
    { key: "v", says: "tables in place of the picture", run: () => actions.change((state) => setDisplay(state, { table: !state.display.table })) },
    { key: "m", says: "heat map: services by time, in place of the picture", run: () => actions.change(toggleHeat) },
    { key: "h", says: "larger and with more contrast, for a projector", run: () => actions.change((state) => setDisplay(state, { projection: !state.display.projection })) },
    { key: "g", says: "view: groups, layout, what stands at connections, names, particles", run: () => places.toggleLook() },
    { key: "w", says: "only what is near the selected node, or everything again", run: () => actions.change(toggled) },
    { key: ".", says: "zoom into the picture (so does the wheel; drag its ground to move it)", run: () => places.zoom(1) },
    { key: ",", says: "zoom out", run: () => places.zoom(-1) },
    { key: "z", says: "the whole picture", run: () => places.zoom(0) },
    { key: "x", says: "export: link, picture, graph, other formats", run: () => places.openExport() },
    { key: "F", says: "full screen, or no longer", run: () => places.toggleFullScreen() },
    { key: "a", says: "marks: what was noted, and to note something", run: () => places.openMarks() },
    { key: "?", says: "this help: keys, and what forms and colours mean", run: () => places.toggleHelp() },
    { key: "Escape", says: "close the dialog or leave the field, clear the search, the selection, then go up a level", run: () => actions.change(back) },
  ];
}

/** What a control does with keys by itself; what it does not use is the page's. */
function uses(control: HTMLElement, event: KeyboardEvent): boolean {
  if (event.key === "Escape") return false;
  if (control.matches("textarea, [contenteditable]")) return true;
  if (control instanceof HTMLInputElement && !["checkbox", "radio", "number", "range", "button"].includes(control.type)) return true;
  // Digits, signs and arrows are a number's; the letters of the page's keys are not.
  if (control.matches("input[type=number]")) return !/^[a-z?/]$/.test(event.key);
  // Who came to it with the mouse has chosen, and goes on: only by keyboard is it driven by keys.
  if (byMouse.has(control)) return false;
  if (control.matches("select")) return true;
  if (control.matches("input[type=range]")) return event.key.startsWith("Arrow");
  return event.key === " " && control.matches("button, a, summary, input");
}

/** Controls that got the focus by a click. */
const byMouse = new WeakSet<EventTarget>();

/** Whether it was the mouse that gave a control the focus: keys mean something else then. */
export function watchFocus(page: Document): void {
  let pressed = false;
  page.addEventListener("pointerdown", ({ target }) => {
    pressed = true;
    // What has the focus already gets it no second time.
    const control = target instanceof Element ? target.closest("button, a, summary, input, select") : null;
    if (control) byMouse.add(control);
  }, true);
  page.addEventListener("keydown", () => {
    pressed = false;
  }, true);
  page.addEventListener("focusin", ({ target }) => {
    if (!target) return;
    if (pressed) byMouse.add(target);
    else byMouse.delete(target);
  });
}

/** Runs the key that was pressed, unless it belongs to a dialog, or to a control that has the focus. */
export function onKey(event: KeyboardEvent, keys: readonly Key[]): void {
  if (event.altKey || event.defaultPrevented || event.isComposing) return;
  const held = event.ctrlKey || event.metaKey;
  const found = keys.find((each) => each.key === (held ? event.key.toLowerCase() : event.key) && (each.held ?? false) === held);
  if (!found) return;
  const target = event.target instanceof HTMLElement ? event.target : null;
  // Until the next frame, what had the focus in a dialog that was closed still has it.
  const within = target?.closest("dialog:not([open])") ? null : target;
  const used = !held && within !== null && uses(within, event);
  const dialog = document.querySelector<HTMLDialogElement>("dialog[open]");
  if (dialog) {
    // What is under a dialog is not acted on; the key that opened it closes it, as Esc does by itself.
    if (used || dialog.dataset["key"] !== nameOf(found)) return;
    event.preventDefault();
    return dialog.close();
  }
  if (used) return;
  event.preventDefault();
  const field = within?.matches("input:not([type=checkbox]), select, textarea") ?? false;
  if (field && event.key === "Escape") {
    within!.blur();
    // Only the locator's does more: what it looks for is cleared first.
    if (!within!.matches(".locator")) return;
  }
  const times = event.shiftKey && event.key.startsWith("Arrow") ? 10 : 1;
  for (let time = 0; time < times; time++) found.run();
}
