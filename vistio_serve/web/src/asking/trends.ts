/** Asks for the trend of what is selected: once for each hour that is shown, one question at a time. */

import type { Store } from "../store/store";
import { asRecorded } from "../store/subject";
import { STEP_MS, trendSubject, trendWindow } from "../store/trend";
import type { Window } from "../values/state";
import type { Api } from "./api";

const RETRY_MS = 5000;

export class Trends {
  private asked = "";
  private window: Window | null = null;
  private busy = false;

  constructor(
    private readonly store: Store,
    private readonly api: Api,
  ) {}

  start(): void {
    this.store.subscribe(() => void this.follow());
    void this.follow();
  }

  private async follow(): Promise<void> {
    const { state, data } = this.store.snapshot;
    const subject = data.axis && trendSubject(state, data);
    if (this.busy || !data.axis || !subject) return;
    const window = trendWindow(state, data.axis, this.window);
    const question = JSON.stringify([subject, window]);
    if (question === this.asked) return;
    this.asked = question;
    this.window = window;
    this.busy = true;
    const answer = await this.api.timeline(window, asRecorded(subject, data.topology), undefined, Math.max(STEP_MS, data.axis.stepMs));
    this.busy = false;
    this.store.learn({ trend: { subject, window, timeline: answer.ok ? answer.value : null, problem: answer.ok ? null : answer.problem } });
    if (!answer.ok) setTimeout(() => this.again(question), RETRY_MS);
    // While it was under way, something else may have been selected.
    void this.follow();
  }

  private again(question: string): void {
    if (this.asked !== question) return;
    this.asked = "";
    void this.follow();
  }
}
