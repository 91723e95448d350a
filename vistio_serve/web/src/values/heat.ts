/** Services over time: what of them is shown, in which order, and how strongly. Pure. */

import { type Text, t } from "../texts/say";
import type { Heat } from "./answers";
import { formatRate, formatShare, formatTime } from "./format";
import { formatLatency } from "./measures";
import { keyIn } from "./model";
import { visible } from "./names";
import { type HeatKind, type State, openPath, select } from "./state";
import type { Topology } from "./topology";
import { type Axis, goTo } from "./travel";
import type { Zone } from "./zones";

export const HEAT_WORDS: Readonly<Record<HeatKind, Text>> = { errors: "error share", latency: "latency", change: "change of requests" };

/** A share of errors, or how many times the median of its row; null where it was not seen, undefined where there is nothing to tell. */
export type Cell = number | null | undefined;

export interface HeatRow {
  /** "" is the global level. */
  readonly level: string;
  /** As the recording calls it. */
  readonly node: string;
  readonly label: string;
  readonly cells: readonly Cell[];
  /** The first step with enough errors to be red; null without one. */
  readonly firstError: number | null;
  /** The most that is shown, and when; null where nothing is. */
  readonly worst: number | null;
  readonly unseen: number;
  /** Its place in the answer. */
  readonly place: number;
}

// From here on a row is unlike its median.
const SLOWER_FROM = 1.25;

/**
 * The rows of a level, of the global one those of all clusters: by their first error, then by their requests.
 *
 * @param redFrom from which share on errors are red, `Tones.danger`.
 */
export function heatRows(heat: Heat, kind: HeatKind, level: string, redFrom: number): HeatRow[] {
  const clusters = new Set(heat.cluster);
  const rows: (HeatRow & { readonly requests: number })[] = [];
  for (let place = 0; place < heat.node.length; place++) {
    const [cluster, node] = [heat.cluster[place]!, heat.node[place]!];
    // On the global level a cluster stands for what is inside, and that is here itself.
    if (level === "" ? cluster === "" && clusters.has(node) : cluster !== level) continue;
    const shares = sharesOf(heat, place);
    const requests = requestsOf(heat, place).reduce<number>((sum, rps) => sum + (rps ?? 0), 0);
    const cells = kind === "errors" ? shares : timesMedian(kind === "latency" ? latenciesOf(heat, place) : requestsOf(heat, place));
    if (cells.every((cell) => cell === undefined)) continue;
    const firstError = shares.findIndex((share) => share != null && share > 0 && share >= redFrom);
    rows.push({
      level: cluster,
      node,
      label: level === "" && cluster ? `${visible(node)} (${visible(cluster)})` : visible(node),
      cells,
      firstError: firstError < 0 ? null : firstError,
      worst: worstOf(cells),
      unseen: cells.filter((cell) => cell === null).length,
      place,
      requests,
    });
  }
  const first = (row: HeatRow): number => row.firstError ?? Infinity;
  return rows.sort((one, other) => compare(first(one), first(other)) || other.requests - one.requests || one.label.localeCompare(other.label));
}

/** How strongly a cell is coloured, 0 to 1; of a change, negative where there is less. As the report's (`vistio_core/report/charts.py`) does. */
export function strengthOf(cell: Cell, kind: HeatKind): number {
  if (cell == null) return 0;
  if (kind === "errors") return cell < 0.001 ? 0 : 0.15 + 0.85 * Math.min(1, Math.sqrt(cell));
  const [more, less] = [cell >= SLOWER_FROM, kind === "change" && cell <= 1 / SLOWER_FROM];
  if (!more && !less) return 0;
  // Three times the median is strong, and so is a third of it.
  const strength = Math.min(1, 0.15 + 0.85 * (Math.abs(Math.log(Math.max(cell, 1e-9))) / Math.log(3)));
  return less ? -strength : strength;
}

/** A cell of one answer, as it is found in the next one, which has other rows and steps. */
export interface HeatPlace {
  readonly level: string;
  readonly node: string;
  readonly ms: number;
}

export function placeOf(heat: Heat, row: HeatRow, column: number): HeatPlace {
  return { level: row.level, node: row.node, ms: stepMs(heat, column) };
}

