/** All that the page says is in its catalogues, and what they have is said. */

import { parseSync } from "vite";
import { afterEach, describe, expect, test } from "vitest";
import { type Text, counted, language, listed, manner, speak, t } from "../src/texts/say";
import { chinese, zh } from "../src/texts/chinese";
import { formatDay, formatDayAndTime, formatDuration, formatRate, formatShare } from "../src/values/format";
import { UTC } from "../src/values/zones";
import { START_MS } from "./graphs";

/** A node of a syntax tree, as ESTree names them. */
interface Syntax {
  readonly type: string;
  readonly [name: string]: unknown;
}

type Ancestors = readonly Syntax[];

/** What is read by people wherever it stands. */
const READ = new Set(["title", "aria-label", "placeholder", "alt", "label", "text", "about", "detail", "advice", "why", "wrong"]);
/** Of which the arguments from this one on are read by people. */
const SAYS: Readonly<Record<string, number>> = { h: 2, fill: 1, setText: 1, iconButton: 1, link: 1, message: 2, super: 1 };
/** What looks like words and is none. */
const NO_WORDS: readonly RegExp[] = [
  /^vistio$/, // its own name
  /^name ~ \^kafka or rps < 1$/, // an expression, whose words are its language
  /^(?:dot|line|block) \w+$/, // classes of a style sheet
  /system-ui/, // a font
  /^singletap doubletap$/, // events of the component
  /^allow-scripts /, // what a frame may do
  /^application\/json, /, // what is understood
  /^<head>/, // where a notebook's frame begins
  /^no-caller-seen$/, // a node's name, as the server makes it up
];
const WORD = /\p{L}{2}/u;
const WORDS = /\p{L}{2,}[,:;.]? \p{L}/u;

