/** Time zones: what the clocks of a place show at a moment, and when they show it. Pure; the rules are the browser's own, of `Intl`. */

/** A zone by its name in the IANA's list, such as `Europe/Berlin`. */
export type Zone = string;

export const UTC: Zone = "UTC";

const DAY_MS = 86_400_000;

// Making one takes as long as using it a thousand times.
const clocks = new Map<Zone, Intl.DateTimeFormat>();

/** The zone's own name, however it was written; null where the browser knows none of that name. */
export function zoneNamed(name: string): Zone | null {
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
    return /^(?:Etc\/)?(?:UTC|GMT|UCT)$/.test(timeZone) ? UTC : timeZone;
  } catch {
    return null;
  }
}

/** How far a zone's clocks are ahead of UTC at a moment, in ms. */
export function aheadMs(ms: number, zone: Zone): number {
  return wallMs(ms, zone) - ms;
}

/** What the zone's clocks show at a moment, as the epoch milliseconds at which those of UTC show the same. */
export function wallMs(ms: number, zone: Zone): number {
  if (zone === UTC) return ms;
  // The format has whole seconds.
  const seconds = Math.floor(ms / 1000) * 1000;
  const part = Object.fromEntries(clockOf(zone).formatToParts(seconds).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part["year"]!, part["month"]! - 1, part["day"], part["hour"], part["minute"], part["second"]) + ms - seconds;
}

/**
 * The moment at which the zone's clocks show this; the first one where they show it twice, null where they leave it out.
 *
 * @param wall as `wallMs` tells it.
 */
export function momentAt(wall: number, zone: Zone): number | null {
  // Clocks are changed less than once in a day: one of these is ahead as much as they are at that moment.
  const candidates = [wall - DAY_MS, wall + DAY_MS].map((near) => wall - aheadMs(near, zone)).filter((ms) => wallMs(ms, zone) === wall);
  return candidates.length ? Math.min(...candidates) : null;
}

function clockOf(zone: Zone): Intl.DateTimeFormat {
  const known = clocks.get(zone) ?? new Intl.DateTimeFormat("en", { timeZone: zone, hourCycle: "h23", calendar: "gregory", numberingSystem: "latn", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
  clocks.set(zone, known);
  return known;
}
