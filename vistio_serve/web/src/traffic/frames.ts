/**
 * When the picture is drawn: only where it would look different.
 *
 * The component draws all that it has in each of the browser's frames, for ever, whether anything moves or not. But what was
 * drawn stays on a canvas until something else is. So a frame is due
 *
 * - once, when something changed: data, size, lens, colours, what is selected or pointed at;
 * - until its end, and once after it, while a transition of the component runs;
 * - thirty times a second while particles move, and ten times where the processor draws.
 *
 * The component has no event for most of that. It changes by few ways, though: by calls of `vizceral-view.ts`, which says `due`
 * itself, and by what `tellOf` listens to. Whatever is to change the picture on another way must say so, or is not seen before
 * the next frame.
 *
 * It also counts time in frames: at thirty a second each moves its particles by two of its steps, so that they are as quick as
 * they would be at sixty. Where frames take longer than they should, they become fewer by themselves, and what a hand did comes
 * first: particles stand a moment, and what it changed is drawn without waiting for a frame that they would have filled.
 */

import type Vizceral from "vizceral";
import type { ConnectionObject, ConnectionView, TrafficGraph } from "vizceral";

/** How long the component dims and undims. */
const DIMMING_MS = 150;
const STEP_MS = 1000 / 60;
const MOST_STEPS = 8;
// The browser's frames come a little early or late.
const JITTER_MS = 5;
const MOVING_MS = { graphics: 1000 / 30, processor: 100 };
const SLOWEST_MS = 500;
// A single one is a graph that came, or another program.
const LATE_ONES = 3;
// Longer than any frame takes: nothing moved in between.
const RESTED_MS = 2000;
// From here on somebody would notice that his key waited for a frame.
const SLOW_MS = 60;
const HAND_MS = 300;
// A mesh of a hundred nodes has 8,000 on their way, one of three hundred 43,000, and of two thousand many more, which nobody tells apart.
const MOST_PARTICLES = { graphics: 50_000, processor: 4_000 };

export interface Drawn {
  /** Something else than particles may have changed. */
  readonly changed: boolean;
  /** By how many of the component's steps particles move. */
  readonly steps: number;
}

export class Frames {
  private changing = false;
  private until = Number.NEGATIVE_INFINITY;
  private asked = false;
  private timer = 0;
  private readonly ended = new AbortController();
  private movedAt = Number.NEGATIVE_INFINITY;
  private heldUntil = Number.NEGATIVE_INFINITY;
  private late = 0;
  private readonly leastMs: number;
  private everyMs: number;

  /** @param moves whether particles would move if time went on. Whatever makes it true must say `due`. */
  constructor(private readonly draw: (drawn: Drawn) => void, private readonly moves: () => boolean, onProcessor: boolean) {
    this.leastMs = onProcessor ? MOVING_MS.processor : MOVING_MS.graphics;
    this.everyMs = this.leastMs;
  }

  /** The picture changes: now, and for so many milliseconds. */
  due(forMs = 0): void {
    this.changing = true;
    this.until = Math.max(this.until, performance.now() + forMs);
    this.ask();
  }

  /** Somebody did something, and awaits what follows of it. */
  giveWay(): void {
    if (this.everyMs >= SLOW_MS) this.heldUntil = performance.now() + HAND_MS;
  }

  /** What listens on behalf of frames ends with them. */
  get ends(): AbortSignal {
    return this.ended.signal;
  }

  end(): void {
    this.ended.abort();
    clearTimeout(this.timer);
  }

  /** For the browser's next frame, or the one in which particles move again. */
  private ask(): void {
    if (this.asked || this.ends.aborted) return;
    clearTimeout(this.timer);
    const waitMs = this.changing ? 0 : Math.max(this.movedAt + this.everyMs, this.heldUntil) - STEP_MS - performance.now();
    if (waitMs > 0) {
      this.timer = window.setTimeout(() => this.request(), waitMs);
    } else {
      this.request();
    }
  }

  private request(): void {
    this.asked = true;
    requestAnimationFrame(() => this.frame());
  }

  private frame(): void {
    this.asked = false;
    if (this.ends.aborted) return;
    const now = performance.now();
    const changed = this.changing;
    const steps = this.moves() ? this.stepsAt(now) : 0;
    // A transition ends with a frame that is drawn after its time.
    if (now >= this.until) this.changing = false;
    if (changed || steps > 0) this.draw({ changed, steps });
    if (this.changing || this.moves()) this.ask();
  }

  private stepsAt(now: number): number {
    const since = now - this.movedAt;
    if (now < this.heldUntil) {
      this.movedAt = now;
      return 0;
    }
    if (since < this.everyMs - JITTER_MS) return 0;
    this.movedAt = now;
    if (since > RESTED_MS) return 1;
    this.late = since > 1.5 * this.everyMs ? this.late + 1 : 0;
    if (this.late >= LATE_ONES) this.everyMs = Math.min(since, SLOWEST_MS);
    else if (this.late === 0) this.everyMs = Math.max(this.leastMs, 0.9 * this.everyMs);
    return Math.min(MOST_STEPS, Math.max(1, Math.round(since / STEP_MS)));
  }
}

/** Says `due` where the component changes a graph's picture by itself: what is pointed at, dimmed, or has found its place. */
export function tellOf(graph: TrafficGraph, frames: Frames): void {
  for (const [change, forMs] of [["_applyDimming", DIMMING_MS], ["setIntersectedObject", 0], ["setContext", 0]] as const) {
    const made = graph[change] as ((...given: unknown[]) => unknown) | undefined;
    Object.assign(graph, { [change]: (...given: unknown[]) => {
      const answer = made?.apply(graph, given);
      frames.due(forMs);
      return answer;
    } });
  }
  graph.on("viewUpdated", () => frames.due());
}

