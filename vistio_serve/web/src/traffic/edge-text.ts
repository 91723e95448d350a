/**
 * Words at the connections: rates, errors, latency or throughput, drawn over the picture on a canvas of their own.
 *
 * What to write and where there is room is decided by pure functions. Where there is none, nothing is
 * written: the busiest connections come first.
 */

import { h } from "../dom/elements";
import type { Palette } from "../dom/palette";
import { t } from "../texts/say";
import { formatRate, formatShare } from "../values/format";
import { formatLatency, formatThroughput, latencyOf, throughputOf } from "../values/measures";
import { type Edge, edgeKey, total } from "../values/model";
import type { EdgeText } from "../values/state";
import { lostOf, networkOf } from "../values/witnesses";

/** In front of what was measured at another instant than the one that is shown. */
const ELSEWHEN = "~";

/**
 * What stands at a connection; empty where it has nothing of that kind.
 *
 * @param elsewhen measurements are of another instant than the rates, and are marked.
 */
export function textOf(edge: Edge, kind: EdgeText, elsewhen = false): string {
  const all = total(edge.rates);
  if (edge.synthetic || kind === "none") return "";
  if (kind === "rate") return all > 0 ? `${formatRate(all)}/s` : "";
  if (kind === "errors") return edge.rates.danger > 0 ? formatShare(edge.rates.danger, all) : "";
  if (kind === "latency") {
    const latency = latencyOf(edge.measurements);
    return latency ? `${elsewhen ? ELSEWHEN : ""}${formatLatency(latency.ms)}` : "";
  }
  if (kind === "ends") return endsOf(edge, elsewhen);
  const throughput = throughputOf(edge.measurements);
  return throughput ? `${elsewhen ? ELSEWHEN : ""}${formatThroughput(throughput)}` : "";
}

/** What both ends tell differently: `3.00/s lost · 2.5 ms`. */
function endsOf({ measurements }: Edge, elsewhen: boolean): string {
  const [lost, network] = [lostOf(measurements), networkOf(measurements)];
  const parts = [lost > 0 ? t`${formatRate(lost)}/s lost` : "", network === null ? "" : formatLatency(network)].filter(Boolean);
  return parts.length ? `${elsewhen ? ELSEWHEN : ""}${parts.join(" · ")}` : "";
}

interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Wanted {
  readonly key: string;
  readonly text: string;
  readonly from: Point;
  readonly to: Point;
  readonly width: number;
}

export interface Written extends Point {
  readonly key: string;
  readonly text: string;
  readonly width: number;
}

export const TEXT_HEIGHT_PX = 15;
// What a node covers, from its middle.
const NODE_PX = 12;
// Nearer to the target than to the source, so that the two directions of a pair have places of their own.
const SHARES = [0.58, 0.42, 0.7, 0.3];

/** The texts for which there is room, each in the middle of its line or near it; the first wanted come first. */
export function withRoom(wanted: readonly Wanted[], limits: { readonly width: number; readonly height: number }, nodes: readonly Point[] = []): Written[] {
  const written: Written[] = [];
  const free = ({ x, y }: Point, width: number): boolean =>
    x - width / 2 >= 0 && x + width / 2 <= limits.width && y >= TEXT_HEIGHT_PX && y <= limits.height - TEXT_HEIGHT_PX
    && nodes.every((node) => Math.abs(node.x - x) >= NODE_PX + width / 2 || Math.abs(node.y - y) >= NODE_PX + TEXT_HEIGHT_PX / 2)
    && written.every((other) => Math.abs(other.x - x) >= (other.width + width) / 2 || Math.abs(other.y - y) >= TEXT_HEIGHT_PX);
  for (const { key, text, from, to, width } of wanted) {
    const places = SHARES.map((share) => ({ x: Math.round(from.x + share * (to.x - from.x)), y: Math.round(from.y + share * (to.y - from.y)) }));
    const place = places.find((each) => free(each, width));
    if (place) written.push({ key, text, width, ...place });
  }
  return written;
}

const REDRAW_MS = 250;
const FONT = "11px system-ui, sans-serif";

/** What the texts are drawn for, asked anew each time, for nodes move. */
export interface Source {
  readonly edges: readonly Edge[];
  readonly kind: EdgeText;
  /** As for `textOf`. */
  readonly elsewhen: boolean;
  readonly palette: Palette;
  placeOf(node: string): Point | null;
}

export class EdgeTexts {
  readonly canvas = h("canvas", { class: "edge-texts", "aria-hidden": "true" });
  private written: readonly Written[] = [];
  private drawn = "";

  constructor(private readonly source: () => Source | null) {
    setInterval(() => this.draw(), REDRAW_MS);
  }

  /** What is written at this moment; for tests. */
  texts(): readonly string[] {
    return this.written.map((each) => `${each.key} ${each.text}`);
  }

  draw(): void {
    const source = this.source();
    if (!source || source.kind === "none") {
      if (this.written.length) this.clear();
      return;
    }
    const context = this.canvas.getContext("2d");
    if (!context) return;
    context.font = FONT;
    const rect = this.canvas.getBoundingClientRect();
    const wanted = [...source.edges].sort((one, other) => total(other.rates) - total(one.rates)).flatMap((edge): Wanted[] => {
      const text = textOf(edge, source.kind, source.elsewhen);
      const [from, to] = text ? [source.placeOf(edge.source), source.placeOf(edge.target)] : [null, null];
      if (!from || !to) return [];
      const inside = ({ x, y }: Point): Point => ({ x: x - rect.left, y: y - rect.top });
      return [{ key: edgeKey(edge), text, from: inside(from), to: inside(to), width: Math.ceil(context.measureText(text).width) + 8 }];
    });
    this.written = withRoom(wanted, rect, wanted.flatMap(({ from, to }) => [from, to]));
    const drawn = JSON.stringify([this.written, source.palette, rect.width, rect.height, devicePixelRatio]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.write(context, rect, source.palette);
  }

  private write(context: CanvasRenderingContext2D, rect: DOMRect, palette: Palette): void {
    this.canvas.width = Math.round(rect.width * devicePixelRatio);
    this.canvas.height = Math.round(rect.height * devicePixelRatio);
    context.scale(devicePixelRatio, devicePixelRatio);
    this.paint(context, palette);
  }

  /** Writes what is written at this moment elsewhere, where a unit is a pixel of the page. */
  paint(context: CanvasRenderingContext2D, palette: Palette): void {
    Object.assign(context, { font: FONT, textAlign: "center", textBaseline: "middle" });
    for (const { text, x, y, width } of this.written) {
      context.globalAlpha = 0.88;
      context.fillStyle = palette.surface;
      context.fillRect(x - width / 2, y - TEXT_HEIGHT_PX / 2, width, TEXT_HEIGHT_PX);
      context.globalAlpha = 1;
      context.fillStyle = palette.text;
      context.fillText(text, x, y + 0.5);
    }
  }

  private clear(): void {
    this.written = [];
    this.drawn = "";
    this.canvas.getContext("2d")?.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }
}
