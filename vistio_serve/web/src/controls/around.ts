/** What is near the selected node alone: how many hops up to its callers, and down to what it calls. */

import { h, setText } from "../dom/elements";
import type { Actions, Snapshot, View } from "../store/store";
import { type Text, t } from "../texts/say";
import { ALL_HOPS, type Around } from "../values/crowd";
import { labelOf } from "../values/model";
import { followable } from "../store/subject";
import { setAround } from "../values/opening";
import { levelOf } from "../values/state";

const HOPS: readonly (readonly [number, Text])[] = [[0, "none"], [1, "1 hop"], [2, "2 hops"], [3, "3 hops"], [4, "4 hops"], [ALL_HOPS, "all the way"]];

export class AroundView implements View {
  readonly element: HTMLElement;
  private readonly begin: HTMLButtonElement;
  private readonly controls: HTMLElement;
  private readonly name = h("strong", {});
  private readonly up: HTMLSelectElement;
  private readonly down: HTMLSelectElement;

  constructor(actions: Actions) {
    const hops = (label: Text, change: (hops: number) => Partial<Around>): HTMLSelectElement => {
      const made: HTMLSelectElement = h("select", { "aria-label": t(label), onChange: () => actions.change((state) => setAround(state, change(Number(made.value)))) }, ...HOPS.map(([value, text]) => h("option", { value }, t(text))));
      return made;
    };
    this.up = hops("Hops up, to callers", (up) => ({ up }));
    this.down = hops("Hops down, to what it calls", (down) => ({ down }));
    this.begin = h("button", { type: "button", class: "button", title: t("Only what is near the selected node (w)"), onClick: () => actions.change(toggled) }, t("Only what is near"));
    this.controls = h("div", { class: "around-controls" }, h("span", {}, t("Around "), this.name), h("label", {}, t("callers "), this.up), h("label", {}, t("calls "), this.down),
      h("button", { type: "button", class: "button", title: t("Everything again (w)"), onClick: () => actions.change(toggled) }, t("Everything")));
    this.element = h("div", { class: "around" }, this.begin, this.controls);
  }

  render({ state, data }: Snapshot): void {
    const { around } = state.crowd;
    const level = data.graph?.levels.get(levelOf(state));
    const onLevel = state.path.length === 1 && state.heat === null && !state.display.table;
    this.begin.hidden = around !== null || followable(state.selection)?.kind !== "node";
    this.controls.hidden = around === null;
    this.element.hidden = !onLevel || (this.begin.hidden && this.controls.hidden);
    if (!around) return;
    setText(this.name, labelOf(level, around.node));
    this.up.value = String(around.up);
    this.down.value = String(around.down);
  }
}

/** Begins with the selected node, or ends. */
export function toggled(state: Parameters<typeof setAround>[0]): Parameters<typeof setAround>[0] {
  if (state.crowd.around) return setAround(state, null);
  const selected = followable(state.selection);
  return selected?.kind === "node" && state.path.length === 1 ? setAround(state, { node: selected.node }) : state;
}
