/** The timeline: rates and errors over the recording, with gaps, marks and the moment that is shown. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { h, set, setText } from "../dom/elements";
import { type Palette, readPalette } from "../dom/palette";
import type { Actions, Data, Followed, Snapshot, View } from "../store/store";
import { belowHere, countedOf, fitting, followable } from "../store/subject";
import { t } from "../texts/say";
import { formatDate, formatDay, formatInstant, formatPercent, formatRate, formatShare, formatTime } from "../values/format";
import { labelOf } from "../values/model";
import { type Mark, annotationMarks, added, annotationsAt, extentOf, niceMax, noticeMarks, noticesAt, ratesAt, seriesOf } from "../values/series";
import { type State, isNowhere, levelOf, zoom } from "../values/state";
import { goTo, onGrid, playheadMs } from "../values/travel";
import { UTC, type Zone } from "../values/zones";
import { drawGaps, drawMarks, drawPlayhead } from "./drawing";
import { Lanes } from "./lanes";

const HEIGHT = 124;
// Less is a click with a trembling hand.
const SMALLEST_DRAG_PX = 6;
// Room for `05:12:30` and what is between two of them.
const TIME_PX = 72;
const [MINUTE_S, HOUR_S, DAY_S] = [60, 3600, 86_400];
/** From one time on the axis to the next; less than a second would tell the same twice. */
const INCREMENTS_S = [
  1, 2, 5, 10, 15, 30,
  ...[1, 2, 5, 10, 15, 30].map((each) => each * MINUTE_S),
  ...[1, 2, 3, 4, 6, 8, 12].map((each) => each * HOUR_S),
  ...[1, 2, 3, 5, 7, 10, 15, 30, 60, 90, 180, 365].map((each) => each * DAY_S),
];

export class TimelineView implements View {
  readonly element: HTMLElement;
  private readonly plot = h("div", { class: "timeline-plot" });
  private readonly marker = h("div", { class: "timeline-marker", "aria-hidden": "true" });
  private readonly pinned = h("div", { class: "timeline-marker pinned", title: t("The pinned moment"), hidden: true });
  private readonly title = h("h2", { class: "timeline-title" });
  private readonly readout = h("p", { class: "timeline-readout" });
  private readonly lanes: Lanes;
  private readonly note = h("p", { class: "timeline-note", role: "status" });
  private chart: uPlot | null = null;
  private drawn: readonly unknown[] | null = null;
  private marks: readonly Mark[] = [];
  private now: Snapshot | null = null;
  private zone: Zone = UTC;

  constructor(private readonly actions: Actions) {
    this.lanes = new Lanes(actions, (ms) => this.read(ms));
    this.element = h("section", { class: "timeline", "aria-label": t("Timeline") }, h("header", { class: "timeline-head" }, this.title, this.readout, this.note), this.lanes.element, this.plot);
    new ResizeObserver(() => this.resize()).observe(this.plot);
  }

  render(now: Snapshot): void {
    this.now = now;
    const { state, data } = now;
    if (state.zone !== this.zone) return this.useZone(state.zone);
    const followed = fitting(data.followed, state);
    const inputs = [state.window, followed, data.gaps, data.annotations, data.axis];
    if (data.axis && !inputs.every((each, index) => each === this.drawn?.[index])) {
      this.drawn = inputs;
      this.draw(state, data, followed);
    }
    if (data.axis) this.lanes.render(now, extentOf(state.window, data.axis));
    setText(this.title, subjectTitle(now));
    setText(this.note, noteOf(followed, state.selection !== followable(state.selection)));
    set(this.note, "data-problem", followed?.problem != null);
    this.placeMarker();
  }

  /** The axis has its days where the zone has them. */
  private useZone(zone: Zone): void {
    this.zone = zone;
    this.repaint();
  }

  /** New colours: a canvas does not follow the style sheet by itself. */
  repaint(): void {
    this.chart?.destroy();
    this.chart = null;
    this.drawn = null;
    if (this.now) this.render(this.now);
  }

  private draw(state: State, data: Data, followed: Followed | null): void {
    const axis = data.axis!;
    const timeline = followed?.timeline ?? null;
    const series = seriesOf(followed?.counted ?? timeline);
    const extent = extentOf(state.window, axis);
    this.marks = [...noticeMarks(timeline), ...annotationMarks(data.annotations)];
    this.chart ??= this.makeChart();
    // The ends are always there, so that the axis spans the extent whatever was answered.
    this.chart.setData([series.times, series.rate, series.errors], false);
    this.chart.batch(() => {
      this.chart!.setScale("x", { min: extent.startMs / 1000, max: extent.endMs / 1000 });
    });
    // The mouse may rest where the numbers of something else were read.
    this.onPointed(this.chart);
  }

