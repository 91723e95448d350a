/** The side column, from top to bottom. A new panel is a file beside this one and a line here. */

import { ComparePanel } from "../compare/panel";
import type { Actions, View } from "../store/store";
import type { Pictures } from "../traffic/picture";
import { DetailsPanel } from "./details";

export function makePanels(actions: Actions, pictures: Pictures): View[] {
  return [new ComparePanel(actions, pictures), new DetailsPanel(actions, pictures)];
}