/** Says `due` for what happens to the canvas and to the page around it. */
export function tellOfPage(canvas: HTMLCanvasElement, frames: Frames): void {
  const resized = new ResizeObserver(() => frames.due());
  resized.observe(canvas);
  frames.ends.addEventListener("abort", () => resized.disconnect());
  const signal = frames.ends;
  canvas.addEventListener("webglcontextrestored", () => frames.due(), { signal });
  document.addEventListener("visibilitychange", () => frames.due(), { signal });
  // Closing is an event that does not rise.
  document.addEventListener("close", () => frames.due(), { capture: true, signal });
  for (const done of ["keydown", "pointerdown", "wheel"]) window.addEventListener(done, () => frames.giveWay(), { capture: true, passive: true, signal });
}

/** Whether a dialog lies over the picture, and all of the page waits for it. */
export function isBehindDialog(): boolean {
  return document.querySelector("dialog:modal") !== null;
}

/**
 * The context that the component is to draw with; it takes the one that a canvas has. Its ground is drawn with it, so nothing
 * has to be seen through it; and edges are not smoothed where the processor would have to draw four pixels for each.
 */
export function opaqueContext(canvas: HTMLCanvasElement, onProcessor: boolean): void {
  canvas.getContext("webgl", { alpha: false, antialias: !onProcessor, stencil: false, powerPreference: "low-power" });
}

// What draws without a graphics processor: Chromium's, Mesa's two, Windows' and Apple's.
const PROCESSORS = /swiftshader|llvmpipe|softpipe|basic render|software/i;

/** Whether there is no graphics processor, as far as the browser tells; asked on a context of its own, for it decides how the picture's is made. */
export function drawsOnProcessor(): boolean {
  const asked: WebGLContextAttributes = { failIfMajorPerformanceCaveat: true };
  const context = document.createElement("canvas").getContext("webgl", asked) as WebGLRenderingContext | null;
  if (!context) return true;
  const named = context.getExtension("WEBGL_debug_renderer_info");
  const renderer: unknown = context.getParameter(named?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER);
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return PROCESSORS.test(String(renderer));
}

/** Leaves out what nobody sees: a draw call is made for what is fully transparent, too. What the mouse finds is not touched. */
export function hideTransparent({ scene }: Vizceral): void {
  scene.traverse(({ material }) => {
    if (material) material.visible = material.opacity > 0;
  });
}

/** Keeps the programs of the graphics processor: the component lets go of one with the last that uses it, and the next waits for another. */
export class Programs {
  private readonly kept = new WeakSet<object>();

  keep({ renderer }: Vizceral): void {
    for (const program of renderer.info.programs ?? []) {
      if (this.kept.has(program)) continue;
      this.kept.add(program);
      program.usedTimes++;
    }
  }
}

/** Whether particles of a connection are on their way, or will be. */
export function hasTraffic(edge: ConnectionObject): boolean {
  return edge.isVisible() && edge.view !== undefined && (edge.view.releasesPerTick.length > 0 || inFlight(edge.view) > 0);
}

function inFlight(view: ConnectionView): number {
  return view.particleSystemSize - 1 - view.lastParticleIndex;
}

/** The particles of a graph: they move, and those that are on their way are drawn. */
export class Particles {
  /** Of so many particles one is drawn, a power of two: then those that are drawn of more are among them. */
  private every = 1;
  private readonly most: number;

  constructor(onProcessor: boolean) {
    this.most = onProcessor ? MOST_PARTICLES.processor : MOST_PARTICLES.graphics;
  }

  move(graph: TrafficGraph, steps: number, time: number): void {
    const views = Object.values(graph.connections).flatMap((edge) => (edge.isVisible() ? [edge.getView()] : []));
    for (const view of views) for (let step = 0; step < steps; step++) view.update(time);
    this.thin(views.reduce((sum, view) => sum + inFlight(view), 0));
    for (const view of views) drawEach(view, this.every);
  }

  /** Where it changes, dots appear or vanish: so it does not change to and fro. */
  private thin(all: number): void {
    while (all / this.every > this.most) this.every *= 2;
    while (this.every > 1 && all / (this.every / 2) < 0.7 * this.most) this.every /= 2;
  }
}

/** It makes all of a connection's particles anew for each few that it needs more, a thousand random numbers each time: twice as many make it rare. */
export function growInLeaps(view: ConnectionView): void {
  const grow = view.growParticles.bind(view);
  view.growParticles = (more) => grow(Math.max(more, Math.min(view.particleSystemSize, view.maxParticles - view.particleSystemSize)));
}

/** The component draws all particles that there may ever be: those that arrived lie behind the node that they came from. */
function drawEach({ particles, positionAttr: { array, constructor: Attribute } }: ConnectionView, every: number): void {
  const { geometry } = particles;
  const all = array.length / 3;
  // It makes a larger one where it needs more.
  if (geometry.index?.array.length !== all) geometry.setIndex(new Attribute(new Uint16Array(all), 1));
  const index = geometry.index!;
  let count = 0;
  for (let each = 0; each < all; each += every) if (array[3 * each] !== 0) index.array[count++] = each;
  index.needsUpdate = true;
  geometry.setDrawRange(0, count);
  particles.visible = count > 0;
}
