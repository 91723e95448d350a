/** How long the picture's answers are awaited, once that is long enough to be noticed. */

import type { Store } from "../store/store";
import type { Waiting } from "../values/answers";

const NOTICED_MS = 300;
// Soon after, people try again by hand.
const HANGING_MS = 4000;

export class Awaited {
  private readonly open = new Map<object, Waiting>();

  constructor(private readonly store: Store) {}

  /** A question is asked; call what is returned once it is answered, or given up. */
  begin(): () => void {
    const question = {};
    const since = (waiting: Waiting) => (): void => {
      this.open.set(question, waiting);
      this.tell();
    };
    const timers = [setTimeout(since("asking"), NOTICED_MS), setTimeout(since("hanging"), HANGING_MS)];
    return () => {
      timers.forEach(clearTimeout);
      this.open.delete(question);
      this.tell();
    };
  }

  private tell(): void {
    const all = [...this.open.values()];
    const waiting = all.includes("hanging") ? "hanging" : all.includes("asking") ? "asking" : null;
    if (waiting !== this.store.snapshot.data.waiting) this.store.learn({ waiting });
  }
}
