/** The tab: its title and its icon tell how it is there, for whoever looks at another one. */

import { set } from "../dom/elements";
import type { Snapshot } from "../store/store";
import { t } from "../texts/say";
import { formatMoment, formatShare } from "../values/format";
import { type Graph, pathLabels, total, worst } from "../values/model";
import { isNowhere } from "../values/state";
import { enteringRates } from "../values/traffic";

/** `(!) eu-west 12.2 % errors · 2026-11-23T05:10:00Z · vistio`: where something raises an error notice, what that does to what enters. */
export function titleOf({ state, data }: Snapshot): string {
  const { graph } = data;
  const when = state.travel.refused ? t("no such moment") : isNowhere(state) ? "" : state.travel.mode === "live" ? t("live") : graph ? formatMoment(graph.about.instantMs, state.zone) : "";
  const place = pathLabels(graph, state.path).join(" / ");
  if (!graph || !isAlarming(graph)) return [place, when, "vistio"].filter(Boolean).join(" · ");
  const level = graph.levels.get(state.path[0] ?? "");
  const rates = level && enteringRates(level, data.topology.get(level.name));
  const errors = rates && total(rates) > 0 ? t`${formatShare(rates.danger, total(rates))} errors` : t("error notices");
  return ["(!) " + [place, errors].filter(Boolean).join(" "), when, "vistio"].filter(Boolean).join(" · ");
}

/** Whether anything in the mesh, on whichever level, raises an error notice. */
function isAlarming(graph: Graph): boolean {
  return [...graph.levels.values()].some((level) => [...level.nodes, ...level.edges].some((each) => worst(each.notices) === 2));
}

export function showInTab(now: Snapshot): void {
  const title = titleOf(now);
  if (document.title !== title) document.title = title;
  const icon = document.querySelector("link[rel=icon]");
  if (icon) set(icon, "href", title.startsWith("(!)") ? "static/icon-error.svg" : "static/icon.svg");
}
