/** The page in a notebook: what both tell each other, and questions as messages. */

import { describe, expect, test, vi } from "vitest";
import { type MessagedAnswer, type Question, NOWHERE, askingBy } from "../src/asking/messages";
import { Api } from "../src/asking/api";
import { type Shared, newsOf, sharedOf, withShared } from "../src/values/embedded";
import { INITIAL, type State, openPath, select } from "../src/values/state";

const AT = "2026-11-23T05:10:00Z";
const WINDOW = ["2026-11-23T05:00:00Z", "2026-11-23T06:00:00Z"] as const;

describe("what a notebook knows of the state", () => {
  test.each<[string, Shared]>([
    ["nothing", { at: null, window: null, selected: null }],
    ["a moment", { at: AT, window: null, selected: null }],
    ["a window", { at: null, window: WINDOW, selected: null }],
    ["a cluster", { at: AT, window: null, selected: { cluster: "eu-west" } }],
    ["a node", { at: AT, window: WINDOW, selected: { cluster: "eu-west", node: "a/b" } }],
    ["an edge", { at: null, window: null, selected: { cluster: "eu-west", source: "a", target: "b" } }],
    ["a node of the global level", { at: null, window: null, selected: { cluster: "", node: "INTERNET" } }],
  ])("comes back as it went: %s", (_, shared) => {
    const state = withShared(INITIAL, shared);
    expect(sharedOf(state)).toEqual(shared);
    expect(withShared(state, shared)).toBe(state);
  });

  test("a moment that is asked for is shown, and none is live", () => {
    expect(withShared(INITIAL, { at: AT }).travel).toMatchObject({ mode: "at", atMs: Date.parse(AT) });
    expect(withShared(withShared(INITIAL, { at: AT }), { at: null }).travel).toMatchObject({ mode: "live", atMs: null });
  });

  test("what is not asked for stays", () => {
    const playing: State = { ...INITIAL, travel: { ...INITIAL.travel, mode: "playing", atMs: Date.parse(AT) }, find: "x" };
    expect(withShared(playing, { at: AT })).toBe(playing);
    expect(withShared(playing, { selected: { cluster: "eu-west" } })).toMatchObject({ find: "x", travel: { mode: "playing" } });
  });

  test("only what differs is news", () => {
    const known = sharedOf(withShared(INITIAL, { at: AT, window: WINDOW }));
    expect(newsOf(known, known)).toEqual({});
    expect(newsOf({ ...known, at: null }, known)).toEqual({ at: null });
    expect(newsOf({ ...known, selected: { cluster: "eu-west" } }, known)).toEqual({ selected: { cluster: "eu-west" } });
  });

  test("a node that was entered is selected, and nobody is when it is asked for", () => {
    const entered = openPath(INITIAL, ["eu-west", "db"]);
    expect(sharedOf(entered).selected).toEqual({ cluster: "eu-west", node: "db" });
    const chosen = select(openPath(INITIAL, ["eu-west"]), { kind: "node", node: "db" });
    expect(withShared(chosen, { selected: { cluster: "eu-west" } })).toMatchObject({ path: ["eu-west"], selection: null });
    expect(withShared(chosen, { selected: null })).toMatchObject({ path: [], selection: null });
  });
});

describe("a question by message", () => {
  function asking(): { asked: Question[]; answer: (message: unknown) => void; fetcher: typeof fetch } {
    const asked: Question[] = [];
    let answer: (message: unknown) => void = () => undefined;
    const fetcher = askingBy((question) => void asked.push(question), (heard) => { answer = heard; });
    return { asked, answer: (message) => answer(message), fetcher };
  }
  const told = (id: number, status: number, body: unknown): MessagedAnswer => ({ vistio: "answer", id, status, body: JSON.stringify(body) });

  test("is answered as by a server, whatever comes first", async () => {
    const { asked, answer, fetcher } = asking();
    const api = new Api(NOWHERE, fetcher);
    const [one, other] = [api.instants({ startMs: 0, endMs: 60_000 }), api.instants(null)];
    expect(asked.map((each) => each.path)).toEqual(["instants?start=1970-01-01T00%3A00%3A00Z&end=1970-01-01T00%3A01%3A00Z", "instants"]);
    answer({ something: "else" });
    answer(told(asked[1]!.id, 200, { now: "b" }));
    answer(told(asked[0]!.id, 404, { type: "urn:vistio:problem:nothing-recorded", title: "None" }));
    expect(await other).toEqual({ ok: true, value: { now: "b" } });
    expect(await one).toMatchObject({ ok: false, problem: { kind: "nothing-recorded", status: 404, title: "None" } });
  });

  test("can be given up, before and after it was asked", async () => {
    const { asked, answer, fetcher } = asking();
    const api = new Api(NOWHERE, fetcher);
    const given = new AbortController();
    const asks = api.instants(null, given.signal);
    given.abort();
    answer(told(asked[0]!.id, 200, {}));
    expect(await asks).toMatchObject({ ok: false, problem: { kind: "aborted" } });
    expect(await api.instants(null, given.signal)).toMatchObject({ ok: false, problem: { kind: "aborted" } });
    expect(asked).toHaveLength(1);
  });

  test("without an answer is late", async () => {
    vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.abort(new DOMException("late", "TimeoutError")));
    const { fetcher } = asking();
    expect(await new Api(NOWHERE, fetcher).instants(null)).toMatchObject({ ok: false, problem: { kind: "unreachable", detail: "no answer within 15 s" } });
    vi.restoreAllMocks();
  });
});
