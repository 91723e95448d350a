/** The filters, and what they hide: nothing is hidden without being said. */

import { render } from "preact";
import { h, setText } from "../dom/elements";
import { countsOf, hiddenOf } from "../picture/scene";
import type { Actions, Snapshot, View } from "../store/store";
import { counted, t } from "../texts/say";
import type { Node } from "../values/model";
import { type Filters, NO_FILTERS, isFiltered, levelOf, select as selectNode, setFilters } from "../values/state";
import { AskedField } from "./asked-field";

const SEVERITIES = [["-1", "any"], ["0", "some notice"], ["1", "warning or worse"], ["2", "error"]] as const;

export class FiltersView implements View {
  readonly element: HTMLElement;
  private readonly rps: HTMLInputElement;
  private readonly errors: HTMLInputElement;
  private readonly severity: HTMLSelectElement;
  private readonly classes = h("div", { class: "filter-classes" });
  private readonly hide: AskedField;
  private readonly unhealthy: HTMLInputElement;
  private readonly refused = h("p", { class: "refused", role: "status" });
  private readonly hidden = h("p", { class: "filter-hidden", role: "status" });
  private readonly names = h("div", { class: "hidden-nodes" });
  private shownClasses = "";

  constructor(private readonly actions: Actions) {
    const change = (made: () => Partial<Filters>) => () => this.actions.change((state) => setFilters(state, made()));
    this.rps = h("input", { type: "number", min: 0, step: "any", onInput: change(() => ({ minRps: number(this.rps) })) });
    this.errors = h("input", { type: "number", min: 0, max: 100, step: "any", onInput: change(() => ({ minErrorPercent: Math.min(number(this.errors), 100) })) });
    this.severity = h("select", { onChange: change(() => ({ minSeverity: Number(this.severity.value) as Filters["minSeverity"] })) }, ...SEVERITIES.map(([value, text]) => h("option", { value }, t(text))));
    this.hide = new AskedField(t("Hide nodes"), { type: "text", class: "hide", placeholder: "name ~ ^kafka or rps < 1", title: t("The nodes that this means are hidden") }, this.refused, (hide) => this.actions.change((state) => setFilters(state, { hide })));
    this.unhealthy = h("input", { type: "checkbox", onChange: change(() => ({ unhealthyOnly: this.unhealthy.checked })) });
    const field = (text: string, control: HTMLElement): HTMLElement => h("label", { class: "field" }, h("span", {}, text), control);
    this.element = h("form", { class: "filters", hidden: true, tabindex: -1, "aria-label": t("Filters"), onSubmit: (event) => event.preventDefault() },
      field(t("Hide"), this.hide.element), h("label", { class: "check", title: t("Red errors, or a notice that is a warning or worse, and who calls these") }, this.unhealthy, t("unhealthy only")),
      field(t("Requests/s, at least"), this.rps), field(t("Errors in %, at least"), this.errors), field(t("Notices"), this.severity),
      h("fieldset", {}, h("legend", {}, t("Classes")), this.classes),
      h("button", { type: "button", class: "quiet-button", onClick: () => this.actions.change((state) => ({ ...state, filters: NO_FILTERS })) }, t("Show all")));
    this.element.append(this.refused, this.hidden, this.names);
  }

  toggle(): void {
    this.element.hidden = !this.element.hidden;
    // Not a field of it: there the key that opened it would be a letter, and not close it.
    if (!this.element.hidden) this.element.focus();
  }

  render({ state, data }: Snapshot): void {
    const { filters } = state;
    for (const [input, value] of [[this.rps, filters.minRps], [this.errors, filters.minErrorPercent]] as const) {
      if (document.activeElement !== input) input.value = value ? String(value) : "";
    }
    this.hide.render({ state, data }, filters.hide);
    this.unhealthy.checked = filters.unhealthyOnly;
    this.severity.value = String(filters.minSeverity);
    const level = data.graph?.levels.get(levelOf(state));
    this.renderClasses([...new Set([...(level?.nodes.map((node) => node.class) ?? []), ...filters.hiddenClasses])].sort(), filters);
    const counts = data.graph && isFiltered(filters) ? countsOf(data.graph, levelOf(state), filters, data.patterns) : null;
    setText(this.hidden, counts ? t`${counted(counts.hiddenNodes, "{0} node", "{0} nodes")} and ${counted(counts.hiddenEdges, "{0} connection", "{0} connections")} are hidden` : t("Nothing is hidden"));
    this.renderNames(level ? hiddenOf(level, filters, data.patterns) : []);
  }

  /** Who is hidden at this instant; a click tells of it in the panel. */
  private renderNames(hidden: readonly Node[]): void {
    const pick = (node: string) => (): void => this.actions.change((state) => selectNode(state, { kind: "node", node }));
    const names = hidden.map((node) => <li key={node.name}><button type="button" class="quiet-button" onClick={pick(node.name)}>{node.label}</button></li>);
    render(names.length ? <details><summary>{t("Which nodes")}</summary><ul>{names}</ul></details> : null, this.names);
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
