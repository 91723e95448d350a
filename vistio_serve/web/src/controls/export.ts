/** What can be taken away: the link, the picture, the graph, and the graph in every other format of this server. */

import { h, iconButton, setText } from "../dom/elements";
import type { Snapshot, View } from "../store/store";
import { language, t } from "../texts/say";
import { formatInstant, formatMoment } from "../values/format";
import { pathLabels } from "../values/model";
import { extentOf } from "../values/series";
import { LinkField } from "./link";

const DAY_MS = 86_400_000;

/** What is asked of the server here. */
interface Server {
  address(route: string, query: Readonly<Record<string, string>>): string;
  formats(): Promise<readonly string[]>;
}

export class ExportView implements View {
  readonly element: HTMLDialogElement;
  private readonly formats = h("ul", { class: "formats" });
  private readonly about = h("p", { class: "quiet" });
  private readonly json = h("a", { class: "button" }, t("Graph (JSON)"));
  private readonly report = h("a", { class: "button", title: t("What happened in the timeline's window, as one page that opens without a server") }, t("Report (HTML)"));
  private readonly link = new LinkField();
  private now: Snapshot | null = null;
  private names: readonly string[] = [];

  /**
   * @param server null where there is none that a link could lead to: then the picture is all.
   * @param picture the picture that is shown, as PNG, with what it is and what its colours mean; null where nothing is drawn.
   */
  constructor(
    private readonly server: Server | null,
    private readonly picture: (caption: string) => Promise<Blob | null>,
  ) {
    const png = h("button", { type: "button", class: "button", onClick: () => void this.save() }, t("Picture (PNG)"));
    this.element = h("dialog", { class: "help export", "aria-label": t("Export"), "data-key": "x" },
      h("header", { class: "panel-head" }, h("h2", {}, t("Export")), iconButton("close", t("Close"), () => this.element.close())),
      this.about,
      ...(server ? [this.link.element] : []),
      h("div", { class: "panel-buttons" }, png, ...(server ? [this.json, this.report] : [])),
      ...(server ? [h("h3", {}, t("In other formats")), this.formats] : []));
  }

  async open(): Promise<void> {
    this.element.showModal();
    this.update();
    if (this.server && !this.names.length) this.names = await this.server.formats();
    this.update();
  }

  render(now: Snapshot): void {
    this.now = now;
    if (this.element.open) this.update();
  }

  private update(): void {
    const shown = this.now?.data.graph;
    if (!shown) return;
    const at = formatInstant(shown.about.instantMs);
    const moment = formatMoment(shown.about.instantMs, this.now!.state.zone);
    setText(this.about, t`${shown.name} at ${moment}, whichever instant the page goes to later.`);
    const { server } = this;
    if (!server) return;
    this.link.render(this.now!);
    this.json.setAttribute("href", server.address("graph", { at }));
    this.json.setAttribute("download", `${fileName(shown.name, moment)}.json`);
    this.report.setAttribute("href", server.address("report", { ...windowOf(this.now!), lang: language() }));
    this.formats.replaceChildren(...this.names.map((format) => h("li", {}, h("a", { href: server.address("graph", { at, format }), target: "_blank", rel: "noopener" }, format))));
  }

  private async save(): Promise<void> {
    if (!this.now?.data.graph) return;
    const { state, data } = this.now;
    const at = formatMoment(data.graph!.about.instantMs, state.zone);
    const picture = await this.picture([data.graph!.name, ...pathLabels(data.graph, state.path)].join(" / ") + ` · ${at}`);
    if (!picture) return;
    const address = URL.createObjectURL(picture);
    h("a", { href: address, download: `${fileName([data.graph!.name, ...state.path].join("-"), at)}.png` }).click();
    // The browser reads it after the click.
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
}

/** The timeline's window, and of a longer one its last day, which is the most that one report tells. */
function windowOf({ state, data: { axis } }: Snapshot): Readonly<Record<string, string>> {
  if (!axis) return {};
  const { startMs, endMs } = extentOf(state.window, axis);
  return { start: formatInstant(Math.max(startMs, endMs - DAY_MS)), end: formatInstant(endMs) };
}

/** A name that every file system takes. */
export function fileName(name: string, at: string): string {
  return `${name.replace(/[^\w.-]+/g, "_").slice(0, 80)}-${at.replaceAll(":", "")}`;
}
