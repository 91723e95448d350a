import { describe, expect, test, vi } from "vitest";
import { Api, type Result } from "../src/asking/api";
import { Player } from "../src/asking/player";
import { graphOfFrame } from "../src/frames/graphs";
import { type Grid, Reel, gridOf, nextPiece, pieceOf } from "../src/frames/reel";
import { Store } from "../src/store/store";
import type { FrameLevel, Frames, Problem } from "../src/values/answers";
import type { Graph } from "../src/values/model";
import { INITIAL, type Travel } from "../src/values/state";
import { START_MS, graph, level, node, notice } from "./graphs";

const STEP_MS = 10_000;
const columns: FrameLevel = {
  cluster: "eu", source: ["a", "a"], target: ["b", "c"],
  normal: [[10, 0], [12, 5]], warning: [[0, 0], [1, 0]], danger: [[0, 0], [0, 2]],
  notices: [{ ...notice(2, "failing"), frame: 1, source: "a", target: "c" }, { ...notice(1, "full"), frame: 0, source: "d", target: null }],
};
/** `count` frames from `startMs` on; each tenth has nothing. */
const framesFrom = (startMs: number, count: number, levels: readonly FrameLevel[] = [columns]): Frames => ({
  startMs, endMs: startMs + count * STEP_MS, stepMs: STEP_MS,
  graph: graph([level("eu", ["a>b 1", "a>c 1"], { entryNode: "a", nodes: ["a", "b", "c", "d", "e"].map((name) => node(name)) })]),
  frames: Array.from({ length: count }, (_, index) => {
    const askedMs = startMs + index * STEP_MS;
    return { askedMs, about: index % 10 === 9 ? null : { ...graph([]).about, askedMs, instantMs: askedMs } };
  }),
  levels,
});

describe("a frame as a graph", () => {
  const [first, second] = [0, 1].map((index) => graphOfFrame(framesFrom(START_MS, 2), index)!.levels.get("eu")!);

  test("has the rates and notices of its own instant", () => {
    expect(second!.edges.map(({ target, rates }) => [target, rates])).toEqual([["b", { normal: 12, warning: 1, danger: 0 }], ["c", { normal: 5, warning: 0, danger: 2 }]]);
    expect(second!.edges.map(({ notices }) => notices.map(({ title }) => title))).toEqual([[], ["failing"]]);
  });

  test("leaves out what is at rest, and what nothing is told of", () => {
    expect(first!.edges.map(({ target }) => target)).toEqual(["b"]);
    expect(first!.nodes.map(({ name }) => name)).toEqual(["a", "b", "d"]);
    expect(first!.nodes[2]!.notices[0]).toMatchObject({ title: "full", severity: 1 });
  });

  test("says which instant it is; without one there is no graph", () => {
    const frames = framesFrom(START_MS, 10);
    expect(graphOfFrame(frames, 3)?.about.instantMs).toBe(START_MS + 3 * STEP_MS);
    expect(graphOfFrame(frames, 9)).toBeNull();
    expect(graphOfFrame(frames, 10)).toBeNull();
  });
});

describe("the grid", () => {
  test.each([[10_000, 6_000, 10_000], [10_000, 100, 10_000], [1_000, 6_000, 6_000], [1_000, 6_999, 6_000], [5_000, 10_000, 10_000]])("an interval of %i ms, when a picture is a move of %i ms, is played in steps of %i", (intervalMs, moveMs, stepMs) => {
    expect(gridOf(intervalMs, moveMs, 10).stepMs).toBe(stepMs);
  });

  test("a bigger mesh is fetched in shorter pieces", () => {
    expect([500, 501, 2_000, 6_000, 10_000].map((edges) => gridOf(STEP_MS, 0, edges).length)).toEqual([120, 60, 60, 30, 10]);
  });

  const grid: Grid = { stepMs: STEP_MS, length: 10 };
  const piece = { startMs: 1_000_000, endMs: 1_100_000 };

  test.each([999_999, 1_000_000, 1_099_999, 1_100_000])("%i is in a piece that begins at a whole length", (ms) => {
    const { startMs, endMs } = pieceOf(ms, grid);
    expect([startMs % 100_000, endMs - startMs, startMs <= ms && ms < endMs]).toEqual([0, 100_000, true]);
  });

  test("what comes next is the piece after, or before; at the end nothing, or the loop's other end", () => {
    const extent = { startMs: 950_000, endMs: 1_150_000 };
    expect(nextPiece(1_050_000, 1, grid, extent, false)).toBe(piece.endMs);
    expect(nextPiece(1_050_000, -1, grid, extent, false)).toBe(990_000);
    expect(nextPiece(1_120_000, 1, grid, extent, false)).toBeNull();
    expect(nextPiece(1_120_000, 1, grid, extent, true)).toBe(extent.startMs);
    expect(nextPiece(960_000, -1, grid, extent, true)).toBe(extent.endMs - 1);
  });
});

