/** Expressions: what they say, of which nodes they hold, what can come next, and what is hidden by them. */

import { beforeAll, describe, expect, test } from "vitest";
import { loadPatterns } from "../src/asking/engine";
import { factsOf, meantBy, refusalOf } from "../src/picture/nodes";
import { countsOf, filterLevel, hiddenOf } from "../src/picture/scene";
import { completionsOf } from "../src/values/completion";
import { isExpression, parse } from "../src/values/expression";
import { LOADING, type Patterns } from "../src/values/patterns";
import { NO_FILTERS } from "../src/values/state";
import { edge, graph, level, node, notice } from "./graphs";

let patterns: Patterns;
beforeAll(async () => { patterns = await loadPatterns(); });

const mesh = level("eu", [
  edge("in>web.shop 99/0/1"),
  edge("web.shop>cart.shop 95/0/5", { measurements: { latency_p99_ms: 250 } }),
  edge("web.shop>kafka 10", { measurements: { lost_rps: 0.5 }, toldBy: "both" }),
  edge("cart.shop>db 20", { toldBy: "both", notices: [notice(1)] }),
  edge("in>idle 0"),
], { nodes: ["in", "web.shop", "cart.shop", "kafka", "idle"].map((name) => node(name)).concat(node("db", { class: "storage" }), node("made-up", { synthetic: true })) });
const meant = (text: string) => meantBy(text, mesh, patterns);

describe("an expression", () => {
  test.each<[string, readonly string[]]>([
    ["errors > 1%", ["cart.shop"]],
    ["errors >= 1", ["in", "web.shop", "cart.shop"]],
    ["errors > 1% and ns = shop", ["cart.shop"]],
    ["name ~ ^kafka", ["kafka"]],
    ["lost > 0", ["web.shop", "kafka"]],
    ["lost = 0", ["cart.shop", "db"]],
    ["rps < 15", ["kafka", "idle"]],
    ["rps < 15/s and not name = idle", ["kafka"]],
    ["latency > 200ms", ["cart.shop"]],
    ["latency <= 0.25s", ["cart.shop"]],
    ["class = storage or ns = shop", ["web.shop", "cart.shop", "db"]],
    ["notice >= warning", ["db"]],
    ["unhealthy", ["in", "web.shop", "cart.shop", "db"]],
    ["not unhealthy", ["kafka", "idle"]],
    ["cluster = us", []],
    ["name !~ shop and cluster = eu and not (class = storage)", ["in", "kafka", "idle"]],
    ["(name ~ ^(web|cart)\\.shop$ or kafka) and rps > 50", ["web.shop", "cart.shop"]],
    ['name ~ "^(web|cart)" AND NOT rps > 99', []],
    ["ns !~ x", ["in", "web.shop", "cart.shop", "kafka", "idle", "db"]],
    ["shop and not cart", ["web.shop"]],
    ['"made-up"', []],
  ])("%s means %j", (text, names) => {
    expect(refusalOf(text, patterns)).toBe("");
    expect([...meant(text)].sort()).toEqual([...names].sort());
  });

  test("leaves out what is not known, and so does its opposite: a share of no requests, a latency that nobody measured", () => {
    expect(meant("errors < 1%")).not.toContain("idle");
    expect(meant("not errors < 1%")).not.toContain("idle");
    expect([...meant("latency > 0"), ...meant("not latency > 0")]).toEqual(["cart.shop"]);
    expect([...meant("lost > 0"), ...meant("not lost > 0")]).not.toContain("idle");
    expect(meant("latency > 0 or ns = shop")).toEqual(["web.shop", "cart.shop"]);
  });

  test("binds and before or, and not before both", () => {
    expect(meant("kafka or cart and rps > 1000")).toEqual(["kafka"]);
    expect(meant("not kafka and not shop")).toEqual(["in", "idle", "db"]);
  });

  test.each([["kaf"], ["web.shop"], ["not"], ["a - b"], ["notice"], [" "], ["rock"]])("%j is none, but a part of a name", (text) => {
    expect(isExpression(text)).toBe(false);
  });

  test.each<[string, string]>([
    ["errors >", "after errors > comes a number"],
    ["errors > many", "many is no number of errors: share of errors, as 1%"],
    ["errors > 5ms", "5ms is no number of errors: share of errors, as 1%"],
    ["errors ~ 1", "errors is asked by >, >=, <, <=, =, !="],
    ["name > 1", "name is asked by =, !=, ~, !~"],
    ["speed > 1", "speed cannot be asked for; these can: name, ns, cluster, class, rps, errors, warnings, latency, lost, notice"],
    ["(kafka or db", "a ) is missing"],
    ["kafka or db)", "a ) closes nothing"],
    ["kafka and", "here comes a name, or what is asked for, such as errors > 1%"],
    ["and kafka", "before and something is missing"],
    ["> 1", "before > comes what is asked for, such as name or errors"],
    ["rps > 1 errors > 1", "before errors comes and, or"],
    ["notice > high", "a notice is info, warning, error"],
    ["name ~ (", "missing closing ): ("],
    ["name ~ a(?=b)", "invalid or unsupported Perl syntax: (?="],
  ])("%s is refused: %s", (text, why) => {
    expect(refusalOf(text, patterns)).toBe(why);
    expect(meant(text)).toEqual([]);
  });

  test("with a pattern waits for the engine, and means nobody meanwhile", () => {
    expect(refusalOf("name ~ k", null)).toBe(LOADING);
    expect(meantBy("name ~ k or not name ~ k", mesh, null)).toEqual([]);
    expect(meantBy("name ~ k or db", mesh, null)).toEqual(["db"]);
  });

  test("is read to its end, however it is put", () => {
    for (const text of ["(", ")", "!", '"', "~", "not not not", "((((", "a!b", "name ~ ))", "= = ="]) expect(() => parse(text)).not.toThrow();
  });
});

