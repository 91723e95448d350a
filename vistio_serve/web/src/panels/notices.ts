/** Notices as a list: text as text, links only where they are safe. */

import { h, link } from "../dom/elements";
import type { Notice } from "../values/model";
import { isQueryLink } from "../values/prometheus";

const NAMES = ["info", "warning", "error"] as const;

export interface PlacedNotice extends Notice {
  /** Where it is; empty where that is clear. */
  readonly place: string;
  readonly open?: () => void;
}

/** Most severe first. */
export function noticeList(notices: readonly PlacedNotice[]): HTMLElement {
  const ordered = [...notices].sort((one, other) => other.severity - one.severity);
  return h("ul", { class: "notices" }, ...ordered.map((notice) => h("li", { class: `notice severity-${notice.severity}` },
    h("span", { class: "notice-kind" }, NAMES[notice.severity]),
    notice.place !== "" && notice.open ? h("button", { type: "button", class: "row-button", onClick: notice.open }, notice.place) : notice.place !== "" && h("span", {}, notice.place),
    h("strong", {}, notice.title),
    notice.subtitle !== "" && h("span", { class: "quiet" }, notice.subtitle),
    notice.link !== "" && link(notice.link, isQueryLink(notice.link) ? "open in Prometheus" : "open link"))));
}
