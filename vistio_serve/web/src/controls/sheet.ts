/** The column of panels; where there is no room beside the picture, a sheet below it that can be pulled up. */

import { h, set, setText } from "../dom/elements";
import { t } from "../texts/say";

export function sheetOf(panels: readonly HTMLElement[]): HTMLElement {
  const handle = h("button", { type: "button", class: "sheet-handle", onClick: () => pull(!isOpen()) });
  const sheet = h("aside", { class: "panels", "aria-label": t("Details"), tabindex: -1 }, handle, ...panels);
  const isOpen = (): boolean => sheet.hasAttribute("data-open");
  const pull = (open: boolean): void => {
    set(sheet, "data-open", open);
    set(handle, "aria-expanded", open ? "true" : "false");
    setText(handle, open ? t("▾ Less") : t("▴ More"));
    if (!open) sheet.scrollTop = 0;
  };
  pull(false);
  sheet.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen()) return;
    // It is what is open: nothing else is left by the same key.
    event.preventDefault();
    pull(false);
  });
  return sheet;
}
