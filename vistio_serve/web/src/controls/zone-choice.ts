/** The choice of the time zone in which the page shows and reads all times. */

import { fill, h, set } from "../dom/elements";
import type { Actions, Snapshot, View } from "../store/store";
import { t } from "../texts/say";
import { UTC, type Zone, zoneNamed } from "../values/zones";

export class ZoneChoice implements View {
  readonly element: HTMLSelectElement;
  private readonly own: Zone = zoneNamed(Intl.DateTimeFormat().resolvedOptions().timeZone) ?? UTC;
  private shown: Zone | null = null;

  constructor(actions: Actions) {
    this.element = h("select", { class: "zone", "aria-label": t("Time zone"), title: t("The time zone of all times on this page; it is kept in the link"), onChange: () => actions.change((state) => ({ ...state, zone: this.element.value })) });
  }

  render({ state: { zone } }: Snapshot): void {
    if (zone === this.shown) return;
    this.shown = zone;
    const option = (name: Zone, text: string = name): HTMLElement => h("option", { value: name, selected: name === zone }, text);
    const near = [...new Set([UTC, this.own, zone])];
    const others = Intl.supportedValuesOf("timeZone").filter((name) => !near.includes(name));
    fill(this.element, ...near.map((name) => option(name, name === this.own && name !== UTC ? t`${name} (this browser's)` : name)), h("optgroup", { label: t("All") }, ...others.map((name) => option(name))));
    set(this.element, "data-zone", zone);
  }
}
