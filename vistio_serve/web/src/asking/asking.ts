/**
 * Keeps the data up to date with the state: when live it is told of commits, or polls; it follows when travelling.
 *
 * All requests of the page are in this folder, and the timers by which it asks and time moves. An answer to a
 * question that is no longer asked is kept for later and not shown.
 */

import { hasMeasurements, withMeasurements } from "../frames/measured";
import type { Snapshot, Store } from "../store/store";
import { asRecorded, countedSubjects, fitting, sameSubject, subjectOf } from "../store/subject";
import type { Problem } from "../values/answers";
import type { Graph } from "../values/model";
import { AS_RECORDED, withLinksAt } from "../values/prometheus";
import { added } from "../values/series";
import { isNowhere } from "../values/state";
import { extend } from "../values/topology";
import { advance, onGrid } from "../values/travel";
import { slide } from "../values/zooms";
import type { Api, Result } from "./api";
import type { Commits } from "./commits";
import { Player } from "./player";

const TICK_MS = 100;
const RETRY_MS = 2000;
// Who is told of commits asks for what nobody commits, such as that there was none for long.
const TOLD_MS = 20_000;
// A live question is a whole second.
const ONCE_MS = 1000;
const EXTENT_MS = 10_000;
const WEEK_MS = 7 * 86_400_000;
const MAX_KEPT = 60;
// How often measurements are looked up while time plays; where there are none, whether there are any by now.
const MEASURE_MS = 1000;
const MEASURE_NONE_MS = 30_000;
// Longer than between two presses of a key that is held down.
const STANDING_MS = 150;
// As many instants at once are steps, and more is a jump.
const STEP_INSTANTS = 12;

export class Asking {
  private readonly kept = new Map<number, Graph>();
  private readonly player: Player;
  private shownWhole = false;
  private measured: Graph | null = null;
  private measuring = false;
  private measureAtMs = 0;
  private question = 0;
  private liveTimer = 0;
  private waitsForNews = false;
  private news = false;
  private askedAtMs = 0;
  private readonly commits: Commits | null;
  private timelineQuestion: AbortController | null = null;
  private lastTickMs = 0;

  constructor(
    private readonly store: Store,
    private readonly api: Api,
    private readonly clock: () => number = () => performance.now(),
    private readonly queryLinks: string = AS_RECORDED,
    private readonly page: Pick<Document, "hidden"> = document,
    told: (hear: () => void) => Commits | null = () => null,
  ) {
    this.commits = told(() => this.hear());
    this.player = new Player(store, api, (graph) => this.show(graph, false), TICK_MS, clock);
  }

  start(): void {
    this.store.subscribe((now, before) => this.follow(now, before));
    this.lastTickMs = this.clock();
    setInterval(() => this.tick(), TICK_MS);
    setInterval(() => void this.askAgain(), EXTENT_MS);
    void this.askExtent();
    void this.askGraph();
    this.commits?.follow(this.store.snapshot.state.travel.mode === "live");
  }

  private follow(now: Snapshot, before: Snapshot): void {
    const [travel, was] = [now.state.travel, before.state.travel];
    // How far the recording goes by now was not asked while the past was shown.
    if (travel.mode === "live" && was.mode !== "live") void this.askExtent();
    if (travel.mode !== was.mode) this.commits?.follow(travel.mode === "live");
    if (travel.atMs !== was.atMs || travel.mode !== was.mode || isNowhere(now.state) !== isNowhere(before.state)) {
      void this.askGraph();
      const moved = Math.abs((travel.atMs ?? Infinity) - (was.atMs ?? Infinity));
      if (travel.mode === "at" && moved <= STEP_INSTANTS * (now.data.axis?.stepMs ?? 0)) this.player.prepare(travel.atMs!);
    }
    const { axis } = now.data;
    if (axis && before.data.axis && axis !== before.data.axis) this.store.change((state) => slide(state, before.data.axis!, axis));
    const subject = !sameSubject(subjectOf(now.state), subjectOf(before.state));
    // Where it enters, and who is called, is known once the union is.
    const entries = now.data.topology !== before.data.topology && JSON.stringify(countedSubjects(subjectOf(now.state), now.data.topology)) !== JSON.stringify(countedSubjects(subjectOf(now.state), before.data.topology));
    if (now.state.window !== before.state.window || subject || entries) void this.askTimeline();
    if (now.data.axis && (!before.data.axis || now.state.window !== before.state.window)) void this.askTopology();
  }

  private tick(): void {
    const nowMs = this.clock();
    const elapsedMs = nowMs - this.lastTickMs;
    this.lastTickMs = nowMs;
    const { axis } = this.store.snapshot.data;
    // A page that was in the background for minutes does not jump by minutes.
    // Nobody sees it play.
    if (axis && !this.page.hidden) this.store.change((state) => advance(state, axis, Math.min(elapsedMs, 10 * TICK_MS)));
  }

