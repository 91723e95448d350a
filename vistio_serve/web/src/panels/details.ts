/** What is selected, or else the level: its facts, its notices, its connections. */

import { h, iconButton, setText } from "../dom/elements";
import { type Group, type Plan, bundle } from "../picture/groups";
import type { Pictures } from "../picture/picture";
import type { Actions, Snapshot } from "../store/store";
import { t } from "../texts/say";
import { OTHERS } from "../values/crowd";
import { formatRate } from "../values/format";
import { latencyOf, measuredNote } from "../values/measures";
import { type Edge, type Level, NO_RATES, type Node, type Notice, type Tones, labelOf, notAnswered, sum, total } from "../values/model";
import { append } from "../values/multimap";
import { visible } from "../values/names";
import { type PlacedNotice, causesAt } from "../values/notices";
import { closeGroup, openGroup } from "../values/opening";
import { type Selection, type State, enter, levelOf, openPath, select } from "../values/state";
import { enteringRates, insideRates } from "../values/traffic";
import { Connections, NO_TABLE, type Row, type Table } from "./connections";
import { type Fact, factList, findEdge, incoming, measurementFacts, outgoing, rateFacts, throughputFacts, trafficOf, witnessFacts } from "./facts";
import { noticeList } from "./notices";
import { Panel } from "./panel";
import { TrendChart } from "./trend-chart";

const NOTHING: Edge = { source: "", target: "", rates: NO_RATES, notices: [], measurements: {}, toldBy: "", synthetic: false };

export class DetailsPanel extends Panel {
  private readonly facts = h("div", {});
  private absent = false;
  private readonly measured = h("p", { class: "quiet measured" });
  private readonly trend = new TrendChart();
  private readonly notices = h("div", {});
  private readonly tables: readonly [Connections, Connections, Connections];
  private readonly kind = h("p", { class: "panel-kind" });
  private readonly buttons = h("div", { class: "panel-buttons" });

  constructor(
    private readonly actions: Actions,
    private readonly pictures: Pictures,
  ) {
    super("details", t("Details"));
    this.tables = [new Connections(actions), new Connections(actions), new Connections(actions)];
    this.body.append(this.facts, this.measured, this.trend.element, this.notices, ...this.tables.map((table) => table.element));
    this.element.prepend(h("header", { class: "panel-head" }, h("div", {}, this.kind, this.heading), this.buttons));
  }

  protected isShown({ state, data }: Snapshot): boolean {
    return data.graph?.levels.has(levelOf(state)) ?? false;
  }

  protected update(now: Snapshot): void {
    const { state, data } = now;
    const level = data.graph!.levels.get(levelOf(state))!;
    const plan = this.pictures.planOf(now);
    const subject: Selection | null = state.selection ?? (state.path[1] ? { kind: "node", node: state.path[1] } : null);
    const group = subject?.kind === "node" ? plan.groups.get(subject.node) : undefined;
    if (group) this.showGroup(level, group, state);
    else if (subject?.kind === "node") this.showNode(level, subject.node, plan, state, data.graph!.levels.has(subject.node) && level.name === "");
    else if (subject) this.showEdge(level, subject.source, subject.target, plan, state);
    else this.showLevel(level, plan, now);
    this.showUnseen(notAnswered(data.graph!.about, level.name));
    setText(this.measured, measuredNote(data.graph!, state.zone));
    this.trend.render(now);
  }

  private showLevel(level: Level, plan: Plan, { state, data }: Snapshot): void {
    const real = level.edges.filter((edge) => !edge.synthetic);
    this.head(level.name === "" ? t("All clusters") : t("Cluster"), visible(level.name) || t("Between clusters"), []);
    const [requests, errors] = rateFacts(insideRates(data.graph!, level.name), level.tones);
    this.facts.replaceChildren(
      h("h3", {}, t("What enters")), factList([...rateFacts(enteringRates(level, data.topology.get(level.name)), level.tones), [t("Nodes"), String(level.nodes.filter((node) => !node.synthetic).length)]]),
      h("h3", {}, level.name === "" ? t("Every hop inside clusters") : t("Every hop inside")), factList([requests!, errors!]));
    this.absent = false;
    // What happens in a cluster is also told by who sees all of them.
    const levels = level.name === "" ? [...data.graph!.levels.values()] : [level];
    const causes = causesAt(data.happened?.found?.incidents ?? [], data.graph!.about.instantMs, data.topology);
    this.showNotices(levels.flatMap((each) => placed(each, level, causes, this.actions)));
    this.showTables(state, level.tones, this.groupTable(level, plan), { title: t("Connections"), rows: real, name: edgeName(level) });
  }

