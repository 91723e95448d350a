/** The marks in the timeline's window, and the form that makes and edits them, where that is allowed. */

import { fill, h, iconButton, set, setText } from "../dom/elements";
import type { Actions, Snapshot, View } from "../store/store";
import { serverMs } from "../store/lateness";
import { asRecorded, subjectOf } from "../store/subject";
import { type Text, t } from "../texts/say";
import type { Annotation } from "../values/answers";
import { type Draft, KINDS, type Mark, draftAt, draftOf, markOf, mayAnnotate, whenOf, whoIs } from "../values/marks";
import { visible } from "../values/names";
import { goTo } from "../values/travel";
import type { Zone } from "../values/zones";

/** What is asked of the server here; each answers null, or why not. */
interface Changes {
  signIn(token: string): Promise<string | null>;
  save(mark: Mark, oldId: string | null): Promise<string | null>;
  remove(id: string): Promise<string | null>;
}

const FIELDS: readonly (readonly [keyof Draft, Text])[] = [["start", "From"], ["end", "Until (may be empty)"], ["kind", "Kind"], ["cluster", "Cluster"], ["node", "Node"], ["link", "Link"]];

export class MarksView implements View {
  readonly element: HTMLDialogElement;
  private readonly list = h("ol", { class: "marks-list" });
  private readonly none = h("p", { class: "quiet" }, t("There are none in the timeline's window."));
  private readonly said = h("p", { class: "marks-said", role: "alert" });
  private readonly who = h("p", { class: "quiet" });
  private readonly add = h("button", { type: "button", class: "button", onClick: () => this.edit(null) }, t("New mark"));
  private readonly text = h("textarea", { "aria-label": t("What happened"), rows: 3, required: true });
  private readonly inputs: ReadonlyMap<keyof Draft, HTMLInputElement>;
  private readonly form: HTMLFormElement;
  private readonly token = h("input", { type: "password", "aria-label": t("Token"), autocomplete: "off", placeholder: t("a token that may annotate") });
  private readonly signIn: HTMLFormElement;
  private now: Snapshot | null = null;
  private edited: Annotation | null = null;
  /** The one that the next click removes for good. */
  private doomed = "";
  /** Counts what was turned to: the answer to what was done before closes nothing of it. */
  private turn = 0;
  private shown = "";

  constructor(private readonly actions: Actions, private readonly changes: Changes) {
    this.inputs = new Map(FIELDS.map(([name]) => [name, h("input", { type: "text", spellcheck: "false", autocomplete: "off", ...(name === "kind" ? { list: "mark-kinds" } : {}) })]));
    this.form = h("form", { class: "marks-form", hidden: true, "aria-label": t("Mark"), onSubmit: (event) => { event.preventDefault(); void this.save(); } },
      h("label", {}, h("span", {}, t("What happened")), this.text),
      ...FIELDS.map(([name, says]) => h("label", {}, h("span", {}, t(says)), this.inputs.get(name))),
      h("datalist", { id: "mark-kinds" }, ...KINDS.map((kind) => h("option", { value: kind }))),
      h("div", { class: "panel-buttons" }, h("button", { type: "submit", class: "button primary" }, t("Save")), h("button", { type: "button", class: "button", onClick: () => this.stopEditing() }, t("Cancel"))));
    this.signIn = h("form", { class: "marks-token", hidden: true, onSubmit: (event) => { event.preventDefault(); void this.show(); } },
      h("label", {}, h("span", {}, t("Who may annotate makes marks here.")), this.token), h("button", { type: "submit", class: "button" }, t("Use token")));
    this.element = h("dialog", { class: "help marks", "aria-label": t("Marks"), "data-key": "a", onClose: () => this.stopEditing() },
      h("header", { class: "panel-head" }, h("h2", {}, t("Marks")), iconButton("close", t("Close"), () => this.element.close())),
      this.list, this.none, this.said, this.add, this.form, this.signIn, this.who);
  }

  open(): void {
    this.element.showModal();
    this.update();
  }

  render(now: Snapshot): void {
    this.now = now;
    if (this.element.open) this.update();
  }

