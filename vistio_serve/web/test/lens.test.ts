/** Which part of a picture is seen, and what keys and wheel make of it. */
// @vitest-environment happy-dom

import { describe, expect, test } from "vitest";
import { LARGEST_ZOOM, type Lens, WHOLE, moved, pointAt, sidesOf, within, zoomed } from "../src/traffic/lens";
import { type Lensed, listenForPanning } from "../src/traffic/panning";

const whole = { width: 1000, height: 600 };

describe("a lens", () => {
  test("that is not zoomed sees the whole", () => {
    expect(sidesOf(WHOLE, whole)).toEqual({ left: -500, right: 500, top: 300, bottom: -300 });
  });

  test.each([[0.1, 0.2], [0.5, 0.5], [0.9, 0.7]])("zooms around what is at %d, %d of the picture", (x, y) => {
    const before = { zoom: 2, x: 30, y: -20 };
    const point = pointAt(before, whole, { x, y });
    const after = zoomed(before, 1.5, point, whole);
    expect(after.zoom).toBe(3);
    const still = pointAt(after, whole, { x, y });
    expect([still.x, still.y]).toEqual([expect.closeTo(point.x, 9), expect.closeTo(point.y, 9)]);
  });

  test("never sees what is beside the whole, nor more than all, nor too little", () => {
    expect(zoomed({ zoom: 2, x: 250, y: 150 }, 0.5, { x: 0, y: 0 }, whole)).toEqual(WHOLE);
    expect(zoomed(WHOLE, 0.1, { x: 400, y: 0 }, whole)).toEqual(WHOLE);
    expect(zoomed(WHOLE, 1000, WHOLE, whole).zoom).toBe(LARGEST_ZOOM);
    expect(moved({ zoom: 2, x: 0, y: 0 }, 5, -5, whole)).toEqual({ zoom: 2, x: 250, y: -150 });
    expect(within({ zoom: 4, x: 1e9, y: 0 }, whole)).toEqual({ zoom: 4, x: 375, y: 0 });
  });

  test("moves by shares of what is seen", () => {
    expect(moved({ zoom: 4, x: 0, y: 0 }, 0.2, 0.1, whole)).toEqual({ zoom: 4, x: 50, y: 15 });
  });
});

describe("hands", () => {
  const make = (onNode = false): { canvas: HTMLCanvasElement; on: Lensed & { lens: Lens } } => {
    const canvas = document.createElement("canvas");
    canvas.getBoundingClientRect = () => ({ left: 0, top: 0, width: 1000, height: 600 }) as DOMRect;
    const on = { lens: WHOLE as Lens, whole, look(lens: Lens) { on.lens = lens; }, onNode: () => onNode };
    listenForPanning(canvas, on);
    return { canvas, on };
  };
  const key = (canvas: HTMLCanvasElement, name: string): boolean => canvas.dispatchEvent(new KeyboardEvent("keydown", { key: name, cancelable: true }));
  const pointer = (type: string, id: number, clientX: number, clientY: number, pointerType = "mouse"): PointerEvent => new PointerEvent(type, { pointerId: id, clientX, clientY, button: 0, pointerType });

  test("with keys zoom, and move only what is zoomed", () => {
    const { canvas, on } = make();
    expect(key(canvas, "ArrowRight")).toBe(true);
    expect(key(canvas, "+")).toBe(false);
    expect(on.lens.zoom).toBeCloseTo(1.4, 9);
    expect(key(canvas, "ArrowRight")).toBe(false);
    expect(on.lens.x).toBeGreaterThan(0);
    key(canvas, "0");
    expect(on.lens).toEqual(WHOLE);
  });

  test("with the wheel zoom in and out where the mouse is", () => {
    const { canvas, on } = make();
    // The stand-in for a browser gives a wheel no place.
    canvas.dispatchEvent(Object.assign(new WheelEvent("wheel", { deltaY: -400 }), { clientX: 1000, clientY: 0 }));
    expect(on.lens.zoom).toBeCloseTo(Math.exp(0.6), 6);
    expect(sidesOf(on.lens, whole)).toMatchObject({ right: expect.closeTo(500, 6), top: expect.closeTo(300, 6) });
    canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: 4000 }));
    expect(on.lens).toEqual(WHOLE);
  });

  test("drag the ground, but no node with the mouse", () => {
    for (const [onNode, x] of [[false, -25], [true, 0]] as const) {
      const { canvas, on } = make(onNode);
      on.look({ zoom: 4, x: 0, y: 0 });
      canvas.dispatchEvent(pointer("pointerdown", 1, 500, 300));
      window.dispatchEvent(pointer("pointermove", 1, 600, 300));
      window.dispatchEvent(pointer("pointerup", 1, 600, 300));
      window.dispatchEvent(pointer("pointermove", 1, 900, 300));
      expect(on.lens.x).toBeCloseTo(x, 9);
    }
  });

  test("pinch with two fingers", () => {
    const { canvas, on } = make();
    canvas.dispatchEvent(pointer("pointerdown", 1, 400, 300, "touch"));
    canvas.dispatchEvent(pointer("pointerdown", 2, 600, 300, "touch"));
    window.dispatchEvent(pointer("pointermove", 2, 800, 300, "touch"));
    expect(on.lens.zoom).toBeCloseTo(2, 6);
  });
});
