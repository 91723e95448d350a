// @vitest-environment happy-dom
/** The dialog of marks, while its changes are under way: an answer ends what it answers, and nothing begun since. */

import { expect, test } from "vitest";
import { MarksView } from "../src/controls/marks";
import { NO_DATA, type Snapshot, Store } from "../src/store/store";
import type { Annotation } from "../src/values/answers";
import { INITIAL } from "../src/values/state";
import { graph } from "./graphs";

const mark = (id: string): Annotation => ({ id, start: "2026-11-23T05:01:00Z", end: null, kind: "note", text: id, cluster: "", node: "", link: "", tags: {} });
const access = { name: "alice", user: "", scopes: ["read", "annotate"], annotating: true };
const now: Snapshot = { state: INITIAL, data: { ...NO_DATA, graph: graph([]), access, annotations: [mark("first"), mark("second")] } };

class Answers {
  private readonly waiting: ((why: string | null) => void)[] = [];
  readonly ask = (): Promise<string | null> => new Promise((answer) => this.waiting.push(answer));

  async give(why: string | null): Promise<void> {
    this.waiting.shift()?.(why);
    await new Promise((done) => setTimeout(done));
  }
}

function opened(): { view: MarksView; answers: Answers; press: (label: string) => void; form: HTMLFormElement } {
  const answers = new Answers();
  const view = new MarksView(new Store(INITIAL), { signIn: answers.ask, save: answers.ask, remove: answers.ask });
  document.body.replaceChildren(view.element);
  view.render(now);
  view.open();
  const press = (label: string): void => view.element.querySelector<HTMLElement>(`[aria-label='${label}']`)!.click();
  return { view, answers, press, form: view.element.querySelector<HTMLFormElement>(".marks-form")! };
}

test("what was saved closes its form, and not the one of the next mark", async () => {
  const { answers, press, form } = opened();
  press("Edit first");
  form.requestSubmit();
  await answers.give(null);
  expect(form.hidden).toBe(true);

  press("Edit first");
  form.requestSubmit();
  press("Edit second");
  await answers.give(null);
  expect(form.hidden).toBe(false);
  expect(form.querySelector("textarea")!.value).toBe("second");
});

test("what was removed takes no other one's question away", async () => {
  const { view, answers, press } = opened();
  press("Remove first");
  press("Really remove first");
  press("Remove second");
  await answers.give("it is gone already");
  expect(view.element.querySelector("[aria-label='Really remove second']")).not.toBeNull();
  expect(view.element.querySelector("[role=alert]")!.textContent).toBe("it is gone already");
});
