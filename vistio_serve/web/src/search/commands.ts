/** What can be told to the page in words, beside the names of places: to go to a moment, to compare with one. Pure. */

import type { Snapshot } from "../store/store";
import { type Text, t } from "../texts/say";
import { compareWith } from "../values/baseline";
import { formatMoment } from "../values/format";
import { parseInstant } from "../values/moments";
import type { State } from "../values/state";
import { goLive, goTo } from "../values/travel";

export interface Command {
  readonly text: string;
  readonly about: string;
  /** Null where it cannot be done now; `about` says why. */
  readonly step: ((state: State) => State) | null;
}

const UNITS_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000, 分钟: 60_000, 小时: 3_600_000, 天: 86_400_000, 周: 7 * 86_400_000 };
// What is told is English or Chinese, whichever the page speaks.
const BEFORE = /^(an?|\d+) ?(minute|hour|day|week|分钟|小时|天|周)s? ?(?:ago|before|earlier|前)$/i;
const COMPARE = /^(?:comp\w*\s*(?:with\s*|to\s*)?|(?:对比|比较|与)\s*)(.*?)(?:\s*(?:对比|比较))?$/i;
const GO = /^(?:go\s+to\s+|go\s+|at\s+|(?:前往|转到)\s*)?(.*)$/i;
const OFFERED: readonly Text[] = ["an hour ago", "a day ago", "a week ago"];

/**
 * What a text tells to do; none for a text that is a name.
 *
 * @param nowMs by the server's clock.
 */
export function toldBy(text: string, now: Snapshot, nowMs: number): readonly Command[] {
  const compare = COMPARE.exec(text.trim());
  if (compare) {
    const asked = compare[1]!.trim();
    const offered = OFFERED.map((each) => t(each)).filter((each) => each.startsWith(asked)).flatMap((each) => comparing(each, now, nowMs) ?? []);
    return offered.length ? offered : [comparing(asked, now, nowMs) ?? []].flat();
  }
  const [, asked = ""] = GO.exec(text.trim()) ?? [];
  if (/^(?:now|live|现在|实时)$/i.test(asked)) return [{ text: t("Go to now"), about: t("follows the newest instant"), step: goLive }];
  const atMs = parseInstant(asked, nowMs, now.state.zone);
  return atMs === null ? [] : [to(atMs, t`Go to ${asked}`, now, (state) => goTo(state, atMs, now.data.axis!))];
}

/** An hour ago is an hour before the moment that is shown: that is what one looks at. */
function comparing(asked: string, now: Snapshot, nowMs: number): Command | null {
  const [, count, unit] = BEFORE.exec(asked) ?? [];
  const shownMs = now.data.graph?.about.instantMs;
  const before = unit !== undefined && shownMs !== undefined;
  const atMs = before ? shownMs - (Number(count) || 1) * UNITS_MS[unit.toLowerCase()]! : parseInstant(asked, nowMs, now.state.zone);
  return atMs === null ? null : to(atMs, t`Compare with ${asked}`, now, (state) => compareWith(state, atMs));
}

function to(atMs: number, text: string, { state: { zone }, data: { axis } }: Snapshot, step: (state: State) => State): Command {
  if (!axis) return { text, about: t("nothing is recorded yet"), step: null };
  const [from, until] = [formatMoment(axis.firstMs, zone), formatMoment(axis.lastMs, zone)];
  const outside = atMs < axis.firstMs ? t`before the recording, ${from} to ${until}` : atMs > axis.lastMs + axis.stepMs ? t`after the recording, ${from} to ${until}` : null;
  return outside ? { text, about: outside, step: null } : { text, about: formatMoment(Math.round(atMs / 1000) * 1000, zone), step };
}
