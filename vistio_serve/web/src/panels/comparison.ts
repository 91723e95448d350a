/** What changed since the pinned moment, ranked. */

import "../style/compare.css";
import { h, iconButton, set, setText } from "../dom/elements";
import { type Change, type Row, SIGNS, WORDS, groupRowsOf, rowsOf, summaryOf, unseenOf } from "../picture/changes";
import { type Pictures, changesAsDrawn } from "../picture/picture";
import type { Actions, Snapshot } from "../store/store";
import { counted, t } from "../texts/say";
import type { Diff, DiffChange } from "../values/answers";
import { goToBaseline, swap, unpin } from "../values/baseline";
import { formatDayAndTime, formatRate } from "../values/format";
import { keyIn } from "../values/model";
import { type Selection, type State, levelOf, openPath, sameSelection, select } from "../values/state";
import { Panel } from "./panel";

const SHOWN_ROWS = 8;

export class ComparePanel extends Panel {
  private readonly intro = h("p", { class: "quiet" });
  private readonly rounded = h("p", { class: "quiet rounded" });
  private readonly groups: Changes;
  private readonly edges: Changes;
  private readonly nodes: Changes;
  private shown: readonly unknown[] = [];

  constructor(actions: Actions, private readonly pictures: Pictures) {
    super("compare", t("Comparison"));
    const button = (text: string, title: string, step: Parameters<Actions["change"]>[0]): HTMLElement =>
      h("button", { type: "button", class: "quiet-button", title, onClick: () => actions.change(step) }, text);
    this.groups = new Changes(t("Groups"), t("Group"), actions);
    this.edges = new Changes(t("Connections"), t("Connection"), actions);
    this.nodes = new Changes(t("Nodes"), t("Node"), actions);
    this.body.append(this.intro, this.rounded, this.groups.element, this.edges.element, this.nodes.element);
    this.element.prepend(h("header", { class: "panel-head" },
      h("div", {}, h("p", { class: "panel-kind" }, t("Compared with")), this.heading),
      h("div", { class: "panel-buttons" },
        button(t("Show it"), t("Go to the pinned moment"), goToBaseline),
        button(t("Swap"), t("Show the pinned moment, and pin the shown one"), swap),
        iconButton("close", t("Stop comparing (c)"), () => actions.change(unpin)))));
  }

  protected isShown({ state }: Snapshot): boolean {
    return state.baselineMs !== null;
  }

  protected update(now: Snapshot): void {
    const { state, data } = now;
    const plan = this.pictures.planOf(now);
    const shownMs = data.graph?.about.instantMs;
    const inputs = [data.diff, data.diffProblem, state.baselineMs, state.zone, state.path, state.selection, shownMs === state.baselineMs, plan.groups.size ? plan : null, plan.groups.size ? data.graph : null];
    if (inputs.every((each, index) => each === this.shown[index])) return;
    this.shown = inputs;
    const baselineMs = state.baselineMs!;
    setText(this.heading, formatDayAndTime(baselineMs, state.zone));
    const same = shownMs === baselineMs;
    const rows = data.diff && !same ? rowsOf(data.diff, levelOf(state)) : { edges: [], nodes: [] };
    setText(this.intro, intro({ state, data }, same, rows.edges));
    setText(this.rounded, same ? "" : roundedNote(data.diff));
    const changes = plan.groups.size && !same ? changesAsDrawn(data, levelOf(state), plan) : null;
    this.groups.render(changes ? groupRowsOf(changes, plan, levelOf(state)) : [], state);
    const unseen = (all: readonly DiffChange[] | undefined): number => (same || !all ? 0 : unseenOf(all, levelOf(state)));
    this.edges.render(rows.edges, state, unseen(data.diff?.edges));
    this.nodes.render(rows.nodes, state, unseen(data.diff?.nodes));
  }
}

function intro({ data }: Snapshot, same: boolean, edges: readonly Row[]): string {
  if (same) return t("This is the pinned moment itself. Go to another one to see what changed.");
  if (data.diffProblem) return t`Cannot be compared: ${data.diffProblem.detail || data.diffProblem.title}`;
  if (!data.diff) return t("Comparing…");
  if (!edges.length) return t("Nothing is different here.");
  const { before, after } = data.diff;
  if (!before.instants || !after.instants) return t("One of the two moments has nothing recorded.");
  const [listed, changed] = [data.diff.edges.length, data.diff.changed_edges];
  return listed < changed ? t`The ${listed} largest of ${changed} changes; the others are smaller, and not counted in groups.` : "";
}