  private wanted(): number | null {
    const { state, data } = this.store.snapshot;
    const { atMs } = state.travel;
    return atMs === null ? null : data.axis ? onGrid(atMs, data.axis) : Math.floor(atMs / 1000) * 1000;
  }

  private async askGraph(): Promise<void> {
    clearTimeout(this.liveTimer);
    this.waitsForNews = this.news = false;
    this.askedAtMs = this.clock();
    const mine = ++this.question;
    if (isNowhere(this.store.snapshot.state)) return this.store.learn({ graph: null });
    if (this.store.snapshot.state.travel.mode === "playing") {
      this.player.play();
      return this.measure();
    }
    const at = this.wanted();
    const kept = at === null ? undefined : this.kept.get(at);
    if (kept) return this.show(kept, true);
    const frame = at === null ? null : this.player.peek(at);
    if (frame?.known && frame.graph) {
      // Steps are shown from frames at once; the whole graph, with measurements, when one stands.
      this.show(frame.graph, false);
      this.liveTimer = window.setTimeout(() => void this.askWhole(at, mine), STANDING_MS);
    } else {
      await this.askWhole(at, mine);
    }
  }

  private async askWhole(at: number | null, mine: number): Promise<void> {
    const answer = await this.api.graph(at);
    if (at !== null && answer.ok) this.keep(at, answer.value);
    if (mine !== this.question) return;
    if (answer.ok) this.show(answer.value, true);
    else await this.tell(answer.problem, at === null, mine);
    // That nothing is recorded in the past is an answer.
    if (at === null || (!answer.ok && answer.problem.kind !== "nothing-recorded")) this.again(mine, answer);
  }

  /** Why there is no picture of the moment; live, the last one that there is stands beside it. */
  private async tell(problem: Problem, live: boolean, mine: number): Promise<void> {
    const empty = problem.kind === "nothing-recorded" || problem.kind === "no-recording";
    if (!empty) return this.store.learn({ problem });
    const last = live && problem.beforeMs !== null ? await this.lastGraph(problem.beforeMs) : null;
    if (mine !== this.question) return;
    if (last) this.show(last, true);
    this.store.learn(last ? { problem } : { problem, graph: null });
  }

  private async lastGraph(atMs: number): Promise<Graph | null> {
    const shown = this.store.snapshot.data.graph;
    const known = shown?.about.instantMs === atMs && this.shownWhole ? shown : this.kept.get(atMs);
    if (known) return known;
    const answer = await this.api.graph(atMs);
    if (!answer.ok) return null;
    this.keep(atMs, answer.value);
    return answer.value;
  }

  /** While time plays, the whole graph of a frame now and then, for what frames do not have. */
  private async measure(): Promise<void> {
    const frame = this.store.snapshot.data.graph;
    if (!frame || this.shownWhole || this.measuring || this.clock() < this.measureAtMs) return;
    // Faster than that, frames alone: each lookup would be of another instant, and most of what is asked.
    if (this.store.snapshot.state.travel.speed * MEASURE_MS > frame.about.intervalMs) return;
    const { askedMs } = frame.about;
    this.measuring = true;
    const answer = await this.api.graph(askedMs);
    this.measuring = false;
    this.measureAtMs = this.clock() + (answer.ok && hasMeasurements(answer.value) ? MEASURE_MS : MEASURE_NONE_MS);
    // What is wrong is told by what asks for frames.
    if (!answer.ok) return;
    this.keep(askedMs, answer.value);
    this.measured = answer.value;
    if (this.store.snapshot.data.graph?.about.askedMs === askedMs) this.show(answer.value, true);
  }

  private keep(at: number, graph: Graph): void {
    this.kept.set(at, graph);
    if (this.kept.size > MAX_KEPT) this.kept.delete(this.kept.keys().next().value!);
  }

  /** Live polls go on for ever, and so do questions that were not answered. */
  private again(mine: number, answer: Result<Graph>): void {
    if (mine !== this.question) return;
    this.waitsForNews = this.store.snapshot.state.travel.mode === "live";
    const intervalMs = answer.ok ? answer.value.about.intervalMs : RETRY_MS;
    const delayMs = answer.ok ? Math.min(Math.max(intervalMs / 4, 1000), 5000) : RETRY_MS;
    if (this.news) this.hear();
    else this.liveTimer = window.setTimeout(() => void this.askGraph(), answer.ok && this.commits?.telling ? TOLD_MS : delayMs);
  }

  /** There is something new; what is being asked for may be older, and is not given up for it. */
  private hear(): void {
    this.news = true;
    if (!this.waitsForNews) return;
    clearTimeout(this.liveTimer);
    this.liveTimer = window.setTimeout(() => void this.askGraph(), Math.max(0, this.askedAtMs + ONCE_MS - this.clock()));
  }

