// @vitest-environment happy-dom
/** What must be said: each state with its own words and remedy, and several at once. */

import { describe, expect, test } from "vitest";
import { type Message, messagesOf } from "../src/states/messages";
import { StatesView } from "../src/states/states";
import { type Data, NO_DATA, type Snapshot, Store } from "../src/store/store";
import type { Gap, Problem } from "../src/values/answers";
import { INITIAL, type State } from "../src/values/state";
import { START_MS, edge, graph, level } from "./graphs";

const snapshot = (data: Partial<Data>, state: Partial<State> = {}): Snapshot => ({ state: { ...INITIAL, ...state }, data: { ...NO_DATA, ...data } });
const problem = (kind: string, more: Partial<Problem> = {}): Problem => ({ kind, status: 404, title: `title of ${kind}`, detail: "detail", beforeMs: null, afterMs: null, reason: "", ...more });
const gap = (startMs: number, endMs: number, reason: string): Gap => ({ start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString(), writer: "main", missing: 3, reason });
const past: Partial<State> = { travel: { ...INITIAL.travel, mode: "at", atMs: START_MS } };
const busy = graph([level("eu", ["a>b"]), level("us", ["a>b"])]);
const inEu: Partial<State> = { path: ["eu"] };
const failing = { failedRules: [{ cluster: "eu", rule: "http", outcome: "timeout", error: "" }] };

const said = (now: Snapshot, nowMs = START_MS): readonly Message[] => messagesOf(now, nowMs);
const kinds = (now: Snapshot, nowMs = START_MS): string[] => said(now, nowMs).map((each) => each.kind);

