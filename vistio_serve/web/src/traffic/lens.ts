/** Which part of a level is seen: pan and zoom. Units are the component's, its middle is (0, 0), y goes up. Pure. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** What is in the middle, and how many times larger than the whole it is shown. */
export interface Lens extends Point {
  readonly zoom: number;
}

export const WHOLE: Lens = { zoom: 1, x: 0, y: 0 };
export const LARGEST_ZOOM = 12;
/** Of what is seen, how much one key moves it. */
export const STEP_SHARE = 0.2;
export const STEP_ZOOM = 1.4;

/** `times` larger; what is at a point stays there. */
export function zoomed(lens: Lens, times: number, at: Point, whole: Size): Lens {
  const zoom = Math.min(Math.max(lens.zoom * times, 1), LARGEST_ZOOM);
  const kept = lens.zoom / zoom;
  return within({ zoom, x: at.x + (lens.x - at.x) * kept, y: at.y + (lens.y - at.y) * kept }, whole);
}

/** Moved by shares of what is seen: to the right, and up. */
export function moved(lens: Lens, right: number, up: number, whole: Size): Lens {
  return within({ ...lens, x: lens.x + (right * whole.width) / lens.zoom, y: lens.y + (up * whole.height) / lens.zoom }, whole);
}

/** The edges of what is seen. */
export function sidesOf({ zoom, x, y }: Lens, { width, height }: Size): { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number } {
  const [half, high] = [width / 2 / zoom, height / 2 / zoom];
  return { left: x - half, right: x + half, top: y + high, bottom: y - high };
}

/** The point of a level at shares of the picture, from its left and its top. */
export function pointAt(lens: Lens, whole: Size, share: Point): Point {
  const { left, right, top, bottom } = sidesOf(lens, whole);
  return { x: left + share.x * (right - left), y: top - share.y * (top - bottom) };
}

/** Nothing beside the whole is ever seen. */
export function within({ zoom, x, y }: Lens, { width, height }: Size): Lens {
  const [far, high] = [(width / 2) * (1 - 1 / zoom), (height / 2) * (1 - 1 / zoom)];
  // A zero has no sign here, for two lenses that are the same should be equal.
  const clamp = (value: number, most: number): number => Math.min(Math.max(value, -most), most) || 0;
  return { zoom, x: clamp(x, far), y: clamp(y, high) };
}
