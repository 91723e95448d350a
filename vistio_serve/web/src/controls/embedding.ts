/** The page in a notebook's frame: what the window around it says, in place of an address and its history. */

import type { Store } from "../store/store";
import { type Shared, newsOf, sharedOf, withShared } from "../values/embedded";
import { type Display, INITIAL, type State, type Theme } from "../values/state";
import { chosenOf } from "./language";

/** What the frame's document says of itself when the page begins. */
interface Beginning extends Shared {
  readonly theme: Theme;
  readonly language?: unknown;
}

const META = "meta[name=vistio-embedded]";
// While time plays: a notebook's cells need not know each frame.
const APART_MS = 500;

/** What the document says that is shown in a frame; null for a page of a server. */
export function beginningOf(document: Document): Beginning | null {
  const content = document.querySelector<HTMLMetaElement>(META)?.content;
  return content ? (JSON.parse(content) as Beginning) : null;
}

/** The state to begin with. */
export function embeddedState(beginning: Beginning, display: Display): State {
  return withShared({ ...INITIAL, display: { ...display, theme: beginning.theme, language: chosenOf(beginning.language) } }, beginning);
}

export function toParent(message: unknown): void {
  window.parent.postMessage(message, "*");
}

/** Calls back with each message of the window around the frame, and of no other. */
export function fromParent(heard: (message: unknown) => void): void {
  window.addEventListener("message", (event) => {
    if (event.source === window.parent) heard(event.data);
  });
}

export class Embedding {
  /** What the notebook knows. It is told what differs and nothing else, or it would be set back to what it has just changed. */
  private known: Shared;
  private toldMs = -Infinity;

  constructor(store: Store) {
    this.known = sharedOf(store.snapshot.state);
    fromParent((message) => {
      const { vistio, ...asked } = message as Partial<Shared> & { vistio?: string };
      if (vistio !== "go") return;
      store.change((state) => withShared(state, asked));
      this.known = sharedOf(store.snapshot.state);
    });
  }

  follow(state: State, before: State): void {
    const shared = sharedOf(state);
    const news = newsOf(shared, this.known);
    const playing = state.travel.mode === "playing" && before.travel.mode === "playing";
    if (!Object.keys(news).length || (playing && performance.now() - this.toldMs < APART_MS)) return;
    this.known = shared;
    this.toldMs = performance.now();
    toParent({ vistio: "state", ...news });
  }
}
