/** What Chinese says otherwise than word by word: dates, lengths, large numbers. Loaded with its catalogue. */

import type { Manner } from "./say";

export { zh } from "./zh";

const TAG = "zh-CN";
const LARGE = new Intl.NumberFormat(TAG, { notation: "compact", maximumSignificantDigits: 3 });

// Making one takes as long as using it a thousand times.
const made = new Map<string, Intl.DateTimeFormat>();

function dates(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([timeZone, options]);
  const found = made.get(key) ?? new Intl.DateTimeFormat(TAG, { ...options, timeZone });
  made.set(key, found);
  return found;
}

export const chinese: Manner = {
  language: "zh",
  tag: TAG,
  comma: "、",
  day: (ms, zone) => dates(zone, { month: "long", day: "numeric" }).format(ms),
  dayAndTime: (ms, zone) => dates(zone, { dateStyle: "long", timeStyle: "medium", hourCycle: "h23" }).format(ms),
  length: (count, unit) => new Intl.NumberFormat(TAG, { style: "unit", unit, unitDisplay: "long" }).format(count),
  large: (number) => LARGE.format(number),
};
