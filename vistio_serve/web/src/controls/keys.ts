/** The keyboard: one table, which the help shows as well. */

import type { Actions } from "../store/store";
import { togglePin } from "../values/baseline";
import { back, setDisplay, zoom } from "../values/state";
import { changeSpeed, goLive, play, step, togglePlaying } from "../values/travel";
import { toNextStop, toggleLoop, travelling } from "./transport";

export interface Key {
  /** As `KeyboardEvent.key` says it. */
  readonly key: string;
  readonly says: string;
  run(): void;
}

export interface Places {
  focusLocator(): void;
  focusClock(): void;
  toggleFilters(): void;
  toggleLook(): void;
  openExport(): void;
  toggleHelp(): void;
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
    { key: "n", says: "next incident, notice, gap or annotation", run: () => actions.change(toNextStop(1)) },
    { key: "p", says: "previous incident, notice, gap or annotation", run: () => actions.change(toNextStop(-1)) },
    { key: "o", says: "loop over the timeline's window", run: () => actions.change(toggleLoop) },
    { key: "c", says: "pin this moment and compare others with it, or stop comparing", run: () => actions.change(togglePin) },
    { key: "l", says: "live", run: () => actions.change(goLive) },
    { key: "0", says: "timeline: the whole recording", run: () => actions.change((state) => zoom(state, null)) },
    { key: "t", says: "type a moment", run: () => places.focusClock() },
    { key: "/", says: "find a node", run: () => places.focusLocator() },
    { key: "f", says: "filters", run: () => places.toggleFilters() },
    { key: "v", says: "tables in place of the picture", run: () => actions.change((state) => setDisplay(state, { table: !state.display.table })) },
    { key: "h", says: "larger and with more contrast, for a projector", run: () => actions.change((state) => setDisplay(state, { projection: !state.display.projection })) },
    { key: "g", says: "view: groups, layout, what stands at connections, names, particles", run: () => places.toggleLook() },
    { key: "x", says: "export: picture, graph, other formats", run: () => places.openExport() },
    { key: "?", says: "this help: keys, and what forms and colours mean", run: () => places.toggleHelp() },
    { key: "Escape", says: "close the dialog or leave the field, clear the search, the selection, then go up a level", run: () => actions.change(back) },
  ];
}

/** Runs the key that was pressed, unless it belongs to a control that has the focus. */
export function onKey(event: KeyboardEvent, keys: readonly Key[]): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const dialog = document.querySelector<HTMLDialogElement>("dialog[open]");
  if (dialog) {
    // What is under a dialog is not acted on; the key that opened it closes it, as Esc does by itself.
    if (dialog.dataset["key"] === event.key) dialog.close();
    return;
  }
  const within = event.target instanceof HTMLElement ? event.target : null;
  const typing = within?.matches("input:not([type=checkbox]), select, textarea") ?? false;
  if (typing && event.key !== "Escape") return;
  // Esc belongs to the field that has the focus; only the locator's does more, for it is what it clears first.
  if (typing && within && !within.matches(".locator")) return within.blur();
  // Space and Enter press a focused button; pressing and playing at once would undo each other.
  if (within?.matches("button, a, summary") && event.key === " ") return;
  const found = keys.find((each) => each.key === event.key);
  if (!found) return;
  event.preventDefault();
  if (typing) within?.blur();
  const times = event.shiftKey && event.key.startsWith("Arrow") ? 10 : 1;
  for (let time = 0; time < times; time++) found.run();
}
