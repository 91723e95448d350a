/**
 * Plays from fetched frames: shows what is known for the moment, and asks ahead for what will be needed.
 *
 * Time goes on whether or not a frame is there. A page or a server that is too slow leaves frames out
 * instead of falling behind, and the badge tells which instant is on the picture.
 */

import { type Found, type Grid, Reel, gridOf, nextPiece, pieceOf } from "../frames/reel";
import type { Data, Store } from "../store/store";
import { t } from "../texts/say";
import type { Gap, Problem } from "../values/answers";
import type { Graph } from "../values/model";
import type { Window } from "../values/state";
import { extend } from "../values/topology";
import { type Axis, onGrid, playheadMs } from "../values/travel";
import type { Api } from "./api";

const RETRY_MS = 2000;
// The piece that is needed, and the one after it.
const MAX_ASKED = 2;

export class Player {
  private readonly reel = new Reel();
  private readonly asked = new Set<number>();
  private retryAt = 0;

  /**
   * @param show what becomes of a frame's graph.
   * @param tickMs how often time moves while playing.
   */
  constructor(
    private readonly store: Store,
    private readonly api: Api,
    private readonly show: (graph: Graph) => void,
    private readonly tickMs: number,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** Shows the frame of this moment if it is there, and asks for it and for those to come. */
  play(): void {
    const { state, data } = this.store.snapshot;
    const { axis } = data;
    if (state.travel.mode !== "playing" || !axis) return;
    const { speed, direction, loop } = state.travel;
    const grid = gridOf(axis.stepMs, speed * this.tickMs, edgesOf(data));
    const atMs = gridded(playheadMs(state, axis), axis, grid);
    const found = this.reel.at(atMs, grid);
    if (found.known) this.reveal(found.graph, atMs);
    else void this.ask(atMs, grid, axis);
    const extent: Window = loop ?? { startMs: axis.firstMs, endMs: axis.lastMs + 1 };
    const next = nextPiece(atMs, direction, grid, extent, loop !== null);
    if (next !== null && !this.reel.has(next, grid)) void this.ask(next, grid, axis);
  }

  /** What is known of an instant without asking. */
  peek(atMs: number): Found {
    const { data } = this.store.snapshot;
    if (!data.axis) return { known: false };
    const grid = gridOf(data.axis.stepMs, 0, edgesOf(data));
    return this.reel.at(gridded(atMs, data.axis, grid), grid);
  }

  /** Fetches the frames around an instant, for the steps that may follow. */
  prepare(atMs: number): void {
    const { data } = this.store.snapshot;
    if (!data.axis) return;
    const grid = gridOf(data.axis.stepMs, 0, edgesOf(data));
    if (!this.reel.has(atMs, grid)) void this.ask(atMs, grid, data.axis);
  }

  private async ask(atMs: number, grid: Grid, axis: Axis): Promise<void> {
    const { startMs, endMs } = pieceOf(atMs, grid);
    if (this.asked.has(startMs) || this.asked.size >= MAX_ASKED || this.clock() < this.retryAt) return;
    const window = { startMs, endMs: Math.min(endMs, axis.lastMs + 1) };
    // A gap without end would be answered with an error, though nothing is wrong.
    if (window.endMs <= window.startMs || coveringGap(this.store.snapshot.data.gaps, window)) return this.reel.keep(atMs, grid, null, axis.lastMs);
    this.asked.add(startMs);
    const answer = await this.api.frames(window, grid.stepMs);
    this.asked.delete(startMs);
    const empty = !answer.ok && answer.problem.kind === "nothing-recorded";
    if (answer.ok || empty) {
      this.reel.keep(atMs, grid, answer.ok ? answer.value : null, axis.lastMs);
      if (answer.ok) this.store.learn({ topology: extend(this.store.snapshot.data.topology, answer.value.graph) });
      this.play();
    } else {
      this.retryAt = this.clock() + RETRY_MS;
      this.store.learn({ problem: answer.problem });
    }
  }

  private reveal(graph: Graph | null, atMs: number): void {
    const { data } = this.store.snapshot;
    if (graph) {
      if (data.graph?.about.askedMs !== graph.about.askedMs || data.problem) this.show(graph);
    } else if (data.graph || data.problem?.kind !== "nothing-recorded") {
      this.store.learn({ graph: null, problem: nothingAt(atMs, data) });
    }
  }
}

/** As the server says it of one instant. */
function nothingAt(atMs: number, { gaps, axis }: Data): Problem {
  const gap = gaps.find((each) => Date.parse(each.start) <= atMs && atMs < Date.parse(each.end));
  const stepMs = axis?.stepMs ?? 0;
  return {
    kind: "nothing-recorded",
    status: 404,
    title: t("Nothing is recorded at this time"),
    detail: t("No instant in the five minutes before it."),
    beforeMs: gap ? Date.parse(gap.start) - stepMs : null,
    afterMs: gap ? Date.parse(gap.end) : null,
    reason: gap?.reason ?? "",
  };
}

/** A gap that has the whole window in it, and the five minutes before from which the window could borrow. */
function coveringGap(gaps: readonly Gap[], window: Window): boolean {
  return gaps.some((gap) => Date.parse(gap.start) + 300_000 < window.startMs && window.endMs <= Date.parse(gap.end));
}

function gridded(ms: number, axis: Axis, grid: Grid): number {
  return onGrid(ms, { ...axis, stepMs: grid.stepMs });
}

function edgesOf({ topology }: Data): number {
  let count = 0;
  for (const level of topology.values()) count += level.edges.length;
  return count;
}
