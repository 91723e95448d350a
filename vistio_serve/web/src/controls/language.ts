/** Which language the page speaks: the one of its address (`?lang=zh`), the one that was chosen by hand, else what the browser prefers. */

import { LANGUAGES, type Language, manner, speak } from "../texts/say";
import type { Display } from "../values/state";

/** @param preferred the browser's languages, the first one first. */
export function languageOf(search: string, chosen: Display["language"], preferred: readonly string[]): Language {
  const asked = known(new URLSearchParams(search).get("lang") ?? "");
  if (asked) return asked;
  if (chosen !== "auto") return chosen;
  return preferred.map(known).find((each) => each !== null) ?? "en";
}

/** What was chosen, as it was kept; whatever is no language is as if nothing was. */
export function chosenOf(kept: unknown): Display["language"] {
  return LANGUAGES.find((each) => each === kept) ?? "auto";
}

/** The language that a tag such as `zh-Hans-CN` means; null where the page does not speak it. */
export function known(given: string): Language | null {
  return LANGUAGES.find((each) => each === given.toLowerCase().split(/[-_]/)[0]) ?? null;
}

/** Speaks it from now on, before anything is said. */
export async function speakIn(language: Language, page: Document): Promise<void> {
  try {
    if (language === "zh") {
      const { chinese, zh } = await import("../texts/chinese");
      speak(zh, chinese);
    }
  } catch {
    // A server that was upgraded has other files: then English is better than nothing.
  }
  page.documentElement.lang = manner()?.tag ?? "en";
}

/** The page's own address without a language: what is chosen by hand counts from then on. */
export function withoutLanguage({ pathname, search, hash }: Pick<Location, "pathname" | "search" | "hash">): string {
  const query = new URLSearchParams(search);
  query.delete("lang");
  const rest = query.toString();
  return pathname + (rest && `?${rest}`) + hash;
}