  /** As it is, of another width and size, with the moment that is shown; null while there is nothing to draw. */
  async copy(width: number, scale: number): Promise<HTMLCanvasElement | null> {
    const { chart, now } = this;
    if (!chart || !now?.data.axis || !chart.data[0].length) return null;
    const palette = readPalette();
    const atMs = isNowhere(now.state) ? null : playheadMs(now.state, now.data.axis);
    const { min, max } = chart.scales["x"]!;
    const made = new uPlot({
      ...this.options(palette, unitPx() * scale),
      width: width * scale,
      hooks: {
        drawClear: [(chart) => drawGaps(chart, now.data.gaps, palette, scale)],
        draw: [(chart) => drawMarks(chart, this.marks, palette, scale), (chart) => drawPlayhead(chart, atMs, palette, scale)],
      },
    }, [[], [], []]);
    made.setData(chart.data, false);
    made.setScale("x", { min: min!, max: max! });
    // It draws when all of its changes are made.
    await new Promise((done) => setTimeout(done));
    const drawn = made.ctx.canvas;
    made.destroy();
    return drawn;
  }

  private makeChart(): uPlot {
    const palette = readPalette();
    return new uPlot({
      ...this.options(palette, unitPx()),
      width: this.plot.clientWidth || 800,
      hooks: {
        drawClear: [(chart) => drawGaps(chart, this.now?.data.gaps ?? [], palette)],
        draw: [(chart) => { drawMarks(chart, this.marks, palette); this.placeMarker(); this.lanes.place(chart.bbox.left / devicePixelRatio, chart.bbox.width / devicePixelRatio); }],
        setSelect: [(chart) => this.onDragged(chart)],
        setCursor: [(chart) => this.onPointed(chart)],
        ready: [(chart) => this.onReady(chart)],
      },
    }, [[], [], []], this.plot);
  }

  /** All but how wide it is, and what is done with it. */
  private options(palette: Palette, unit: number): Omit<uPlot.Options, "width"> {
    const axisLook = { stroke: palette.quiet, grid: { stroke: palette.line, width: unit }, ticks: { show: false }, font: `${Math.round(11 * unit)}px system-ui, sans-serif` };
    return {
      height: HEIGHT * unit,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), this.zone),
      legend: { show: false },
      padding: [8 * unit, 0, 0, 0],
      // It would take a click for a drag when the mouse trembles by a pixel; `onReady` decides.
      cursor: { y: false, drag: { x: true, y: false, setScale: false, click: () => undefined }, points: { size: 6 } },
      scales: {
        x: { time: true },
        rate: { range: (_, __, max) => [0, niceMax(max)] },
        errors: { range: (_, __, max) => [0, Math.min(100, Math.max(4, niceMax(max)))] },
      },
      axes: [
        { ...axisLook, size: 26 * unit, space: TIME_PX * unit, incrs: INCREMENTS_S, values: (_, seconds) => axisTimes(seconds, this.zone) },
        { ...axisLook, scale: "rate", size: 52 * unit, values: (_, values) => values.map((each) => `${formatRate(each)}/s`), splits: ends },
        { ...axisLook, scale: "errors", side: 1, size: 48 * unit, gap: 10 * unit, grid: { show: false }, values: (_, values) => values.map(axisPercent), splits: ends, stroke: palette.danger },
      ],
      series: [
        {},
        { scale: "rate", stroke: palette.accent, width: 1.5 * unit, fill: `${palette.accent}22`, points: { show: false } },
        { scale: "errors", stroke: palette.danger, width: 1.5 * unit, points: { show: false } },
      ],
    };
  }

  private onReady(chart: uPlot): void {
    chart.over.append(this.pinned, this.marker);
    let pressedX = 0;
    chart.over.addEventListener("mousedown", (event) => {
      pressedX = event.clientX;
    });
    chart.over.addEventListener("click", (event) => {
      if (Math.abs(event.clientX - pressedX) >= SMALLEST_DRAG_PX) return;
      const seconds = chart.posToVal(event.clientX - chart.over.getBoundingClientRect().left, "x");
      this.actions.change((state, { axis }) => (axis ? goTo(state, onGrid(seconds * 1000, axis), axis) : state));
    });
  }

  private onDragged(chart: uPlot): void {
    const { left, width } = chart.select;
    const [startMs, endMs] = [chart.posToVal(left, "x") * 1000, chart.posToVal(left + width, "x") * 1000];
    chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    if (width < SMALLEST_DRAG_PX) return;
    this.actions.change((state) => zoom(state, { startMs: Math.round(startMs / 1000) * 1000, endMs: Math.round(endMs / 1000) * 1000 }));
  }

  private onPointed(chart: uPlot): void {
    const { left } = chart.cursor;
    this.read(left == null || left < 0 ? null : chart.posToVal(left, "x") * 1000);
  }

  /** Says what was at a moment; null where the mouse is elsewhere. */
  private read(ms: number | null): void {
    if (ms === null || !this.now) return setText(this.readout, "");
    const { state, data } = this.now;
    const followed = fitting(data.followed, state);
    const [here, inside] = [ratesAt(followed?.counted ?? followed?.timeline ?? null, ms), insideAt(this.now, ms)];
    const below = [...(belowHere(data.below, state)?.timelines ?? [])].map(([name, timeline]) => ({ name: labelOf(data.graph?.levels.get(""), name), notices: noticesAt(timeline, ms) }));
    const gap = data.gaps.find((each) => Date.parse(each.start) <= ms && ms < Date.parse(each.end));
    const parts = [
      formatTime(ms, state.zone),
      here ? said(here) : "",
      inside ? t`every hop inside: ${said(inside)}` : "",
      noticesAt(followed?.timeline ?? null, ms),
      ...below.filter(({ notices }) => notices !== "").map(({ name, notices }) => t`${name}: ${notices}`),
      ...annotationsAt(data.annotations, ms).map((mark) => mark.text),
      gap ? t`gap: ${gap.reason}` : "",
    ];
    setText(this.readout, parts.filter((part) => part !== "").join(" · "));
  }

  private placeMarker(): void {
    const { chart, now } = this;
    if (!chart || !now?.data.axis) return;
    const ms = playheadMs(now.state, now.data.axis);
    place(chart, this.marker, isNowhere(now.state) ? null : ms);
    place(chart, this.pinned, now.state.baselineMs);
    set(this.marker, "data-at", formatInstant(ms));
    set(this.marker, "data-mode", now.state.travel.mode);
  }

  private resize(): void {
    if (this.chart && this.plot.clientWidth) this.chart.setSize({ width: this.plot.clientWidth, height: HEIGHT * unitPx() });
  }
}

