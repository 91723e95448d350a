/** What can be searched for, and what can be told in words. */

import { describe, expect, test, vi } from "vitest";
import { Later } from "../src/asking/later";
import type { Plan } from "../src/picture/groups";
import { toldBy } from "../src/search/commands";
import { placesOf } from "../src/search/places";
import { messagesOf } from "../src/states/messages";
import { NO_DATA, type Snapshot, Store } from "../src/store/store";
import { speak } from "../src/texts/say";
import { chinese, zh } from "../src/texts/chinese";
import { groupKey } from "../src/values/crowd";
import { INITIAL } from "../src/values/state";
import { EMPTY, extend } from "../src/values/topology";
import { START_MS, graph, level, node } from "./graphs";

const HOUR_MS = 3_600_000;
const axis = { firstMs: START_MS - 2 * HOUR_MS, lastMs: START_MS, stepMs: 10_000 };
const now = graph([level("eu", ["a>b 1"]), level("us", ["a>c 1"])]);
const before = graph([level("eu", ["a>gone 1"])]);
const snapshot: Snapshot = { state: { ...INITIAL, path: ["us"] }, data: { ...NO_DATA, axis, graph: now, topology: extend(extend(EMPTY, before), now) } };

describe("places", () => {
  const plan: Plan = { mode: "groups", by: "prefix", drawnAs: new Map(), groups: new Map([["shop", false], ["open", true]].map(([name, open]) => [groupKey(name as string), { key: groupKey(name as string), name: name as string, members: ["a", "b"], open: open as boolean }])) };
  const places = placesOf(snapshot, new Map([["eu", plan]]));
  const told = places.map(({ text, about }) => `${text}: ${about}`);

  test("are all levels, closed groups and nodes, those of this level first among nodes", () => {
    expect(told).toEqual(["mesh: all clusters", "eu: cluster", "us: cluster", "a: in us", "c: in us", "shop: group of 2 in eu", "a: in eu", "gone: in eu, not there at this instant", "b: in eu"]);
    expect(new Set(places.map((place) => place.key)).size).toBe(places.length);
  });

  test("are gone to", () => {
    const go = (index: number) => places[index]!.go(snapshot.state);
    expect(go(0).path).toEqual([]);
    expect(go(1)).toMatchObject({ path: ["eu"], selection: null });
    expect(go(4)).toMatchObject({ path: ["us"], selection: { kind: "node", node: "c" } });
    expect(go(5)).toMatchObject({ path: ["eu"], selection: { kind: "node", node: groupKey("shop") } });
  });

  test("are a node once where the global level has more than clusters", () => {
    const global = graph([level("", [], { nodes: [node("eu"), node("INTERNET"), node("made up", { synthetic: true })] }), level("eu", ["a>b 1"])]);
    const all = placesOf({ state: INITIAL, data: { ...NO_DATA, graph: global } }, new Map());
    expect(all.map(({ text, about }) => `${text}: ${about}`)).toEqual(["mesh: all clusters", "eu: cluster", "INTERNET: between clusters", "a: in eu", "b: in eu"]);
  });
});

describe("told in words", () => {
  const tell = (text: string) => toldBy(text, snapshot, START_MS);
  const goes = (text: string) => tell(text).map(({ step }) => step?.(INITIAL).travel.atMs);

  test.each([["go to 03:35"], ["03:35"], ["at 03:35"], ["Go 03:35"]])("%s goes there", (text) => {
    expect(goes(text)).toEqual([Date.parse("2026-11-23T03:35:00Z")]);
  });

  test("now is live", () => {
    expect(tell("go to now")[0]!.step!({ ...INITIAL, travel: { ...INITIAL.travel, mode: "at", atMs: 5 } }).travel.mode).toBe("live");
  });

  test.each([["reviews"], ["25:00"], ["go to the shop"], [""]])("%j is nothing to do", (text) => {
    expect(tell(text)).toEqual([]);
  });

  test("compare offers how far back, and takes any moment", () => {
    expect(tell("compare").map((each) => each.text)).toEqual(["Compare with an hour ago", "Compare with a day ago", "Compare with a week ago"]);
    const baselines = (text: string) => tell(text).map(({ step }) => step?.(INITIAL).baselineMs);
    expect(baselines("compare with an hour ago")).toEqual([START_MS - HOUR_MS]);
    expect(baselines("compare with 2 hours before")).toEqual([START_MS - 2 * HOUR_MS]);
    expect(baselines("compare to 04:00")).toEqual([START_MS - HOUR_MS]);
    expect(tell("compare with apples")).toEqual([]);
  });

  test("Chinese does the same", () => {
    expect(goes("前往 03:35")).toEqual([Date.parse("2026-11-23T03:35:00Z")]);
    speak(zh, chinese);
    const offered = tell("对比").map((each) => each.text);
    expect(offered).toEqual(["与 1小时前 对比", "与 1天前 对比", "与 1周前 对比"]);
    for (const text of [offered[0]!, "对比 1小时前", "与 60 分钟前"]) expect(tell(text)[0]!.step!(INITIAL).baselineMs).toBe(START_MS - HOUR_MS);
    speak();
  });

  test("what lies outside of the recording says so and does nothing", () => {
    expect(tell("compare with a day ago")).toEqual([{ text: "Compare with a day ago", about: "before the recording, 2026-11-23T03:00:00Z to 2026-11-23T05:00:00Z", step: null }]);
    expect(tell("2027-01-01 00:00")[0]).toMatchObject({ about: expect.stringMatching(/^after/), step: null });
    expect(toldBy("03:35", { ...snapshot, data: NO_DATA }, START_MS)[0]).toMatchObject({ about: "nothing is recorded yet", step: null });
  });
});

test("what cannot be loaded is told, tried again, and told no more", async () => {
  const store = new Store(INITIAL);
  store.learn({ graph: now });
  const told = () => messagesOf(store.snapshot, START_MS).find((each) => each.kind === "unloaded")?.detail;
  const load = vi.fn<() => Promise<number>>().mockRejectedValueOnce(new Error("gone")).mockResolvedValue(7);
  const part = new Later(store, "search everywhere", load);
  const used: number[] = [];
  await part.use((each) => used.push(each));
  expect([used, told()]).toEqual([[], "Search everywhere: gone."]);
  await part.use((each) => used.push(each));
  await part.use((each) => used.push(each));
  expect([used, told(), load.mock.calls.length]).toEqual([[7, 7], undefined, 2]);
});
