/** Wheel, pinch, dragging and keys on the picture: they move the lens. */

import { type Lens, type Size, STEP_SHARE, STEP_ZOOM, WHOLE, moved, pointAt, zoomed } from "./lens";

/** What is moved. */
export interface Lensed {
  readonly lens: Lens;
  /** All that can be seen. */
  readonly whole: Size;
  look(lens: Lens): void;
  /** Whether the mouse is on a node, which is dragged itself. */
  onNode(): boolean;
}

// A wheel's notch is about a hundred; a touchpad's pinch comes as a wheel with Ctrl, in small numbers.
const WHEEL_ZOOM = 0.0015;
const PINCH_ZOOM = 0.01;
const LINE_PX = 33;

type Share = { readonly x: number; readonly y: number };

export function listenForPanning(canvas: HTMLCanvasElement, of: Lensed): void {
  const pointers = new Map<number, Share>();
  const shareOf = (event: MouseEvent): Share => {
    const box = canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  };
  const zoomAt = (times: number, share: Share): void => of.look(zoomed(of.lens, times, pointAt(of.lens, of.whole, share), of.whole));

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const px = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
    zoomAt(Math.exp(-px * (event.ctrlKey ? PINCH_ZOOM : WHEEL_ZOOM)), shareOf(event));
  }, { passive: false });

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || (event.pointerType === "mouse" && of.onNode())) return;
    pointers.set(event.pointerId, shareOf(event));
  });
  window.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = shareOf(event);
    const [other] = [...pointers].flatMap(([id, share]) => (id === event.pointerId ? [] : [share]));
    pointers.set(event.pointerId, now);
    of.look(moved(of.lens, (before.x - now.x) / (other ? 2 : 1), (now.y - before.y) / (other ? 2 : 1), of.whole));
    if (other) zoomAt(apart(now, other) / Math.max(apart(before, other), 0.01), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
  });
  for (const end of ["pointerup", "pointercancel"] as const) window.addEventListener(end, (event) => pointers.delete(event.pointerId));

  canvas.addEventListener("keydown", (event) => {
    const next = event.ctrlKey || event.metaKey || event.altKey ? null : byKey(event.key, of.lens, of.whole);
    if (!next) return;
    // Where nothing is zoomed there is nowhere to go, and arrows are the page's: they move through time.
    event.preventDefault();
    of.look(next);
  });
}

function byKey(key: string, lens: Lens, whole: Size): Lens | null {
  const arrows: Readonly<Record<string, readonly [right: number, up: number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const arrow = arrows[key];
  if (arrow && lens.zoom > 1) return moved(lens, arrow[0] * STEP_SHARE, arrow[1] * STEP_SHARE, whole);
  return { "+": zoomed(lens, STEP_ZOOM, lens, whole), "-": zoomed(lens, 1 / STEP_ZOOM, lens, whole), "0": WHOLE }[key] ?? null;
}

function apart(one: Share, other: Share): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
