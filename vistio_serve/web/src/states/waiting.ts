/** A bar over the picture while its answer is under way. */

import { h, set } from "../dom/elements";
import type { Snapshot, View } from "../store/store";
import { t } from "../texts/say";

export class WaitingView implements View {
  readonly element = h("div", { class: "waiting", role: "progressbar", "aria-label": t("Asking the server"), hidden: true });

  render({ data }: Snapshot): void {
    set(this.element, "hidden", data.waiting === null);
  }
}