const files: ReadonlyMap<string, Syntax> = new Map(
  Object.entries(import.meta.glob<string>("../src/**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true }))
    .filter(([path]) => !path.includes("/texts/") && !path.endsWith(".d.ts"))
    .map(([path, text]) => [path.replace("../src/", ""), treeOf(path, text)]),
);

function treeOf(path: string, text: string): Syntax {
  const { program, errors } = parseSync(path, text);
  if (errors.length) throw new Error(`${path}: ${errors[0]!.message}`);
  return program as unknown as Syntax;
}

function isSyntax(value: unknown): value is Syntax {
  return typeof value === "object" && value !== null && typeof (value as Syntax).type === "string";
}

function* walk(node: Syntax, above: Ancestors = []): Generator<readonly [node: Syntax, above: Ancestors]> {
  yield [node, above];
  for (const value of Object.values(node)) {
    for (const each of Array.isArray(value) ? value : [value]) if (isSyntax(each)) yield* walk(each, [...above, node]);
  }
}

/** The name of what is called, or of what a template is for: `t`, `querySelector`; empty for anything else. */
function calledBy(node: Syntax): string {
  const callee = (node.type === "CallExpression" ? node["callee"] : node.type === "TaggedTemplateExpression" ? node["tag"] : node.type === "NewExpression" ? node["callee"] : null) as Syntax | null;
  if (callee?.type === "Super") return "super";
  const named = callee?.type === "MemberExpression" ? (callee["property"] as Syntax) : callee;
  return String(named?.["name"] ?? "");
}

function isSaid(node: Syntax): boolean {
  return ["t", "counted"].includes(calledBy(node));
}

/** A text in a tree; of a template what stands between its gaps, as a catalogue has it. */
function textOf(node: Syntax): string | null {
  if (node.type === "Literal") return typeof node["value"] === "string" ? node["value"] : null;
  if (node.type === "JSXText") return String(node["value"]).trim();
  if (node.type !== "TemplateLiteral") return null;
  const parts = (node["quasis"] as Syntax[]).map((each) => (each["value"] as { cooked: string }).cooked);
  return parts.reduce((key, part, index) => `${key}{${index - 1}}${part}`);
}

/** The texts that an expression can be, without what others make for it. */
function possible(node: Syntax): string[] {
  const text = textOf(node);
  if (text !== null) return [text];
  const parts: Readonly<Record<string, readonly string[]>> = { ConditionalExpression: ["consequent", "alternate"], LogicalExpression: ["left", "right"], BinaryExpression: ["left", "right"], ArrayExpression: ["elements"], SpreadElement: ["argument"], ParenthesizedExpression: ["expression"], JSXExpressionContainer: ["expression"] };
  if (node.type === "BinaryExpression" && node["operator"] !== "+") return [];
  return (parts[node.type] ?? []).flatMap((name) => [node[name]].flat().filter(isSyntax).flatMap(possible));
}

/** What people read of what stands at a node, and is given there as it is. */
function shownAt(node: Syntax, above: Ancestors): string[] {
  const named = (key: unknown): boolean => isSyntax(key) && READ.has(String(key["name"] ?? key["value"]));
  const given = (node["arguments"] ?? []) as Syntax[];
  switch (node.type) {
    case "CallExpression": {
      const called = calledBy(node);
      const from = (called === "set" || called === "setAttribute") && given.some((each) => READ.has(textOf(each) ?? "")) ? (called === "set" ? 2 : 1) : SAYS[called];
      return from === undefined ? [] : given.slice(from).flatMap(possible);
    }
    case "Property": return named(node["key"]) && !above.some((each) => each.type === "ObjectPattern") ? possible(node["value"] as Syntax) : [];
    case "JSXAttribute": return named(node["name"]) && isSyntax(node["value"]) ? possible(node["value"]) : [];
    case "JSXText": return [textOf(node)!];
    case "JSXExpressionContainer": return above.at(-1)?.type === "JSXAttribute" ? [] : possible(node);
    case "AssignmentExpression": return ["textContent", "title", "placeholder", "ariaLabel"].includes(String(((node["left"] as Syntax)["property"] as Syntax | undefined)?.["name"])) ? possible(node["right"] as Syntax) : [];
    default: return [];
  }
}

/** Whether a text is for the browser, for whoever reads the console, or for the compiler. */
function isCode(node: Syntax, above: Ancestors): boolean {
  return [...above, node].some((each, index, all) => {
    const inside = all[index + 1];
    switch (each.type) {
      case "ImportDeclaration":
      case "TSLiteralType": return true;
      case "NewExpression": return ["Error", "RegExp"].includes(calledBy(each));
      case "CallExpression": return ["querySelector", "querySelectorAll", "closest", "matches", "matchMedia"].includes(calledBy(each));
      case "JSXAttribute": return ["class", "key"].includes(String((each["name"] as Syntax)["name"]));
      case "Property": return each["key"] === inside || ["class", "font", "rel"].includes(String((each["key"] as Syntax)["name"]));
      case "AssignmentExpression": return ["cssText", "font"].includes(String(((each["left"] as Syntax)["property"] as Syntax | undefined)?.["name"]));
      default: return false;
    }
  });
}

/** What stands outside of the catalogues in a tree. */
function outside(tree: Syntax): string[] {
  const found = new Set<string>();
  const isWord = (text: string, word: RegExp): boolean => word.test(text.replace(/\{\d\}/g, "")) && !NO_WORDS.some((each) => each.test(text));
  for (const [node, above] of walk(tree)) {
    for (const text of shownAt(node, above)) if (isWord(text, WORD)) found.add(text);
    const text = textOf(node);
    // A constant of the type `Text` is a key; the compiler sees to that.
    if (text === null || !isWord(text, WORDS) || text in zh || above.some(isSaid) || isCode(node, above)) continue;
    found.add(text);
  }
  return [...found];
}

/** The keys that a tree asks for, each where it is said. */
function keysIn(tree: Syntax): string[] {
  return [...walk(tree)].flatMap(([node]) => {
    if (!isSaid(node)) return [];
    if (node.type === "TaggedTemplateExpression") return [textOf(node["quasi"] as Syntax)!];
    const given = node["arguments"] as Syntax[];
    return calledBy(node) === "t" ? possible(given[0]!) : given.slice(2, 3).flatMap(possible);
  });
}

const placeholdersIn = (text: string): string[] => [...new Set(text.match(/\{\d\}/g))].sort();

describe("what the page says", () => {
  test.each([...files])("is in the catalogues, all of %s", (_path, tree) => {
    expect(outside(tree)).toEqual([]);
  });

  test("is there in Chinese, with nothing left over", () => {
    const asked = new Set([...files.values()].flatMap(keysIn));
    expect([...asked].filter((key) => !(key in zh))).toEqual([]);
    // Texts in constants stand there as they are.
    const literals = new Set([...[...files.values()].flatMap((tree) => [...walk(tree)].flatMap(([node]) => textOf(node) ?? []))]);
    expect(Object.keys(zh).filter((key) => !asked.has(key) && !literals.has(key))).toEqual([]);
  });

  test("has the same put in, in both languages", () => {
    expect(Object.entries(zh).filter(([english, chinese]) => placeholdersIn(chinese).join() !== placeholdersIn(english).join())).toEqual([]);
  });

  test("is said once the language is known, never while a module is loaded", () => {
    const isLater = ({ type }: Syntax): boolean => /Function|PropertyDefinition/.test(type);
    const early = [...files].filter(([path]) => path !== "main.ts").flatMap(([path, tree]) => [...walk(tree)].filter(([node, above]) => (isSaid(node) || calledBy(node) === "listed") && !above.some(isLater)).map(() => path));
    expect(early).toEqual([]);
  });
});

describe("this test", () => {
  test.each([
    'h("p", {}, "No traffic");',
    'h("p", {}, now ? "open" : "");',
    'h("p", { title: "open" });',
    'h("p", { "aria-label": `open ${name}` });',
    'iconButton("close", "Close", run);',
    'set(element, "title", "open");',
    'setText(element, count + " more");',
    'element.textContent = "open";',
    'class P extends Panel { constructor() { super("p", "Panel"); } }',
    'function note() { return "Nothing is known yet, and more"; }',
    'function note() { return `${count} of them are there`; }',
    "const made = <p>open</p>;",
    'const made = <p title="open">{name}</p>;',
    'const made = <p>{now ? "open" : name}</p>;',
    'const found = { title: "open" };',
  ])("sees %s", (text) => {
    expect(outside(treeOf("a.tsx", text))).toHaveLength(1);
  });

  test.each([
    't("open the door");',
    'h("p", { class: "quiet button" }, t`${count} more`);',
    'h("p", {}, name, `${rate} /s`, "×");',
    'element.querySelector("ol li button");',
    'throw new Error("nobody reads this");',
    'import { a } from "a b c";',
    "const made = <p class=\"quiet button\">{name}</p>;",
  ])("does not mind %s", (text) => {
    expect(outside(treeOf("a.tsx", text))).toEqual([]);
  });
});

describe("a language", () => {
  afterEach(() => speak());

  test("is English unless something else is said, and what a catalogue lacks is said in English", () => {
    expect([manner(), t("Filters")]).toEqual([null, "Filters"]);
    speak({ "Filters": "筛选" }, chinese);
    expect([manner()?.tag, t("Filters"), t("Marks")]).toEqual(["zh-CN", "筛选", "Marks"]);
  });

  test("puts in what is given, in its own order, and reads nothing in that", () => {
    expect(t`${1} of ${"{0}"} at this instant`).toBe("1 of {0} at this instant");
    speak({ "{0} of {1} at this instant": "{1}/{0}" });
    expect(t`${"{1}"} of ${"b"} at this instant`).toBe("b/{1}");
  });

  test.each([[0, "0 nodes"], [1, "1 node"], [2, "2 nodes"], [21, "21 nodes"]])("counts %i", (number, says) => {
    expect(counted(number, "{0} node", "{0} nodes")).toBe(says);
    speak(zh, chinese);
    expect(counted(number, "{0} node", "{0} nodes")).toBe(`${number} 个节点`);
  });

  test("has its own commas, dates, lengths and large numbers", () => {
    const all = (): readonly string[] => [listed(["a", "b"]), formatDay(START_MS, UTC), formatDayAndTime(START_MS, UTC), formatDuration(720_000), formatRate(12_400), formatRate(514), formatShare(1, 8)];
    expect(all()).toEqual(["a, b", "11-23", "2026-11-23 05:00:00", "12 min", "12.4k", "514", "12.5 %"]);
    speak(zh, chinese);
    expect(all()).toEqual(["a、b", "11月23日", "2026年11月23日 05:00:00", "12分钟", "1.24万", "514", "12.5%"]);
  });

  test("is named to the server", () => {
    expect(language()).toBe("en");
    speak(zh, chinese);
    expect(language()).toBe("zh");
  });

  test("speaks of all texts that constants hold", () => {
    const text: Text = "all the way";
    speak(zh, chinese);
    expect(t(text)).toBe("直到尽头");
  });
});