  private showNode(level: Level, nodeName: string, plan: Plan, state: State, isCluster: boolean): void {
    const node = level.nodes.find((each) => each.name === nodeName);
    const [received, sent] = [incoming(level, nodeName), outgoing(level, nodeName)];
    const canOpen = isCluster || (level.name !== "" && state.path[1] !== nodeName);
    const open = h("button", { type: "button", class: "button", onClick: () => this.actions.change((before) => enter({ ...before, path: before.path.slice(0, level.name === "" ? 0 : 1) }, nodeName)) }, isCluster ? t("Enter cluster") : t("Focus"));
    this.head(kindOf(node, isCluster), labelOf(level, nodeName), [canOpen && !!node && open, state.selection !== null && this.close()]);
    this.showFacts(node ? [...rateFacts(trafficOf(level, nodeName), level.tones), ...measurementFacts(node.measurements), ...throughputFacts(received, t("Bytes, incoming")), ...throughputFacts(sent, t("Bytes, outgoing"))] : [], !node);
    const group = plan.groups.get(plan.drawnAs.get(nodeName) ?? "") ?? [...plan.groups.values()].findLast((each) => each.open && each.members.includes(nodeName));
    if (group) this.facts.append(this.groupLine(group));
    this.showNotices(node?.notices.map((notice) => here(notice, false)) ?? []);
    this.showTables(state, level.tones, { title: t("Incoming"), rows: received, name: (edge) => labelOf(level, edge.source) }, { title: t("Outgoing"), rows: sent, name: (edge) => labelOf(level, edge.target) });
  }

  private showGroup(level: Level, group: Group, state: State): void {
    const inside = new Set(group.members);
    const real = level.edges.filter((edge) => !edge.synthetic);
    const received = real.filter((edge) => inside.has(edge.target) && !inside.has(edge.source));
    const sent = real.filter((edge) => inside.has(edge.source) && !inside.has(edge.target));
    const within = real.filter((edge) => inside.has(edge.source) && inside.has(edge.target));
    const there = level.nodes.filter((node) => inside.has(node.name));
    const open = h("button", { type: "button", class: "button", onClick: () => this.actions.change((before) => openGroup(before, group.name)) }, group.name === OTHERS ? t("Show more") : t("Open group"));
    this.head(t("Group"), groupTitle(group), [!group.open && open, this.close()]);
    const rates = sum((received.length ? received : sent).map((edge) => edge.rates));
    this.showFacts([...rateFacts(rates, level.tones), [t("Nodes"), there.length === group.members.length ? String(there.length) : t`${there.length} of ${group.members.length} at this instant`], [t("Requests inside"), `${formatRate(total(sum(within.map((edge) => edge.rates))))} /s`], ...throughputFacts(received, t("Bytes, incoming")), ...throughputFacts(sent, t("Bytes, outgoing"))]);
    this.showNotices([
      ...there.flatMap((node) => node.notices.map((notice) => ({ ...here(notice, false), place: node.label, open: this.to({ kind: "node", node: node.name }) }))),
      ...within.flatMap((edge) => edge.notices.map((notice) => ({ ...here(notice, true), place: edgeName(level)(edge), open: this.to({ kind: "edge", source: edge.source, target: edge.target }) }))),
    ]);
    this.showTables(state, level.tones, this.memberTable(level, there), { title: t("Incoming"), rows: received, name: edgeName(level) }, { title: t("Outgoing"), rows: sent, name: edgeName(level) });
  }

  private showEdge(level: Level, source: string, target: string, plan: Plan, state: State): void {
    const bundled = plan.groups.has(source) || plan.groups.has(target);
    const as = (name: string): string => plan.drawnAs.get(name) ?? name;
    const edges = bundled ? level.edges.filter((edge) => !edge.synthetic && as(edge.source) === source && as(edge.target) === target) : [findEdge(level, source, target)].filter((edge) => edge !== undefined);
    const edge = edges.length ? bundle(source, target, edges) : undefined;
    const label = (name: string): string => (plan.groups.has(name) ? groupTitle(plan.groups.get(name)!) : labelOf(level, name));
    this.head(edges.length > 1 ? t`${edges.length} connections` : t("Connection"), `${label(source)} → ${label(target)}`, [this.close()]);
    this.showFacts(edge ? [...rateFacts(edge.rates, level.tones), ...witnessFacts(edge), ...measurementFacts(edge.measurements)] : [], !edge);
    if (edges.length > 1 && latencyOf(edge!.measurements)) this.facts.append(h("p", { class: "quiet" }, t("Of latencies the largest, of throughput and what was lost the sum.")));
    this.showNotices(edge?.notices.map((notice) => here(notice, true)) ?? []);
    this.facts.append(h("p", { class: "ends" }, this.endButton(source, label), " → ", this.endButton(target, label)));
    this.showTables(state, level.tones, bundled ? { title: t("Connections"), rows: edges, name: edgeName(level) } : NO_TABLE);
  }

  private endButton(name: string, label: (name: string) => string): HTMLElement {
    return h("button", { type: "button", class: "quiet-button", onClick: this.to({ kind: "node", node: name }) }, label(name));
  }

  private groupLine(group: Group): HTMLElement {
    return h("p", { class: "ends" }, t("In group "), h("button", { type: "button", class: "quiet-button", onClick: this.to({ kind: "node", node: group.key }) }, groupTitle(group)),
      group.open && h("span", {}, " · ", h("button", { type: "button", class: "quiet-button", onClick: () => this.actions.change((state) => closeGroup(state, group.name)) }, t("close it"))));
  }