  /** @param whole with measurements, as `/graph` answers; a frame has none of its own. */
  private show(given: Graph, whole: boolean): void {
    if (whole) this.measured = given;
    const graph = whole ? given : withMeasurements(given, this.measured);
    const { data, state } = this.store.snapshot;
    const { instantMs, intervalMs } = graph.about;
    const axis = data.axis && { ...data.axis, stepMs: intervalMs, lastMs: Math.max(data.axis.lastMs, instantMs) };
    const same = axis && data.axis && axis.lastMs === data.axis.lastMs && axis.stepMs === data.axis.stepMs;
    const unchanged = data.graph?.about.instantMs === instantMs && data.graph.about.askedMs === graph.about.askedMs && (this.shownWhole || !whole);
    this.shownWhole = unchanged ? this.shownWhole : whole;
    this.store.learn({
      graph: unchanged && state.travel.mode !== "live" ? data.graph : withLinksAt(graph, this.queryLinks),
      topology: extend(data.topology, graph),
      problem: null,
      axis: same ? data.axis : axis,
    });
  }

  /** Live there is more all the time. Who stands in the past, or plays it, has been told all, but for what was not answered. */
  private async askAgain(): Promise<void> {
    const { state, data } = this.store.snapshot;
    const told = data.axis !== null && data.followed !== null && data.followed.problem === null;
    if (this.page.hidden || (state.travel.mode !== "live" && told)) return;
    await this.askExtent();
  }

  private async askExtent(): Promise<void> {
    const answer = await this.api.extent();
    if (!answer.ok) return this.waitForClock(answer.problem);
    const { first, last } = answer.value.recording;
    this.store.learn({ clockOffsetMs: Date.parse(answer.value.now) - Date.now() });
    if (first === null || last === null) return;
    const { axis, graph } = this.store.snapshot.data;
    const next = { firstMs: Date.parse(first), lastMs: Date.parse(last), stepMs: graph?.about.intervalMs ?? axis?.stepMs ?? 10_000 };
    if (JSON.stringify(next) !== JSON.stringify(axis)) this.store.learn({ axis: next });
    // A question that takes longer than this comes again would else never be answered.
    if (!this.timelineQuestion) await this.askTimeline();
  }

  /** A link that means a moment by the server's clock cannot be read before it is told. */
  private waitForClock(problem: Problem): void {
    if (this.store.snapshot.state.travel.unread === "") return;
    this.store.learn({ problem });
    clearTimeout(this.liveTimer);
    this.liveTimer = window.setTimeout(() => void this.askExtent(), RETRY_MS);
  }

  private async askTimeline(): Promise<void> {
    const { state, data } = this.store.snapshot;
    if (!data.axis) return;
    this.timelineQuestion?.abort();
    const question = (this.timelineQuestion = new AbortController());
    const window = state.window ?? { startMs: data.axis.firstMs, endMs: data.axis.lastMs + data.axis.stepMs };
    const subject = subjectOf(state);
    const entries = countedSubjects(subject, data.topology);
    const [timeline, annotations, ...entering] = await Promise.all([
      this.api.timeline(window, asRecorded(subject, data.topology), question.signal),
      this.api.annotations(window, question.signal),
      ...entries.map((entry) => this.api.timeline(window, asRecorded(entry, data.topology), question.signal)),
    ]);
    if (question.signal.aborted) return;
    this.timelineQuestion = null;
    // Of marks that were changed from here meanwhile, more is known already.
    if (annotations.ok && this.store.snapshot.data.annotations === data.annotations) this.store.learn({ annotations: annotations.value });
    const known = entering.flatMap((answer) => (answer.ok ? [answer.value] : []));
    const counted = entries.length > 0 && known.length === entries.length ? added(known) : null;
    if (timeline.ok) return this.store.learn({ followed: { subject, timeline: timeline.value, counted, problem: null }, gaps: timeline.value.gaps });
    const before = fitting(this.store.snapshot.data.followed, state);
    this.store.learn({ followed: { subject, timeline: before?.timeline ?? null, counted: before?.counted ?? null, problem: timeline.problem } });
    const instants = await this.api.instants(window, question.signal);
    if (instants.ok && !question.signal.aborted) this.store.learn({ gaps: instants.value.gaps });
  }

  private async askTopology(): Promise<void> {
    const { state, data } = this.store.snapshot;
    const { lastMs, stepMs, firstMs } = data.axis!;
    const endMs = lastMs + stepMs;
    const answer = await this.api.topology(state.window ?? { startMs: Math.max(firstMs, endMs - WEEK_MS), endMs }, lastMs);
    // Without it, the union of what this page has seen holds the places.
    if (answer.ok) this.store.learn({ topology: extend(this.store.snapshot.data.topology, answer.value) });
  }
}
