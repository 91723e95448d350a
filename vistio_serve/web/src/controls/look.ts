/** How the picture looks: what is shown of a crowd, where, what stands at the connections, and how it is displayed. */

import { h } from "../dom/elements";
import { WAYS, namingOf } from "../picture/naming";
import type { Actions, Snapshot, View } from "../store/store";
import { type LayoutKind, RANKS, type Rank, type Show } from "../values/crowd";
import { setCrowd } from "../values/opening";
import { type Display, type EdgeText, setDisplay } from "../values/state";

const SHOW_WORDS: readonly (readonly [Show, string])[] = [["auto", "automatic"], ["groups", "in groups"], ["top", "the first"], ["all", "all"]];
const RANK_WORDS: Readonly<Record<Rank, string>> = { traffic: "by requests", errors: "by errors" };
const LAYOUT_WORDS: readonly (readonly [LayoutKind, string])[] = [["auto", "automatic"], ["tree", "tree"], ["columns", "columns by distance"], ["circle", "circle"]];
const TEXT_WORDS: readonly (readonly [EdgeText, string])[] = [["none", "nothing"], ["rate", "requests"], ["errors", "errors"], ["latency", "latency"], ["throughput", "bytes"], ["ends", "lost, and network delay"]];
type Switch = Exclude<keyof Display, "theme">;
const DISPLAY_WORDS: readonly (readonly [Switch, string])[] = [["labels", "names"], ["particles", "moving particles"], ["table", "tables (v)"], ["projection", "for a projector (h)"]];
const OWN = "own";

export class LookView implements View {
  readonly element: HTMLElement;
  private readonly show: HTMLSelectElement;
  private readonly by: HTMLSelectElement;
  private readonly pattern: HTMLInputElement;
  private readonly top: HTMLInputElement;
  private readonly rank: HTMLSelectElement;
  private readonly text: HTMLSelectElement;
  private readonly layout: HTMLSelectElement;
  private readonly topPart: HTMLElement;
  private readonly byPart: HTMLElement;
  private readonly switches: ReadonlyMap<Switch, HTMLInputElement>;

  /** @param again lays the picture out again. */
  constructor(private readonly actions: Actions, again: () => void) {
    const crowd = (made: () => Parameters<typeof setCrowd>[1]) => () => this.actions.change((state) => setCrowd(state, made()));
    this.show = select(SHOW_WORDS, crowd(() => ({ show: this.show.value as Show })));
    this.by = select([["auto", "automatic"], ...Object.entries(WAYS).map(([name, way]) => [name, way.says] as const), [OWN, "own pattern"]], () => this.chooseWay());
    this.pattern = h("input", { type: "text", class: "pattern", placeholder: "^([a-z]+)-", "aria-label": "Pattern", title: "A regular expression; its first group in brackets names the group", spellcheck: "false", onChange: crowd(() => ({ by: this.pattern.value || "auto" })) });
    this.top = h("input", { type: "number", min: 1, max: 500, "aria-label": "How many", onChange: crowd(() => ({ top: this.top.valueAsNumber })) });
    this.rank = select(RANKS.map((rank) => [rank, RANK_WORDS[rank]]), crowd(() => ({ rank: this.rank.value as Rank })));
    this.rank.setAttribute("aria-label", "Ranked");
    this.layout = select(LAYOUT_WORDS, crowd(() => ({ layout: this.layout.value as LayoutKind })));
    this.text = select(TEXT_WORDS, () => this.actions.change((state) => ({ ...state, edgeText: this.text.value as EdgeText })));
    this.topPart = h("span", { class: "field" }, this.top, this.rank);
    this.byPart = h("span", { class: "field" }, h("label", { class: "field" }, "grouped by", this.by), this.pattern);
    this.switches = new Map(DISPLAY_WORDS.map(([name]) => {
      const box: HTMLInputElement = h("input", { type: "checkbox", onChange: () => this.actions.change((state) => setDisplay(state, { [name]: box.checked })) });
      return [name, box];
    }));
    this.element = h("form", { class: "filters look", hidden: true, "aria-label": "View", onSubmit: (event) => event.preventDefault() },
      h("label", { class: "field" }, h("span", {}, "Nodes"), this.show), this.topPart, this.byPart,
      h("label", { class: "field" }, "Layout", this.layout),
      h("button", { type: "button", class: "button", title: "Puts nodes that were dragged back to their places", onClick: again }, "Lay out again"),
      h("label", { class: "field" }, "At connections", this.text),
      h("fieldset", {}, h("legend", {}, "Display"), ...DISPLAY_WORDS.map(([name, text]) => h("label", { class: "check" }, this.switches.get(name), text))));
  }

  toggle(): void {
    this.element.hidden = !this.element.hidden;
    if (!this.element.hidden) this.show.focus();
  }

  render({ state }: Snapshot): void {
    this.text.value = state.edgeText;
    for (const [name, box] of this.switches) box.checked = state.display[name];
    const { crowd } = state;
    this.show.value = crowd.show;
    this.topPart.hidden = crowd.show !== "top";
    this.byPart.hidden = crowd.show !== "groups" && crowd.show !== "auto";
    if (document.activeElement !== this.top) this.top.value = String(crowd.top);
    this.rank.value = crowd.rank;
    const own = crowd.by !== "auto" && !(crowd.by in WAYS);
    if (document.activeElement !== this.pattern) {
      this.by.value = own ? OWN : crowd.by;
      this.pattern.value = own ? crowd.by : "";
    }
    this.pattern.hidden = this.by.value !== OWN;
    if (own && !namingOf(crowd.by)) this.pattern.setAttribute("aria-invalid", "true");
    else this.pattern.removeAttribute("aria-invalid");
    this.layout.value = crowd.layout;
  }

  private chooseWay(): void {
    this.pattern.hidden = this.by.value !== OWN;
    if (this.by.value === OWN) this.pattern.focus();
    else this.actions.change((state) => setCrowd(state, { by: this.by.value }));
  }
}

function select(options: readonly (readonly [string, string])[], onChange: () => void): HTMLSelectElement {
  return h("select", { onChange }, ...options.map(([value, text]) => h("option", { value }, text)));
}