/** Said where rates were not kept as they were; else empty. */
export function roundedNote(diff: Diff | null): string {
  const digits = [diff?.before, diff?.after].flatMap((side) => side?.significant_digits ?? []);
  if (!digits.length) return "";
  const fewest = Math.min(...digits);
  return counted(fewest, "Rates were rounded to {0} significant digit when they were recorded; smaller changes are not seen.", "Rates were rounded to {0} significant digits when they were recorded; smaller changes are not seen.");
}

/** A ranked table; what is not notable is quiet, and the long tail is on demand. */
class Changes {
  readonly element: HTMLElement;
  private readonly title: HTMLElement;
  private readonly rows = h("tbody", {});
  private readonly more: HTMLButtonElement;
  private all = false;
  private latest: { rows: readonly Row[]; state: State; unseen: number } | null = null;

  constructor(private readonly name: string, one: string, private readonly actions: Actions) {
    this.title = h("h3", {});
    this.more = h("button", { type: "button", class: "quiet-button", onClick: () => { this.all = !this.all; if (this.latest) this.render(this.latest.rows, this.latest.state, this.latest.unseen); } });
    const head = h("tr", {}, h("th", {}, one), h("th", { class: "number" }, t("req/s")), h("th", { class: "number" }, t("errors")));
    this.element = h("div", { class: "changes" }, this.title, h("table", {}, h("thead", {}, head), this.rows), this.more);
  }

  render(rows: readonly Row[], state: State, unseen = 0): void {
    this.latest = { rows, state, unseen };
    this.element.hidden = rows.length === 0 && unseen === 0;
    setText(this.title, t`${this.name}: ${summaryOf(rows, unseen)}`);
    this.rows.replaceChildren(...(this.all ? rows : rows.slice(0, SHOWN_ROWS)).map((row) => this.row(row, state)));
    this.more.hidden = rows.length <= SHOWN_ROWS;
    setText(this.more, this.all ? t("fewer") : t`${rows.length - SHOWN_ROWS} more`);
  }

  private row({ cluster, name, change, selects }: Row, state: State): HTMLElement {
    const open = (): void => this.actions.change((before, { graph }) => {
      const key = keyIn(graph?.levels.get(cluster));
      const selection: Selection = "node" in selects ? { kind: "node", node: key(selects.node) } : { kind: "edge", source: key(selects.source), target: key(selects.target) };
      return select(levelOf(before) === cluster ? before : openPath(before, cluster ? [cluster] : []), selection);
    });
    const selected = levelOf(state) === cluster && state.selection !== null && sameSelection(state.selection, "node" in selects ? { kind: "node", ...selects } : { kind: "edge", ...selects });
    const made = h("tr", { class: `${change.notable ? `change-${change.kind}` : "quiet"}${selected ? " selected" : ""}` },
      h("td", {}, h("div", { class: "cell" },
        h("span", { class: "sign", title: t(WORDS[change.kind]) }, change.notable ? SIGNS[change.kind] : ""),
        h("button", { type: "button", class: "row-button", title: t`${name}: ${t(WORDS[change.kind])}`, onClick: open }, name))),
      h("td", { class: "number" }, signedRate(change)),
      h("td", { class: "number" }, signedPoints(change)));
    set(made, "data-change", change.kind);
    return made;
  }
}

function signedRate({ byRps }: Change): string {
  return byRps === 0 ? "0" : `${byRps > 0 ? "+" : "−"}${formatRate(Math.abs(byRps))}`;
}

/** Percentage points. */
function signedPoints({ byErrors }: Change): string {
  if (byErrors === null) return "–";
  const rounded = Math.abs(byErrors).toFixed(Math.abs(byErrors) >= 10 ? 0 : 1);
  return Number(rounded) === 0 ? "0" : t`${(byErrors > 0 ? "+" : "−") + rounded} pp`;
}
