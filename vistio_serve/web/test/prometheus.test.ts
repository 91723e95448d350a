import { describe, expect, test } from "vitest";
import { linkAt, withLinksAt } from "../src/values/prometheus";
import { START_MS, edge, graph, level, node, notice } from "./graphs";

const moment = "g0.end_input=2026-11-23+05%3A15%3A00&g0.moment_input=2026-11-23+05%3A00%3A00";

describe("a link to Prometheus", () => {
  test.each([
    ["http://p:9090/graph?g0.expr=up", `http://p:9090/graph?g0.expr=up&g0.tab=0&g0.range_input=1h&${moment}`],
    ["http://p/graph?g0.expr=up&g0.tab=1", `http://p/graph?g0.expr=up&g0.tab=1&g0.range_input=1h&${moment}`],
    ["/graph?g0.expr=up&g0.range_input=5m#x", `/graph?g0.expr=up&g0.range_input=5m&g0.tab=0&${moment}#x`],
  ])("%s leads to the moment that is shown", (link, expected) => {
    expect(linkAt(link, START_MS)).toBe(expected);
  });

  test.each(["", "https://wiki/runbook", "http://p/graph?g0.expr=up&g0.end_input=2026-01-01"])("%j is left as it is", (link) => {
    expect(linkAt(link, START_MS)).toBe(link);
  });

  const link = "http://10.0.0.7:9090/prometheus/graph?g0.expr=up%7Ba%3D%22b%22%7D+%2F+2";

  test("leads to where the reader finds Prometheus, if the server says so", () => {
    expect(linkAt(link, START_MS, "https://prometheus.example.com/p/")).toBe(`https://prometheus.example.com/p/graph?g0.expr=up%7Ba%3D%22b%22%7D+%2F+2&g0.tab=0&g0.range_input=1h&${moment}`);
  });

  test("leads to another tool with the query and the time", () => {
    const to = linkAt(link, START_MS, "https://grafana/explore?q={query}&from={start_ms}&to={end_ms}&at={start}/{end}&x={other}");
    expect(to).toBe(`https://grafana/explore?q=${encodeURIComponent('up{a="b"} / 2')}&from=${START_MS - 45 * 60_000}&to=${START_MS + 15 * 60_000}&at=2026-11-23T04%3A15%3A00Z/2026-11-23T05%3A15%3A00Z&x={other}`);
  });

  test("is none where there is no Prometheus, and a link of one's own stays", () => {
    expect(linkAt(link, START_MS, "none")).toBe("");
    for (const to of ["none", "https://p", "https://g/{query}"]) expect(linkAt("https://wiki/runbook", START_MS, to)).toBe("https://wiki/runbook");
  });

  test("is put into every notice of a graph, on nodes and edges", () => {
    const told = { ...notice(2), link: "http://p/graph?g0.expr=up" };
    const mesh = withLinksAt(graph([level("eu", [edge("a>b 1", { notices: [told] })], { nodes: [node("a", { notices: [told] }), node("b")] })]));
    const { nodes, edges } = mesh.levels.get("eu")!;
    for (const each of [nodes[0], edges[0]]) expect(each?.notices[0]?.link).toContain("g0.moment_input=2026-11-23");
  });
});
