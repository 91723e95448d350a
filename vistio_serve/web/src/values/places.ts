/** Places of nodes that somebody dragged: they return at every instant, and can be named, kept and handed on. Pure. */

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** By the name of a level, "" the global one, and that of a node. Units are the picture's, its middle is (0, 0), y goes up. */
export type Places = Readonly<Record<string, Readonly<Record<string, Place>>>>;

export const NO_PLACES: Places = {};
/** More are handed on as a file: an address must fit into a chat. */
export const MOST_IN_LINK = 40;
const FARTHEST = 5000;

export function putNode(places: Places, level: string, node: string, { x, y }: Place): Places {
  return { ...places, [level]: { ...places[level], [node]: { x: Math.round(x), y: Math.round(y) } } };
}

/** Without those of a level. */
export function forgetPlaces(places: Places, level: string): Places {
  if (!places[level]) return places;
  const { [level]: _, ...others } = places;
  return others;
}

export function countPlaces(places: Places): number {
  return Object.values(places).reduce((count, nodes) => count + Object.keys(nodes).length, 0);
}

/** `place=x,y,level,node`, with the names escaped: once for each node. */
export function writePlaces(places: Places, query: URLSearchParams): void {
  if (countPlaces(places) > MOST_IN_LINK) return;
  for (const [level, nodes] of Object.entries(places)) {
    for (const [node, { x, y }] of Object.entries(nodes)) query.append("place", [x, y, encodeURIComponent(level), encodeURIComponent(node)].join(","));
  }
}

/** What cannot be understood is left out. */
export function readPlaces(query: URLSearchParams): Places {
  return collected(query.getAll("place").slice(0, MOST_IN_LINK).flatMap((text) => {
    const [x, y, level, node] = text.split(",");
    try {
      return [[decodeURIComponent(level ?? ""), decodeURIComponent(node ?? ""), { x: Number(x), y: Number(y) }] as const];
    } catch {
      return [];
    }
  }));
}

/** As the file that is saved. */
export function placesText(places: Places): string {
  return JSON.stringify({ vistio: "places", places }, null, 1);
}

/** Of such a file; null where it is none. */
export function placesFrom(text: string): Places | null {
  try {
    const read = JSON.parse(text) as { vistio?: unknown; places?: Places };
    if (read.vistio !== "places" || typeof read.places !== "object" || read.places === null) return null;
    return collected(Object.entries(read.places).flatMap(([level, nodes]) => Object.entries(nodes ?? {}).map(([node, place]) => [level, node, place] as const)));
  } catch {
    return null;
  }
}

function collected(all: readonly (readonly [level: string, node: string, place: Place])[]): Places {
  const found = new Map<string, Map<string, Place>>();
  for (const [level, node, place] of all) {
    const { x, y } = place ?? {};
    if (!node || !Number.isFinite(x) || !Number.isFinite(y) || Math.max(Math.abs(x), Math.abs(y)) > FARTHEST) continue;
    found.set(level, (found.get(level) ?? new Map<string, Place>()).set(node, { x, y }));
  }
  // What somebody wrote is a name here, and never a property that objects have.
  return found.size ? Object.fromEntries([...found].map(([level, nodes]) => [level, Object.fromEntries(nodes)])) : NO_PLACES;
}
