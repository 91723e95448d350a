/** Asks what happened in the timeline's window. */

import type { Store } from "../store/store";
import { happenedHere } from "../store/subject";
import { newestDay } from "../values/happened";
import type { Window } from "../values/state";
import type { Api } from "./api";
import { type Known, Windowed } from "./windowed";

export class Happenings extends Windowed {
  constructor(store: Store, private readonly api: Pick<Api, "incidents">, ...seen: [page?: Pick<Document, "hidden" | "addEventListener">, clock?: () => number]) {
    super(store, ...seen);
  }

  protected known(): Known | null {
    const { happened } = this.store.snapshot.data;
    return happened && { of: happened.of, window: happened.window, failed: happened.problem !== null };
  }

  protected isWanted(): boolean {
    return true;
  }

  /** What was found for the same window stays until there is more of it. */
  protected async ask(of: Window | null, recorded: Window): Promise<boolean> {
    const window = newestDay(recorded);
    const before = happenedHere(this.store.snapshot.data.happened, this.store.snapshot.state);
    if (!before) this.store.learn({ happened: { of, window, found: null, problem: null } });
    const answer = await this.api.incidents(window);
    if (answer.ok) this.store.learn({ happened: { of, window, found: answer.value, problem: null } });
    else this.store.learn({ happened: { of, window: before?.window ?? window, found: before?.found ?? null, problem: answer.problem } });
    return answer.ok;
  }
}
