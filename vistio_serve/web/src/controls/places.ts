/** Places of dragged nodes: kept in the browser under a name, or as a small file. A few stand in the link as well. */

import { fill, h, setText } from "../dom/elements";
import type { Actions, Snapshot, View } from "../store/store";
import { t } from "../texts/say";
import { MOST_IN_LINK, type Places, countPlaces, placesFrom, placesText } from "../values/places";

const KEY = "vistio.places";

export class PlacesView implements View {
  readonly element: HTMLElement;
  private readonly names = h("select", { "aria-label": t("Places that were kept"), onChange: () => this.use(this.names.value) });
  private readonly name = h("input", { type: "text", placeholder: t("name"), "aria-label": t("Name to keep places under"), maxlength: 60 });
  private readonly file = h("input", { type: "file", accept: ".json,application/json", hidden: true, "aria-label": t("File of places"), onChange: () => void this.read() });
  private readonly says = h("span", { class: "quiet", role: "status" });
  private places: Places = {};

  constructor(private readonly actions: Actions) {
    const button = (text: string, title: string, onClick: () => void): HTMLElement => h("button", { type: "button", class: "button", title, onClick }, text);
    this.element = h("fieldset", { class: "places" }, h("legend", {}, t("Places")), this.names, this.name,
      button(t("Keep"), t("Keeps the places of dragged nodes in this browser, under a name"), () => this.keep()),
      button(t("Save file"), t("Saves the places of dragged nodes as a small file"), () => this.save()),
      button(t("Open file"), t("Puts nodes where a saved file says"), () => this.file.click()),
      this.file, this.says);
    this.list("");
  }

  render({ state }: Snapshot): void {
    if (state.places === this.places) return;
    this.places = state.places;
    const count = countPlaces(state.places);
    this.say(count === 0 ? "" : count > MOST_IN_LINK ? t`${count} nodes were dragged: too many for the link, save a file` : t`${count} dragged, in the link`);
  }

  private keep(): void {
    const name = this.name.value.trim();
    if (!countPlaces(this.places)) return this.say(t("Drag a node first."));
    if (!name) return this.name.focus();
    if (!write({ ...kept(), [name]: this.places })) return this.say(t("This browser keeps nothing; save a file."));
    this.name.value = "";
    this.list(name);
    this.say(t`Kept as ${name}.`);
  }

  private use(name: string): void {
    const places = kept()[name];
    if (places) this.actions.change((state) => ({ ...state, places }));
  }

  private save(): void {
    if (!countPlaces(this.places)) return this.say(t("Drag a node first."));
    const address = URL.createObjectURL(new Blob([placesText(this.places)], { type: "application/json" }));
    h("a", { href: address, download: "vistio-places.json" }).click();
    URL.revokeObjectURL(address);
  }

  private async read(): Promise<void> {
    const places = placesFrom((await this.file.files?.[0]?.text()) ?? "");
    this.file.value = "";
    if (places) this.actions.change((state) => ({ ...state, places }));
    else this.say(t("This is no file of places: choose one that was saved here."));
  }

  private list(chosen: string): void {
    const names = Object.keys(kept()).sort();
    fill(this.names, h("option", { value: "" }, names.length ? t("kept places …") : t("none kept")), ...names.map((name) => h("option", { value: name }, name)));
    this.names.value = chosen;
  }

  private say(text: string): void {
    setText(this.says, text);
  }
}

/** By name; what cannot be read is as if nothing was kept. */
function kept(): Record<string, Places> {
  try {
    const read = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, Places>;
    return Object.fromEntries(Object.entries(read).flatMap(([name, places]) => {
      const found = placesFrom(placesText(places));
      return found ? [[name, found]] : [];
    }));
  } catch {
    return {};
  }
}

function write(places: Record<string, Places>): boolean {
  try {
    localStorage.setItem(KEY, JSON.stringify(places));
    return true;
  } catch {
    return false;
  }
}
