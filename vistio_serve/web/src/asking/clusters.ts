/** Asks for what the global level has below it: the notices of each cluster over the timeline's window. */

import type { Store } from "../store/store";
import { asRecorded, belowHere } from "../store/subject";
import type { Timeline } from "../values/answers";
import { type Window, levelOf } from "../values/state";
import type { Api } from "./api";
import { type Known, Windowed } from "./windowed";

export class Clusters extends Windowed {
  constructor(store: Store, private readonly api: Pick<Api, "timeline">, ...seen: [page?: Pick<Document, "hidden" | "addEventListener">, clock?: () => number]) {
    super(store, ...seen);
  }

  protected known(): Known | null {
    const below = belowHere(this.store.snapshot.data.below, this.store.snapshot.state);
    return below && { of: below.of, window: below.window, failed: below.failed };
  }

  /** Once it is known which clusters there are. */
  protected isWanted(): boolean {
    const { state, data } = this.store.snapshot;
    return levelOf(state) === "" && data.topology.size > 1;
  }

  /** One after the other: what is drawn is the whole level, and this is beside it. */
  protected async ask(of: Window | null, window: Window): Promise<boolean> {
    const { data, state } = this.store.snapshot;
    const timelines = new Map<string, Timeline>(belowHere(data.below, state)?.timelines);
    let failed = false;
    for (const level of [...data.topology.keys()].filter((name) => name !== "").sort()) {
      const answer = await this.api.timeline(window, asRecorded({ level }, data.topology));
      if (answer.ok) timelines.set(level, answer.value);
      else failed = true;
      this.store.learn({ below: { of, window, timelines: new Map(timelines), failed } });
    }
    return !failed;
  }
}
