/** Where somebody put nodes: in the state, in a link, in a file. */

import { describe, expect, test } from "vitest";
import { MOST_IN_LINK, NO_PLACES, countPlaces, forgetPlaces, placesFrom, placesText, putNode } from "../src/values/places";
import { INITIAL, type State } from "../src/values/state";
import { fromFragment, toFragment } from "../src/values/url";

const read = (fragment: string): State => fromFragment(fragment, INITIAL.display, 0);
const put = { ...INITIAL, places: putNode(putNode(NO_PLACES, "eu", "a, b/&", { x: 1.4, y: -2.6 }), "", "INTERNET", { x: 5, y: 6 }) };

describe("places", () => {
  test("are of a level and a node, in whole units", () => {
    expect(put.places).toEqual({ eu: { "a, b/&": { x: 1, y: -3 } }, "": { INTERNET: { x: 5, y: 6 } } });
    expect(forgetPlaces(put.places, "eu")).toEqual({ "": { INTERNET: { x: 5, y: 6 } } });
    expect(forgetPlaces(put.places, "us")).toBe(put.places);
  });

  test("stand in the link, whatever a node is called", () => {
    expect(read(toFragment(put)).places).toEqual(put.places);
    expect(toFragment(INITIAL)).toBe("");
  });

  test("are too many for a link from one on more than it holds", () => {
    let many = NO_PLACES;
    for (let count = 0; count < MOST_IN_LINK; count++) many = putNode(many, "eu", `n${count}`, { x: count, y: 0 });
    expect(countPlaces(read(toFragment({ ...INITIAL, places: many })).places)).toBe(MOST_IN_LINK);
    expect(read(toFragment({ ...INITIAL, places: putNode(many, "eu", "one more", { x: 0, y: 0 }) })).places).toEqual(NO_PLACES);
  });

  test.each(["place=1,2", "place=x,2,eu,a", "place=1,NaN,eu,a", "place=1,99999,eu,a", "place=1,2,eu,%25E0%25A4%25A", "place="])("that make no sense are left out: %s", (query) => {
    expect(read(`#/?${query}`).places).toEqual(NO_PLACES);
  });

  test("are a small file, and nothing else is one", () => {
    expect(placesFrom(placesText(put.places))).toEqual(put.places);
    for (const text of ["", "[]", "{}", "null", '{"vistio":"places"}', '{"places":{}}']) expect(placesFrom(text)).toBeNull();
    expect(placesFrom('{"vistio":"places","places":{"eu":{"a":null,"b":{"x":"1","y":2},"c":{"x":1,"y":2}}}}')).toEqual({ eu: { c: { x: 1, y: 2 } } });
  });
});
