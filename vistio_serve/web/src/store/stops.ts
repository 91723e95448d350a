/** Where "next" and "previous" lead. Pure. */

import { annotationMarks, noticeMarks } from "../values/series";
import type { Snapshot } from "./store";
import { belowHere, fitting, happenedHere } from "./subject";

/**
 * Begins of incidents, notices, gaps and annotations, each once, sorted; on the global level with the notices of
 * clusters, for what happened began below.
 */
export function stopsOf({ state, data }: Snapshot): number[] {
  const below = [...(belowHere(data.below, state)?.timelines.values() ?? [])];
  const notices = [fitting(data.followed, state)?.timeline ?? null, ...below].flatMap(noticeMarks);
  const said = [...(happenedHere(data.happened, state)?.found?.incidents ?? []), ...data.gaps].map((each) => Date.parse(each.start));
  const all = [...notices, ...annotationMarks(data.annotations)].map((mark) => mark.startMs);
  return [...new Set([...all, ...said])].sort((one, other) => one - other);
}
