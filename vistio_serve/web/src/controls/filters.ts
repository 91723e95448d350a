/** The filters, and what they hide: nothing is hidden without being said. */

import { h, setText } from "../dom/elements";
import { countsOf } from "../picture/scene";
import type { Actions, Snapshot, View } from "../store/store";
import { type Filters, NO_FILTERS, isFiltered, levelOf, setFilters } from "../values/state";

const SEVERITIES = [["-1", "any"], ["0", "some notice"], ["1", "warning or worse"], ["2", "error"]] as const;

export class FiltersView implements View {
  readonly element: HTMLElement;
  private readonly rps: HTMLInputElement;
  private readonly errors: HTMLInputElement;
  private readonly severity: HTMLSelectElement;
  private readonly classes = h("div", { class: "filter-classes" });
  private readonly hidden = h("p", { class: "filter-hidden", role: "status" });
  private shownClasses = "";

  constructor(private readonly actions: Actions) {
    const change = (made: () => Partial<Filters>) => () => this.actions.change((state) => setFilters(state, made()));
    this.rps = h("input", { type: "number", min: 0, step: "any", onInput: change(() => ({ minRps: number(this.rps) })) });
    this.errors = h("input", { type: "number", min: 0, max: 100, step: "any", onInput: change(() => ({ minErrorPercent: Math.min(number(this.errors), 100) })) });
    this.severity = h("select", { onChange: change(() => ({ minSeverity: Number(this.severity.value) as Filters["minSeverity"] })) }, ...SEVERITIES.map(([value, text]) => h("option", { value }, text)));
    const field = (text: string, control: HTMLElement): HTMLElement => h("label", { class: "field" }, h("span", {}, text), control);
    this.element = h("form", { class: "filters", hidden: true, "aria-label": "Filters", onSubmit: (event) => event.preventDefault() },
      field("Requests/s, at least", this.rps), field("Errors in %, at least", this.errors), field("Notices", this.severity),
      h("fieldset", {}, h("legend", {}, "Classes"), this.classes),
      h("button", { type: "button", class: "quiet-button", onClick: () => this.actions.change((state) => ({ ...state, filters: NO_FILTERS })) }, "Show all"));
    this.element.append(this.hidden);
  }

  toggle(): void {
    this.element.hidden = !this.element.hidden;
    if (!this.element.hidden) this.rps.focus();
  }

  render({ state, data }: Snapshot): void {
    const { filters } = state;
    for (const [input, value] of [[this.rps, filters.minRps], [this.errors, filters.minErrorPercent]] as const) {
      if (document.activeElement !== input) input.value = value ? String(value) : "";
    }
    this.severity.value = String(filters.minSeverity);
    const level = data.graph?.levels.get(levelOf(state));
    this.renderClasses([...new Set([...(level?.nodes.map((node) => node.class) ?? []), ...filters.hiddenClasses])].sort(), filters);
    const counts = data.graph && isFiltered(filters) ? countsOf(data.graph, levelOf(state), filters) : null;
    setText(this.hidden, counts ? `${counts.hiddenNodes} nodes and ${counts.hiddenEdges} connections are hidden` : "Nothing is hidden");
  }

  private renderClasses(names: readonly string[], filters: Filters): void {
    const key = JSON.stringify([names, filters.hiddenClasses]);
    if (key === this.shownClasses) return;
    this.shownClasses = key;
    this.classes.replaceChildren(...names.map((name) => {
      const toggle = (): void => this.actions.change((state) => {
        const { hiddenClasses } = state.filters;
        return setFilters(state, { hiddenClasses: hiddenClasses.includes(name) ? hiddenClasses.filter((each) => each !== name) : [...hiddenClasses, name] });
      });
      return h("label", { class: "check" }, h("input", { type: "checkbox", checked: !filters.hiddenClasses.includes(name), onChange: toggle }), name);
    }));
  }
}

function number(input: HTMLInputElement): number {
  return Number.isFinite(input.valueAsNumber) ? Math.max(0, input.valueAsNumber) : 0;
}
