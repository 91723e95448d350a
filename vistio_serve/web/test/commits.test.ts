/** Who is told of commits by a stream, and when nobody is. */

import { beforeEach, expect, test, vi } from "vitest";
import { Commits, type Stream } from "../src/asking/commits";

class Fake implements Stream {
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readyState = 1;
  close(): void { this.readyState = 2; }
  say(id: string): void { this.onmessage!({ lastEventId: id } as MessageEvent); }
  fail(readyState: number): void { this.readyState = readyState; this.onerror!({} as Event); }
}

/** Held locks by name, as all tabs of a browser share them. */
function locksOf(held: Set<string>): Pick<LockManager, "request"> {
  const request = async (name: string, _: LockOptions, use: (lock: Lock | null) => unknown): Promise<unknown> => {
    if (held.has(name)) return use(null);
    held.add(name);
    try {
      return await use({ name, mode: "exclusive" } as Lock);
    } finally {
      held.delete(name);
    }
  };
  return { request } as Pick<LockManager, "request">;
}

class Page {
  hidden = false;
  private readonly told: (() => void)[] = [];
  addEventListener = (_: string, listener: unknown): void => { this.told.push(listener as () => void); };
  removeEventListener = (): void => {};
  show(seen: boolean): void { this.hidden = !seen; for (const each of this.told) each(); }
}

const nothingNew = vi.fn();
const settled = (): Promise<void> => new Promise((resolve) => { setTimeout(resolve, 0); });
let nowMs = 0;
beforeEach(() => { nowMs = 0; });

function tab(held = new Set<string>(), hear: () => void = nothingNew, locks: Pick<LockManager, "request"> | null = locksOf(held)): { commits: Commits; streams: Fake[]; page: Page } {
  const page = new Page();
  const streams: Fake[] = [];
  const connect = (): Stream => { streams.push(new Fake()); return streams.at(-1)!; };
  return { commits: new Commits("live", page as never, hear, () => nowMs, locks, connect), streams, page };
}

test("a commit is heard, and the same told again only keeps the trust", async () => {
  const hear = vi.fn();
  const { commits, streams } = tab(undefined, hear);
  commits.follow(true);
  await settled();
  expect(commits.telling).toBe(false);
  streams[0]!.say("a");
  expect([commits.telling, hear.mock.calls.length]).toEqual([true, 1]);
  nowMs = 20_000;
  streams[0]!.say("a");
  nowMs = 40_000;
  expect([commits.telling, hear.mock.calls.length]).toEqual([true, 1]);
  nowMs = 50_000;
  expect(commits.telling).toBe(false);
});

test("only who is live and seen listens", async () => {
  const held = new Set<string>();
  const { commits, streams, page } = tab(held);
  page.show(false);
  commits.follow(true);
  await settled();
  expect(streams).toHaveLength(0);
  page.show(true);
  await settled();
  streams[0]!.say("a");
  page.show(false);
  await settled();
  expect([streams[0]!.readyState, commits.telling, held.size]).toEqual([2, false, 0]);
  page.show(true);
  await settled();
  commits.follow(false);
  await settled();
  expect(streams.map((each) => each.readyState)).toEqual([2, 2]);
});

test("hidden and seen again at once, it listens", async () => {
  const { commits, streams, page } = tab();
  commits.follow(true);
  await settled();
  page.show(false);
  page.show(true);
  await settled();
  expect(streams.map((each) => each.readyState)).toEqual([2, 1]);
});

test("three tabs of a browser listen, and the next one when one of them is hidden", async () => {
  const held = new Set<string>();
  const tabs = [1, 2, 3, 4].map(() => tab(held));
  for (const each of tabs) each.commits.follow(true);
  await settled();
  expect(tabs.map((each) => each.streams.length)).toEqual([1, 1, 1, 0]);
  tabs[0]!.page.show(false);
  await settled();
  tabs[3]!.page.show(true);
  await settled();
  expect(tabs.map((each) => each.streams.filter((stream) => stream.readyState === 1).length)).toEqual([0, 1, 1, 1]);
});

test("who loses the line, or is refused, is told so and trusts nobody", async () => {
  const hear = vi.fn();
  const held = new Set<string>();
  const { commits, streams } = tab(held, hear);
  commits.follow(true);
  await settled();
  streams[0]!.say("a");
  streams[0]!.fail(0);
  expect([commits.telling, hear.mock.calls.length, held.size]).toEqual([false, 2, 1]);
  streams[0]!.say("a");
  expect(commits.telling).toBe(true);
  streams[0]!.fail(2);
  await settled();
  expect([commits.telling, hear.mock.calls.length, held.size, streams.length]).toEqual([false, 3, 0, 1]);
});

test("where tabs cannot be counted nobody listens", async () => {
  const { commits, streams } = tab(undefined, nothingNew, null);
  commits.follow(true);
  await settled();
  expect([streams.length, commits.telling]).toEqual([0, false]);
});
