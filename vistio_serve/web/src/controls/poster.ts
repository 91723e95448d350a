/** The picture to take away: what is drawn, what its colours mean, the timeline, and when and where it was. */

import { h } from "../dom/elements";
import type { Palette } from "../dom/palette";
import { type Text, t } from "../texts/say";

/** How many times as many pixels each way as on the screen: to be printed, or shown on a wall. */
export const POSTER_SCALE = 2;

// Of the page's design.
const LINE_PX = 28;
const TEXT_PX = 13;
const SIGN_PX = 18;

export interface Poster {
  readonly picture: HTMLCanvasElement;
  /** Null where none is drawn. */
  readonly timeline: HTMLCanvasElement | null;
  readonly caption: string;
}

type Sign = readonly [color: keyof Palette, form: "dot" | "line" | "triangle", means: Text];

const OF_PICTURE: readonly Sign[] = [
  ["normal", "dot", "requests that went well"],
  ["warning", "dot", "warnings"],
  ["danger", "dot", "errors"],
  ["danger", "line", "a connection with errors"],
  ["danger", "triangle", "a notice"],
];
const OF_TIMELINE: readonly Sign[] = [
  ["accent", "line", "requests per second"],
  ["danger", "line", "errors in percent of these"],
];

export async function posterOf({ picture, timeline, caption }: Poster, palette: Palette): Promise<Blob | null> {
  const unit = POSTER_SCALE * devicePixelRatio;
  const lines = timeline ? 3 : 2;
  const made = h("canvas", { width: picture.width, height: picture.height + lines * LINE_PX * unit + (timeline?.height ?? 0) });
  const context = made.getContext("2d");
  if (!context) return null;
  context.fillStyle = palette.ground;
  context.fillRect(0, 0, made.width, made.height);
  context.drawImage(picture, 0, 0);
  let top = picture.height;
  const line = (draw: (context: CanvasRenderingContext2D) => void): void => {
    context.save();
    context.translate(LINE_PX * 0.5 * unit, top + LINE_PX * 0.5 * unit);
    context.scale(unit, unit);
    Object.assign(context, { font: `${TEXT_PX}px system-ui, sans-serif`, textBaseline: "middle", fillStyle: palette.text });
    draw(context);
    context.restore();
    top += LINE_PX * unit;
  };
  line((at) => at.fillText(caption, 0, 0));
  line((at) => drawSigns(at, OF_PICTURE, palette));
  if (timeline) {
    context.drawImage(timeline, 0, top);
    top += timeline.height;
    line((at) => drawSigns(at, OF_TIMELINE, palette));
  }
  return new Promise((resolve) => made.toBlob(resolve, "image/png"));
}

/** Signs with their meanings, one after the other. */
function drawSigns(context: CanvasRenderingContext2D, signs: readonly Sign[], palette: Palette): void {
  let left = 0;
  for (const [color, form, text] of signs) {
    const means = t(text);
    context.fillStyle = palette[color];
    context.beginPath();
    if (form === "dot") context.arc(left + SIGN_PX / 2, 0, 4, 0, 2 * Math.PI);
    else if (form === "line") context.rect(left, -1.5, SIGN_PX, 3);
    else {
      context.moveTo(left + SIGN_PX / 2, -6);
      context.lineTo(left + SIGN_PX, 6);
      context.lineTo(left, 6);
    }
    context.fill();
    context.fillStyle = palette.quiet;
    context.fillText(means, left + SIGN_PX + 6, 0);
    left += SIGN_PX + 6 + context.measureText(means).width + 20;
  }
}
