/** What happened in the timeline's window: the first thing that one wants to know, so it stands there without a click. */

import "../style/happened.css";
import { type JSX, render } from "preact";
import type { Actions, Happened, Snapshot } from "../store/store";
import { happenedHere } from "../store/subject";
import { t } from "../texts/say";
import type { Incident } from "../values/answers";
import { goToIncident, seenOf, whenOf, worstFirst } from "../values/happened";
import { visible } from "../values/names";
import type { Zone } from "../values/zones";
import { Panel } from "./panel";

// More are read in the lane of the timeline.
const SHOWN = 5;

export class HappenedPanel extends Panel {
  constructor(private readonly actions: Actions) {
    super("happened", t("What happened"));
  }

  protected isShown({ state, data }: Snapshot): boolean {
    return data.axis !== null && state.selection === null && state.path.length < 2;
  }

  protected update({ state, data }: Snapshot): void {
    const happened = happenedHere(data.happened, state);
    const items = worstFirst(happened?.found?.incidents ?? []).map((incident) => this.item(incident, happened!, state.zone));
    render(
      <>
        <ol class="incidents" hidden={!items.length}>
          {items.slice(0, SHOWN)}
          {items.length > SHOWN && <li key="more"><details><summary>{t`${items.length - SHOWN} more`}</summary><ol class="incidents">{items.slice(SHOWN)}</ol></details></li>}
        </ol>
        <p class="quiet" role="status" data-problem={happened?.problem ? "" : undefined}>{noteOf(happened, state.zone)}</p>
      </>,
      this.body,
    );
  }

  private item(incident: Incident, { window }: Happened, zone: Zone): JSX.Element {
    const { cluster, node, target } = incident.first;
    const open = (): void => this.actions.change((state, data) => (data.axis ? goToIncident(state, incident, data.axis, data.topology) : state));
    return (
      <li key={[incident.start, cluster, node, target].join("\n")}>
        <button type="button" class="incident" title={t("Go there, and show where it began")} onClick={open}><strong>{t`${whenOf(incident, window, zone)}: `}</strong>{visible(incident.summary)}</button>
      </li>
    );
  }
}

/** How far the answer can be trusted, or why there is none. */
export function noteOf(happened: Happened | null, zone: Zone): string {
  if (!happened || (!happened.found && !happened.problem)) return t("It is being worked out…");
  const { found, problem, window } = happened;
  if (!found) return t`It cannot be told: ${problem!.detail || problem!.title}`;
  const allWell = found.unseen.length ? t("Nothing left its normal, as far as it was seen. ") : t("Nothing left its normal. ");
  const nothing = found.incidents.length ? "" : allWell;
  return nothing + t`Looked at: ${seenOf(found, window, zone)}.`;
}
