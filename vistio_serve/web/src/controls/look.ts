/** How the picture looks: what is shown of a crowd, where, what stands at the connections, and how it is displayed. */

import { h, set, setText } from "../dom/elements";
import { WAYS, namingOf } from "../picture/naming";
import type { Actions, Snapshot, View } from "../store/store";
import { LANGUAGES, type Language, type Text, t } from "../texts/say";
import { type LayoutKind, RANKS, type Rank, type Show, isOwnPattern } from "../values/crowd";
import { LOADING } from "../values/patterns";
import { setCrowd } from "../values/opening";
import { forgetPlaces } from "../values/places";
import { type Display, type EdgeText, levelOf, setDisplay, toggleHeat } from "../values/state";
import { PlacesView } from "./places";

const SHOW_WORDS: readonly (readonly [Show, Text])[] = [["auto", "automatic"], ["groups", "in groups"], ["top", "the first"], ["all", "all"]];
const RANK_WORDS: Readonly<Record<Rank, Text>> = { traffic: "by requests", errors: "by errors" };
const LAYOUT_WORDS: readonly (readonly [LayoutKind, Text])[] = [["auto", "automatic"], ["tree", "tree"], ["columns", "columns by distance"], ["circle", "circle"], ["forces", "who calls whom much, near"]];
const TEXT_WORDS: readonly (readonly [EdgeText, Text])[] = [["none", "nothing"], ["rate", "requests"], ["errors", "errors"], ["latency", "latency"], ["throughput", "bytes"], ["ends", "lost, and network delay"]];
type Switch = Exclude<keyof Display, "theme" | "language">;
const DISPLAY_WORDS: readonly (readonly [Switch, Text])[] = [["labels", "names"], ["particles", "moving particles"], ["table", "tables (v)"], ["projection", "for a projector (h)"]];
/** Each in itself, for whoever does not read the one that is spoken. */
const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: "English", zh: "简体中文" };
const OWN = "own";

export class LookView implements View {
  readonly element: HTMLElement;
  private readonly show: HTMLSelectElement;
  private readonly by: HTMLSelectElement;
  private readonly pattern: HTMLInputElement;
  private readonly refused = h("span", { class: "refused", role: "status" });
  private readonly top: HTMLInputElement;
  private readonly rank: HTMLSelectElement;
  private readonly text: HTMLSelectElement;
  private readonly layout: HTMLSelectElement;
  private readonly topPart: HTMLElement;
  private readonly byPart: HTMLElement;
  private readonly switches: ReadonlyMap<Switch, HTMLInputElement>;

  private readonly language: HTMLSelectElement;
  private readonly places: PlacesView;

