/** Shows what must be said: as a cover where there is no picture, else as bands above it. */

import { fill, h, set } from "../dom/elements";
import type { Actions, Snapshot, View } from "../store/store";
import { t } from "../texts/say";
import { NO_FILTERS, openPath } from "../values/state";
import { goLive, goTo } from "../values/travel";
import { type Message, type Remedy, messagesOf } from "./messages";

// An error of a rule may be a page long; more of them than this do not fit above a picture.
const MAX_ITEMS = 8;

export class StatesView implements View {
  // Polite and not atomic: a screen reader says what is new, when there is time.
  readonly element = h("div", { class: "states", role: "status", "aria-live": "polite", "aria-atomic": "false" });
  private readonly shown = new Map<string, { readonly text: string; readonly element: HTMLElement }>();

  constructor(private readonly actions: Actions, private readonly clock: () => number = Date.now) {}

  render(now: Snapshot): void {
    const messages = messagesOf(now, this.clock());
    const elements = messages.map((message) => this.elementOf(message));
    const kinds = new Set(messages.map((message) => message.kind));
    for (const kind of [...this.shown.keys()]) if (!kinds.has(kind)) this.shown.delete(kind);
    set(this.element, "data-kinds", [...kinds].join(" "));
    // What stays is not put in again: it would lose the focus, and be read out once more.
    const same = this.element.children.length === elements.length && elements.every((element, index) => this.element.children[index] === element);
    if (!same) fill(this.element, ...elements);
  }

  private elementOf(message: Message): HTMLElement {
    const text = JSON.stringify(message);
    const before = this.shown.get(message.kind);
    if (before?.text === text) return before.element;
    const element = this.build(message);
    this.shown.set(message.kind, { text, element });
    return element;
  }

  private build(message: Message): HTMLElement {
    const more = message.items.length - MAX_ITEMS;
    return h("section", { class: `state tone-${message.tone}${message.covers ? " cover" : ""}`, "data-kind": message.kind },
      h("h2", {}, message.title),
      message.detail !== "" && h("p", {}, ...prose(message.detail)),
      message.items.length > 0 && h("ul", { class: "state-items" }, ...message.items.slice(0, MAX_ITEMS).map((item) => h("li", {}, item)), more > 0 && h("li", {}, t`and ${more} more`)),
      message.advice !== "" && h("p", { class: "quiet" }, ...prose(message.advice)),
      message.remedies.length > 0 && h("div", { class: "remedies" }, ...message.remedies.map((remedy) => this.button(remedy))));
  }

  private button(remedy: Remedy): HTMLElement {
    if (remedy.kind === "visit") return h("a", { class: "button", href: remedy.address, target: "_blank", rel: "noopener noreferrer" }, remedy.text);
    return h("button", { type: "button", class: "button", onClick: () => this.run(remedy) }, remedy.text);
  }

  private run(remedy: Remedy): void {
    this.actions.change((state, { axis }) => {
      switch (remedy.kind) {
        case "live": return goLive(state);
        case "open": return openPath(state, remedy.path);
        case "unfilter": return { ...state, filters: NO_FILTERS };
        case "goto": return axis ? goTo(state, remedy.atMs, axis) : state;
        case "visit": return state;
      }
    });
  }
}

/** Text in which `commands` stand between backticks. */
function prose(text: string): (string | HTMLElement)[] {
  return text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));
}
