/** The link to what is shown, for others: it holds the moment, even when the page follows the newest one. */

import { h, setText } from "../dom/elements";
import type { Snapshot } from "../store/store";
import { t } from "../texts/say";
import { toFragment } from "../values/url";

/** @param page the page's own address; what stands after `#` is replaced. */
export function linkOf({ state, data: { graph } }: Snapshot, page: string): string {
  const { travel } = state;
  const atMs = graph?.about.instantMs ?? travel.atMs;
  const held = travel.mode === "at" || atMs === null ? state : { ...state, travel: { ...travel, mode: "at" as const, atMs } };
  return page.replace(/#.*$/s, "") + toFragment(held);
}

export class LinkField {
  readonly element: HTMLElement;
  private readonly field = h("input", { type: "text", class: "link", readonly: true, "aria-label": t("Link to what is shown") });
  private readonly said = h("span", { class: "quiet", role: "status" });

  constructor() {
    const copy = h("button", { type: "button", class: "button", onClick: () => void this.copy() }, t("Copy link"));
    this.element = h("p", { class: "link-line" }, this.field, copy, this.said);
  }

  render(now: Snapshot): void {
    const link = linkOf(now, location.href);
    if (this.field.value === link) return;
    this.field.value = link;
    setText(this.said, "");
  }

  private async copy(): Promise<void> {
    this.field.select();
    try {
      await navigator.clipboard.writeText(this.field.value);
      setText(this.said, t("Copied."));
    } catch {
      // Only pages of https, or of this machine, may.
      setText(this.said, t("This browser lets the page not copy; it is selected, press Ctrl-C."));
    }
  }
}