/** Where a cell is; its column is null where the answer does not reach that moment, all of it where the node has no row. */
export function findPlace(heat: Heat, rows: readonly HeatRow[], { level, node, ms }: HeatPlace): { readonly row: number; readonly column: number | null } | null {
  const row = rows.findIndex((each) => each.level === level && each.node === node);
  const column = Math.floor((ms - Date.parse(heat.start)) / heat.step_ms);
  return row < 0 ? null : { row, column: column >= 0 && column < columnsOf(heat) ? column : null };
}

/** When a step begins. */
export function stepMs(heat: Heat, column: number): number {
  return Date.parse(heat.start) + column * heat.step_ms;
}

export function columnsOf(heat: Heat): number {
  return Math.ceil((Date.parse(heat.end) - Date.parse(heat.start)) / heat.step_ms);
}

/** What one cell says, in words. */
export function cellText(heat: Heat, row: HeatRow, column: number, zone: Zone): string {
  const begin = t`${row.label}, ${formatTime(stepMs(heat, column), zone)}: `;
  const [rps, failed, latency] = [requestsOf(heat, row.place)[column], heat.danger[row.place]?.[column], heat.latency_ms[row.place]?.[column]];
  if (rps == null || failed == null) return begin + t("not seen");
  const errors = rps > 0 ? t`, ${formatShare(failed, rps)} errors` : "";
  return begin + t`${formatRate(rps)} requests/s` + errors + (latency == null ? "" : t(", ") + formatLatency(latency));
}

/** What a row says, for whoever does not see it. */
export function rowText(heat: Heat, row: HeatRow, kind: HeatKind, zone: Zone): string {
  const parts = [row.firstError === null ? t("no errors") : t`first error ${formatTime(stepMs(heat, row.firstError), zone)}`];
  const worst = row.worst === null ? undefined : row.cells[row.worst];
  if (row.worst !== null && worst != null) {
    const most = kind === "errors" ? formatShare(worst, 1) : t`${worst.toPrecision(2)} times its median`;
    const when = formatTime(stepMs(heat, row.worst), zone);
    parts.push(kind === "errors" ? t`worst ${most} at ${when}` : t`${t(HEAT_WORDS[kind])} at most ${most} at ${when}`);
  }
  if (row.unseen) parts.push(t`${row.unseen} of ${row.cells.length} steps not seen`);
  return t`${row.label}: ${parts.join(t(", "))}`;
}

/** Goes to a node and a moment, and shows the picture of it. Of a step that is long, to its middle. */
export function goToCell(state: State, heat: Heat, row: HeatRow, column: number, axis: Axis, topology: Topology): State {
  const level = row.level && keyIn(topology.get(""))(row.level);
  const node = keyIn(topology.get(level))(row.node);
  const within = Math.floor(heat.step_ms / 2 / axis.stepMs) * axis.stepMs;
  const there = openPath(goTo(state, stepMs(heat, column) + within, axis), level ? [level] : []);
  return { ...select(there, { kind: "node", node }), heat: null };
}

function requestsOf(heat: Heat, place: number): readonly (number | null)[] {
  const [normal, warning, danger] = [heat.normal[place]!, heat.warning[place]!, heat.danger[place]!];
  return normal.map((rate, column) => (rate === null ? null : rate + warning[column]! + danger[column]!));
}

function sharesOf(heat: Heat, place: number): Cell[] {
  const danger = heat.danger[place]!;
  return requestsOf(heat, place).map((rps, column) => (rps === null ? null : rps > 0 ? danger[column]! / rps : undefined));
}

/** Where there were no requests, there is no latency. */
function latenciesOf(heat: Heat, place: number): Cell[] {
  const requests = requestsOf(heat, place);
  const latency = heat.latency_ms[place]!;
  if (latency.every((ms) => ms === null)) return latency.map(() => undefined);
  return latency.map((ms, column) => ms ?? (requests[column] === 0 ? undefined : null));
}

function timesMedian(values: readonly Cell[]): Cell[] {
  const known = values.filter((value): value is number => value != null).sort(compare);
  const median = known[Math.floor(known.length / 2)];
  return values.map((value) => (value == null ? value : median ? value / median : undefined));
}

function worstOf(cells: readonly Cell[]): number | null {
  let worst: number | null = null;
  cells.forEach((cell, column) => {
    if (cell != null && cell > (worst === null ? 0 : cells[worst]!)) worst = column;
  });
  return worst;
}

function compare(one: number, other: number): number {
  return one === other ? 0 : one - other;
}