describe("what must be said", () => {
  test("nothing, when the picture is what was asked for", () => {
    expect(said(snapshot({ graph: busy }, inEu))).toEqual([]);
  });

  test("no answer yet, no recording yet, nothing at this time: each covers the page, none is blank", () => {
    expect(said(snapshot({}))).toMatchObject([{ kind: "loading", covers: true }]);
    expect(said(snapshot({ problem: problem("no-recording") }))).toMatchObject([{ kind: "no-recording", covers: true, title: "title of no-recording", detail: "Detail." }]);
    const nothing = { problem: problem("nothing-recorded", { reason: "not running" }) };
    expect(said(snapshot(nothing))).toMatchObject([{ covers: true, detail: "Not running." }]);
    expect(said(snapshot(nothing))[0]?.advice).toContain("Is the recorder running?");
    const axis = { firstMs: START_MS, lastMs: START_MS + 60_000, stepMs: 10_000 };
    expect(said(snapshot({ ...nothing, axis }))[0]?.advice).toContain("vistio-record check");
    const before = { problem: problem("nothing-recorded", { beforeMs: START_MS }), axis };
    expect(said(snapshot(before))[0]?.advice).toContain("Is the recorder running?");
  });

  test("nothing at this time offers the nearest instants and the way to live", () => {
    const [message] = said(snapshot({ problem: problem("nothing-recorded", { beforeMs: START_MS, afterMs: START_MS + 60_000 }) }, past));
    expect(message?.remedies).toEqual([
      { text: "Last before: 2026-11-23T05:00:00Z", kind: "goto", atMs: START_MS },
      { text: "First after: 2026-11-23T05:01:00Z", kind: "goto", atMs: START_MS + 60_000 },
      { text: "Return to live", kind: "live" },
    ]);
  });

  test("a server that is gone leaves the last picture standing and says of when it is", () => {
    const [message] = said(snapshot({ problem: problem("unreachable"), graph: busy }, inEu), START_MS + 3_600_000);
    expect(message).toMatchObject({ kind: "unreachable", tone: "danger", covers: false });
    expect(message?.detail).toContain("2026-11-23T05:00:00Z");
    expect(said(snapshot({ problem: problem("unreachable") }))).toMatchObject([{ covers: true }]);
  });

  test("a recorder that is silent leaves its last picture, of when it is and how old", () => {
    const silent = { problem: problem("nothing-recorded", { beforeMs: START_MS, reason: "nothing was recorded since" }), graph: busy };
    const axis = { firstMs: START_MS - 60_000, lastMs: START_MS, stepMs: 10_000 };
    const [message, ...others] = said(snapshot({ ...silent, axis }, inEu), START_MS + 600_000);
    expect(message).toMatchObject({ kind: "silent", tone: "warning", covers: false, title: "Recorder silent since 05:00:00", detail: "The picture is the last one, 10 min old (nothing was recorded since)." });
    expect(message?.remedies).toMatchObject([{ kind: "visit", address: "instants" }]);
    expect(others).toEqual([]);
    expect(said(snapshot({ ...silent, axis }), START_MS + 90_000_000)[0]?.title).toBe("Recorder silent since 2026-11-23T05:00:00Z");
    // Its scrapes come, and none is answered.
    expect(said(snapshot({ ...silent, axis: { ...axis, lastMs: START_MS + 10_000 } }), START_MS + 600_000)[0]?.title).toBe("Nothing seen since 05:00:00");
    expect(said(snapshot(silent, past))).toMatchObject([{ kind: "nothing-recorded", covers: true }]);
  });

  test.each([[30_000, []], [30_001, ["stale"]]])("live with an instant %i ms old is %j", (ageMs, expected) => {
    expect(kinds(snapshot({ graph: busy }, inEu), START_MS + ageMs)).toEqual(expected);
  });

  test("stale data tell the newest instant, and why nothing newer was recorded", () => {
    const gaps = [gap(START_MS + 10_000, START_MS + 600_000, "prometheus did not answer")];
    const [message] = said(snapshot({ graph: busy, gaps }, inEu), START_MS + 300_000);
    expect(message?.detail).toContain("2026-11-23T05:00:00Z (prometheus did not answer)");
    expect(message?.remedies).toMatchObject([{ kind: "visit", address: "instants" }]);
  });

  test.each([[30_000, []], [30_001, ["gap"]]])("an instant %i ms older than asked is %j", (ageMs, expected) => {
    const found = graph([level("eu", ["a>b"])], { askedMs: START_MS + ageMs });
    expect(kinds(snapshot({ graph: found }, { ...past, ...inEu }))).toEqual(expected);
  });

  test("a gap says why, and leads to both of its ends", () => {
    const found = graph([level("eu", ["a>b"])], { askedMs: START_MS + 60_000 });
    const gaps = [gap(START_MS + 10_000, START_MS + 120_000, "not running")];
    const [message] = said(snapshot({ graph: found, gaps }, { ...past, ...inEu }));
    expect(message?.detail).toContain("not running");
    expect(message?.remedies).toMatchObject([{ kind: "goto", atMs: START_MS }, { kind: "goto", atMs: START_MS + 120_000 }, { kind: "live" }]);
  });

  test("rules that were not answered are named, on the level that they belong to", () => {
    const failed = graph([level("eu", ["a>b"]), level("us", ["a>b"])], failing);
    expect(said(snapshot({ graph: failed })).find((each) => each.kind === "failed-rules")?.items).toEqual(["eu http: timeout"]);
    expect(kinds(snapshot({ graph: failed }, inEu))).toEqual(["failed-rules"]);
    expect(kinds(snapshot({ graph: failed }, { path: ["us"] }))).toEqual([]);
  });

  test("a level that is not there leads to those that are", () => {
    const [message] = said(snapshot({ graph: busy }, { path: ["gone"] }));
    expect(message).toMatchObject({ kind: "no-level", covers: true });
    expect(message?.remedies).toMatchObject([{ kind: "open", path: [] }, { kind: "open", path: ["eu"] }, { kind: "open", path: ["us"] }]);
  });

  test("a node that was entered and is not there is said, with the way back", () => {
    const [message] = said(snapshot({ graph: busy }, { path: ["eu", "z"] }));
    expect(message).toMatchObject({ kind: "no-node", covers: false, remedies: [{ kind: "open", path: ["eu"] }] });
    expect(message!.detail).toBe("Nobody was seen to call it, and it called nobody.");
    const unseen = said(snapshot({ graph: graph([level("eu", ["a>b"])], failing) }, { path: ["eu", "z"] })).find(({ kind }) => kind === "no-node");
    expect(unseen).toMatchObject({ title: "z is not seen at this instant", detail: "It was not seen: eu/http was not answered." });
  });

  test("an empty picture is never without a reason: filters, or no traffic, or rules that failed", () => {
    const filtered = snapshot({ graph: busy }, { ...inEu, filters: { ...INITIAL.filters, minRps: 1000 } });
    expect(said(filtered)).toMatchObject([{ kind: "all-hidden", remedies: [{ kind: "unfilter" }] }]);
    const made = edge("INTERNET>eu 0", { synthetic: true });
    expect(kinds(snapshot({ graph: graph([level("eu", [made])]) }, inEu))).toEqual(["quiet"]);
    expect(kinds(snapshot({ graph: graph([level("eu", [made])], failing) }, inEu))).toEqual(["failed-rules"]);
  });

  test("several at once are all said, what matters most first", () => {
    const failed = graph([level("eu", ["a>b"])], failing);
    const filters = { ...INITIAL.filters, minRps: 1000 };
    expect(kinds(snapshot({ graph: failed }, { ...inEu, filters }), START_MS + 60_000)).toEqual(["stale", "failed-rules", "all-hidden"]);
    expect(kinds(snapshot({ graph: failed, problem: problem("unreachable") }, inEu), START_MS + 60_000)).toEqual(["unreachable", "failed-rules"]);
  });
});

