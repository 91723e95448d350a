/** The browser's side of the state: its address, its history, and what it remembers of a user. */

import { serverMs } from "../store/lateness";
import type { Data, Store } from "../store/store";
import { type Display, INITIAL, type State } from "../values/state";
import { fromFragment, isNavigation, toFragment, withLinkRead } from "../values/url";
import { chosenOf } from "./language";

const KEY = "vistio.display";
// Browsers refuse an address that changes all the time.
const QUIET_MS = 500;

export class History {
  private timer = 0;
  private lastPushMs = -Infinity;

  constructor(private readonly store: Store) {
    window.addEventListener("popstate", () => {
      this.stop();
      store.change((state, data) => ({ ...fromFragment(location.hash, state.display, serverNow(data)), zooms: state.zooms }));
      this.settle();
    });
  }

  /** Reads a link that waited for the server's clock. */
  read(): void {
    const { state, data } = this.store.snapshot;
    const nowMs = serverNow(data);
    if (!state.travel.unread || nowMs === null) return;
    this.store.change((unread) => withLinkRead(unread, nowMs));
    this.settle();
  }

  /** Writes the address as it stands for the state: a link by hand may say -45m, what is copied holds the moment. */
  settle(): void {
    window.history.replaceState(null, "", address(this.store.snapshot.state));
  }

  follow(state: State, before: State): void {
    if (toFragment(state) === location.hash || state === before) return;
    const quick = performance.now() - this.lastPushMs < QUIET_MS && state.travel.mode === before.travel.mode;
    if (isNavigation(before, state) && !quick) {
      this.lastPushMs = performance.now();
      this.stop();
      window.history.pushState(null, "", address(state));
    } else {
      // A key that is held down is one way, not a step of the history each half second.
      if (quick) this.lastPushMs = performance.now();
      // While time plays there is no quiet moment to wait for: a reload goes on from where it was.
      this.timer ||= window.setTimeout(() => {
        this.timer = 0;
        this.settle();
      }, QUIET_MS);
    }
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = 0;
  }
}

function serverNow(data: Data): number | null {
  return data.clockOffsetMs === null ? null : serverMs(data, Date.now());
}

function address(state: State): string {
  return location.pathname + location.search + toFragment(state);
}

/** How this user likes to look; the initial display where nothing is remembered, or not readably. */
export function readDisplay(): Display {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Display>;
    const theme = kept.theme === "light" || kept.theme === "dark" ? kept.theme : "auto";
    return { theme, language: chosenOf(kept.language), labels: kept.labels !== false, particles: kept.particles !== false, table: kept.table === true, projection: kept.projection === true };
  } catch {
    return INITIAL.display;
  }
}

/** Keeps what changed here: another tab may have changed the rest. */
export function writeDisplay(display: Display, before: Display): void {
  try {
    const changed = Object.entries(display).filter(([name, value]) => before[name as keyof Display] !== value);
    localStorage.setItem(KEY, JSON.stringify({ ...readDisplay(), ...Object.fromEntries(changed) }));
  } catch {
    // A browser that keeps nothing: it is then asked again next time.
  }
}
