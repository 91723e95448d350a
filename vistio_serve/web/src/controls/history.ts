/** The browser's side of the state: its address, its history, and what it remembers of a user. */

import type { Store } from "../store/store";
import { type Display, INITIAL, type State } from "../values/state";
import { fromFragment, isNavigation, toFragment } from "../values/url";

const KEY = "vistio.display";
// Browsers refuse an address that changes all the time.
const QUIET_MS = 500;

export class History {
  private timer = 0;
  private lastPushMs = -Infinity;

  constructor(private readonly store: Store) {
    window.addEventListener("popstate", () => {
      clearTimeout(this.timer);
      store.change((state) => fromFragment(location.hash, state.display));
    });
  }

  /** Writes the address as it stands for the state. */
  settle(): void {
    window.history.replaceState(null, "", address(this.store.snapshot.state));
  }

  follow(state: State, before: State): void {
    if (toFragment(state) === location.hash || state === before) return;
    clearTimeout(this.timer);
    const quick = performance.now() - this.lastPushMs < QUIET_MS && state.travel.mode === before.travel.mode;
    if (isNavigation(before, state) && !quick) {
      this.lastPushMs = performance.now();
      window.history.pushState(null, "", address(state));
    } else {
      // A key that is held down is one way, not a step of the history each half second.
      if (quick) this.lastPushMs = performance.now();
      this.timer = window.setTimeout(() => window.history.replaceState(null, "", address(this.store.snapshot.state)), QUIET_MS);
    }
  }
}

function address(state: State): string {
  return location.pathname + location.search + toFragment(state);
}

/** How this user likes to look; the initial display where nothing is remembered, or not readably. */
export function readDisplay(): Display {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Display>;
    const theme = kept.theme === "light" || kept.theme === "dark" ? kept.theme : "auto";
    return { theme, labels: kept.labels !== false, particles: kept.particles !== false, table: kept.table === true, projection: kept.projection === true };
  } catch {
    return INITIAL.display;
  }
}

export function writeDisplay(display: Display): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(display));
  } catch {
    // A browser that keeps nothing: it is then asked again next time.
  }
}
