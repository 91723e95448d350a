import { describe, expect, test } from "vitest";
import { INITIAL, type State, type Travel } from "../src/values/state";
import { type Axis, advance, changeSpeed, goLive, goTo, pause, play, setLoop, step, toMark, togglePlaying } from "../src/values/travel";

// Ten minutes, an instant each ten seconds.
const axis: Axis = { firstMs: 1_000_000, lastMs: 1_600_000, stepMs: 10_000 };
const at = (atMs: number): State => goTo(INITIAL, atMs, axis);
const playing = (atMs: number, change: Partial<Travel> = {}): State => {
  const state = play(at(atMs), axis);
  return { ...state, travel: { ...state.travel, ...change } };
};
const where = ({ travel }: State): [string, number | null] => [travel.mode, travel.atMs];

describe("going to a moment", () => {
  test.each([[999_999, 1_000_000], [1_000_000, 1_000_000], [1_000_001, 1_000_001]])("%i is kept within the recording's begin", (asked, shown) => {
    expect(where(at(asked))).toEqual(["at", shown]);
  });

  test.each([[1_599_999, 1_599_999], [1_600_000, 1_600_000], [1_600_001, 1_600_000]])("%i is kept within the recording's end", (asked, shown) => {
    expect(where(at(asked))).toEqual(["at", shown]);
  });

  test("pausing while live stands at the newest instant", () => {
    expect(where(pause(INITIAL, axis))).toEqual(["at", 1_600_000]);
  });

  test("pausing while playing stands on an instant, not between two", () => {
    expect(where(pause(playing(1_234_567), axis))).toEqual(["at", 1_230_000]);
  });

  test("live forgets the moment and the direction", () => {
    expect(goLive(playing(1_200_000, { direction: -1 })).travel).toMatchObject({ mode: "live", atMs: null, direction: 1 });
  });
});

describe("steps", () => {
  test("a step is one instant of the grid, from wherever we stand", () => {
    expect(where(step(at(1_234_567), axis, 1))).toEqual(["at", 1_240_000]);
    expect(where(step(at(1_234_567), axis, -1))).toEqual(["at", 1_220_000]);
  });

  test("a step back from live is the instant before the newest", () => {
    expect(where(step(INITIAL, axis, -1))).toEqual(["at", 1_590_000]);
  });

  test("no step leaves the recording", () => {
    expect(where(step(at(1_600_000), axis, 1))).toEqual(["at", 1_600_000]);
    expect(where(step(at(1_000_000), axis, -10))).toEqual(["at", 1_000_000]);
  });
});

describe("playing", () => {
  test.each([1, 2, 5, 10, 30, 60] as const)("at %ix a second of playing is as many recorded seconds", (speed) => {
    expect(where(advance(playing(1_000_000, { speed }), axis, 1000))).toEqual(["playing", 1_000_000 + speed * 1000]);
  });

  test("backwards goes back, and stops at the begin", () => {
    const state = playing(1_100_000, { direction: -1, speed: 60 });
    expect(where(advance(state, axis, 1000))).toEqual(["playing", 1_040_000]);
    expect(where(advance(state, axis, 2000))).toEqual(["at", 1_000_000]);
  });

  test("forwards becomes live at the newest instant, not before", () => {
    const state = playing(1_590_000, { speed: 10 });
    expect(where(advance(state, axis, 999))).toEqual(["playing", 1_599_990]);
    expect(where(advance(state, axis, 1000))).toEqual(["live", null]);
    expect(where(advance(state, axis, 1001))).toEqual(["live", null]);
  });

  test("playing from the end begins again at the begin; backwards from the begin at the end", () => {
    expect(where(play(at(1_600_000), axis))).toEqual(["playing", 1_000_000]);
    expect(where(play(at(1_000_000), axis, -1))).toEqual(["playing", 1_600_000]);
  });

  test("time passes only while playing", () => {
    expect(advance(INITIAL, axis, 1000)).toBe(INITIAL);
    const standing = at(1_200_000);
    expect(advance(standing, axis, 1000)).toBe(standing);
  });

  test("the big button pauses what runs, live too, and plays what stands", () => {
    expect(togglePlaying(INITIAL, axis).travel.mode).toBe("at");
    expect(togglePlaying(at(1_200_000), axis).travel.mode).toBe("playing");
    expect(togglePlaying(playing(1_200_000), axis).travel.mode).toBe("at");
  });
});

describe("loops", () => {
  const loop = { startMs: 1_200_000, endMs: 1_300_000 };

  test.each([[1_299_000, 999, 1_299_999], [1_299_000, 1000, 1_200_000], [1_299_000, 1001, 1_200_001]])("from %i, %i ms later is %i", (from, elapsedMs, shown) => {
    expect(where(advance(playing(from, { loop, speed: 1 }), axis, elapsedMs))).toEqual(["playing", shown]);
  });

  test("backwards a loop goes round as well", () => {
    expect(where(advance(playing(1_200_500, { loop, speed: 1, direction: -1 }), axis, 1000))).toEqual(["playing", 1_299_500]);
  });

  test("playing from outside of the loop begins at its begin", () => {
    expect(where(play(setLoop(at(1_500_000), loop), axis))).toEqual(["playing", 1_200_000]);
  });

  test("an empty window is no loop", () => {
    expect(setLoop(INITIAL, { startMs: 5, endMs: 5 }).travel.loop).toBeNull();
  });
});

test("speeds end at 1x and 60x", () => {
  const speeds = (by: 1 | -1): number[] => {
    let state = INITIAL;
    return Array.from({ length: 6 }, () => (state = changeSpeed(state, by)).travel.speed);
  };
  expect(speeds(1)).toEqual([30, 60, 60, 60, 60, 60]);
  expect(speeds(-1)).toEqual([5, 2, 1, 1, 1, 1]);
});

describe("marks", () => {
  const marks = [1_100_000, 1_200_000, 1_300_000];

  test.each([[1_189_999, 1_200_000], [1_190_000, 1_200_000], [1_200_000, 1_300_000]])("from %i the next is %i", (from, to) => {
    expect(where(toMark(at(from), axis, marks, 1))).toEqual(["at", to]);
  });

  test.each([[1_200_000, 1_100_000], [1_210_000, 1_200_000], [1_300_000, 1_200_000]])("from %i the previous is %i", (from, to) => {
    expect(where(toMark(at(from), axis, marks, -1))).toEqual(["at", to]);
  });

  test("without a mark in that direction nothing moves", () => {
    expect(toMark(INITIAL, axis, marks, 1)).toBe(INITIAL);
    expect(where(toMark(INITIAL, axis, marks, -1))).toEqual(["at", 1_300_000]);
  });
});
