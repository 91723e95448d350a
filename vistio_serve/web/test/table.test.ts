// @vitest-environment happy-dom
/** The level as tables, in a document without WebGL. */

import { describe, expect, test, vi } from "vitest";
import { NO_DATA, Store } from "../src/store/store";
import { LevelTable } from "../src/table/level-table";
import { type Column, SortedTable, inOrder } from "../src/table/sorted-table";
import { INITIAL, type State } from "../src/values/state";
import { edge, graph, level, node, notice } from "./graphs";

const eu = level("eu", [edge("a>b 90/0/10"), edge("b>c 7", { notices: [notice(1, "<b>slow</b>")] }), edge("a>c 0/5/0"), edge("x>a 0", { synthetic: true })], {
  nodes: [node("a", { class: "web" }), node("b"), node("c", { label: "Cart" }), node("x", { synthetic: true })],
});

function shown(state: Partial<State> = {}): { store: Store; table: LevelTable; text: (selector: string) => string[] } {
  const store = new Store({ ...INITIAL, path: ["eu"], display: { ...INITIAL.display, table: true }, ...state }, (run) => run());
  store.learn({ ...NO_DATA, graph: graph([eu]) });
  const table = new LevelTable(store);
  table.render(store.snapshot);
  return { store, table, text: (selector) => [...table.element.querySelectorAll(selector)].map((each) => each.textContent ?? "") };
}

describe("the level as tables", () => {
  test("tells of each real node and connection what the picture shows", () => {
    const { text } = shown();
    expect(text("caption")).toEqual(["Nodes (3)", "Connections (3)"]);
    const rows = shown().table.element.querySelectorAll("tbody tr");
    const cells = (index: number): (string | null)[] => [...(rows[index] as HTMLTableRowElement).cells].filter((cell) => !cell.hidden).map((cell) => cell.textContent);
    // Sorted by rate, the busiest first; `a` is called by nobody real, so it is told by what it sends.
    expect(cells(0)).toEqual(["a", "web", "105", "9.52 %", "4.76 %", "0", "2", "", "open"]);
    expect(cells(2)).toEqual(["Cart", "default", "12.0", "0 %", "41.7 %", "2", "0", "", "open"]);
    expect(cells(3)).toEqual(["a → b", "100", "10.0 %", "0 %", ""]);
    expect(text("td").some((cell) => cell === "warning: <b>slow</b>")).toBe(true);
  });

  test("selects and enters with buttons, which keep the focus while values change", () => {
    const { store, table } = shown();
    document.body.append(table.element);
    const button = [...table.element.querySelectorAll("button")].find((each) => each.textContent === "Cart")!;
    button.focus();
    button.click();
    expect(store.snapshot.state.selection).toEqual({ kind: "node", node: "c" });
    store.learn({ graph: graph([{ ...eu, edges: [edge("a>b 1"), edge("b>c 500"), edge("a>c 5")] }]) });
    table.render(store.snapshot);
    expect(table.element.querySelector("tbody tr")?.textContent).toContain("Cart");
    expect(document.activeElement).toBe(button);
    [...button.closest("tr")!.querySelectorAll("button")].at(-1)!.click();
    expect(store.snapshot.state.path).toEqual(["eu", "c"]);
    table.element.remove();
  });

  test("follows the filters, as the picture does", () => {
    expect(shown({ filters: { ...INITIAL.filters, minRps: 50 } }).text("caption")).toEqual(["Nodes (2)", "Connections (1)"]);
  });

  test("is not there unless it was asked for", () => {
    const store = new Store(INITIAL);
    const table = new LevelTable({ change: vi.fn() });
    table.render(store.snapshot);
    expect(table.element.hidden).toBe(true);
  });

  test("a column's head sorts, and sorts the other way round", () => {
    const { table, text } = shown();
    const head = [...table.element.querySelectorAll("th button")].find((each) => each.textContent === "Node") as HTMLElement;
    head.click();
    expect(text("table:first-of-type tbody td:first-child").slice(0, 3)).toEqual(["a", "b", "Cart"]);
    expect(head.closest("th")?.getAttribute("aria-sort")).toBe("ascending");
    head.click();
    expect(text("table:first-of-type tbody td:first-child").slice(0, 3)).toEqual(["Cart", "b", "a"]);
  });

  test("rows that are equal keep an order of their own", () => {
    const columns: Column<string>[] = [{ title: "", value: () => 1, text: (row) => row }];
    expect(inOrder(["c", "a", "b"], columns, { column: 0, descending: true }, (row) => row)).toEqual(["a", "b", "c"]);
  });
});

test("of many rows the first ones are shown, and more where somebody asks for them, who reads on there", () => {
  const table = new SortedTable<number>([{ title: "row", value: (row) => row, text: String, open: () => undefined }], String, { column: 0, descending: false });
  document.body.append(table.element);
  table.render("Rows", Array.from({ length: 1250 }, (_, row) => row), () => false);
  const more = [...table.element.querySelectorAll("button")].at(-1)!;
  const rows = (): number => table.element.querySelectorAll("tbody tr").length;
  expect([rows(), more.textContent]).toEqual([200, "Show 1000 more rows of 1050"]);
  expect(table.element.querySelector("caption")!.textContent).toBe("Rows (1250)");
  more.click();
  expect([rows(), more.textContent, more.hidden]).toEqual([1200, "Show 50 more rows of 50", false]);
  expect(document.activeElement?.textContent).toBe("200");
  more.click();
  expect([rows(), more.hidden]).toEqual([1250, true]);
  expect(document.activeElement?.textContent).toBe("1200");
  table.element.remove();
});
