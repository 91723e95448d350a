/** The side column, from top to bottom. A new panel is a file beside this one and a line here. */

import type { Pictures } from "../picture/picture";
import type { Actions, View } from "../store/store";
import { ComparePanel } from "./comparison";
import { DetailsPanel } from "./details";
import { HappenedPanel } from "./happened";

export function makePanels(actions: Actions, pictures: Pictures): View[] {
  return [new HappenedPanel(actions), new ComparePanel(actions, pictures), new DetailsPanel(actions, pictures)];
}
