import { describe, expect, test } from "vitest";
import { INITIAL, type State, back, enter, leave, openPath, select, setFilters, zoom } from "../src/values/state";

const at = (change: Partial<State>): State => ({ ...INITIAL, ...change });
const cart = { kind: "node", node: "cart" } as const;

describe("levels", () => {
  test("entering a level clears what was selected on the one before", () => {
    const state = enter(at({ selection: cart }), "eu-west");
    expect(state.path).toEqual(["eu-west"]);
    expect(state.selection).toBeNull();
  });

  test("there are two levels below the global one and no third", () => {
    expect(enter(at({ path: ["eu-west", "cart"] }), "more").path).toEqual(["eu-west", "cart"]);
  });

  test("leaving the global level changes nothing", () => {
    expect(leave(INITIAL)).toBe(INITIAL);
  });

  test("opening the level that is open changes nothing, so that a click does not clear a selection", () => {
    const state = at({ path: ["eu-west"], selection: cart });
    expect(openPath(state, ["eu-west"])).toBe(state);
  });
});

test("Esc clears the search, then the selection, then goes up a level, then does nothing", () => {
  const steps = [at({ find: "ca", selection: cart, path: ["eu-west"] })];
  for (let count = 0; count < 4; count++) steps.push(back(steps.at(-1)!));
  expect(steps.map((state) => [state.find, state.selection?.kind, state.path.length])).toEqual([
    ["ca", "node", 1],
    ["", "node", 1],
    ["", undefined, 1],
    ["", undefined, 0],
    ["", undefined, 0],
  ]);
});

test("selecting what is selected changes nothing", () => {
  const state = at({ selection: cart });
  expect(select(state, { kind: "node", node: "cart" })).toBe(state);
});

test("hidden classes are kept sorted, so that equal filters make equal links", () => {
  expect(setFilters(INITIAL, { hiddenClasses: ["outside", "database"] }).filters.hiddenClasses).toEqual(["database", "outside"]);
});

test("a window that is empty or turned around shows the whole recording", () => {
  expect(zoom(INITIAL, { startMs: 1, endMs: 2 }).window).toEqual({ startMs: 1, endMs: 2 });
  expect(zoom(INITIAL, { startMs: 2, endMs: 2 }).window).toBeNull();
  expect(zoom(INITIAL, { startMs: 3, endMs: 2 }).window).toBeNull();
});
