/** The top bar: where we are, the locator, what is filtered, and whether this is live. */

import { h, icon, iconButton, set, setText } from "../dom/elements";
import type { Pictures } from "../picture/picture";
import { matches } from "../picture/scene";
import { latenessMs } from "../store/lateness";
import type { Actions, Snapshot, View } from "../store/store";
import { formatDate, formatDuration, formatTime } from "../values/format";
import { pathLabels } from "../values/model";
import { type Display, levelOf, openPath, setDisplay } from "../values/state";
import { goLive } from "../values/travel";

const THEMES: readonly Display["theme"][] = ["auto", "light", "dark"];

export class HeaderView implements View {
  readonly element: HTMLElement;
  private readonly crumbs = h("ol", { class: "crumbs" });
  private readonly find: HTMLInputElement;
  private readonly found = h("span", { class: "found", role: "status" });
  private readonly badge: HTMLButtonElement;
  private readonly theme: HTMLButtonElement;

  constructor(private readonly actions: Actions, private readonly pictures: Pictures, onFilters: () => void, onLook: () => void, onExport: () => void, onHelp: () => void) {
    this.find = h("input", { type: "search", class: "locator", placeholder: "Find a node  /", "aria-label": "Find a node", autocomplete: "off", spellcheck: "false", onInput: () => this.actions.change((state) => ({ ...state, find: this.find.value })) });
    this.badge = h("button", { type: "button", class: "badge-live", onClick: () => this.actions.change(goLive) });
    this.theme = iconButton("theme", "Theme", () => this.actions.change((state) => setDisplay(state, { theme: THEMES[(THEMES.indexOf(state.display.theme) + 1) % THEMES.length] ?? "auto" })));
    const filters = h("button", { type: "button", class: "button", title: "Filters (f)", onClick: onFilters }, icon("filter"), "Filters");
    const look = h("button", { type: "button", class: "button", title: "View: groups, layout, display (g)", onClick: onLook }, icon("view"), "View");
    const exported = iconButton("save", "Export: picture, graph, other formats (x)", onExport);
    this.element = h("header", { class: "header" },
      h("strong", { class: "brand" }, "vistio"),
      h("nav", { "aria-label": "Level" }, this.crumbs),
      h("div", { class: "header-tools" }, this.found, this.find, filters, look, exported, this.theme, h("button", { type: "button", class: "icon-button", title: "Help: keys, and what forms and colours mean (?)", "aria-label": "Help: keys, and what forms and colours mean (?)", onClick: onHelp }, "?"), this.badge));
  }

  focusLocator(): void {
    this.find.focus();
    this.find.select();
  }

  render({ state, data }: Snapshot): void {
    const names = [data.graph?.name ?? "Mesh", ...pathLabels(data.graph, state.path)];
    const shown = [...this.crumbs.children].map((crumb) => crumb.textContent);
    if (names.join("\n") !== shown.join("\n")) this.crumbs.replaceChildren(...names.map((name, depth) => this.crumb(name, depth, names.length)));
    if (document.activeElement !== this.find && this.find.value !== state.find) this.find.value = state.find;
    setText(this.found, state.find ? this.foundText({ state, data }) : "");
    set(this.theme, "title", `Theme: ${state.display.theme}`);
    set(this.theme, "aria-label", `Theme: ${state.display.theme}`);
    this.renderBadge({ state, data });
  }

  private foundText(now: Snapshot): string {
    const { state, data } = now;
    const { drawnAs } = this.pictures.planOf(now);
    const names = matches(data.graph?.levels.get(levelOf(state)), state.find);
    const groups = new Set(names.flatMap((name) => drawnAs.get(name) ?? []));
    return `${names.length} found${groups.size ? `, in ${groups.size} group${groups.size === 1 ? "" : "s"}` : ""}`;
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
  const clock = shownMs === undefined ? "" : ` ${formatTime(shownMs)}`;
  if (state.travel.refused) return ["waiting", "NO SUCH MOMENT", "The link asks for a moment that there is not. Click to go to live."];
  if (data.problem?.kind === "unreachable") return ["gone", `NO ANSWER${clock}`, "The server does not answer; the picture is the last one it gave. Asking again."];
  if (state.travel.mode !== "live") {
    const momentMs = shownMs ?? state.travel.atMs;
    const day = momentMs === null ? "" : `${formatDate(momentMs)} ${formatTime(momentMs)}`;
    const way = state.travel.direction > 0 ? "" : "−";
    return state.travel.mode === "playing"
      ? ["playing", `${way}${state.travel.speed}× ${day}`, "Playing the recording. Click to return to live."]
      : ["past", `PAST ${day}`, "This is the past. Click to return to live."];
  }
  if (shownMs === undefined) return ["waiting", "WAITING", "Nothing has been shown yet."];
  const lateMs = latenessMs({ state, data }, nowMs);
  return lateMs !== null
    ? ["stale", `${formatDuration(lateMs)} OLD${clock}`, "Live, but nothing newer was recorded. Is the recorder running?"]
    : ["live", `LIVE${clock}`, "Following the newest instant."];
}