/** Nothing while all is well; an answer that is under way is said, for until then no rates are drawn. */
export function noteOf(followed: Followed | null, group: boolean): string {
  if (!followed) return t("loading…");
  if (followed.problem) return t`Rates over time cannot be shown: ${followed.problem.title}`;
  return group ? t("A group has no timeline of its own: this is the whole level.") : "";
}

/** `1311 requests/s, 4.44 % errors`. */
function said({ rate, errors }: NonNullable<ReturnType<typeof ratesAt>>): string {
  return t`${formatRate(rate)} requests/s, ${formatShare(errors, 100)} errors`;
}

/** Of a level, each of its hops at a moment; on the global level those of all clusters, once all are known. */
function insideAt({ state, data }: Snapshot, ms: number): ReturnType<typeof ratesAt> {
  const followed = fitting(data.followed, state);
  // Of a node only what is counted is told.
  if (!followed?.counted || followed.subject.node !== undefined) return null;
  if (levelOf(state) !== "") return ratesAt(followed.timeline, ms);
  const below = [...(belowHere(data.below, state)?.timelines.values() ?? [])];
  return below.length < data.topology.size - 1 ? null : ratesAt(added(below), ms);
}

function whatOf(node: string, { state, data }: Snapshot): string {
  return countedOf(levelOf(state), node, data.topology).target === undefined ? t("what it sends") : t("what it receives");
}

function subjectTitle(now: Snapshot): string {
  const { state, data } = now;
  const level = data.graph?.levels.get(levelOf(state));
  const name = (each: string): string => labelOf(level, each);
  const counted = fitting(data.followed, state)?.counted ?? null;
  const selection = followable(state.selection);
  if (selection?.kind === "edge") return `${name(selection.source)} → ${name(selection.target)}`;
  const node = selection?.node ?? state.path[1];
  if (node !== undefined) return `${name(node)} · ${counted ? whatOf(node, now) : t("all of its connections")}`;
  const what = counted ? t("what enters") : t("every hop");
  return `${state.path[0] ? labelOf(data.graph?.levels.get(""), state.path[0]) : t("All traffic")} · ${what}`;
}

function place(chart: uPlot, marker: HTMLElement, ms: number | null): void {
  const left = ms === null ? -1 : chart.valToPos(ms / 1000, "x");
  // Not the element's own width: asking for it after tables changed lays out the whole page at once.
  marker.hidden = !(left >= 0 && left <= chart.bbox.width / devicePixelRatio);
  marker.style.transform = `translateX(${Math.round(left)}px)`;
}

/** What one CSS pixel of the page's design is now: larger for a projector, as `rem` is. */
function unitPx(): number {
  return (Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16) / 16;
}

/** Three lines are enough to read a height by. */
function ends(_: uPlot, __: number, min: number, max: number): number[] {
  return [min, (min + max) / 2, max];
}

/** `2.5 %`, `20 %`: halves of a nice end are not always whole. */
export function axisPercent(value: number): string {
  return formatPercent(Number(value.toFixed(1)));
}

function axisTimes(seconds: number[], zone: Zone): string[] {
  let day = "";
  return seconds.map((each) => {
    const date = formatDate(each * 1000, zone);
    const time = formatTime(each * 1000, zone);
    const text = date !== day && day !== "" ? formatDay(each * 1000, zone) : time.endsWith(":00") ? time.slice(0, 5) : time;
    day = date;
    return text;
  });
}