describe("the reel", () => {
  const grid: Grid = { stepMs: STEP_MS, length: 10 };
  const startMs = pieceOf(START_MS, grid).startMs;

  test("knows what was kept, up to what was recorded when it was asked for", () => {
    const reel = new Reel();
    expect(reel.at(startMs, grid)).toEqual({ known: false });
    reel.keep(startMs, grid, framesFrom(startMs, 10), startMs + 5 * STEP_MS);
    expect(reel.at(startMs + 5 * STEP_MS, grid)).toMatchObject({ known: true, graph: { about: { instantMs: startMs + 5 * STEP_MS } } });
    expect(reel.at(startMs + 6 * STEP_MS, grid)).toEqual({ known: false });
    expect(reel.at(startMs - STEP_MS, grid)).toEqual({ known: false });
  });

  test("knows of a piece that nothing is in it", () => {
    const reel = new Reel();
    reel.keep(startMs, grid, null, startMs + 100_000);
    expect(reel.at(startMs + STEP_MS, grid)).toEqual({ known: true, graph: null });
  });

  test("forgets what was not used for longest, and never grows", () => {
    const reel = new Reel();
    const wide: FrameLevel = { ...columns, source: Array.from({ length: 45_000 }, () => "a") };
    const pieces = Array.from({ length: 5 }, (_, index) => startMs + index * 100_000);
    for (const each of pieces.slice(0, 3)) reel.keep(each, grid, framesFrom(each, 10, [wide]), each + 100_000);
    reel.at(pieces[0]!, grid);
    reel.keep(pieces[3]!, grid, framesFrom(pieces[3]!, 10, [wide]), pieces[3]! + 100_000);
    expect(pieces.map((each) => reel.has(each, grid))).toEqual([true, false, true, true, false]);
  });
});

describe("playing", () => {
  const axis = { firstMs: START_MS, lastMs: START_MS + 400 * STEP_MS, stepMs: STEP_MS };

  function playing(travel: Partial<Travel>, answer: (startMs: number) => Result<Frames>): { store: Store; asked: number[]; shown: Graph[]; player: Player; clock: { ms: number } } {
    const [asked, shown, clock] = [[] as number[], [] as Graph[], { ms: 10_000 }];
    const api = new Api("http://h/");
    vi.spyOn(api, "frames").mockImplementation(async ({ startMs }) => {
      asked.push(startMs);
      return answer(startMs);
    });
    const store = new Store({ ...INITIAL, travel: { ...INITIAL.travel, mode: "playing", atMs: START_MS + 200 * STEP_MS, speed: 60, ...travel } });
    store.learn({ axis });
    const player = new Player(store, api, (each) => { shown.push(each); store.learn({ graph: each, problem: null }); }, 100, () => clock.ms);
    return { store, asked, shown, player, clock };
  }
  const ok = (startMs: number): Result<Frames> => ({ ok: true, value: framesFrom(startMs, 120) });
  const fails = (kind: string) => (): Result<Frames> => ({ ok: false, problem: { kind, status: 0, title: kind, detail: "", beforeMs: null, afterMs: null, reason: "" } satisfies Problem });
  const grid = gridOf(STEP_MS, 0, 1);

  test.each([1, -1] as const)("asks for the piece of the moment and the one that follows in direction %i, and for no more", async (direction) => {
    const { asked, shown, player } = playing({ direction }, ok);
    player.play();
    await vi.waitFor(() => expect(shown).toHaveLength(1));
    for (let again = 0; again < 5; again++) player.play();
    const here = pieceOf(START_MS + 200 * STEP_MS, grid).startMs;
    expect(asked.sort()).toEqual([here, here + direction * 120 * STEP_MS].sort());
    expect(shown.map((each) => each.about.instantMs)).toEqual([START_MS + 200 * STEP_MS]);
  });

  test("a server that does not answer is asked again later, not in each tick", async () => {
    const { store, asked, player, clock } = playing({}, fails("unreachable"));
    player.play();
    await vi.waitFor(() => expect(store.snapshot.data.problem?.kind).toBe("unreachable"));
    await Promise.resolve();
    const count = asked.length;
    player.play();
    expect(asked).toHaveLength(count);
    clock.ms += 2_001;
    player.play();
    expect(asked.length).toBeGreaterThan(count);
  });

  test("where nothing is recorded it says so with the gap's reason and its ends, without asking", async () => {
    const { store, asked, player } = playing({}, ok);
    const gap = { start: new Date(START_MS).toISOString(), end: new Date(axis.lastMs).toISOString(), writer: "", missing: 1, reason: "not running" };
    store.learn({ gaps: [gap] });
    player.play();
    player.play();
    expect(asked).toEqual([]);
    expect(store.snapshot.data).toMatchObject({ graph: null, problem: { kind: "nothing-recorded", reason: "not running", afterMs: axis.lastMs } });
  });
});
