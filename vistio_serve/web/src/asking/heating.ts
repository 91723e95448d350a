/** Asks for all services over the timeline's window, while the heat map is open. */

import type { Store } from "../store/store";
import { heatHere } from "../store/subject";
import { newestDay } from "../values/happened";
import type { Window } from "../values/state";
import type { Api } from "./api";
import { type Known, Windowed } from "./windowed";

export class Heating extends Windowed {
  constructor(store: Store, private readonly api: Pick<Api, "heat">, ...seen: [page?: Pick<Document, "hidden" | "addEventListener">, clock?: () => number]) {
    super(store, ...seen);
  }

  protected known(): Known | null {
    const { heated } = this.store.snapshot.data;
    return heated && { of: heated.of, window: heated.window, failed: heated.problem !== null };
  }

  protected isWanted(): boolean {
    return this.store.snapshot.state.heat !== null;
  }

  /** What was found for the same window stays until there is more of it. */
  protected async ask(of: Window | null, recorded: Window): Promise<boolean> {
    const window = newestDay(recorded);
    const before = heatHere(this.store.snapshot.data.heated, this.store.snapshot.state);
    if (!before) this.store.learn({ heated: { of, window, heat: null, problem: null } });
    const answer = await this.api.heat(window);
    if (answer.ok) this.store.learn({ heated: { of, window, heat: answer.value, problem: null } });
    else this.store.learn({ heated: { of, window: before?.window ?? window, heat: before?.heat ?? null, problem: answer.problem } });
    return answer.ok;
  }
}
