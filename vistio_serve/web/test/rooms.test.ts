/** Who imports whom: one way, as the table of the README says it. And who has timers and requests. */

import { describe, expect, test } from "vitest";
import readme from "../README.md?raw";

/** Every file by its path in `src/`. */
const files: ReadonlyMap<string, string> = new Map(
  Object.entries(import.meta.glob<string>("../src/**/*.{ts,tsx,css}", { query: "?raw", import: "default", eager: true })).map(([path, text]) => [path.replace("../src/", ""), text]),
);

/**
 * Timers outside of `asking/`, one in each file: none of them asks anybody, or moves time.
 * Each draws what the snapshot does not tell, or tidies up, a moment later.
 */
const LATER: Readonly<Record<string, string>> = {
  "main.ts": "the badge tells an age, which grows without any news",
  "controls/history.ts": "browsers refuse an address that changes all the time, so it is written twice a second",
  "controls/kiosk.ts": "a screen that nobody touches goes on to the next level, as somebody would who clicked",
  "controls/export.ts": "the browser reads a saved picture after the click, and its address goes only then",
  "panels/panel.ts": "while time moves quickly tables follow as fast as they can be read",
  "timeline/timeline.ts": "a copy for a saved picture draws itself a moment later",
  "traffic/edge-text.ts": "nodes move below the words without any news",
  "traffic/frames.ts": "particles move thirty times a second, where the browser would ask sixty times",
  "traffic/stage.ts": "the picture of a large level is made when all else has been painted",
  "traffic/vizceral-view.ts": "the component does not tell when it has decoded the icons of notices",
};

type Arrows = ReadonlyMap<string, ReadonlySet<string>>;

