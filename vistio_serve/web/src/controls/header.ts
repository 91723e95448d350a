/** The top bar: where we are, the locator, what is filtered, and whether this is live. */

import { h, icon, iconButton, set, setText } from "../dom/elements";
import type { Pictures } from "../picture/picture";
import { matches } from "../picture/scene";
import { latenessMs } from "../store/lateness";
import type { Actions, Snapshot, View } from "../store/store";
import { counted, t } from "../texts/say";
import { formatDayAndTime, formatDuration, formatTime } from "../values/format";
import { pathLabels } from "../values/model";
import { type Display, isNowhere, levelOf, openPath, setDisplay } from "../values/state";
import { goLive } from "../values/travel";
import { AskedField } from "./asked-field";

const THEMES: readonly Display["theme"][] = ["auto", "light", "dark"];

export class HeaderView implements View {
  readonly element: HTMLElement;
  private readonly crumbs = h("ol", { class: "crumbs" });
  private readonly find: AskedField;
  private readonly found = h("span", { class: "found", role: "status" });
  private readonly refused = h("span", { class: "refused", role: "status" });
  private readonly badge: HTMLButtonElement;
  private readonly theme: HTMLButtonElement;

  constructor(private readonly actions: Actions, private readonly pictures: Pictures, onFilters: () => void, onLook: () => void, onExport: () => void, onHelp: () => void, onSearch: () => void) {
    const asked = { type: "search", class: "locator", placeholder: t("Find a node  /"), title: t("A part of a name, or an expression: errors > 1% and ns = shop") };
    this.find = new AskedField(t("Find a node"), asked, this.refused, (find) => this.actions.change((state) => ({ ...state, find })));
    this.badge = h("button", { type: "button", class: "badge-live", onClick: () => this.actions.change(goLive) });
    this.theme = iconButton("theme", t("Theme"), () => this.actions.change((state) => setDisplay(state, { theme: THEMES[(THEMES.indexOf(state.display.theme) + 1) % THEMES.length] ?? "auto" })));
    const filters = h("button", { type: "button", class: "button", title: t("Filters (f)"), onClick: onFilters }, icon("filter"), t("Filters"));
    const look = h("button", { type: "button", class: "button", title: t("View: groups, layout, display (g)"), onClick: onLook }, icon("view"), t("View"));
    const exported = iconButton("save", t("Export: picture, graph, other formats (x)"), onExport);
    this.element = h("header", { class: "header" },
      h("h1", { class: "brand" }, "vistio"),
      h("nav", { "aria-label": t("Level") }, this.crumbs),
      h("div", { class: "header-tools" }, iconButton("search", t("Search everywhere (Ctrl-K)"), onSearch), this.refused, this.found, this.find.element, filters, look, exported, this.theme, h("button", { type: "button", class: "icon-button", title: t("Help: keys, and what forms and colours mean (?)"), "aria-label": t("Help: keys, and what forms and colours mean (?)"), onClick: onHelp }, "?"), this.badge));
  }

  focusLocator(): void {
    this.find.input.focus();
    this.find.input.select();
  }

  render({ state, data }: Snapshot): void {
    const names = [data.graph?.name ?? t("Mesh"), ...pathLabels(data.graph, state.path)];
    const shown = [...this.crumbs.children].map((crumb) => crumb.textContent);
    if (names.join("\n") !== shown.join("\n")) this.crumbs.replaceChildren(...names.map((name, depth) => this.crumb(name, depth, names.length)));
    this.find.render({ state, data }, state.find);
    setText(this.found, state.find && !this.refused.textContent ? this.foundText({ state, data }) : "");
    const theme = t`Theme: ${t(state.display.theme)}`;
    set(this.theme, "title", theme);
    set(this.theme, "aria-label", theme);
    this.renderBadge({ state, data });
  }

  private foundText(now: Snapshot): string {
    const { state, data } = now;
    const { drawnAs } = this.pictures.planOf(now);
    const names = matches(data.graph?.levels.get(levelOf(state)), state.find, data.patterns);
    const groups = new Set(names.flatMap((name) => drawnAs.get(name) ?? []));
    return groups.size ? t`${names.length} found, in ${counted(groups.size, "{0} group", "{0} groups")}` : t`${names.length} found`;
  }

  private crumb(name: string, depth: number, count: number): HTMLElement {
    const here = depth === count - 1;
    const open = (): void => this.actions.change((state) => openPath(state, state.path.slice(0, depth)));
    return h("li", {}, h("button", { type: "button", "aria-current": here ? "page" : null, onClick: open }, name));
  }

  private renderBadge(now: Snapshot): void {
    const [mode, text, title] = badgeOf(now);
    set(this.badge, "data-mode", mode);
    set(this.badge, "title", title);
    setText(this.badge, text);
  }
}

/** What the badge says: the one thing that must never be wrong. */
export function badgeOf({ state, data }: Snapshot, nowMs = Date.now()): readonly [mode: string, text: string, title: string] {
  const shownMs = data.graph?.about.instantMs;
  const clock = shownMs === undefined ? "" : ` ${formatTime(shownMs, state.zone)}`;
  if (state.travel.refused) return ["waiting", t("NO SUCH MOMENT"), t("The link asks for a moment that there is not. Click to go to live.")];
  if (data.problem?.kind === "unreachable") return ["gone", t("NO ANSWER") + clock, t("The server does not answer; the picture is the last one it gave. Asking again.")];
  if (state.travel.mode !== "live") {
    const momentMs = shownMs ?? state.travel.atMs;
    const day = momentMs === null ? "" : formatDayAndTime(momentMs, state.zone);
    const way = state.travel.direction > 0 ? "" : "−";
    return state.travel.mode === "playing"
      ? ["playing", `${way}${state.travel.speed}× ${day}`, t("Playing the recording. Click to return to live.")]
      : ["past", t`PAST ${day}`, t("This is the past. Click to return to live.")];
  }
  if (shownMs === undefined || isNowhere(state)) return ["waiting", t("WAITING"), t("Nothing has been shown yet.")];
  const lateMs = latenessMs({ state, data }, nowMs);
  return lateMs !== null
    ? ["stale", t`${formatDuration(lateMs)} OLD` + clock, t("Live, but nothing newer was recorded. Is the recorder running?")]
    : ["live", t("LIVE") + clock, t("Following the newest instant.")];
}
