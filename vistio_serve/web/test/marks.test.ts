/** Marks as people write them, and what is sent for them. */

import { expect, test, vi } from "vitest";
import { Api } from "../src/asking/api";
import { Marking } from "../src/asking/marking";
import { type Places, keysOf } from "../src/controls/keys";
import { Store } from "../src/store/store";
import { type Access, draftAt, draftOf, markOf, mayAnnotate, whoIs } from "../src/values/marks";
import { INITIAL } from "../src/values/state";
import { UTC } from "../src/values/zones";

const NOW_MS = Date.parse("2026-11-23T05:10:00Z");
const alice: Access = { name: "alice", user: "", scopes: ["read", "annotate"], annotating: true };
const nobody: Access = { name: "", user: "", scopes: ["read"], annotating: true };

test("who may annotate is for the server to say, and for a proxy it is whom it asks for", () => {
  expect([null, nobody, alice].map(mayAnnotate)).toEqual([false, false, true]);
  expect([null, nobody, alice, { ...alice, user: "carol@example.com" }].map(whoIs)).toEqual(["", "", "alice", "carol@example.com"]);
});

test.each([
  ["-5m", "", "2026-11-23T05:05:00.000Z", null],
  ["05:00", "05:02:30", "2026-11-23T05:00:00.000Z", "2026-11-23T05:02:30.000Z"],
  ["2026-11-23T06:10:00+01:00", "", "2026-11-23T05:10:00.000Z", null],
])("from %s until '%s'", (start, end, from, until) => {
  const mark = markOf({ ...draftAt(NOW_MS, UTC, "mesh", "cart"), text: " v2 ", start, end }, NOW_MS, UTC, { by: "ci" });
  if ("wrong" in mark) throw new Error(mark.wrong);
  expect([mark.start, mark.end].map((each) => each && new Date(each).toISOString())).toEqual([from, until]);
  expect([mark.text, mark.cluster, mark.node, mark.tags]).toEqual(["v2", "mesh", "cart", { by: "ci" }]);
});

test.each([
  ["", "", "From: nothing is no moment"],
  ["25:00", "", "From: 25:00 is no moment"],
  ["05:00", "soon", "Until: soon is no moment"],
  ["05:00", "05:00", "Until: is not after From"],
])("from '%s' until '%s' is refused in words", (start, end, says) => {
  expect(markOf({ ...draftAt(NOW_MS, UTC), text: "x", start, end }, NOW_MS, UTC)).toEqual({ wrong: expect.stringContaining(says) as string });
});

test("a mark that is edited has the fields that it had", () => {
  const mark = { id: "1", start: "2026-11-23T05:00:00Z", end: null, kind: "note", text: "x", cluster: "", node: "n", link: "", tags: {} };
  expect(draftOf(mark, UTC)).toEqual({ text: "x", kind: "note", start: mark.start, end: "", cluster: "", node: "n", link: "" });
});

interface Sent { readonly url: string; readonly init: RequestInit }

function marking(answers: readonly (readonly [number, unknown])[]): { marking: Marking; store: Store; api: Api; sent: Sent[] } {
  const sent: Sent[] = [];
  const left = [...answers];
  const api = new Api("http://h/", vi.fn((url, init) => {
    sent.push({ url: String(url), init: init! });
    const [status, content] = left.shift()!;
    return Promise.resolve(new Response(JSON.stringify(content), { status }));
  }));
  const store = new Store(INITIAL);
  return { marking: new Marking(store, api), store, api, sent };
}

test("a token is shown with changes from then on, and the browser asks for no password", async () => {
  const { marking: page, store, sent } = marking([[200, alice], [200, { id: "2" }]]);
  expect(await page.signIn("t0ken")).toBeNull();
  expect(store.snapshot.data.access).toEqual(alice);
  const mark = markOf({ ...draftAt(NOW_MS, UTC), text: "x" }, NOW_MS, UTC);
  if ("wrong" in mark) throw new Error(mark.wrong);
  expect(await page.save(mark, "1")).toBeNull();
  expect(sent.map(({ url, init }) => [init.method ?? "GET", url])).toEqual([["GET", "http://h/access"], ["PUT", "http://h/annotations/1"]]);
  for (const { init } of sent) expect([init.credentials, (init.headers as Record<string, string>)["Authorization"]]).toEqual(["omit", "Bearer t0ken"]);
});

test.each([
  [[[401, { detail: "not known here" }]], "not known here"],
  [[[200, nobody], [200, nobody]], "This token may not annotate"],
] as const)("a token that is of no use is told, and forgotten", async (answers, says) => {
  const { marking: page, api } = marking(answers);
  expect(await page.signIn("wrong")).toContain(says);
  expect(api.token).toBeNull();
});

test("a refused change says why", async () => {
  const { marking: page, sent } = marking([[403, { type: "urn:vistio:problem:not-allowed", title: "Who asks may not", detail: "bob may not" }]]);
  expect(await page.remove("1")).toBe("bob may not");
  expect([sent[0]!.init.method, sent[0]!.init.body]).toEqual(["DELETE", undefined]);
});

test("no two keys are the same", () => {
  const keys = keysOf(new Store(INITIAL), {} as Places).map((each) => each.key);
  expect(keys).toEqual([...new Set(keys)]);
});
