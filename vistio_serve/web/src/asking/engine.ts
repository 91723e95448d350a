/** Loads the engine of regular expressions once something that was typed, or stands in a link, needs one. */

import type { Store } from "../store/store";
import type { State } from "../values/state";
import { usesPatterns } from "../values/expression";
import { isOwnPattern } from "../values/crowd";
import type { Pattern, Patterns } from "../values/patterns";
import { Later } from "./later";

const MOST_KEPT = 20;
const MOST_NAMES = 20_000;

export class Engine {
  private readonly later: Later<Patterns>;
  private asked = "";

  constructor(private readonly store: Store) {
    this.later = new Later(store, "regular expressions", loadPatterns);
  }

  start(): void {
    this.store.subscribe(() => this.follow());
    this.follow();
  }

  private follow(): void {
    const { state, data } = this.store.snapshot;
    const needs = needsPatterns(state);
    // What could not be loaded is tried again when something else is typed.
    if (data.patterns || !needs || needs === this.asked) return;
    this.asked = needs;
    void this.later.use((patterns) => this.store.learn({ patterns }));
  }
}

/** The texts that have one; empty where none has. */
function needsPatterns({ crowd, filters, find }: State): string {
  const own = isOwnPattern(crowd.by) ? crowd.by : "";
  return [own, ...[filters.hide, find].filter(usesPatterns)].filter(Boolean).join("\n");
}

/** The engine, by whose name a pattern is compiled once. */
export async function loadPatterns(): Promise<Patterns> {
  const { RE2JS } = await import("re2js");
  const made = new Map<string, Pattern | string>();
  return (pattern) => {
    const before = made.get(pattern);
    if (before !== undefined) return before;
    if (made.size >= MOST_KEPT) made.clear();
    const found = compiled(pattern);
    made.set(pattern, found);
    return found;
  };

  function compiled(pattern: string): Pattern | string {
    try {
      const compiled = RE2JS.compile(pattern);
      const first = (text: string): string | null => {
        const matcher = compiled.matcher(text);
        if (!matcher.find()) return null;
        return (compiled.groupCount() > 0 ? matcher.group(1) : null) ?? matcher.group(0);
      };
      // The same names come with each instant.
      const known = new Map<string, string | null>();
      return {
        first(text) {
          let found = known.get(text);
          if (found !== undefined) return found;
          if (known.size >= MOST_NAMES) known.clear();
          found = first(text);
          known.set(text, found);
          return found;
        },
      };
    } catch (error) {
      return error instanceof Error ? error.message.replace(/^error parsing regexp: /, "").replaceAll("`", "") : String(error);
    }
  }
}