const SPECIFIER = /\b(?:from\s*|import\s*|(?:import|glob|require)\s*(?:<[^>]*>)?\(\s*(?:\/\*.*?\*\/\s*)?)(["'`])((?:\.{1,2}|\.{0,2}\/[^"'`]*))\1/g;

/** What a text imports of the page's own, however it is written: types, side effects and what is loaded later too. */
function importsIn(text: string): string[] {
  return [...text.matchAll(SPECIFIER)].map((found) => found[2]!);
}

/** The file that an import of another file leads to, by its path in `src/`. */
function fileOf(from: string, imported: string): string {
  const path = new URL(imported.replace(/\?.*$/, ""), `http://src/${from}`).pathname.slice(1);
  const found = [path, `${path}.ts`, `${path}.tsx`, `${path}/index.ts`].find((each) => files.has(each));
  if (found === undefined) throw new Error(`${from} imports "${imported}", which leads to no file in src/`);
  return found;
}

const fileArrows: Arrows = new Map([...files].map(([path, text]) => [path, new Set(importsIn(text).map((each) => fileOf(path, each)))]));

/** The folder of a file, however deep; `main.ts`, which is in none, stands for itself. */
function folderOf(path: string): string {
  return path.includes("/") ? path.replace(/[^/]*$/, "") : path;
}

function arrowsOf(nameOf: (path: string) => string): Arrows {
  const arrows = new Map<string, Set<string>>();
  for (const [path, imported] of fileArrows) {
    const from = nameOf(path);
    const to = arrows.get(from) ?? new Set();
    for (const each of imported) if (nameOf(each) !== from) to.add(nameOf(each));
    arrows.set(from, to);
  }
  return arrows;
}

/** A way that leads back to where it began; empty without one. */
function circleIn(arrows: Arrows): string[] {
  const done = new Set<string>();
  const walk = (here: string, way: readonly string[]): string[] => {
    if (way.includes(here)) return [...way.slice(way.indexOf(here)), here];
    if (done.has(here)) return [];
    for (const next of arrows.get(here) ?? []) {
      const circle = walk(next, [...way, here]);
      if (circle.length) return circle;
    }
    done.add(here);
    return [];
  };
  for (const start of arrows.keys()) {
    const circle = walk(start, []);
    if (circle.length) return circle;
  }
  return [];
}

/** The README's table, from top to bottom: each room with those that it may import. */
function roomsIn(text: string): Map<string, ReadonlySet<string>> {
  const rooms = new Map<string, ReadonlySet<string>>();
  for (const [, room, imports] of text.matchAll(/^\| `([\w-]+\/|\w+\.ts)` \| (.*?) \|/gm)) {
    rooms.set(room!, new Set(imports === "any of them" ? rooms.keys() : [...imports!.matchAll(/`([\w-]+\/)`/g)].map((found) => found[1]!)));
  }
  return rooms;
}

/** The folder right below `src/`. */
function roomOf(path: string): string {
  return path.replace(/\/.*$/, "/");
}

const stated = roomsIn(readme);
const roomArrows = arrowsOf(roomOf);

describe("imports", () => {
  test("make no circle of files", () => {
    expect(circleIn(fileArrows)).toEqual([]);
  });

  test("make no circle of folders", () => {
    expect(circleIn(arrowsOf(folderOf))).toEqual([]);
  });

  test("lead from a room to those that the README names, and to no other", () => {
    const against = [...fileArrows].flatMap(([path, imported]) => [...imported].filter((each) => roomOf(each) !== roomOf(path) && !stated.get(roomOf(path))?.has(roomOf(each))).map((each) => `${path} imports ${each}`));
    expect(against).toEqual([]);
  });

  test("are all there that the README names", () => {
    const missing = [...stated].filter(([room]) => room !== "main.ts").flatMap(([room, imports]) => [...imports].filter((each) => !roomArrows.get(room)?.has(each)).map((each) => `${room} imports nothing of ${each}`));
    expect(missing).toEqual([]);
  });
});

describe("the README's table", () => {
  test("has every room", () => {
    expect([...stated.keys()].sort()).toEqual([...roomArrows.keys()].sort());
  });

  test("names files that are there", () => {
    const named = [...readme.matchAll(/^\| `([\w-]+\/)` .*$/gm)].flatMap(([row, room]) => [...row.matchAll(/`([\w-]+\.(?:tsx?|css))`/g)].map((found) => `${room}${found[1]}`));
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((path) => !files.has(path))).toEqual([]);
  });

  test("has each room below those that it imports", () => {
    const order = [...stated.keys()];
    const upward = [...stated].flatMap(([room, imports]) => [...imports].filter((each) => order.indexOf(each) >= order.indexOf(room)).map((each) => `${room} imports ${each}`));
    expect(upward).toEqual([]);
  });
});

describe("outside of asking/", () => {
  const mentions = (words: RegExp): Readonly<Record<string, number>> =>
    Object.fromEntries([...files].filter(([path]) => roomOf(path) !== "asking/").map(([path, text]) => [path, text.match(words)?.length ?? 0] as const).filter(([, count]) => count > 0));

  test("nobody asks the server", () => {
    expect(mentions(/\b(?:fetch|XMLHttpRequest|EventSource|WebSocket|sendBeacon)\b/g)).toEqual({});
  });

  test("timers draw or tidy up later, each for a reason", () => {
    expect(mentions(/\b(?:setTimeout|setInterval)\b/g)).toEqual(Object.fromEntries(Object.keys(LATER).map((path) => [path, 1])));
  });
});

describe("this test", () => {
  test.each([
    'import { a } from "./x";',
    'import type { A } from "./x";',
    'import {\n  type A,\n  b,\n} from "./x";',
    "import a from './x';",
    'import "./x";',
    'export * from "./x";',
    'export { a } from "./x";',
    'const a = await import("./x");',
    'const a = await import(/* @vite-ignore */ `./x`);',
    'let a: import("./x").A;',
    'import.meta.glob("./x");',
  ])("sees %s", (text) => {
    expect(importsIn(text)).toEqual(["./x"]);
  });

  test("does not see packages, and tells one import from the next", () => {
    expect(importsIn('import a from "uplot";\nimport b from "./b";\nconst c = "./c";\nexport const d = [a, b, c];')).toEqual(["./b"]);
  });

  test("finds a circle behind a way into it", () => {
    const arrows: Arrows = new Map([["a", new Set(["b", "c"])], ["b", new Set<string>()], ["c", new Set(["d"])], ["d", new Set(["e"])], ["e", new Set(["c"])]]);
    expect(circleIn(arrows)).toEqual(["c", "d", "e", "c"]);
    expect(circleIn(new Map([...arrows, ["e", new Set(["b"])]]))).toEqual([]);
  });
});
