/** What the forms and colours of the page mean. */

import "../style/legend.css";
import { h } from "../dom/elements";
import { RED_FROM, YELLOW_FROM } from "../values/traffic";

const percent = (share: number): string => `${100 * share} %`;

/** Sign and meaning; the sign is drawn by `legend.css`. */
const MEANINGS: readonly (readonly [title: string, signs: readonly (readonly [sign: string, means: string])[]])[] = [
  ["Picture", [
    ["dot normal", "requests that went well"],
    ["dot warning", "requests of the class warning"],
    ["dot danger", "requests that failed: errors"],
    ["line danger", `a connection, ${percent(RED_FROM)} errors or more; the stronger, the more`],
    ["line warning", `a connection, ${percent(YELLOW_FROM)} warnings or more`],
    ["line quiet", "a connection that is well; faint: nothing goes there now"],
    ["ring", "a cluster or a node in view: shares of what it receives"],
    ["triangle", "a notice: a threshold of the configuration was reached"],
  ]],
  ["Timeline", [
    ["line accent", "requests per second, scale on the left: of a level, what enters"],
    ["line danger", "errors in percent of these, scale on the right"],
    ["block danger", "an incident; a click goes to where it began"],
    ["bars", "notices: low is info, middle is warning, high is error"],
    ["hatch", "nothing was recorded"],
    ["flag", "an annotation, such as a deployment"],
  ]],
];

export function legend(): HTMLElement {
  return h("section", { class: "legend", "aria-label": "Legend" }, ...MEANINGS.flatMap(([title, signs]) => [
    h("h3", {}, title),
    h("dl", {}, ...signs.map(([sign, means]) => h("div", {}, h("dt", {}, h("span", { class: `legend-sign ${sign}`, "aria-hidden": "true" })), h("dd", {}, means)))),
  ]));
}
