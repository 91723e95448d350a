/** Notices as a list: one line for equal titles, text as text, links only where they are safe. */

import { h, link } from "../dom/elements";
import { t } from "../texts/say";
import { type Folded, type PlacedNotice, fold } from "../values/notices";
import { isQueryLink } from "../values/prometheus";
import { amountText } from "../values/titles";

const NAMES = ["info", "warning", "error"] as const;
const SHOWN = 4;

export function noticeList(notices: readonly PlacedNotice[]): HTMLElement {
  return h("ul", { class: "notices" }, ...fold(notices).map((folded) => h("li", { class: `notice severity-${folded.severity}` }, ...linesOf(folded))));
}

function linesOf({ about, subtitle, severity, notices }: Folded): (HTMLElement | false)[] {
  const [first] = notices;
  const placed = notices.length > 1 || first!.place !== "";
  const count = notices.length > 1 ? ` · ${notices.length}` : "";
  const places = notices.map((notice) => h("li", {}, ...placeOf(notice)));
  return [
    h("span", { class: "notice-kind" }, t(NAMES[severity]) + count),
    h("strong", {}, placed ? about : first!.title),
    subtitle !== "" && h("span", { class: "quiet" }, subtitle),
    placed ? h("ul", { class: "notice-places" }, ...places.slice(0, SHOWN)) : linkOf(first!),
    places.length > SHOWN && h("details", {}, h("summary", {}, t`${places.length - SHOWN} more`), h("ul", { class: "notice-places" }, ...places.slice(SHOWN))),
  ];
}

function placeOf(notice: PlacedNotice): (HTMLElement | false)[] {
  const { place, open, amount, ofEdge } = notice;
  return [
    open ? h("button", { type: "button", class: "row-button", title: place, onClick: open }, place) : h("span", {}, place),
    amount !== null && h("span", { class: "notice-amount" }, amountText(amount, ofEdge)),
    linkOf(notice),
  ];
}

function linkOf({ link: address }: PlacedNotice): HTMLElement | false {
  return address !== "" && link(address, isQueryLink(address) ? t("query") : t("link"));
}
