/** Asks what changed since the baseline, whenever another moment is shown; one question at a time. */

import type { Store } from "../store/store";
import { extend } from "../values/topology";
import type { Api } from "./api";

const RETRY_MS = 5000;

export class Comparing {
  private asked = "";
  private busy = false;
  private baselineMs: number | null = null;

  constructor(
    private readonly store: Store,
    private readonly api: Api,
  ) {}

  start(): void {
    this.store.subscribe(() => this.follow());
    this.follow();
  }

  private follow(): void {
    const { state, data } = this.store.snapshot;
    const { baselineMs } = state;
    if (baselineMs === null) {
      this.asked = "";
      this.baselineMs = null;
      if (data.diff || data.diffProblem) this.store.learn({ diff: null, diffProblem: null });
      return;
    }
    if (baselineMs !== this.baselineMs) void this.askBaseline(baselineMs);
    if (data.graph && !this.busy) void this.ask(baselineMs, data.graph.about.instantMs);
  }

  private async ask(baselineMs: number, shownMs: number): Promise<void> {
    const question = `${baselineMs}/${shownMs}`;
    if (question === this.asked) return;
    this.asked = question;
    this.busy = true;
    const answer = await this.api.diff(baselineMs, shownMs);
    this.busy = false;
    if (this.store.snapshot.state.baselineMs === baselineMs) {
      this.store.learn(answer.ok ? { diff: answer.value, diffProblem: null } : { diff: null, diffProblem: answer.problem });
      if (!answer.ok) setTimeout(() => this.again(question), RETRY_MS);
    }
    // While it was under way, time may have moved on.
    this.follow();
  }

  private again(question: string): void {
    if (this.asked !== question) return;
    this.asked = "";
    this.follow();
  }

  /** What is gone since then has its place too. */
  private async askBaseline(baselineMs: number): Promise<void> {
    this.baselineMs = baselineMs;
    const answer = await this.api.graph(baselineMs);
    if (answer.ok) this.store.learn({ topology: extend(this.store.snapshot.data.topology, answer.value) });
  }
}
