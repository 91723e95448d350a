/** The level as tables: what the picture shows, for whoever does not see it, or has no WebGL. */

import { h, set, setText } from "../dom/elements";
import { filterLevel } from "../picture/scene";
import type { Actions, Snapshot, View } from "../store/store";
import { t } from "../texts/say";
import { formatRate, formatShare } from "../values/format";
import { formatLatency } from "../values/measures";
import { type Edge, type Level, type Node, type Notice, type Rates, type Tones, USUAL_TONES, edgeKey, labelOf, sum, total } from "../values/model";
import { append } from "../values/multimap";
import { type Selection, type State, enter, levelOf, select } from "../values/state";
import { toneOf } from "../values/traffic";
import { TOLD_WORDS, lostOf, networkOf } from "../values/witnesses";
import { type Column, SortedTable } from "./sorted-table";

const SEVERITIES = ["info", "warning", "error"] as const;

interface NodeRow {
  readonly node: Node;
  readonly rates: Rates;
  readonly callers: number;
  readonly called: number;
  /** It has a level of its own, or a view with its neighbours. */
  readonly opens: boolean;
}

interface EdgeRow {
  readonly edge: Edge;
  readonly text: string;
}

export class LevelTable implements View {
  readonly element: HTMLElement;
  private readonly heading = h("h2", {});
  private readonly nodes: SortedTable<NodeRow>;
  private readonly edges: SortedTable<EdgeRow>;
  private tones = USUAL_TONES;

  constructor(actions: Actions) {
    const change = (step: (state: State) => State): void => actions.change(step);
    const pick = (selection: Selection): void => change((state) => select(state, selection));
    const tones = (): Tones => this.tones;
    this.nodes = new SortedTable<NodeRow>(
      [
        { title: t("Node"), value: (row) => row.node.label, text: (row) => row.node.label, open: (row) => pick({ kind: "node", node: row.node.name }) },
        { title: t("class"), value: (row) => row.node.class, text: (row) => row.node.class },
        ...rateColumns<NodeRow>((row) => row.rates, tones),
        { title: t("called by"), value: (row) => row.callers, text: (row) => String(row.callers), numeric: true },
        { title: t("calls"), value: (row) => row.called, text: (row) => String(row.called), numeric: true },
        noticeColumn((row) => row.node.notices),
        { title: t("inside"), value: (row) => (row.opens ? 0 : 1), text: (row) => (row.opens ? t("open") : ""), open: (row) => change((state) => enter({ ...state, path: state.path.slice(0, 1) }, row.node.name)) },
      ],
      (row) => row.node.name,
      { column: 2, descending: true },
    );
    this.edges = new SortedTable<EdgeRow>(
      [
        { title: t("Connection"), value: (row) => row.text, text: (row) => row.text, open: ({ edge: { source, target } }) => pick({ kind: "edge", source, target }) },
        ...rateColumns<EdgeRow>((row) => row.edge.rates, tones),
        { title: t("lost/s"), value: ({ edge }) => lostOf(edge.measurements), text: ({ edge }) => (lostOf(edge.measurements) > 0 ? formatRate(lostOf(edge.measurements)) : ""), numeric: true, optional: true, tone: ({ edge }) => (lostOf(edge.measurements) > 0 ? "danger" : "") },
        { title: t("network"), value: ({ edge }) => networkOf(edge.measurements) ?? -1, text: ({ edge }) => networkText(edge), numeric: true, optional: true },
        { title: t("told by"), value: ({ edge }) => edge.toldBy, text: ({ edge }) => (edge.toldBy ? t(TOLD_WORDS[edge.toldBy]) : ""), optional: true },
        noticeColumn((row) => row.edge.notices),
      ],
      (row) => edgeKey(row.edge),
      { column: 2, descending: true },
    );
    this.element = h("section", { class: "level-table", "aria-label": t("The level as tables"), tabindex: -1, hidden: true }, this.heading, this.nodes.element, this.edges.element);
  }

  render({ state, data }: Snapshot): void {
    set(this.element, "hidden", !state.display.table);
    const level = data.graph?.levels.get(levelOf(state));
    if (!state.display.table || !level) return;
    this.tones = level.tones;
    const shown = level.name === "" ? level : filterLevel(level, state.filters, data.patterns);
    setText(this.heading, labelOf(data.graph!.levels.get(""), level.name) || t("All clusters"));
    const { selection } = state;
    const isNode = (row: NodeRow): boolean => selection?.kind === "node" && selection.node === row.node.name;
    const isEdge = ({ edge }: EdgeRow): boolean => selection?.kind === "edge" && selection.source === edge.source && selection.target === edge.target;
    this.nodes.render(t("Nodes"), nodeRows(shown, (name) => level.name !== "" || data.graph!.levels.has(name)), isNode);
    this.edges.render(t("Connections"), edgeRows(shown), isEdge);
  }
}

function nodeRows(level: Level, opens: (name: string) => boolean): NodeRow[] {
  const [callers, called] = [new Map<string, Edge[]>(), new Map<string, Edge[]>()];
  for (const edge of level.edges) {
    if (edge.synthetic) continue;
    append(callers, edge.target, edge);
    append(called, edge.source, edge);
  }
  return level.nodes.filter((node) => !node.synthetic).map((node) => {
    const [received, sent] = [callers.get(node.name) ?? [], called.get(node.name) ?? []];
    // As in the panel: what a node receives; for one that nobody calls, what it sends.
    const rates = sum((received.length ? received : sent).map((edge) => edge.rates));
    return { node, rates, callers: received.length, called: sent.length, opens: opens(node.name) };
  });
}

function edgeRows(level: Level): EdgeRow[] {
  return level.edges.filter((edge) => !edge.synthetic).map((edge) => ({ edge, text: `${labelOf(level, edge.source)} → ${labelOf(level, edge.target)}` }));
}

function networkText({ measurements }: Edge): string {
  const network = networkOf(measurements);
  return network === null ? "" : formatLatency(network);
}

function rateColumns<Row>(rates: (row: Row) => Rates, tones: () => Tones): Column<Row>[] {
  const share = (part: "warning" | "danger") => (row: Row): number => rates(row)[part] / (total(rates(row)) || 1);
  const column = (part: "warning" | "danger", title: string): Column<Row> => ({ title, value: share(part), text: (row) => formatShare(rates(row)[part], total(rates(row))), numeric: true, tone: (row) => toneOf(part, rates(row), tones()) });
  return [
    { title: t("req/s"), value: (row) => total(rates(row)), text: (row) => formatRate(total(rates(row))), numeric: true },
    column("danger", t("errors")),
    column("warning", t("warnings")),
  ];
}

function noticeColumn<Row>(notices: (row: Row) => readonly Notice[]): Column<Row> {
  return {
    title: t("notices"),
    value: (row) => -Math.max(-1, ...notices(row).map((notice) => notice.severity)),
    text: (row) => notices(row).map((notice) => t`${t(SEVERITIES[notice.severity])}: ${notice.title}`).join("; "),
  };
}
