/** Search everywhere (Ctrl-K): names of all levels, and what can be told to the page; Enter goes there, or does it. */

import Combobox from "@github/combobox-nav";
import { go } from "fuzzysort";
import { type JSX, render } from "preact";
import { type Key, nameOf } from "../controls/keys";
import { h } from "../dom/elements";
import type { Pictures } from "../picture/picture";
import { serverMs } from "../store/lateness";
import type { Actions, Snapshot, View } from "../store/store";
import { t } from "../texts/say";
import { toldBy } from "./commands";
import { placesOf } from "./places";

/** A line of the list. */
interface Line {
  readonly key: string;
  readonly text: string;
  readonly about: string;
  /** The key that does the same. */
  readonly by?: string;
  /** Null where it cannot be done now. */
  readonly run: (() => void) | null;
}

const MOST = 50;
// What is weaker is no longer seen to be meant.
const LEAST_SCORE = 0.3;
const ABOUT_COUNTS = 0.5;

/** A text with marked parts. */
type Parts = readonly (string | JSX.Element)[];

export class SearchView implements View {
  readonly element: HTMLDialogElement;
  private readonly input: HTMLInputElement;
  private readonly list = h("ul", { class: "search-list", role: "listbox", "aria-label": t("Found"), id: "search-list" });
  private readonly said = h("p", { class: "quiet", role: "status" });
  private readonly combobox: Combobox;
  private now: Snapshot | null = null;
  private lines: readonly Line[] = [];
  private shown: readonly Line[] = [];

  /** @param keys what keys do can be told in words as well. */
  constructor(
    private readonly actions: Actions,
    private readonly pictures: Pictures,
    private readonly keys: readonly Key[],
  ) {
    this.input = h("input", { type: "text", class: "search-input", placeholder: t("A name, a moment, or what to do"), "aria-label": t("Search everywhere"), autocomplete: "off", spellcheck: "false" });
    this.element = h("dialog", { class: "help search", "aria-label": t("Search everywhere"), "data-key": "Ctrl-K" }, this.input, this.list, this.said);
    this.combobox = new Combobox(this.input, this.list, { tabInsertsSuggestions: false, firstOptionSelectionMode: "selected" });
    this.combobox.start();
    // Here, where it comes after the combobox has let its choice go.
    this.element.addEventListener("input", () => this.update());
    this.list.addEventListener("combobox-commit", (event) => this.commit(event.target as HTMLElement));
  }

  /** Opens it, or closes it where it is open. */
  toggle(): void {
    if (this.element.open) return this.element.close();
    this.input.value = "";
    this.element.showModal();
    this.gather();
    this.update();
  }

  render(now: Snapshot): void {
    const known = this.now?.data.topology === now.data.topology && this.now.state.crowd === now.state.crowd;
    this.now = now;
    // What is at an instant comes and goes; where it stands in the list must not, under somebody's hands.
    if (this.element.open && !known) this.gather();
  }

  private gather(): void {
    if (!this.now) return;
    const change = (step: Parameters<Actions["change"]>[0]) => (): void => this.actions.change(step);
    const places = placesOf(this.now, this.pictures.of(this.now)?.plans ?? new Map());
    this.lines = [
      ...places.map(({ key, text, about, go: step }): Line => ({ key, text, about, run: change(step) })),
      ...this.keys.filter((each) => each.key !== "Escape" && !each.held).map((each): Line => ({ key: `key ${each.key}`, text: t(each.says), about: "", by: nameOf(each), run: () => each.run() })),
    ];
  }

  private update(): void {
    if (!this.now) return;
    const asked = this.input.value.trim();
    const found = rankedFor(asked, this.lines);
    const told = asked ? toldBy(asked, this.now, serverMs(this.now.data, Date.now())) : [];
    const commands = told.map(({ text, about, step }): Line => ({ key: text, text, about, run: step && (() => this.actions.change(step)) }));
    this.shown = [...commands, ...found.keys()];
    render(<>{this.shown.map((line, index) => this.option(line, index, found.get(line) ?? [line.text]))}</>, this.list);
    this.said.textContent = this.shown.length ? "" : t("Nothing has such a name. A moment can be 03:35 or -2h.");
    this.combobox.resetSelection();
  }

  private option(line: Line, index: number, parts: Parts): JSX.Element {
    return (
      <li key={line.key} role="option" data-index={index} aria-disabled={line.run ? undefined : "true"}>
        <span class="search-text">{parts}</span>
        <span class="quiet">{line.about}</span>
        {line.by && <kbd>{line.by}</kbd>}
      </li>
    );
  }

  private commit(option: HTMLElement): void {
    const line = this.shown[Number(option.dataset["index"])];
    if (!line?.run) return;
    // First, so that what it opens is not closed, and where it puts the focus it stays.
    this.element.close();
    line.run();
  }
}

/** The best first, equal ones in their order, each with what of its text was asked for marked; the first ones where nothing is asked. */
function rankedFor(asked: string, lines: readonly Line[]): ReadonlyMap<Line, Parts> {
  if (!asked) return new Map(lines.slice(0, MOST).map((line) => [line, [line.text]]));
  const places = new Map(lines.map((line, index) => [line, index]));
  const found = [...go(asked, lines, { keys: ["text", "about"], threshold: LEAST_SCORE, limit: MOST, scoreFn: ([text, about]) => Math.max(text?.score ?? 0, ABOUT_COUNTS * (about?.score ?? 0)) })];
  found.sort((one, other) => other.score - one.score || places.get(one.obj)! - places.get(other.obj)!);
  return new Map(found.map((each) => [each.obj, each[0] && each[0].score > 0 ? each[0].highlight((part) => <mark>{part}</mark>) : [each.obj.text]]));
}
