/**
 * The licences of all that is built into the page, as one text beside it: `licences.txt`.
 *
 * Vite's `build.license` knows the page's modules, but not its workers', nor what is inside of Vizceral, which is a bundle itself: its
 * source map says of what. Those packages are installed beside it, but for the few of its build's own, whose texts are in `licences/`.
 */

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

const FILE = "licences.txt";
const KEPT_HERE = "licences";
const BUNDLE = "vizceral";
const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)[^.]*(?:\.(?:md|txt))?$/i;
const PACKAGE = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//;
const SOURCE = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/|\((webpack)\)/;

/** Two plugins: one that looks what is in the page and in its workers, and one for the page, which writes. */
export function licences(root: string): { readonly looks: () => Plugin; readonly writes: () => Plugin } {
  const places = new Set<string>();
  const looks = (): Plugin => ({
    name: "vistio-licences-looks",
    apply: "build",
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        for (const module of chunk.moduleIds) {
          const found = PACKAGE.exec(module);
          if (found) places.add(found[0]);
        }
      }
    },
  });
  const writes = (): Plugin => ({
    name: "vistio-licences-writes",
    apply: "build",
    generateBundle: {
      order: "post",
      handler() {
        this.emitFile({ type: "asset", fileName: FILE, source: textOf(root, places) });
      },
    },
  });
  return { looks, writes };
}

/** A part for each package, below a line `## NAME VERSION (LICENCE)`. */
function textOf(root: string, places: ReadonlySet<string>): string {
  const parts = [...places].sort().flatMap((place) => {
    const { name, version, license } = metadata(place);
    const own = part(`${name} ${version}`, license, filesOf(place));
    return name === BUNDLE ? [own, ...partsOfBundle(root, place, `in ${name} ${version}`)] : [own];
  });
  return `What the page of vistio is built of, besides its own sources.\n\n${parts.join("\n")}`;
}

function partsOfBundle(root: string, place: string, where: string): string[] {
  const map = JSON.parse(readFileSync(join(place, "dist", `${BUNDLE}.js.map`), "utf-8")) as { readonly sources: readonly string[] };
  const names = map.sources.map((source) => SOURCE.exec(source)).flatMap((match) => match?.[1] ?? match?.[2] ?? []);
  return [...new Set(names)].sort().map((name) => {
    const kept = join(root, KEPT_HERE, `${name}.txt`);
    if (existsSync(kept)) return part(`${name} ${where}`, "MIT", [kept]);
    const installed = join(root, "node_modules", name);
    return part(`${name} ${where}`, metadata(installed).license, filesOf(installed));
  });
}

function part(title: string, licence: string | undefined, files: readonly string[]): string {
  if (!files.length) throw new Error(`${FILE}: ${title} has no text of its licence; put it into vistio_serve/web/${KEPT_HERE}/NAME.txt`);
  return [`## ${title}${licence ? ` (${licence})` : ""}`, ...files.map((file) => readFileSync(file, "utf-8").trim())].join("\n\n") + "\n";
}

function metadata(place: string): { readonly name: string; readonly version: string; readonly license?: string } {
  return JSON.parse(readFileSync(join(place, "package.json"), "utf-8"));
}

function filesOf(place: string): string[] {
  return readdirSync(place).filter((each) => LICENCE_FILE.test(each)).sort().map((each) => join(place, each));
}
