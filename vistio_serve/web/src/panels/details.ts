/** What is selected, or else the level: its facts, its notices, its connections. */

import { h, iconButton, setText } from "../dom";
import { type Edge, type Level, type Node, labelOf, sum } from "../model";
import { type Selection, type State, enter, levelOf, select } from "../state";
import type { Actions, Snapshot } from "../store";
import { Connections } from "./connections";
import { type Fact, factList, findEdge, incoming, measurementFacts, outgoing, rateFacts, trafficOf } from "./facts";
import { type PlacedNotice, noticeList } from "./notices";
import { Panel } from "./panel";

export class DetailsPanel extends Panel {
  private readonly facts = h("div", {});
  private readonly notices = h("div", {});
  private readonly first: Connections;
  private readonly second: Connections;
  private readonly kind = h("p", { class: "panel-kind" });
  private readonly buttons = h("div", { class: "panel-buttons" });

  constructor(private readonly actions: Actions) {
    super("details", "Details");
    this.first = new Connections(actions);
    this.second = new Connections(actions);
    this.body.append(this.facts, this.notices, this.first.element, this.second.element);
    this.element.prepend(h("header", { class: "panel-head" }, h("div", {}, this.kind, this.heading), this.buttons));
  }

  protected isShown({ state, data }: Snapshot): boolean {
    return data.graph?.levels.has(levelOf(state)) ?? false;
  }

  protected update({ state, data }: Snapshot): void {
    const level = data.graph!.levels.get(levelOf(state))!;
    const subject: Selection | null = state.selection ?? (state.path[1] ? { kind: "node", node: state.path[1] } : null);
    if (subject?.kind === "node") this.showNode(level, subject.node, state, data.graph!.levels.has(subject.node) && level.name === "");
    else if (subject) this.showEdge(level, subject.source, subject.target, state);
    else this.showLevel(level, state);
  }

  private showLevel(level: Level, state: State): void {
    const real = level.edges.filter((edge) => !edge.synthetic);
    // What enters is counted once; summing all edges would count a request at each hop.
    const called = new Set(real.map((edge) => edge.target));
    const entering = real.filter((edge) => !called.has(edge.source));
    const name = edgeName(level);
    this.head(level.name === "" ? "All clusters" : "Cluster", level.name || "Between clusters", []);
    this.showFacts([...rateFacts(sum(entering.map((edge) => edge.rates))), ["Nodes", String(level.nodes.filter((node) => !node.synthetic).length)]]);
    this.showNotices(placed(level, this.actions, real));
    this.first.render("Connections", real, name, state);
    this.second.render("", [], name, state);
  }

  private showNode(level: Level, nodeName: string, state: State, isCluster: boolean): void {
    const node = level.nodes.find((each) => each.name === nodeName);
    const [received, sent] = [incoming(level, nodeName), outgoing(level, nodeName)];
    const canOpen = isCluster || (level.name !== "" && state.path[1] !== nodeName);
    const open = h("button", { type: "button", class: "button", onClick: () => this.actions.change((before) => enter({ ...before, path: before.path.slice(0, level.name === "" ? 0 : 1) }, nodeName)) }, isCluster ? "Enter cluster" : "Focus");
    this.head(kindOf(node, isCluster), labelOf(level, nodeName), [canOpen && !!node && open, state.selection !== null && this.close()]);
    this.showFacts(node ? [...rateFacts(trafficOf(level, nodeName)), ...measurementFacts(node.measurements)] : [], !node);
    this.showNotices(node?.notices.map((notice) => ({ ...notice, place: "" })) ?? []);
    this.first.render("Incoming", received, (edge) => labelOf(level, edge.source), state);
    this.second.render("Outgoing", sent, (edge) => labelOf(level, edge.target), state);
  }

  private showEdge(level: Level, source: string, target: string, state: State): void {
    const edge = findEdge(level, source, target);
    this.head("Connection", `${labelOf(level, source)} → ${labelOf(level, target)}`, [this.close()]);
    this.showFacts(edge ? [...rateFacts(edge.rates), ...measurementFacts(edge.measurements)] : [], !edge);
    this.showNotices(edge?.notices.map((notice) => ({ ...notice, place: "" })) ?? []);
    const ends = (name: string): void => this.actions.change((before) => select(before, { kind: "node", node: name }));
    this.facts.append(h("p", { class: "ends" },
      h("button", { type: "button", class: "quiet-button", onClick: () => ends(source) }, labelOf(level, source)), " → ",
      h("button", { type: "button", class: "quiet-button", onClick: () => ends(target) }, labelOf(level, target))));
    this.first.render("", [], edgeName(level), state);
    this.second.render("", [], edgeName(level), state);
  }

  private head(kind: string, title: string, buttons: (HTMLElement | false)[]): void {
    setText(this.kind, kind);
    setText(this.heading, title);
    this.buttons.replaceChildren(...buttons.filter((each): each is HTMLElement => each !== false));
  }

  private close(): HTMLElement {
    return iconButton("close", "Clear the selection (Esc)", () => this.actions.change((state) => select(state, null)));
  }

  private showFacts(facts: readonly Fact[], absent = false): void {
    this.facts.replaceChildren(absent ? h("p", { class: "quiet" }, "Not there at this instant: nobody was seen to call it.") : factList(facts));
  }

  private showNotices(notices: readonly PlacedNotice[]): void {
    this.notices.replaceChildren(...(notices.length ? [noticeList(notices)] : []));
  }
}

function kindOf(node: Node | undefined, isCluster: boolean): string {
  if (isCluster) return "Cluster";
  return node && node.class !== "default" && node.class !== "normal" ? `Node · ${node.class}` : "Node";
}

function edgeName(level: Level): (edge: Edge) => string {
  return (edge) => `${labelOf(level, edge.source)} → ${labelOf(level, edge.target)}`;
}

/** All notices of a level, each with the way to where it is. */
function placed(level: Level, actions: Actions, edges: readonly Edge[]): PlacedNotice[] {
  const to = (selection: Selection) => (): void => actions.change((state) => select(state, selection));
  const name = edgeName(level);
  return [
    ...level.nodes.flatMap((node) => node.notices.map((notice) => ({ ...notice, place: node.label, open: to({ kind: "node", node: node.name }) }))),
    ...edges.flatMap((edge) => edge.notices.map((notice) => ({ ...notice, place: name(edge), open: to({ kind: "edge", source: edge.source, target: edge.target }) }))),
  ];
}
