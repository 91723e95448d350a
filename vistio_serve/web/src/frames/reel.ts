/**
 * The frames that were fetched, in pieces of equal length, so that time can move without asking.
 *
 * A piece is known up to the newest instant at the time it was asked for; what came later is asked again.
 * What was not used for longest is forgotten first, so that memory stays flat however long one travels.
 */

import type { Frames } from "../values/answers";
import type { Graph } from "../values/model";
import type { Window } from "../values/state";
import { graphOfFrame } from "./graphs";

/** Rates that are kept, each as three numbers: about 40 MB. */
const MAX_RATES = 1_500_000;
/** Frames of a piece by the number of edges, so that each is quick to ask for and lasts a while. */
const LENGTHS = [[500, 120], [2_000, 60], [6_000, 30], [Infinity, 10]] as const;

export interface Grid {
  readonly stepMs: number;
  /** Frames of a piece. */
  readonly length: number;
}

export type Found = { readonly known: false } | { readonly known: true; readonly graph: Graph | null };

interface Piece {
  readonly frames: Frames | null;
  readonly knownToMs: number;
  readonly rates: number;
}

/**
 * The grid to play on.
 *
 * @param moveMs how far time moves from one picture to the next; between, nothing would be seen.
 * @param edges of the graph, by which the length of a piece is chosen.
 */
export function gridOf(intervalMs: number, moveMs: number, edges: number): Grid {
  const stepMs = intervalMs * Math.max(1, Math.floor(moveMs / intervalMs));
  return { stepMs, length: LENGTHS.find(([most]) => edges <= most)![1] };
}

/** The piece that an instant is in. */
export function pieceOf(ms: number, { stepMs, length }: Grid): Window {
  const startMs = Math.floor(ms / (stepMs * length)) * stepMs * length;
  return { startMs, endMs: startMs + stepMs * length };
}

/** An instant of the piece that will be needed after this one; null where time does not go on. */
export function nextPiece(ms: number, direction: 1 | -1, grid: Grid, extent: Window, loops: boolean): number | null {
  const { startMs, endMs } = pieceOf(ms, grid);
  const next = direction > 0 ? endMs : startMs - grid.stepMs;
  if (next >= extent.startMs && next < extent.endMs) return next;
  if (!loops) return null;
  return direction > 0 ? extent.startMs : extent.endMs - 1;
}

export class Reel {
  // In the order of their last use.
  private readonly pieces = new Map<string, Piece>();
  private rates = 0;

  /** What is shown at an instant of the grid, if that is known. */
  at(ms: number, grid: Grid): Found {
    const key = keyOf(ms, grid);
    const piece = this.pieces.get(key);
    if (!piece || ms > piece.knownToMs) return { known: false };
    this.pieces.delete(key);
    this.pieces.set(key, piece);
    const index = piece.frames ? Math.floor((ms - piece.frames.startMs) / grid.stepMs) : 0;
    return { known: true, graph: piece.frames && graphOfFrame(piece.frames, index) };
  }

  has(ms: number, grid: Grid): boolean {
    const piece = this.pieces.get(keyOf(ms, grid));
    return piece !== undefined && ms <= piece.knownToMs;
  }

  /**
   * @param frames null where the whole piece has nothing.
   * @param newestMs the newest instant when it was asked for.
   */
  keep(ms: number, grid: Grid, frames: Frames | null, newestMs: number): void {
    const key = keyOf(ms, grid);
    const { endMs } = pieceOf(ms, grid);
    const edges = frames?.levels.reduce((count, level) => count + level.source.length, 0) ?? 0;
    this.forget(key);
    this.pieces.set(key, { frames, knownToMs: Math.min(newestMs, endMs - 1), rates: edges * (frames?.frames.length ?? 0) + grid.length });
    this.rates += this.pieces.get(key)!.rates;
    for (const oldest of this.pieces.keys()) {
      if (this.rates <= MAX_RATES || oldest === key) break;
      this.forget(oldest);
    }
  }

  private forget(key: string): void {
    this.rates -= this.pieces.get(key)?.rates ?? 0;
    this.pieces.delete(key);
  }
}

function keyOf(ms: number, grid: Grid): string {
  return `${grid.stepMs}*${grid.length}@${pieceOf(ms, grid).startMs}`;
}
