/** Asks what this browser may do, and makes, replaces and removes marks. */

import type { Store } from "../store/store";
import { t } from "../texts/say";
import type { Problem } from "../values/answers";
import { type Mark, mayAnnotate } from "../values/marks";
import { extentOf } from "../values/series";
import type { Api, Result } from "./api";

export class Marking {
  constructor(
    private readonly store: Store,
    private readonly api: Api,
  ) {}

  start(): void {
    void this.askAccess();
  }

  /** From now on with this token; null, or why it is of no use. It is forgotten with the page. */
  async signIn(token: string): Promise<string | null> {
    this.api.token = token;
    const problem = await this.askAccess();
    if (!problem && mayAnnotate(this.store.snapshot.data.access)) return null;
    this.api.token = null;
    if (!problem) await this.askAccess();
    return problem ? problem.detail || problem.title : t("This token may not annotate; it takes the scope annotate");
  }

  /** Puts a mark on the timeline, in the place of the one with `oldId`; null, or why not. */
  save(mark: Mark, oldId: string | null): Promise<string | null> {
    return this.changed(oldId === null ? this.api.change("POST", "annotations", mark) : this.api.change("PUT", `annotations/${oldId}`, mark));
  }

  remove(id: string): Promise<string | null> {
    return this.changed(this.api.change("DELETE", `annotations/${id}`));
  }

  private async changed(asked: Promise<Result<unknown>>): Promise<string | null> {
    const answer = await asked;
    const { state, data } = this.store.snapshot;
    // Also after a refusal: somebody else may have changed it.
    const annotations = data.axis ? await this.api.annotations(extentOf(state.window, data.axis)) : null;
    if (annotations?.ok) this.store.learn({ annotations: annotations.value });
    return answer.ok ? null : answer.problem.detail || answer.problem.title;
  }

  private async askAccess(): Promise<Problem | null> {
    const answer = await this.api.access();
    if (answer.ok) this.store.learn({ access: answer.value });
    return answer.ok ? null : answer.problem;
  }
}
