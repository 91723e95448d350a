import { afterEach, describe, expect, test, vi } from "vitest";
import { Api } from "../src/asking/api";
import { chinese, zh } from "../src/texts/chinese";
import { speak } from "../src/texts/say";

const answering = (status: number, body: string): typeof fetch => vi.fn(async () => new Response(body, { status }));
const asked = (fetcher: typeof fetch): string => String(vi.mocked(fetcher).mock.calls[0]?.[0]);
const raw = JSON.stringify({
  name: "mesh",
  nodes: [],
  metadata: { vistio: { instant: "2026-11-23T05:10:00Z", asked: "2026-11-23T05:10:04Z", interval_s: 10, failed_rules: [], configuration: "x", backfilled: false } },
});

test.each([
  ["http://host/", "http://host/graph"],
  ["http://host/vistio/", "http://host/vistio/graph"],
  ["http://host/a/b/#/eu-west?at=1", "http://host/a/b/graph"],
])("from %s the graph is asked at %s", async (base, address) => {
  const fetcher = answering(200, raw);
  await new Api(base, fetcher).graph(null);
  expect(asked(fetcher)).toBe(address);
});

describe("in Chinese", () => {
  afterEach(() => speak());

  test("sentences are asked for in it, also of what is refused", async () => {
    const fetcher = answering(404, JSON.stringify({ title: "此刻没有录制数据", reason: "录制为空" }));
    speak(zh, chinese);
    const api = new Api("http://host/", fetcher);
    expect(await api.incidents({ startMs: 0, endMs: 1000 })).toMatchObject({ problem: { title: "此刻没有录制数据", reason: "录制为空" } });
    await api.change("DELETE", "annotations/1");
    expect(vi.mocked(fetcher).mock.calls.map(([address]) => new URL(String(address)).searchParams.get("lang"))).toEqual(["zh", "zh"]);
  });
});

test("an instant is asked as RFC 3339, live without one", async () => {
  const fetcher = answering(200, raw);
  const answer = await new Api("http://host/", fetcher).graph(Date.parse("2026-11-23T05:10:04Z"));
  expect(asked(fetcher)).toBe("http://host/graph?at=2026-11-23T05%3A10%3A04Z");
  expect(answer.ok && answer.value.about).toMatchObject({ instantMs: Date.parse("2026-11-23T05:10:00Z"), intervalMs: 10_000 });
});

test.each([
  [null, ""],
  [{ level: "" }, "?level=global"],
  [{ level: "eu" }, "?cluster=eu"],
  [{ level: "eu", node: "cart" }, "?cluster=eu&node=cart"],
  [{ level: "eu", source: "a&b", target: "c" }, "?cluster=eu&source=a%26b&target=c"],
])("the timeline of %j is asked with %j", async (subject, query) => {
  const fetcher = answering(200, "{}");
  await new Api("http://host/", fetcher).timeline(null, subject);
  expect(asked(fetcher)).toBe(`http://host/timeline${query}`);
});

test("frames are graphs' values in columns, and a frame without an instant shows nothing", async () => {
  const told = { ...JSON.parse(raw).metadata.vistio };
  const body = {
    now: "2026-11-23T05:12:00Z", start: "2026-11-23T05:10:00Z", end: "2026-11-23T05:10:20Z", step_ms: 10_000,
    graph: JSON.parse(raw),
    frames: [told, { asked: "2026-11-23T05:10:10Z", instant: null }],
    levels: [{
      cluster: "mesh", source: ["a"], target: ["b"], normal: [[1.5], [0]], warning: [[0], [0]], danger: [[0.5], [0]],
      notices: [{ frame: 0, source: "a", target: "b", title: "5 &lt; 6", severity: 2 }],
    }],
  };
  const fetcher = answering(200, JSON.stringify(body));
  const window = { startMs: Date.parse(body.start), endMs: Date.parse(body.end) };
  const answer = await new Api("http://host/", fetcher).frames(window, 10_000);
  expect(asked(fetcher)).toBe("http://host/frames?start=2026-11-23T05%3A10%3A00Z&end=2026-11-23T05%3A10%3A20Z&step=10000ms");
  if (!answer.ok) throw new Error(answer.problem.detail);
  expect(answer.value.frames.map((frame) => frame.about?.instantMs ?? null)).toEqual([window.startMs, null]);
  expect(answer.value.levels[0]).toMatchObject({ danger: [[0.5], [0]], notices: [{ frame: 0, target: "b", title: "5 < 6", subtitle: "" }] });
  expect(answer.value.graph.about.intervalMs).toBe(10_000);
});

describe("errors are values", () => {
  test("a problem of the server keeps its kind and its way out", async () => {
    const body = { type: "urn:vistio:problem:nothing-recorded", title: "Nothing recorded", status: 404, detail: "d", before: "2026-11-23T05:00:00Z", after: null, reason: "not running" };
    const answer = await new Api("http://host/", answering(404, JSON.stringify(body))).graph(1);
    expect(answer).toEqual({ ok: false, problem: { kind: "nothing-recorded", status: 404, title: "Nothing recorded", detail: "d", beforeMs: Date.parse("2026-11-23T05:00:00Z"), afterMs: null, reason: "not running" } });
  });

  test("a page of a proxy, which is no JSON, means that the server is gone", async () => {
    const answer = await new Api("http://host/", answering(502, "<html>Bad gateway</html>")).graph(null);
    expect(answer).toMatchObject({ ok: false, problem: { kind: "unreachable", status: 0 } });
  });

  test("no connection means that the server is gone", async () => {
    const answer = await new Api("http://host/", async () => Promise.reject(new TypeError("Failed to fetch"))).graph(null);
    expect(answer).toMatchObject({ ok: false, problem: { kind: "unreachable", detail: "Failed to fetch" } });
  });

  test("a question that is taken back is told from a server that is gone", async () => {
    const taken = new AbortController();
    taken.abort();
    const answer = await new Api("http://host/", async () => Promise.reject(new DOMException("aborted", "AbortError"))).graph(null, taken.signal);
    expect(answer).toMatchObject({ ok: false, problem: { kind: "aborted" } });
  });
});

test("a question waits until somebody sees the page, and its time begins then", async () => {
  vi.useFakeTimers();
  const page = Object.assign(new EventTarget(), { hidden: true });
  const fetcher = answering(200, raw);
  const answer = new Api("http://host/", fetcher, page as unknown as Document).graph(null);
  page.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(fetcher).not.toHaveBeenCalled();
  page.hidden = false;
  page.dispatchEvent(new Event("visibilitychange"));
  expect((await answer).ok).toBe(true);
  expect(fetcher).toHaveBeenCalledOnce();
  vi.useRealTimers();
});