  private update(): void {
    if (!this.now) return;
    const { access, annotations } = this.now.data;
    const { zone } = this.now.state;
    const may = mayAnnotate(access);
    const inputs = JSON.stringify([annotations, may, this.doomed, zone]);
    if (inputs !== this.shown) fill(this.list, ...annotations.map((each) => this.item(each, may, zone)));
    this.shown = inputs;
    this.none.hidden = annotations.length > 0;
    this.add.hidden = !may || !this.form.hidden;
    if (!may) this.form.hidden = true;
    this.signIn.hidden = may || !access?.annotating;
    const name = whoIs(access);
    setText(this.who, may ? (name ? t`You are ${name}; the server's log names who made and removed what.` : t("Anybody may make marks here.")) : access?.annotating ? "" : t("Nobody makes marks from this page: `vistio-record annotate` does, and what docs/security.md says."));
  }

  private item(mark: Annotation, may: boolean, zone: Zone): HTMLElement {
    const go = (): void => {
      this.element.close();
      this.actions.change((state, data) => (data.axis ? goTo(state, Date.parse(mark.start), data.axis) : state));
    };
    const about = [mark.cluster, mark.node].filter(Boolean).map(visible).join(" / ");
    const sure = this.doomed === mark.id;
    return h("li", {},
      h("button", { type: "button", class: "mark", title: t("Go there"), onClick: go }, h("strong", {}, `${whenOf(mark, zone)} ${mark.kind} `), about && t`${about}: `, mark.text),
      may && h("span", { class: "panel-buttons" },
        h("button", { type: "button", class: "button", "aria-label": t`Edit ${mark.text}`, onClick: () => this.edit(mark) }, t("Edit")),
        h("button", { type: "button", class: "button", "data-sure": sure, "aria-label": sure ? t`Really remove ${mark.text}` : t`Remove ${mark.text}`, onClick: () => void this.remove(mark.id) }, sure ? t("Really remove?") : t("Remove"))));
  }

  /** Opens the form: on a mark, or on a new one of the moment and the thing that are shown. */
  private edit(mark: Annotation | null): void {
    if (!this.now) return;
    const { state, data } = this.now;
    const { level, node } = asRecorded(subjectOf(state), data.topology);
    const draft = mark ? draftOf(mark, state.zone) : draftAt(data.graph?.about.instantMs ?? this.nowMs(), state.zone, level, node);
    this.turn++;
    this.edited = mark;
    this.doomed = "";
    for (const [name, input] of this.inputs) input.value = draft[name];
    this.text.value = draft.text;
    this.form.hidden = false;
    setText(this.said, "");
    this.update();
    this.text.focus();
  }

  private stopEditing(): void {
    this.edited = null;
    this.doomed = "";
    this.form.hidden = true;
    setText(this.said, "");
    this.update();
    if (this.element.open) this.add.focus();
  }

  private async save(): Promise<void> {
    if (!this.now) return;
    const given = { text: this.text.value, ...Object.fromEntries([...this.inputs].map(([name, input]) => [name, input.value.trim()])) } as Draft;
    const mark = markOf(given, this.nowMs(), this.now.state.zone, this.edited?.tags);
    if ("wrong" in mark) return setText(this.said, mark.wrong);
    await this.tell(this.changes.save(mark, this.edited?.id ?? null));
  }

  private async remove(id: string): Promise<void> {
    if (this.doomed !== id) {
      this.turn++;
      this.doomed = id;
      this.update();
      return this.element.querySelector<HTMLElement>("[data-sure]")?.focus();
    }
    await this.tell(this.changes.remove(id));
  }

  private async show(): Promise<void> {
    const why = await this.whileBusy(this.changes.signIn(this.token.value.trim()));
    this.token.value = "";
    setText(this.said, why ?? "");
    this.update();
    if (why === null) this.add.focus();
  }

  /** What came of a change: the form goes with success, and stays with what was written where there is none. */
  private async tell(change: Promise<string | null>): Promise<void> {
    const { turn } = this;
    const why = await this.whileBusy(change);
    if (turn !== this.turn) return why === null ? undefined : setText(this.said, why);
    if (why === null) return this.stopEditing();
    this.doomed = "";
    this.update();
    setText(this.said, why);
  }

  private async whileBusy<T>(asked: Promise<T>): Promise<T> {
    set(this.element, "aria-busy", "true");
    const answer = await asked;
    set(this.element, "aria-busy", null);
    return answer;
  }

  private nowMs(): number {
    return this.now ? serverMs(this.now.data, Date.now()) : Date.now();
  }
}
