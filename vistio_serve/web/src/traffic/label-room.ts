/** Which names have room, and where: none lies on another. What has none comes when one zooms in, or points at it. Pure. */

import { append } from "../values/multimap";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Named {
  readonly node: string;
  /** Who comes first where there is room for one. */
  readonly rank: number;
  /** Where its name may stand, by its middle: the best place first. */
  readonly places: readonly { readonly x: number; readonly y: number }[];
  readonly width: number;
  readonly height: number;
}

/**
 * Where each name stands; one that is left out has no room.
 *
 * @param marks what should not be covered: nodes. A name that can stand nowhere else may.
 */
export function withRoomFor(names: readonly Named[], marks: readonly Box[] = []): Map<string, { readonly x: number; readonly y: number }> {
  const placed = new Map<string, { readonly x: number; readonly y: number }>();
  const [written, covered] = [new Grid(), new Grid()];
  for (const mark of marks) covered.add(mark);
  const ordered = [...names].sort((one, other) => other.rank - one.rank || (one.node < other.node ? -1 : 1));
  for (const { node, places, width, height } of ordered) {
    const boxes = places.map(({ x, y }) => ({ x, y, width, height }));
    const free = boxes.filter((box) => !written.meets(box));
    const found = free.find((box) => !covered.meets(box)) ?? free[0];
    if (!found) continue;
    written.add(found);
    placed.set(node, { x: found.x, y: found.y });
  }
  return placed;
}

// Larger than most names, so that each lies in a few cells.
const CELL = 64;

/** Boxes by where they lie, so that thousands of names are looked at in a moment. */
class Grid {
  private readonly cells = new Map<string, Box[]>();

  add(box: Box): void {
    for (const cell of cellsOf(box)) append(this.cells, cell, box);
  }

  meets(box: Box): boolean {
    for (const cell of cellsOf(box)) if (this.cells.get(cell)?.some((other) => overlap(box, other))) return true;
    return false;
  }
}

function* cellsOf({ x, y, width, height }: Box): Generator<string> {
  for (let column = Math.floor((x - width / 2) / CELL); column <= Math.floor((x + width / 2) / CELL); column++) {
    for (let row = Math.floor((y - height / 2) / CELL); row <= Math.floor((y + height / 2) / CELL); row++) yield `${column} ${row}`;
  }
}

export function overlap(one: Box, other: Box): boolean {
  return Math.abs(one.x - other.x) < (one.width + other.width) / 2 && Math.abs(one.y - other.y) < (one.height + other.height) / 2;
}