  constructor(private readonly actions: Actions) {
    this.places = new PlacesView(actions);
    const crowd = (made: () => Parameters<typeof setCrowd>[1]) => () => this.actions.change((state) => setCrowd(state, made()));
    this.show = select(SHOW_WORDS, crowd(() => ({ show: this.show.value as Show })));
    this.by = select([["auto", "automatic"], ...Object.entries(WAYS).map(([name, way]) => [name, way.says] as const), [OWN, "own pattern"]], () => this.chooseWay());
    this.pattern = h("input", { type: "text", class: "pattern", placeholder: "^([a-z]+)-", "aria-label": t("Pattern"), title: t("A regular expression; its first group in brackets names the group"), spellcheck: "false", onChange: crowd(() => ({ by: this.pattern.value || "auto" })) });
    this.top = h("input", { type: "number", min: 1, max: 500, "aria-label": t("How many"), onChange: crowd(() => ({ top: this.top.valueAsNumber })) });
    this.rank = select(RANKS.map((rank) => [rank, RANK_WORDS[rank]]), crowd(() => ({ rank: this.rank.value as Rank })));
    this.rank.setAttribute("aria-label", t("Ranked"));
    this.layout = select(LAYOUT_WORDS, crowd(() => ({ layout: this.layout.value as LayoutKind })));
    this.text = select(TEXT_WORDS, () => this.actions.change((state) => ({ ...state, edgeText: this.text.value as EdgeText })));
    this.language = h("select", { class: "language", onChange: () => this.actions.change((state) => setDisplay(state, { language: this.language.value as Display["language"] })) },
      h("option", { value: "auto" }, t("automatic")), ...LANGUAGES.map((each) => h("option", { value: each, lang: each }, LANGUAGE_NAMES[each])));
    this.topPart = h("span", { class: "field" }, this.top, this.rank);
    this.byPart = h("span", { class: "field" }, h("label", { class: "field" }, t("grouped by"), this.by), this.pattern, this.refused);
    this.switches = new Map(DISPLAY_WORDS.map(([name]) => {
      const box: HTMLInputElement = h("input", { type: "checkbox", onChange: () => this.actions.change((state) => setDisplay(state, { [name]: box.checked })) });
      return [name, box];
    }));
    this.element = h("form", { class: "filters look", hidden: true, tabindex: -1, "aria-label": t("View"), onSubmit: (event) => event.preventDefault() },
      h("label", { class: "field" }, h("span", {}, t("Nodes")), this.show), this.topPart, this.byPart,
      h("label", { class: "field" }, t("Layout"), this.layout),
      h("button", { type: "button", class: "button", title: t("Puts nodes that were dragged back to their places"), onClick: () => this.actions.change((state) => ({ ...state, places: forgetPlaces(state.places, levelOf(state)) })) }, t("Lay out again")),
      this.places.element,
      h("label", { class: "field" }, t("At connections"), this.text),
      h("button", { type: "button", class: "button", title: t("Services by time, in place of the picture (m)"), onClick: () => this.actions.change(toggleHeat) }, t("Heat map")),
      h("fieldset", {}, h("legend", {}, t("Display")), ...DISPLAY_WORDS.map(([name, text]) => h("label", { class: "check" }, this.switches.get(name), t(text)))),
      h("label", { class: "field" }, t("Language"), this.language));
  }

  toggle(): void {
    this.element.hidden = !this.element.hidden;
    // Not a field of it: there the key that opened it would be a letter, and not close it.
    if (!this.element.hidden) this.element.focus();
  }

  render(now: Snapshot): void {
    const { state, data } = now;
    this.places.render(now);
    this.text.value = state.edgeText;
    this.language.value = state.display.language;
    for (const [name, box] of this.switches) box.checked = state.display[name];
    const { crowd } = state;
    this.show.value = crowd.show;
    this.topPart.hidden = crowd.show !== "top";
    this.byPart.hidden = crowd.show !== "groups" && crowd.show !== "auto";
    if (document.activeElement !== this.top) this.top.value = String(crowd.top);
    this.rank.value = crowd.rank;
    const own = isOwnPattern(crowd.by);
    if (document.activeElement !== this.pattern) {
      this.by.value = own ? OWN : crowd.by;
      this.pattern.value = own ? crowd.by : "";
    }
    this.pattern.hidden = this.by.value !== OWN;
    const naming = own ? namingOf(crowd.by, data.patterns) : null;
    const refusal = typeof naming === "string" ? naming : "";
    set(this.pattern, "aria-invalid", refusal && refusal !== t(LOADING) ? "true" : null);
    setText(this.refused, refusal);
    this.layout.value = crowd.layout;
  }

  private chooseWay(): void {
    this.pattern.hidden = this.by.value !== OWN;
    if (this.by.value === OWN) this.pattern.focus();
    else this.actions.change((state) => setCrowd(state, { by: this.by.value }));
  }
}

function select(options: readonly (readonly [string, Text])[], onChange: () => void): HTMLSelectElement {
  return h("select", { onChange }, ...options.map(([value, text]) => h("option", { value }, t(text))));
}
