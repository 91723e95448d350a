// @vitest-environment happy-dom
/** When the picture is drawn. That it looks as it did is seen in tests/web, in Chromium. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Drawn, Frames, Particles, growInLeaps, hasTraffic, tellOf } from "../src/traffic/frames";

const FRAME_MS = 1000 / 60;

beforeEach(() => {
  vi.useFakeTimers();
  everyFrame(FRAME_MS);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** The browser makes frames at fixed moments, as far as it is asked for them. */
function everyFrame(ms: number): void {
  vi.stubGlobal("requestAnimationFrame", (frame: () => void) => setTimeout(frame, ms - (performance.now() % ms) || ms));
}

function framesOf(moves: () => boolean, onProcessor = false): { frames: Frames; drawn: Drawn[] } {
  const drawn: Drawn[] = [];
  return { frames: new Frames((each) => drawn.push(each), moves, onProcessor), drawn };
}

describe("frames", () => {
  test("are drawn once for what changed, however often it is said before", () => {
    const { frames, drawn } = framesOf(() => false);
    frames.due();
    frames.due();
    expect(drawn).toEqual([]);
    vi.advanceTimersByTime(10_000);
    expect(drawn).toEqual([{ changed: true, steps: 0 }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("are drawn all through a transition, and once after its end", () => {
    let last = 0;
    const frames = new Frames(() => { last = performance.now(); }, () => false, false);
    const start = performance.now();
    frames.due(150);
    vi.advanceTimersByTime(149);
    expect(last).toBeGreaterThan(start + 100);
    expect(last).toBeLessThan(start + 150);
    vi.advanceTimersByTime(10_000);
    expect(last).toBeGreaterThanOrEqual(start + 150);
    expect(last).toBeLessThan(start + 150 + 2 * FRAME_MS);
  });

  test("are thirty a second where particles move, each of two steps, on any screen", () => {
    for (const ms of [FRAME_MS, 1000 / 144]) {
      everyFrame(ms);
      const { frames, drawn } = framesOf(() => true);
      frames.due();
      vi.advanceTimersByTime(1000);
      expect(drawn.length).toBeGreaterThanOrEqual(27);
      expect(drawn.length).toBeLessThanOrEqual(34);
      expect(new Set(drawn.slice(2).map(({ steps }) => steps))).toEqual(new Set([2]));
      expect(drawn.slice(1).every(({ changed }) => !changed)).toBe(true);
      frames.end();
    }
  });

  test("are ten a second where the processor draws, and particles are as quick", () => {
    const { frames, drawn } = framesOf(() => true, true);
    frames.due();
    vi.advanceTimersByTime(2000);
    expect(drawn.length).toBeGreaterThanOrEqual(18);
    expect(drawn.length).toBeLessThanOrEqual(21);
    expect(drawn.slice(2).every(({ steps }) => steps === 6)).toBe(true);
  });

  test("end with the last particle, and begin with the next change", () => {
    let moving = true;
    const { frames, drawn } = framesOf(() => moving);
    frames.due();
    vi.advanceTimersByTime(500);
    moving = false;
    vi.advanceTimersByTime(100);
    drawn.length = 0;
    vi.advanceTimersByTime(10_000);
    expect(drawn).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    moving = true;
    frames.due();
    vi.advanceTimersByTime(100);
    // Where nothing moved for long, particles do not leap.
    expect(drawn[0]).toEqual({ changed: true, steps: 1 });
    expect(drawn.length).toBeGreaterThan(2);
  });

  test("become fewer where they take long, and more again", () => {
    everyFrame(200);
    const { frames, drawn } = framesOf(() => true);
    frames.due();
    vi.advanceTimersByTime(4000);
    everyFrame(FRAME_MS);
    drawn.length = 0;
    vi.advanceTimersByTime(400);
    expect(drawn.length).toBeLessThanOrEqual(5);
    vi.advanceTimersByTime(10_000);
    drawn.length = 0;
    vi.advanceTimersByTime(1000);
    expect(drawn.length).toBeGreaterThanOrEqual(27);
  });

  test("stay as many where a single one is late", () => {
    const { frames, drawn } = framesOf(() => true);
    frames.due();
    vi.advanceTimersByTime(500);
    everyFrame(200);
    vi.advanceTimersByTime(200);
    everyFrame(FRAME_MS);
    vi.advanceTimersByTime(100);
    drawn.length = 0;
    vi.advanceTimersByTime(500);
    expect(drawn.length).toBeGreaterThanOrEqual(13);
  });

  test("wait for what a hand did where they are slow, and only there", () => {
    const afterHand = (onProcessor: boolean) => {
      const { frames, drawn } = framesOf(() => true, onProcessor);
      frames.due();
      vi.advanceTimersByTime(500);
      drawn.length = 0;
      frames.giveWay();
      vi.advanceTimersByTime(250);
      return { frames, drawn };
    };
    const quick = afterHand(false);
    expect(quick.drawn.length).toBeGreaterThan(5);
    quick.frames.end();
    const slow = afterHand(true);
    expect(slow.drawn).toEqual([]);
    slow.frames.due();
    vi.advanceTimersByTime(FRAME_MS + 1);
    expect(slow.drawn).toEqual([{ changed: true, steps: 0 }]);
    vi.advanceTimersByTime(500);
    expect(slow.drawn.length).toBeGreaterThan(2);
  });

  test("are none after the end", () => {
    const { frames, drawn } = framesOf(() => true);
    frames.due();
    frames.end();
    vi.advanceTimersByTime(1000);
    frames.due();
    vi.advanceTimersByTime(1000);
    expect(drawn).toEqual([]);
  });

  test("are due when the component dims, points at something, or has found places", () => {
    const { frames, drawn } = framesOf(() => false);
    const listeners: Record<string, () => void> = {};
    const graph = { _applyDimming: vi.fn(() => "dimmed"), setIntersectedObject: vi.fn(), setContext: vi.fn(), on: (name: string, listener: () => void) => { listeners[name] = listener; } };
    const { _applyDimming } = graph;
    tellOf(graph as never, frames);
    expect((graph._applyDimming as (...given: unknown[]) => unknown)("a", "b", true)).toBe("dimmed");
    expect(_applyDimming).toHaveBeenCalledWith("a", "b", true);
    vi.advanceTimersByTime(1000);
    expect(drawn.length).toBeGreaterThan(5);
    for (const change of [() => graph.setIntersectedObject(), () => graph.setContext(), () => listeners["viewUpdated"]!()]) {
      drawn.length = 0;
      change();
      vi.advanceTimersByTime(1000);
      expect(drawn).toEqual([{ changed: true, steps: 0 }]);
    }
  });
});

class Attribute {
  needsUpdate = false;
  constructor(readonly array: Float32Array | Uint16Array) {}
}

/** A connection's view with particles at these places along it, and what is drawn of them. */
function viewOf(places: readonly number[]): { view: never; drawn: () => number[] } {
  let range = 0;
  const geometry = { index: null as Attribute | null, setIndex: (index: Attribute) => { geometry.index = index; }, setDrawRange: (_start: number, count: number) => { range = count; } };
  const positionAttr = new Attribute(new Float32Array(places.flatMap((place) => [place, 1, 0])));
  const flying = places.filter((place) => place !== 0).length;
  const view = { positionAttr, particles: { visible: true, geometry }, releasesPerTick: [], particleSystemSize: places.length, lastParticleIndex: places.length - 1 - flying, update: vi.fn() };
  return { view: view as never, drawn: () => (view.particles.visible ? [...geometry.index!.array.slice(0, range)] : []) };
}

function graphOf(...views: never[]): never {
  return { connections: Object.fromEntries(views.map((view, index) => [`edge ${index}`, { isVisible: () => true, getView: () => view, view }])) } as never;
}

describe("particles", () => {
  test("are drawn where they are on their way, and not those that arrived", () => {
    const { view, drawn } = viewOf([0, 12, 0, 40]);
    const [none, nothing] = [viewOf([0, 0]), viewOf([])];
    new Particles(false).move(graphOf(view, none.view, nothing.view), 3, 0);
    expect((view as { update: unknown }).update).toHaveBeenCalledTimes(3);
    expect(drawn()).toEqual([1, 3]);
    expect([none.drawn(), nothing.drawn()]).toEqual([[], []]);
  });

  test("are thinned where there are more than can be told apart, and those that stay are the same ones", () => {
    const particles = new Particles(true);
    const many = viewOf(Array.from({ length: 5000 }, (_, place) => place + 1));
    particles.move(graphOf(many.view), 1, 0);
    expect(many.drawn()).toEqual(Array.from({ length: 2500 }, (_, index) => 2 * index));
    // A few less change nothing, half of them do.
    const less = viewOf(Array.from({ length: 3800 }, (_, place) => place + 1));
    particles.move(graphOf(less.view), 1, 0);
    expect(less.drawn().length).toBe(1900);
    const few = viewOf(Array.from({ length: 2000 }, (_, place) => place + 1));
    particles.move(graphOf(few.view), 1, 0);
    expect(few.drawn().length).toBe(2000);
  });

  test("are made anew seldom, and never more than the component allows", () => {
    const grown = (size: number, more: number): number => {
      const view = { particleSystemSize: size, maxParticles: 650, growParticles: (by: number): number => by };
      growInLeaps(view as never);
      return view.growParticles(more);
    };
    expect([grown(19, 2), grown(300, 2), grown(400, 2), grown(649, 2), grown(19, 38)]).toEqual([19, 300, 250, 2, 38]);
  });

  test("are there where some fly or are sent, and nowhere else", () => {
    const edge = (view: unknown, visible = true) => ({ isVisible: () => visible, view }) as never;
    const { view } = viewOf([0, 3]);
    const still = viewOf([0, 0]).view as object;
    expect([edge(view), edge(view, false), edge(still), edge({ ...still, releasesPerTick: [{}] }), edge(undefined)].map(hasTraffic)).toEqual([true, false, false, true, false]);
  });
});
