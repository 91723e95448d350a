/** A sortable table of connections, or of nodes. What it is sorted by stays when the data changes. */

import { h, setText } from "../dom/elements";
import type { Actions } from "../store/store";
import { type Text, t } from "../texts/say";
import { formatRate, formatShare } from "../values/format";
import { formatLatency, formatThroughput, latencyOf, throughputOf } from "../values/measures";
import { type Edge, type Tones, total, worst } from "../values/model";
import { type State, select } from "../values/state";
import { toneOf } from "../values/traffic";
import { lostOf, networkOf } from "../values/witnesses";

/** A connection, or whatever else has rates and measurements. */
export type Row = Pick<Edge, "source" | "target" | "rates" | "notices" | "measurements">;

type Column = "name" | "rate" | "errors" | "lost" | "latency" | "network" | "throughput";

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

export const FIRST_ORDER: Order = { column: "errors", descending: true };

const HEADS: Readonly<Record<Column, Text>> = { name: "Connection", rate: "req/s", errors: "errors", lost: "lost/s", latency: "latency", network: "network", throughput: "bytes/s" };
// More rows make a page slow, and nobody reads them.
const MOST_ROWS = 200;

const VALUES: Readonly<Record<Exclude<Column, "name">, (row: Row) => number>> = {
  rate: (row) => total(row.rates),
  errors: (row) => errorShare(row),
  lost: (row) => lostOf(row.measurements),
  latency: (row) => latencyOf(row.measurements)?.ms ?? -1,
  network: (row) => networkOf(row.measurements) ?? -1,
  throughput: (row) => throughputOf(row.measurements) ?? -1,
};

/** The rows in an order; equal ones by name, so that none jump. */
export function sorted<R extends Row>(rows: readonly R[], order: Order, name: (row: R) => string): R[] {
  const sign = order.descending ? -1 : 1;
  const { column } = order;
  return [...rows].sort((one, other) => {
    const by = column === "name" ? sign * name(one).localeCompare(name(other)) : sign * (VALUES[column](one) - VALUES[column](other));
    return by || total(other.rates) - total(one.rates) || name(one).localeCompare(name(other));
  });
}

/** What a click on a column's head makes of the order. */
export function reorder(order: Order, column: Column): Order {
  return order.column === column ? { column, descending: !order.descending } : { column, descending: column !== "name" };
}

/** The columns that have something to say about these rows. */
export function columnsOf(rows: readonly Row[]): readonly Column[] {
  const columns: Column[] = ["name", "rate", "errors"];
  if (rows.some((row) => lostOf(row.measurements) > 0)) columns.push("lost");
  if (rows.some((row) => latencyOf(row.measurements))) columns.push("latency");
  if (rows.some((row) => networkOf(row.measurements) !== null)) columns.push("network");
  if (rows.some((row) => throughputOf(row.measurements) !== null)) columns.push("throughput");
  return columns;
}

function errorShare(row: Row): number {
  const all = total(row.rates);
  return all > 0 ? row.rates.danger / all : 0;
}

const SEVERITY_MARKS = { [-1]: "", 0: "i", 1: "!", 2: "‼" } as const;

export interface Table {
  readonly title: string;
  /** The head of the names' column, if they are not connections. */
  readonly of?: string;
  readonly rows: readonly Row[];
  readonly name: (row: Row) => string;
  /** What a click on a name does, if not to select the connection. */
  readonly open?: ((row: Row) => void) | undefined;
}

export const NO_TABLE: Table = { title: "", rows: [], name: () => "" };

export class Connections {
  readonly element: HTMLElement;
  private readonly title = h("h3", {});
  private readonly heads = h("tr", {});
  private readonly rows = h("tbody", {});
  private readonly more = h("p", { class: "quiet" });
  private order: Order = FIRST_ORDER;

  constructor(private readonly actions: Actions) {
    this.element = h("div", { class: "connections" }, this.title, h("table", {}, h("thead", {}, this.heads), this.rows), this.more);
  }

  render(table: Table, state: State, tones: Tones): void {
    const { title, rows, name } = table;
    setText(this.title, t`${title} (${rows.length})`);
    this.element.hidden = rows.length === 0;
    if (!rows.length) return;
    const columns = columnsOf(rows);
    const order = columns.includes(this.order.column) ? this.order : FIRST_ORDER;
    this.renderHeads(columns, order, table, state, tones);
    const shown = sorted(rows, order, name).slice(0, MOST_ROWS);
    this.rows.replaceChildren(...shown.map((row) => this.row(row, columns, table, state, tones)));
    setText(this.more, rows.length > shown.length ? t`The first ${shown.length} of ${rows.length}; sort by another column to see others.` : "");
  }

  private renderHeads(columns: readonly Column[], order: Order, table: Table, state: State, tones: Tones): void {
    // The one that was pressed keeps the focus.
    const pressed = [...this.heads.children].findIndex((head) => head.contains(document.activeElement));
    this.heads.replaceChildren(...columns.map((column) => {
      const sort = (): void => {
        this.order = reorder(order, column);
        this.render(table, state, tones);
      };
      const direction = column !== order.column ? "none" : order.descending ? "descending" : "ascending";
      return h("th", { class: column === "name" ? "" : "number", "aria-sort": direction }, h("button", { type: "button", onClick: sort }, (column === "name" && table.of) || t(HEADS[column])));
    }));
    if (pressed >= 0) this.heads.children[pressed]?.querySelector("button")?.focus();
  }

  private row(row: Row, columns: readonly Column[], table: Table, state: State, tones: Tones): HTMLElement {
    const { source, target } = row;
    const name = table.name(row);
    const { selection } = state;
    const selected = selection?.kind === "edge" ? selection.source === source && selection.target === target : selection?.node === source && source === target;
    const open = (): void => (table.open ? table.open(row) : this.actions.change((before) => select(before, { kind: "edge", source, target })));
    const severity = worst(row.notices);
    return h("tr", { class: selected ? "selected" : "" }, ...columns.map((column) => {
      if (column !== "name") return valueCell(row, column, tones);
      return h("td", {}, h("div", { class: "cell" }, h("button", { type: "button", class: "row-button", title: name, onClick: open }, name),
        severity >= 0 && h("span", { class: `badge severity-${severity}`, title: row.notices[0]?.title ?? "" }, SEVERITY_MARKS[severity])));
    }));
  }
}

function valueCell(row: Row, column: Exclude<Column, "name">, tones: Tones): HTMLElement {
  const all = total(row.rates);
  if (column === "rate") return h("td", { class: "number" }, formatRate(all));
  if (column === "errors") return h("td", { class: `number ${toneOf("danger", row.rates, tones)}`.trim() }, formatShare(row.rates.danger, all));
  if (column === "lost") {
    const lost = lostOf(row.measurements);
    return h("td", { class: lost > 0 ? "number danger" : "number", title: lost > 0 ? t("Requests a second that were sent and not received") : null }, lost > 0 ? formatRate(lost) : "");
  }
  if (column === "network") {
    const network = networkOf(row.measurements);
    return h("td", { class: "number", title: network === null ? null : t("How much longer it took for the caller, on average") }, network === null ? "–" : formatLatency(network));
  }
  if (column === "latency") {
    const latency = latencyOf(row.measurements);
    return h("td", { class: "number", title: latency ? t`${latency.percentile} % of requests are faster` : null }, latency ? formatLatency(latency.ms) : "–");
  }
  const throughput = throughputOf(row.measurements);
  return h("td", { class: "number" }, throughput === null ? "–" : formatThroughput(throughput));
}
