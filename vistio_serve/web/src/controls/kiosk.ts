/** A screen on a wall: goes from level to level by itself, and to what breaks at once. Whoever touches it has a minute. */

import "../style/kiosk.css";
import type { Snapshot, Store } from "../store/store";
import { broken, nextLevel, showLevel } from "../values/kiosk";

const TOUCHED_MS = 60_000;

export class Kiosk {
  private timer = 0;
  private quietUntilMs = -Infinity;
  private breaking = "";

  /** @param eachMs how long a level is shown. */
  constructor(private readonly store: Store, private readonly eachMs: number) {}

  start(): void {
    document.documentElement.dataset["kiosk"] = "";
    for (const touched of ["pointerdown", "keydown", "wheel"]) {
      document.addEventListener(touched, () => {
        this.quietUntilMs = performance.now() + TOUCHED_MS;
        this.later(TOUCHED_MS);
      }, { capture: true, passive: true });
    }
    this.store.subscribe((now) => this.follow(now));
    this.later(this.eachMs);
  }

  /** What breaks is shown when it begins to, and not when its turn has come. */
  private follow({ data }: Snapshot): void {
    if (!data.graph) return;
    const breaks = broken(data.graph, data.happened?.found?.incidents ?? [], data.topology);
    const worst = breaks[0] ?? "";
    if (worst === this.breaking) return;
    this.breaking = worst;
    if (worst !== "" && performance.now() >= this.quietUntilMs) this.show(worst);
  }

  private turn(): void {
    const { state, data } = this.store.snapshot;
    if (data.graph) this.show(nextLevel(data.graph, broken(data.graph, data.happened?.found?.incidents ?? [], data.topology), state.path[0] ?? ""));
    else this.later(this.eachMs);
  }

  private show(level: string): void {
    this.store.change((state) => showLevel(state, level));
    this.later(this.eachMs);
  }

  private later(ms: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.turn(), ms);
  }
}

/** The page on the whole screen, or no longer. */
export function toggleFullScreen(): void {
  // A frame that may not says so by refusing: it then stays as it is.
  const asked = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  asked.catch(() => undefined);
}
