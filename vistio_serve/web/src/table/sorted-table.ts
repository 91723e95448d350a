/**
 * A table that is sorted by any of its columns, and whose rows keep their elements while values change. Of many rows it shows the
 * first ones, and more where somebody asks for them: ten thousands keep a browser busy for seconds, each time that one of them is as wide as no other.
 */

import { fill, h, set, setText } from "../dom/elements";
import { t } from "../texts/say";

export interface Column<Row> {
  readonly title: string;
  /** What the column is sorted by. */
  value(row: Row): string | number;
  /** What is shown. */
  text(row: Row): string;
  /** What a press on the cell does; such a cell is a button. */
  open?(row: Row): void;
  readonly numeric?: boolean;
  /** It is left out where it has nothing to say of any row. */
  readonly optional?: boolean;
  readonly tone?: (row: Row) => "danger" | "warning" | "";
}

export interface Order {
  readonly column: number;
  readonly descending: boolean;
}

/** The rows in an order; equal ones by their key, so that none jump. */
export function inOrder<Row>(rows: readonly Row[], columns: readonly Column<Row>[], order: Order, key: (row: Row) => string): Row[] {
  const column = columns[order.column];
  const sign = order.descending ? -1 : 1;
  const compare = (one: Row, other: Row): number => {
    const [a, b] = [column?.value(one) ?? 0, column?.value(other) ?? 0];
    const by = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
    return sign * by || key(one).localeCompare(key(other));
  };
  return [...rows].sort(compare);
}

const FIRST_ROWS = 200;
const MORE_ROWS = 1000;

export class SortedTable<Row> {
  readonly element: HTMLElement;
  private most = FIRST_ROWS;
  private readonly more = h("button", { type: "button", class: "button", hidden: true, onClick: () => this.showMore() });
  private readonly caption = h("caption", {});
  private readonly heads: readonly HTMLElement[];
  private readonly body = h("tbody", {});
  private readonly kept = new Map<string, HTMLTableRowElement>();
  private title = "";
  private rows: readonly Row[] = [];
  private left: readonly boolean[] = [];
  private isSelected: (row: Row) => boolean = () => false;

  constructor(private readonly columns: readonly Column<Row>[], private readonly key: (row: Row) => string, private order: Order) {
    this.heads = columns.map((column, index) => h("th", { scope: "col", class: column.numeric ? "number" : "" }, h("button", { type: "button", onClick: () => this.sortBy(index) }, column.title)));
    this.element = h("div", { class: "wide-table" }, h("table", {}, this.caption, h("thead", {}, h("tr", {}, ...this.heads)), this.body), this.more);
  }

  render(title: string, rows: readonly Row[], isSelected: (row: Row) => boolean): void {
    this.title = title;
    this.rows = rows;
    this.isSelected = isSelected;
    setText(this.caption, t`${title} (${rows.length})`);
    this.heads.forEach((head, index) => {
      set(head, "aria-sort", index !== this.order.column ? "none" : this.order.descending ? "descending" : "ascending");
    });
    this.left = this.columns.map((column) => (column.optional ?? false) && rows.every((row) => column.text(row) === ""));
    this.heads.forEach((head, index) => set(head, "hidden", this.left[index]));
    const shown = inOrder(rows, this.columns, this.order, this.key).slice(0, this.most);
    const keys = new Set(shown.map(this.key));
    for (const key of [...this.kept.keys()]) if (!keys.has(key)) this.kept.delete(key);
    const left = rows.length - shown.length;
    this.more.hidden = left === 0;
    setText(this.more, t`Show ${Math.min(left, MORE_ROWS)} more rows of ${left}`);
    const elements = shown.map((row) => this.rowOf(row));
    // Rows that stay where they are are not touched: the focus would be lost each time that news come.
    const same = this.body.children.length === elements.length && elements.every((element, index) => this.body.children[index] === element);
    if (same) return;
    const focused = document.activeElement;
    fill(this.body, ...elements);
    if (focused instanceof HTMLElement && focused !== document.activeElement && this.body.contains(focused)) focused.focus();
  }

  private showMore(): void {
    const first = this.body.children.length;
    this.most += MORE_ROWS;
    this.render(this.title, this.rows, this.isSelected);
    // The button may be gone, and one reads on where one was.
    this.body.children[first]?.querySelector("button")?.focus();
  }

  private sortBy(column: number): void {
    const numeric = this.columns[column]?.numeric ?? false;
    this.order = { column, descending: this.order.column === column ? !this.order.descending : numeric };
    this.render(this.title, this.rows, this.isSelected);
  }

  private rowOf(row: Row): HTMLTableRowElement {
    const key = this.key(row);
    const element = this.kept.get(key) ?? this.build(key);
    this.kept.set(key, element);
    set(element, "class", this.isSelected(row) ? "selected" : "");
    this.columns.forEach((column, index) => {
      const cell = element.cells[index]!;
      set(cell, "class", [column.numeric ? "number" : "", column.tone?.(row) ?? ""].filter(Boolean).join(" "));
      set(cell, "hidden", this.left[index]);
      const text = column.text(row);
      setText(cell.firstElementChild ?? cell, text);
      if (cell.firstElementChild) set(cell.firstElementChild, "hidden", text === "");
    });
    return element;
  }

  private build(key: string): HTMLTableRowElement {
    const pressed = (column: Column<Row>) => (): void => {
      const row = this.rows.find((each) => this.key(each) === key);
      if (row) column.open?.(row);
    };
    return h("tr", {}, ...this.columns.map((column) => h("td", {}, column.open ? h("button", { type: "button", class: "row-button", onClick: pressed(column) }) : null)));
  }
}
