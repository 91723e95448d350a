/** What the page asks of whatever draws traffic. The page is tested against this, without WebGL. */

import type { Palette } from "../dom/palette";
import type { Scene } from "../picture/scene";
import type { Place, Places } from "../values/places";
import type { Selection } from "../values/state";
import type { Lensed } from "./panning";

/** What happened in the picture; the page decides what follows. */
export interface TrafficEvents {
  select(selection: Selection | null): void;
  /** A level, or a node's own view, was entered. */
  open(path: readonly string[]): void;
  /** Somebody dragged a node of a level. */
  put(level: string, node: string, place: Place): void;
  /** Another part of the picture is seen. */
  looked(): void;
}

export interface TrafficView extends Lensed {
  /** Draws a scene; nodes that were there keep their places. */
  show(scene: Scene): void;
  /** Goes to a level; what is not there leads to the nearest level that is. */
  open(path: readonly string[]): void;
  /** Dims everything that does not belong to the selection, or to the nodes that were found; null where none is looked for. */
  emphasise(selection: Selection | null, found: ReadonlySet<string> | null): void;
  setLabels(shown: boolean): void;
  /** Without motion, particles stand where they are. */
  setMotion(moving: boolean): void;
  setPalette(palette: Palette): void;
  /** Where somebody put nodes. */
  keep(places: Places): void;
  /** Where the nodes are that are seen, in the units of the lens. */
  places(): readonly Place[];
  /** A copy of the picture of this moment, with `scale` times as many pixels each way as on the screen. */
  draw(scale: number): HTMLCanvasElement | null;
  /** Where a node of the present level is, in CSS pixels of the viewport. */
  placeOf(node: string): { readonly x: number; readonly y: number } | null;
  /** What is drawn at this moment; for tests. */
  inspect(): Inspection;
}

export interface Inspection {
  readonly level: string;
  readonly nodes: readonly string[];
  readonly edges: readonly string[];
  /** What stands beside each node. */
  readonly labels: Readonly<Record<string, string>>;
  /** Particles that are on their way. */
  readonly particles: number;
  /** True while a change of level is under way. */
  readonly zooming: boolean;
  /** True until what was shown last is on the picture. */
  readonly pending: boolean;
}