  private groupTable(level: Level, plan: Plan): Table {
    const label = new Map([...plan.groups.values()].map((group) => [group.key, `${groupTitle(group)} (${group.members.length})`]));
    // In one pass: twenty thousand connections, for each of eighty groups, would be felt at each click.
    const groupsOf = new Map<string, Group[]>();
    for (const group of plan.groups.values()) for (const member of group.members) append(groupsOf, member, group);
    const received = new Map<Group, Edge[]>();
    for (const edge of level.edges) {
      const from = groupsOf.get(edge.source) ?? [];
      for (const group of groupsOf.get(edge.target) ?? []) if (!from.includes(group)) append(received, group, edge);
    }
    const nodes = new Map(level.nodes.map((node) => [node.name, node]));
    const rows = [...plan.groups.values()].map((group): Row => {
      const edges = received.get(group) ?? [];
      const notices = [...group.members.flatMap((member) => nodes.get(member)?.notices ?? []), ...edges.flatMap((edge) => edge.notices)];
      return { ...bundle(group.key, group.key, edges.length ? edges : [NOTHING]), source: group.key, target: group.key, notices: notices.sort((one, other) => other.severity - one.severity) };
    });
    return { title: t("Groups"), of: t("Group"), rows, name: (row) => label.get(row.source) ?? row.source, open: (row) => this.to({ kind: "node", node: row.source })() };
  }

  private memberTable(level: Level, there: readonly Node[]): Table {
    const rows = there.map((node): Row => ({ source: node.name, target: node.name, rates: trafficOf(level, node.name), notices: node.notices, measurements: node.measurements }));
    return { title: t("Nodes"), of: t("Node"), rows, name: (row) => labelOf(level, row.source), open: (row) => this.to({ kind: "node", node: row.source })() };
  }

  private to(selection: Selection): () => void {
    return () => this.actions.change((state) => select(state, selection));
  }

  private showTables(state: State, tones: Tones, ...tables: readonly Table[]): void {
    this.tables.forEach((table, index) => table.render(tables[index] ?? NO_TABLE, state, tones));
  }

  private head(kind: string, title: string, buttons: (HTMLElement | false)[]): void {
    setText(this.kind, kind);
    setText(this.heading, title);
    this.buttons.replaceChildren(...buttons.filter((each): each is HTMLElement => each !== false));
  }

  private close(): HTMLElement {
    return iconButton("close", t("Clear the selection (Esc)"), () => this.actions.change((state) => select(state, null)));
  }

  private showFacts(facts: readonly Fact[], absent = false): void {
    this.absent = absent;
    this.facts.replaceChildren(absent ? h("p", { class: "quiet" }, t("Not there at this instant: nobody was seen to call it.")) : factList(facts));
  }

  /** A number of which a part was not seen says so. */
  private showUnseen(names: string): void {
    if (!names) return;
    if (this.absent) this.facts.replaceChildren();
    this.facts.prepend(h("p", { class: "partial" }, this.absent ? t`Not seen at this instant: ${names} was not answered.` : t`Known in part: ${names} was not answered.`));
  }

  private showNotices(notices: readonly PlacedNotice[]): void {
    this.notices.replaceChildren(...(notices.length ? [noticeList(notices)] : []));
  }
}

function groupTitle(group: Group): string {
  return group.name === OTHERS ? t("All others") : group.name;
}

function kindOf(node: Node | undefined, isCluster: boolean): string {
  if (isCluster) return t("Cluster");
  return node && node.class !== "default" && node.class !== "normal" ? t`Node · ${node.class}` : t("Node");
}

function edgeName(level: Level): (edge: Pick<Edge, "source" | "target">) => string {
  return (edge) => `${labelOf(level, edge.source)} → ${labelOf(level, edge.target)}`;
}

/** A notice of what is selected: where it is, is clear. */
function here(notice: Notice, ofEdge: boolean): PlacedNotice {
  return { ...notice, place: "", ofEdge, cause: Infinity };
}

/** All notices of a level, each with the way to where it is; those of a level below with its name. */
function placed(level: Level, from: Level, causes: (level: string, target: string) => number, actions: Actions): PlacedNotice[] {
  const to = (selection: Selection) => (): void => actions.change((state) => select(level === from ? state : openPath(state, [level.name]), selection));
  const inside = level === from ? "" : `${labelOf(from, level.name)} / `;
  const name = edgeName(level);
  return [
    ...level.nodes.flatMap((node) => node.notices.map((notice) => ({ ...here(notice, false), place: inside + node.label, cause: causes(level.name, node.name), open: to({ kind: "node", node: node.name }) }))),
    ...level.edges.filter((edge) => !edge.synthetic).flatMap((edge) => edge.notices.map((notice) => ({ ...here(notice, true), place: inside + name(edge), cause: causes(level.name, edge.target) + 0.5, open: to({ kind: "edge", source: edge.source, target: edge.target }) }))),
  ];
}
