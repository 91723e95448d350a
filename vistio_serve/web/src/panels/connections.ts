/** A sortable table of connections. What it is sorted by stays when the data changes. */

import { h, setText } from "../dom";
import { formatRate, formatShare } from "../format";
import { type Edge, total, worst } from "../model";
import { type State, select } from "../state";
import type { Actions } from "../store";

type Column = "name" | "rate" | "errors";

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

export const FIRST_ORDER: Order = { column: "errors", descending: true };

/** The rows in an order; equal ones by name, so that none jump. */
export function sorted(edges: readonly Edge[], order: Order, name: (edge: Edge) => string): Edge[] {
  const sign = order.descending ? -1 : 1;
  const value = (edge: Edge): number => (order.column === "rate" ? total(edge.rates) : errorShare(edge));
  return [...edges].sort((one, other) => {
    const by = order.column === "name" ? sign * name(one).localeCompare(name(other)) : sign * (value(one) - value(other));
    return by || total(other.rates) - total(one.rates) || name(one).localeCompare(name(other));
  });
}

/** What a click on a column's head makes of the order. */
export function reorder(order: Order, column: Column): Order {
  return order.column === column ? { column, descending: !order.descending } : { column, descending: column !== "name" };
}

function errorShare(edge: Edge): number {
  const all = total(edge.rates);
  return all > 0 ? edge.rates.danger / all : 0;
}

const SEVERITY_MARKS = { [-1]: "", 0: "i", 1: "!", 2: "‼" } as const;

export class Connections {
  readonly element: HTMLElement;
  private readonly title = h("h3", {});
  private readonly rows = h("tbody", {});
  private readonly heads: Record<Column, HTMLElement>;
  private order: Order = FIRST_ORDER;
  private shown: { edges: readonly Edge[]; name: (edge: Edge) => string; state: State } | null = null;

  constructor(private readonly actions: Actions) {
    this.heads = { name: this.head("name", "Connection"), rate: this.head("rate", "req/s"), errors: this.head("errors", "errors") };
    this.element = h("div", { class: "connections" }, this.title, h("table", {}, h("thead", {}, h("tr", {}, ...Object.values(this.heads))), this.rows));
  }

  render(title: string, edges: readonly Edge[], name: (edge: Edge) => string, state: State): void {
    this.shown = { edges, name, state };
    setText(this.title, `${title} (${edges.length})`);
    this.element.hidden = edges.length === 0;
    for (const [column, head] of Object.entries(this.heads)) {
      head.setAttribute("aria-sort", column !== this.order.column ? "none" : this.order.descending ? "descending" : "ascending");
    }
    this.rows.replaceChildren(...sorted(edges, this.order, name).map((edge) => this.row(edge, name(edge), state)));
  }

  private head(column: Column, text: string): HTMLElement {
    const sort = (): void => {
      this.order = reorder(this.order, column);
      const { title, shown } = this;
      if (shown) this.render(title.textContent?.replace(/ \(\d+\)$/, "") ?? "", shown.edges, shown.name, shown.state);
    };
    return h("th", { class: column === "name" ? "" : "number" }, h("button", { type: "button", onClick: sort }, text));
  }

  private row(edge: Edge, name: string, state: State): HTMLElement {
    const { source, target } = edge;
    const selected = state.selection?.kind === "edge" && state.selection.source === source && state.selection.target === target;
    const open = (): void => this.actions.change((before) => select(before, { kind: "edge", source, target }));
    const all = total(edge.rates);
    const severity = worst(edge.notices);
    return h("tr", { class: selected ? "selected" : "" },
      h("td", {}, h("div", { class: "cell" }, h("button", { type: "button", class: "row-button", title: name, onClick: open }, name),
        severity >= 0 && h("span", { class: `badge severity-${severity}`, title: edge.notices[0]?.title ?? "" }, SEVERITY_MARKS[severity]))),
      h("td", { class: "number" }, formatRate(all)),
      h("td", { class: edge.rates.danger > 0 ? "number danger" : "number" }, formatShare(edge.rates.danger, all)));
  }
}
