/** What is asked about the timeline's window: once for each, and again as time moves on. One question at a time. */

import type { Store } from "../store/store";
import { recordedOf, sameWindow } from "../values/window";
import type { State, Window } from "../values/state";

// Newer instants than this are looked at together: such answers take the server a moment.
const AGAIN_MS = 30_000;
const RETRY_MS = 30_000;

/** What was asked about, and whether it was answered. */
export interface Known {
  /** The timeline's window then. */
  readonly of: Window | null;
  readonly window: Window;
  readonly failed: boolean;
}

export abstract class Windowed {
  private busy = false;
  private retryAtMs = -Infinity;

  /** @param page what says whether anybody sees the page: a hidden one asks nothing. */
  constructor(
    protected readonly store: Store,
    private readonly page: Pick<Document, "hidden" | "addEventListener"> = document,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  start(): void {
    this.store.subscribe(() => void this.follow());
    this.page.addEventListener("visibilitychange", () => void this.follow());
    void this.follow();
  }

  /** What was asked last; null where nothing was yet. */
  protected abstract known(): Known | null;

  /** Whether the state as it is needs it. */
  protected abstract isWanted(): boolean;

  /** Asks, and tells the store; false where it is to be asked again. */
  protected abstract ask(of: Window | null, window: Window): Promise<boolean>;

  private async follow(): Promise<void> {
    const { state, data } = this.store.snapshot;
    if (this.busy || this.page.hidden || !data.axis || !this.isWanted()) return;
    const window = recordedOf(state.window, data.axis);
    if (!window || !this.isDue(state, this.known(), window)) return;
    this.busy = true;
    const answered = await this.ask(state.window, window);
    this.busy = false;
    if (!answered) {
      this.retryAtMs = this.clock() + RETRY_MS;
      setTimeout(() => void this.follow(), RETRY_MS);
    }
    // While it was under way, something else may have been chosen.
    void this.follow();
  }

  /** Who stands in the past has seen what there is. */
  private isDue({ travel, window: of }: State, known: Known | null, window: Window): boolean {
    if (!known || !sameWindow(known.of, of)) return true;
    return known.failed ? this.clock() >= this.retryAtMs : travel.mode === "live" && window.endMs - known.window.endMs >= AGAIN_MS;
  }
}
