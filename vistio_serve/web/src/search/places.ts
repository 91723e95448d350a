/** Everything that has a name and a place to go to: clusters, groups and nodes of all levels. Pure. */

import type { Plan } from "../picture/groups";
import type { Snapshot } from "../store/store";
import { t } from "../texts/say";
import { OTHERS } from "../values/crowd";
import { type Graph, type Level, labelOf } from "../values/model";
import { visible } from "../values/names";
import { type State, levelOf, openPath, select } from "../values/state";

export interface Place {
  /** The same as long as it is the same place. */
  readonly key: string;
  readonly text: string;
  /** What it is, and where. */
  readonly about: string;
  go(state: State): State;
}

/** @param plans by level, which nodes are drawn as groups. */
export function placesOf({ state, data: { graph, topology } }: Snapshot, plans: ReadonlyMap<string, Plan>): readonly Place[] {
  const all = new Map([...(graph?.levels ?? []), ...topology]);
  // Of what is called the same, what is here is meant first.
  const levels = new Map([...all].sort(([one], [other]) => Number(other === levelOf(state)) - Number(one === levelOf(state))));
  const clusters = [...levels.keys()].filter(Boolean).sort();
  const nameOf = (cluster: string): string => labelOf(levels.get(""), cluster);
  return [
    { key: "all", text: graph?.name ?? t("Mesh"), about: t("all clusters"), go: (state) => openPath(state, []) },
    ...clusters.map((cluster): Place => ({ key: `cluster ${cluster}`, text: nameOf(cluster), about: t("cluster"), go: (state) => openPath(state, [cluster]) })),
    ...[...levels].flatMap(([name, level]) => [...groupsOn(name, nameOf(name), plans.get(name)), ...nodesOn(level, name && nameOf(name), levels, graph)]),
  ];
}

function groupsOn(level: string, called: string, plan: Plan | undefined): Place[] {
  const groups = [...(plan?.groups.values() ?? [])].filter((group) => !group.open && group.name !== OTHERS);
  return groups.map((group) => ({ key: `group ${level}\n${group.key}`, text: visible(group.name), about: t`group of ${group.members.length} in ${called}`, go: selecting(level, group.key) }));
}

function nodesOn(level: Level, called: string, levels: ReadonlyMap<string, Level>, graph: Graph | null): Place[] {
  const now = new Set(graph?.levels.get(level.name)?.nodes.map((node) => node.name));
  // On the global level most nodes are clusters, which have a line of their own.
  const nodes = level.nodes.filter((node) => !node.synthetic && (level.name !== "" || !levels.has(node.name)));
  return nodes.map((node) => ({
    key: `node ${level.name}\n${node.name}`,
    text: node.label,
    about: (called ? t`in ${called}` : t("between clusters")) + (now.has(node.name) ? "" : t(", not there at this instant")),
    go: selecting(level.name, node.name),
  }));
}

function selecting(level: string, node: string): (state: State) => State {
  return (state) => select(openPath(state, level ? [level] : []), { kind: "node", node });
}
