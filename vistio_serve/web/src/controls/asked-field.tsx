/** A field for an expression: what can come next is offered under it, and what is wrong is said in words. */

import Combobox from "@github/combobox-nav";
import { render } from "preact";
import { h, set, setText } from "../dom/elements";
import { WAYS } from "../picture/naming";
import { refusalOf } from "../picture/nodes";
import type { Snapshot } from "../store/store";
import { t } from "../texts/say";
import { type Known, completionsOf } from "../values/completion";
import { levelOf } from "../values/state";

export class AskedField {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  private readonly list: HTMLElement;
  private readonly combobox: Combobox;
  private now: Snapshot | null = null;

  /**
   * @param said where it is told what is wrong; it stays empty else.
   * @param onAsk is told the text whenever it changes.
   */
  constructor(name: string, props: Readonly<Record<string, string>>, private readonly said: HTMLElement, private readonly onAsk: (text: string) => void) {
    this.list = h("ul", { class: "offered", role: "listbox", "aria-label": t("Completions"), id: `offered-${props["class"]}`, hidden: true });
    this.input = h("input", { "aria-label": name, autocomplete: "off", spellcheck: "false", ...props });
    this.element = h("span", { class: "asked" }, this.input, this.list);
    this.combobox = new Combobox(this.input, this.list, { tabInsertsSuggestions: true });
    // Here, where it comes after the combobox has let its choice go.
    this.element.addEventListener("input", () => this.typed());
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.list.hidden) return;
      // Esc belongs to what is open: first the list, then the field.
      event.preventDefault();
      this.close();
    });
    this.list.addEventListener("combobox-commit", (event) => this.take((event.target as HTMLElement).dataset["text"] ?? ""));
    // A click must not take the focus from the field.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.input.addEventListener("blur", () => this.close());
  }

  render(now: Snapshot, text: string): void {
    this.now = now;
    if (document.activeElement !== this.input && this.input.value !== text) this.input.value = text;
    const refusal = refusalOf(text, now.data.patterns);
    set(this.input, "aria-invalid", refusal !== "" ? "true" : null);
    setText(this.said, refusal);
  }

  private typed(): void {
    this.onAsk(this.input.value);
    this.offer();
  }

  private take(text: string): void {
    this.input.value = text;
    this.typed();
  }

  private offer(): void {
    const atEnd = this.input.selectionStart === this.input.value.length;
    const offered = this.now && atEnd ? completionsOf(this.input.value, knownAt(this.now)) : [];
    render(<>{offered.map(({ text, shown, about }) => <li key={text} role="option" data-text={text}><span>{shown}</span><span class="quiet">{about}</span></li>)}</>, this.list);
    if (!offered.length) return this.close();
    if (this.list.hidden) {
      this.list.hidden = false;
      this.combobox.start();
    }
  }

  private close(): void {
    if (this.list.hidden) return;
    this.list.hidden = true;
    this.combobox.stop();
  }
}

function knownAt({ state, data }: Snapshot): Known {
  const level = data.topology.get(levelOf(state)) ?? data.graph?.levels.get(levelOf(state));
  const nodes = (level?.nodes ?? []).filter((node) => !node.synthetic);
  const each = (texts: readonly (string | null)[]): string[] => [...new Set(texts)].filter((text): text is string => text !== null).sort();
  return {
    names: each(nodes.map((node) => node.label)),
    namespaces: each(nodes.map((node) => WAYS.namespace.naming(node))),
    clusters: each([...data.topology.keys()]).filter(Boolean),
    classes: each(nodes.map((node) => node.class)),
  };
}
