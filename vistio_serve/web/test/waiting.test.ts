// @vitest-environment happy-dom
/** What is said while an answer is under way. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Api } from "../src/asking/api";
import { Awaited } from "../src/asking/waiting";
import { messagesOf } from "../src/states/messages";
import { WaitingView } from "../src/states/waiting";
import { Store } from "../src/store/store";
import { INITIAL } from "../src/values/state";
import { START_MS, graph, level } from "./graphs";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

function asking(): { store: Store; ask: (route: "graph" | "instants") => Promise<unknown>; answers: (() => void)[]; shown: () => boolean } {
  const store = new Store(INITIAL);
  const answers: (() => void)[] = [];
  const api = new Api("http://h/", (() => new Promise<Response>((resolve) => answers.push(() => resolve(new Response("{}", { status: 500 }))))) as typeof fetch);
  api.awaited = new Awaited(store);
  const view = new WaitingView();
  const shown = (): boolean => {
    view.render(store.snapshot);
    return !view.element.hidden;
  };
  return { store, ask: (route) => (route === "graph" ? api.graph(START_MS) : api.extent()), answers, shown };
}

const kinds = (store: Store): string[] => messagesOf(store.snapshot, START_MS).map((each) => each.kind);

test("an answer that comes at once is not announced; one that takes longer is, until it is there", async () => {
  const { ask, answers, shown } = asking();
  const first = ask("graph");
  vi.advanceTimersByTime(200);
  expect(shown()).toBe(false);
  answers[0]!();
  await first;
  vi.advanceTimersByTime(10_000);
  expect(shown()).toBe(false);

  const second = ask("graph");
  vi.advanceTimersByTime(300);
  expect(shown()).toBe(true);
  answers[1]!();
  await second;
  expect(shown()).toBe(false);
});

test("a server that hangs is told of within five seconds, with or without a picture, until it answers", async () => {
  const { store, ask, answers } = asking();
  const answer = ask("graph");
  vi.advanceTimersByTime(3900);
  expect(kinds(store)).toEqual(["loading"]);
  vi.advanceTimersByTime(1000);
  expect(messagesOf(store.snapshot, START_MS)).toMatchObject([{ kind: "hanging", covers: true }]);
  store.learn({ graph: graph([level("eu", ["a>b 1"])]) });
  expect(messagesOf(store.snapshot, START_MS)).toMatchObject([{ kind: "hanging", covers: false, detail: "The picture is of 2026-11-23T05:00:00Z until it does." }]);
  answers[0]!();
  await answer;
  expect(kinds(store)).toEqual([]);
});

test("of several questions the one that takes longest counts", async () => {
  const { store, ask, answers } = asking();
  const [slow, quick] = [ask("graph"), ask("graph")];
  vi.advanceTimersByTime(5000);
  answers[1]!();
  await quick;
  expect(store.snapshot.data.waiting).toBe("hanging");
  answers[0]!();
  await slow;
  expect(store.snapshot.data.waiting).toBeNull();
});

test("what is not the picture's is not awaited", () => {
  const { store, ask } = asking();
  void ask("instants");
  vi.advanceTimersByTime(10_000);
  expect(store.snapshot.data.waiting).toBeNull();
});
