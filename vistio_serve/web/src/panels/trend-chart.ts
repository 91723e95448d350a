/** Draws the trend of what is selected: requests above, errors below, one axis of time. */

import "../style/trend.css";
import { h, set, setText } from "../dom/elements";
import type { Snapshot, Trend } from "../store/store";
import { trendSubject } from "../store/trend";
import { t } from "../texts/say";
import { formatRate, formatTime } from "../values/format";
import type { Zone } from "../values/zones";
import { type Box, drawTrend, xOf } from "./trend-lines";

const BOX: Box = { width: 360, rate: { top: 2, height: 44 }, errors: { top: 56, height: 26 } };
const HEIGHT = 84;
const HATCH = 6;

export class TrendChart {
  private readonly title = h("h3", {});
  private readonly rateMax = h("span", { class: "trend-max" });
  private readonly errorsMax = h("span", { class: "trend-max danger" });
  private readonly start = h("span", {});
  private readonly end = h("span", {});
  private readonly note = h("p", { class: "trend-note quiet" });
  private readonly gaps = svg("g", { class: "trend-gaps" });
  private readonly rate = svg("path", { class: "trend-rate" });
  private readonly errors = svg("path", { class: "trend-errors" });
  private readonly marker = svg("line", { class: "trend-marker", y1: 0, y2: HEIGHT });
  private readonly chart = svg("svg", { class: "trend-chart", viewBox: `0 0 ${BOX.width} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  readonly element = h("section", { class: "trend", hidden: true }, this.title, h("div", { class: "trend-plot" }, this.chart, this.rateMax, this.errorsMax, this.note), h("p", { class: "trend-times quiet", "aria-hidden": "true" }, this.start, this.end));

  constructor() {
    const hatch = svg("pattern", { id: "trend-hatch", width: HATCH, height: HATCH, patternUnits: "userSpaceOnUse" });
    hatch.append(svg("path", { d: `M0 ${HATCH}L${HATCH} 0` }));
    const floors = [BOX.rate, BOX.errors].map(({ top, height }) => svg("line", { class: "trend-floor", x1: 0, x2: BOX.width, y1: top + height, y2: top + height }));
    this.chart.append(hatch, this.gaps, ...floors, this.rate, this.errors, this.marker);
  }

  render({ state, data }: Snapshot): void {
    const subject = trendSubject(state, data);
    this.element.hidden = !subject;
    if (!subject || !data.graph) return;
    // What was answered for something else is not shown, its place stays.
    const trend = data.trend && JSON.stringify(data.trend.subject) === JSON.stringify(subject) ? data.trend : null;
    setText(this.title, subject.source === undefined ? t("Trend, received") : subject.target === undefined ? t("Trend, sent") : t("Trend"));
    setText(this.note, trend?.problem ? t`It cannot be shown: ${trend.problem.title}` : "");
    this.draw(trend, data.graph.about.instantMs, state.zone);
  }

  private draw(trend: Trend | null, atMs: number, zone: Zone): void {
    const timeline = trend?.timeline;
    const drawn = trend && timeline ? drawTrend({ ...trend, timeline }, BOX, atMs, zone) : null;
    set(this.chart, "aria-label", drawn?.says ?? t("Nothing is known yet."));
    set(this.rate, "d", drawn?.rate.line ?? "");
    set(this.errors, "d", drawn?.errors.line ?? "");
    setText(this.rateMax, drawn ? `${formatRate(drawn.rate.max)} /s` : "");
    setText(this.errorsMax, drawn ? t`${drawn.errors.max.toFixed(0)} % err.` : "");
    setText(this.start, trend ? formatTime(trend.window.startMs, zone).slice(0, 5) : "");
    setText(this.end, trend ? formatTime(trend.window.endMs, zone).slice(0, 5) : "");
    this.gaps.replaceChildren(...(drawn?.gaps ?? []).map(([x, width]) => svg("rect", { x, width, y: 0, height: HEIGHT, fill: "url(#trend-hatch)" })));
    const x = trend ? xOf(atMs, trend.window, BOX.width) : -1;
    const inside = drawn !== null && x >= 0 && x <= BOX.width;
    set(this.marker, "visibility", inside ? "visible" : "hidden");
    if (inside) for (const end of ["x1", "x2"]) set(this.marker, end, x.toFixed(1));
  }
}

function svg<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Readonly<Record<string, string | number>>): SVGElementTagNameMap[K] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}
