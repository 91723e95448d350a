/**
 * Keeps the data up to date with the state: polls when live, follows when travelling.
 *
 * The only part of the page with timers and requests. An answer to a question that is no longer asked
 * is kept for later and not shown.
 */

import type { Api, Result, Subject } from "./api";
import { groupOf } from "./crowd";
import type { Graph } from "./model";
import { type Selection, type State, levelOf } from "./state";
import type { Snapshot, Store } from "./store";
import { extend } from "./traffic/topology";
import { advance, onGrid } from "./travel";

const TICK_MS = 100;
const RETRY_MS = 2000;
const EXTENT_MS = 10_000;
const HOUR_MS = 3_600_000;
const MAX_KEPT = 720;
// How many instants ahead are asked for while playing.
const AHEAD = 4;

export class Asking {
  private readonly kept = new Map<number, Graph>();
  private readonly underWay = new Set<number>();
  private question = 0;
  private liveTimer = 0;
  private timelineQuestion: AbortController | null = null;
  private lastTickMs = 0;

  constructor(
    private readonly store: Store,
    private readonly api: Api,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  start(): void {
    this.store.subscribe((now, before) => this.follow(now, before));
    this.lastTickMs = this.clock();
    setInterval(() => this.tick(), TICK_MS);
    setInterval(() => void this.askExtent(), EXTENT_MS);
    void this.askExtent();
    void this.askGraph();
  }

  private follow(now: Snapshot, before: Snapshot): void {
    const [travel, was] = [now.state.travel, before.state.travel];
    if (travel.atMs !== was.atMs || travel.mode !== was.mode) void this.askGraph();
    const subject = JSON.stringify(subjectOf(now.state)) !== JSON.stringify(subjectOf(before.state));
    if (now.state.window !== before.state.window || subject) void this.askTimeline();
    if (now.data.axis && (!before.data.axis || now.state.window !== before.state.window)) void this.askTopology();
  }

  private tick(): void {
    const nowMs = this.clock();
    const elapsedMs = nowMs - this.lastTickMs;
    this.lastTickMs = nowMs;
    const { axis } = this.store.snapshot.data;
    // A page that was in the background for minutes does not jump by minutes.
    if (axis) this.store.change((state) => advance(state, axis, Math.min(elapsedMs, 10 * TICK_MS)));
  }

  private wanted(): number | null {
    const { state, data } = this.store.snapshot;
    const { atMs } = state.travel;
    return atMs === null ? null : data.axis ? onGrid(atMs, data.axis) : Math.floor(atMs / 1000) * 1000;
  }

  private async askGraph(): Promise<void> {
    clearTimeout(this.liveTimer);
    const mine = ++this.question;
    const at = this.wanted();
    const kept = at === null ? undefined : this.kept.get(at);
    if (kept) {
      this.show(kept);
      this.askAhead(at!);
      return;
    }
    if (at !== null && this.underWay.has(at)) return;
    const answer = await this.fetchGraph(at);
    // While playing, an answer that comes a little late is still better than a picture that stands.
    const playing = this.store.snapshot.state.travel.mode === "playing" && at !== null;
    if (mine !== this.question && !(playing && answer.ok)) {
      if (at !== null && at === this.wanted() && answer.ok) this.show(answer.value);
      return;
    }
    if (answer.ok) this.show(answer.value);
    else this.store.learn(answer.problem.kind === "nothing-recorded" || answer.problem.kind === "no-recording" ? { problem: answer.problem, graph: null } : { problem: answer.problem });
    if (at !== null && answer.ok) this.askAhead(at);
    if (at === null || !answer.ok) this.again(mine, answer);
  }

  /** Live polls go on for ever, and so do questions that were not answered. */
  private again(mine: number, answer: Result<Graph>): void {
    const intervalMs = answer.ok ? answer.value.about.intervalMs : RETRY_MS;
    const delayMs = answer.ok ? Math.min(Math.max(intervalMs / 4, 1000), 5000) : RETRY_MS;
    if (mine === this.question) this.liveTimer = window.setTimeout(() => void this.askGraph(), delayMs);
  }

  private async fetchGraph(at: number | null): Promise<Result<Graph>> {
    if (at !== null) this.underWay.add(at);
    const answer = await this.api.graph(at);
    if (at === null) return answer;
    this.underWay.delete(at);
    if (answer.ok) {
      this.kept.set(at, answer.value);
      if (this.kept.size > MAX_KEPT) this.kept.delete(this.kept.keys().next().value!);
    }
    return answer;
  }

  private askAhead(at: number): void {
    const { state, data } = this.store.snapshot;
    if (state.travel.mode !== "playing" || !data.axis) return;
    for (let count = 1; count <= AHEAD; count++) {
      const next = at + count * state.travel.direction * data.axis.stepMs;
      const inside = next >= data.axis.firstMs && next <= data.axis.lastMs;
      if (inside && !this.kept.has(next) && !this.underWay.has(next)) void this.fetchGraph(next);
    }
  }

  private show(graph: Graph): void {
    const { data, state } = this.store.snapshot;
    const { instantMs, intervalMs } = graph.about;
    const axis = data.axis && { ...data.axis, stepMs: intervalMs, lastMs: Math.max(data.axis.lastMs, instantMs) };
    const same = axis && data.axis && axis.lastMs === data.axis.lastMs && axis.stepMs === data.axis.stepMs;
    const unchanged = data.graph?.about.instantMs === instantMs && data.graph.about.askedMs === graph.about.askedMs;
    this.store.learn({
      graph: unchanged && state.travel.mode !== "live" ? data.graph : graph,
      topology: extend(data.topology, graph),
      problem: null,
      axis: same ? data.axis : axis,
    });
  }

  private async askExtent(): Promise<void> {
    const answer = await this.api.instants(null);
    if (!answer.ok) return;
    const { first, last } = answer.value.recording;
    this.store.learn({ clockOffsetMs: Date.parse(answer.value.now) - Date.now() });
    if (first === null || last === null) return;
    const { axis, graph } = this.store.snapshot.data;
    const next = { firstMs: Date.parse(first), lastMs: Date.parse(last), stepMs: graph?.about.intervalMs ?? axis?.stepMs ?? 10_000 };
    if (JSON.stringify(next) !== JSON.stringify(axis)) this.store.learn({ axis: next });
    await this.askTimeline();
  }

  private async askTimeline(): Promise<void> {
    const { state, data } = this.store.snapshot;
    if (!data.axis) return;
    this.timelineQuestion?.abort();
    const question = (this.timelineQuestion = new AbortController());
    const window = state.window ?? { startMs: data.axis.firstMs, endMs: data.axis.lastMs + data.axis.stepMs };
    const [timeline, annotations] = await Promise.all([
      this.api.timeline(window, subjectOf(state), question.signal),
      this.api.annotations(window, question.signal),
    ]);
    if (question.signal.aborted) return;
    if (annotations.ok) this.store.learn({ annotations: annotations.value });
    if (timeline.ok) return this.store.learn({ timeline: timeline.value, timelineProblem: null, gaps: timeline.value.gaps });
    this.store.learn({ timelineProblem: timeline.problem });
    const instants = await this.api.instants(window, question.signal);
    if (instants.ok && !question.signal.aborted) this.store.learn({ gaps: instants.value.gaps });
  }

  private async askTopology(): Promise<void> {
    const { state, data } = this.store.snapshot;
    const { lastMs, stepMs, firstMs } = data.axis!;
    const endMs = lastMs + stepMs;
    const answer = await this.api.topology(state.window ?? { startMs: Math.max(firstMs, endMs - HOUR_MS), endMs });
    // Without it, the union of what this page has seen holds the places.
    if (answer.ok) this.store.learn({ topology: extend(this.store.snapshot.data.topology, answer.value) });
  }
}

/** What the timeline follows: the selection, the focused node, the cluster, or everything. */
export function subjectOf(state: State): Subject | null {
  const level = levelOf(state);
  const selection = followable(state.selection);
  if (selection?.kind === "node") return { level, node: selection.node };
  if (selection?.kind === "edge") return { level, source: selection.source, target: selection.target };
  if (state.path[1]) return { level, node: state.path[1] };
  // Entering traffic, counted once: the sum over all levels would count a request at each of its hops.
  return { level };
}

/** What has a timeline of its own: a selected group has not. */
export function followable(selection: Selection | null): Selection | null {
  const names = selection?.kind === "edge" ? [selection.source, selection.target] : selection ? [selection.node] : [];
  return names.some((name) => groupOf(name) !== null) ? null : selection;
}