test("a node that nobody calls is known by what it sends", () => {
  expect(factsOf(mesh).get("in")).toMatchObject({ rps: 100, errors: 1, ns: null, lost: null });
});

describe("hiding", () => {
  const shown = (more: Partial<typeof NO_FILTERS>) => filterLevel(mesh, { ...NO_FILTERS, ...more }, patterns).nodes.filter((each) => !each.synthetic).map((each) => each.name);

  test("leaves those who are not meant, with or without a connection", () => {
    expect(shown({ hide: "ns = shop" })).toEqual(["in", "kafka", "idle", "db"]);
    expect(countsOf(graph([mesh]), "eu", { ...NO_FILTERS, hide: "ns = shop" }, patterns)).toEqual({ nodes: 4, edges: 1, hiddenNodes: 2, hiddenEdges: 4 });
    expect(shown({ hide: "errors >" })).toEqual(shown({}));
  });

  test("tells who is hidden", () => {
    expect(hiddenOf(mesh, { ...NO_FILTERS, hide: "ns = shop or made" }, patterns).map((each) => each.label)).toEqual(["cart.shop", "web.shop"]);
    expect(hiddenOf(mesh, NO_FILTERS, patterns)).toEqual([]);
  });

  test("all that is well leaves what is not, and who calls it", () => {
    expect(shown({ unhealthyOnly: true })).toEqual(["in", "web.shop", "cart.shop", "db"]);
    expect(shown({ unhealthyOnly: true, hide: "name = db" })).toEqual(["in", "web.shop", "cart.shop"]);
  });
});

describe("what can come next", () => {
  const known = { names: ["kafka", "web shop"], namespaces: ["shop", "bank"], clusters: ["eu"], classes: ["storage"] };
  const next = (text: string) => completionsOf(text, known).map((each) => each.text);

  test.each<[string, readonly string[]]>([
    ["err", ["errors "]],
    ["n", ["notice ", "name ", "ns ", "not "]],
    ["kaf", []],
    ["", []],
    ["errors ", ["errors > ", "errors >= ", "errors < ", "errors <= ", "errors = ", "errors != "]],
    ["errors >", ["errors >= "]],
    ["ns = ", ["ns = shop ", "ns = bank "]],
    ["ns = b", ["ns = bank "]],
    ["ns = shop ", ["ns = shop and ", "ns = shop or "]],
    ["ns = shop a", ["ns = shop and "]],
    ["name = w", ['name = "web shop" ']],
    ["ns = shop and not (cl", ["ns = shop and not (cluster ", "ns = shop and not (class "]],
    ["notice >= w", ["notice >= warning "]],
    ["errors > 1", []],
  ])("after %j is %j", (text, offered) => {
    expect(next(text)).toEqual(offered);
  });
});
