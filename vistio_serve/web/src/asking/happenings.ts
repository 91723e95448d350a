/** Asks what happened: once for each window of the timeline, and again as time moves on. */

import type { Store } from "../store/store";
import { happenedHere } from "../store/subject";
import { happenedWindow, isOver } from "../values/happened";
import type { Window } from "../values/state";
import type { Api } from "./api";

const RETRY_MS = 30_000;

export class Happenings {
  private busy = false;
  private retryAtMs = -Infinity;

  /** @param page what says whether anybody sees the page: a hidden one asks nothing. */
  constructor(
    private readonly store: Store,
    private readonly api: Pick<Api, "incidents">,
    private readonly page: Pick<Document, "hidden" | "addEventListener"> = document,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  start(): void {
    this.store.subscribe(() => void this.follow());
    this.page.addEventListener("visibilitychange", () => void this.follow());
    void this.follow();
  }

  private async follow(): Promise<void> {
    const { state, data } = this.store.snapshot;
    if (this.busy || this.page.hidden || !data.axis) return;
    const window = happenedWindow(state.window, data.axis);
    const known = happenedHere(data.happened, state);
    if (window.startMs >= window.endMs) return;
    if (known && !(known.problem ? this.clock() >= this.retryAtMs : isOver(state, known.window, window))) return;
    this.busy = true;
    await this.ask(state.window, window);
    this.busy = false;
    // While it was under way, another window may have been chosen.
    void this.follow();
  }

  /** What was found for the same window stays until there is more of it. */
  private async ask(of: Window | null, window: Window): Promise<void> {
    const before = happenedHere(this.store.snapshot.data.happened, this.store.snapshot.state);
    if (!before) this.store.learn({ happened: { of, window, found: null, problem: null } });
    const answer = await this.api.incidents(window);
    if (answer.ok) return this.store.learn({ happened: { of, window, found: answer.value, problem: null } });
    this.retryAtMs = this.clock() + RETRY_MS;
    setTimeout(() => void this.follow(), RETRY_MS);
    this.store.learn({ happened: { of, window: before?.window ?? window, found: before?.found ?? null, problem: answer.problem } });
  }
}
