/** What the forms and colours of the page mean. */

import "../style/legend.css";
import { h } from "../dom/elements";
import { t } from "../texts/say";
import { formatPercent } from "../values/format";
import { USUAL_TONES } from "../values/model";

type Sign = readonly [sign: string, means: string];

/** Sign and meaning; the sign is drawn by `legend.css`. */
function meanings(): readonly (readonly [title: string, signs: readonly Sign[]])[] {
  return [
    [t("Picture"), [
      ["dot normal", t("requests that went well")],
      ["dot warning", t("requests of the class warning")],
      ["dot danger", t("requests that failed: errors")],
      ["line danger", t`a connection with errors enough for a notice, or ${formatPercent(100 * USUAL_TONES.danger)} where the configuration has none; the stronger, the more`],
      ["line warning", t`a connection with warnings enough for a notice, or ${formatPercent(100 * USUAL_TONES.warning)}`],
      ["line quiet", t("a connection that is well; faint: nothing goes there now")],
      ["ring", t("a cluster or a node in view: shares of what it receives")],
      ["triangle", t("a notice: a threshold of the configuration was reached")],
    ]],
    [t("Timeline"), [
      ["line accent", t("requests per second, scale on the left: of a level, what enters")],
      ["line danger", t("errors in percent of these, scale on the right")],
      ["block danger", t("an incident; a click goes to where it began")],
      ["bars", t("notices: low is info, middle is warning, high is error")],
      ["hatch", t("nothing was recorded")],
      ["flag", t("a mark, such as of a deployment (a)")],
    ]],
  ];
}

export function legend(): HTMLElement {
  return h("section", { class: "legend", "aria-label": t("Legend") }, ...meanings().flatMap(([title, signs]) => [
    h("h3", {}, title),
    h("dl", {}, ...signs.map(([sign, means]) => h("div", {}, h("dt", {}, h("span", { class: `legend-sign ${sign}`, "aria-hidden": "true" })), h("dd", {}, means)))),
  ]));
}