describe("the place where it is said", () => {
  const axis = { firstMs: START_MS, lastMs: START_MS + 600_000, stepMs: 10_000 };

  test("its buttons do what they say", () => {
    const store = new Store({ ...INITIAL, ...past }, (run) => run());
    store.learn({ axis, problem: problem("nothing-recorded", { beforeMs: null, afterMs: START_MS + 60_000 }) });
    const view = new StatesView(store, () => START_MS);
    view.render(store.snapshot);
    const [after, live] = view.element.querySelectorAll("button");
    after?.click();
    expect(store.snapshot.state.travel.atMs).toBe(START_MS + 60_000);
    live?.click();
    expect(store.snapshot.state.travel.mode).toBe("live");
  });

  test("what stays keeps its element, and with it the focus, while something else comes and goes", () => {
    const store = new Store({ ...INITIAL, ...inEu }, (run) => run());
    store.learn({ graph: graph([level("eu", ["a>b"])], failing) });
    let nowMs = START_MS;
    const view = new StatesView(store, () => nowMs);
    view.render(store.snapshot);
    const rules = view.element.querySelector("[data-kind=failed-rules]");
    nowMs += 60_000;
    view.render(store.snapshot);
    expect(view.element.dataset["kinds"]).toBe("stale failed-rules");
    expect(view.element.children[1]).toBe(rules);
    store.change((state) => ({ ...state, path: ["us"] }));
    store.learn({ graph: graph([level("us", ["a>b"])], {}) });
    nowMs = START_MS;
    view.render(store.snapshot);
    expect(view.element.children).toHaveLength(0);
  });

  test("a rule's error is text, commands are set apart, and a long list says what it leaves out", () => {
    const failedRules = Array.from({ length: 10 }, (_, index) => ({ cluster: "eu", rule: `r${index}`, outcome: "failed", error: "<b>no</b>" }));
    const store = new Store({ ...INITIAL, ...inEu });
    store.learn({ graph: graph([level("eu", ["a>b"])], { failedRules }) });
    const view = new StatesView(store, () => START_MS);
    view.render(store.snapshot);
    expect(view.element.querySelector("b")).toBeNull();
    expect(view.element.querySelector("code")?.textContent).toBe("vistio-record check");
    expect([...view.element.querySelectorAll("li")].map((item) => item.textContent).slice(-2)).toEqual(["eu r7: <b>no</b>", "and 2 more"]);
  });
});

test("a link to a moment that is none is told in place of the present, and can be left for it", () => {
  const state: Partial<State> = { travel: { ...INITIAL.travel, refused: "25:00" } };
  const messages = said(snapshot({ graph: busy }, state));
  expect(messages).toMatchObject([{ kind: "no-moment", title: "There is no moment 25:00", covers: true }]);
  const store = new Store({ ...INITIAL, ...state });
  const view = new StatesView(store, () => START_MS);
  view.render(store.snapshot);
  view.element.querySelector("button")!.click();
  expect(store.snapshot.state.travel).toEqual(INITIAL.travel);
});
