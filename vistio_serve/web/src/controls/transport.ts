/** Buttons that travel through time, and the clock that can be set. */

import { fill, h, icon, iconButton, set, setText } from "../dom/elements";
import type { Actions, Data, Snapshot, View } from "../store/store";
import { stopsOf } from "../store/stops";
import { t } from "../texts/say";
import { togglePin } from "../values/baseline";
import { serverMs } from "../store/lateness";
import { formatDateTime } from "../values/format";
import { MOMENTS, parseInstant } from "../values/moments";
import { UTC } from "../values/zones";
import { extentOf } from "../values/series";
import { SPEEDS, type State, type Window, isNowhere } from "../values/state";
import { type Axis, goLive, goTo, play, playheadMs, setLoop, setSpeed, step, toMark, togglePlaying } from "../values/travel";
import { ZoneChoice } from "./zone-choice";
import { ZoomChoice } from "./zoom-choice";

type Step = (state: State, axis: Axis, data: Data) => State;

/** A step through time for `Actions.change`; nothing happens before the recording's extent is known. */
export function travelling(step: Step): (state: State, data: Data) => State {
  return (state, data) => (data.axis ? step(state, data.axis, data) : state);
}

export function toNextStop(direction: 1 | -1): (state: State, data: Data) => State {
  return travelling((state, axis, data) => toMark(state, axis, stopsOf({ state, data }), direction));
}

/** Loops over what the timeline shows, or stops looping. */
export const toggleLoop = travelling((state, axis) => setLoop(state, state.travel.loop ? null : loopOf(state.window, axis)));

function loopOf(window: Window | null, axis: Axis): Window {
  return extentOf(window, axis);
}

export class TransportView implements View {
  readonly element: HTMLElement;
  private readonly playing: HTMLButtonElement;
  private readonly loop: HTMLButtonElement;
  private readonly live: HTMLButtonElement;
  private readonly compare: HTMLButtonElement;
  private readonly clock: HTMLInputElement;
  private readonly speed: HTMLSelectElement;
  private readonly refused = h("p", { class: "clock-refused", role: "alert" });
  private shownAs = "";
  private readonly zone: ZoneChoice;
  private readonly zooms: ZoomChoice;
  private now: Snapshot | null = null;

  constructor(private readonly actions: Actions) {
    const does = (make: Step) => () => this.actions.change(travelling(make));
    this.playing = iconButton("pause", t("Pause (space)"), does(togglePlaying));
    this.playing.classList.add("primary");
    this.loop = iconButton("loop", t("Loop over the timeline's window (o)"), () => this.actions.change(toggleLoop));
    this.live = h("button", { type: "button", class: "button", title: t("Follow the newest instant (l)"), onClick: () => this.actions.change(goLive) }, t("Live"));
    this.compare = h("button", { type: "button", class: "button", title: t("Pin this moment and compare others with it (c)"), onClick: () => this.actions.change(togglePin) }, icon("pin"), t("Compare"));
    this.clock = h("input", { type: "text", class: "clock", "aria-label": t("Moment shown"), title: t`Type a moment, such as ${t(MOMENTS)}, and press Enter (t)`, spellcheck: "false", autocomplete: "off", onChange: () => this.typed(), onInput: () => this.refuse(""), onBlur: () => this.refuse("") });
    this.speed = h("select", { class: "speed", "aria-label": t("Speed"), title: t("Recorded seconds per second (+ and −)"), onChange: () => this.actions.change((state) => setSpeed(state, SPEEDS.find((each) => String(each) === this.speed.value) ?? 1)) }, ...SPEEDS.map((speed) => h("option", { value: speed }, `${speed}×`)));
    this.zone = new ZoneChoice(actions);
    this.zooms = new ZoomChoice(actions);
    this.element = h("div", { class: "transport", role: "toolbar", "aria-label": t("Travel") },
      iconButton("previousMark", t("Previous incident, notice or gap (p)"), () => this.actions.change(toNextStop(-1))),
      iconButton("back", t("Play backwards (b)"), does((state, axis) => play(state, axis, -1))),
      iconButton("earlier", t("One instant back (←)"), does((state, axis) => step(state, axis, -1))),
      this.playing,
      iconButton("later", t("One instant on (→)"), does((state, axis) => step(state, axis, 1))),
      iconButton("nextMark", t("Next incident, notice or gap (n)"), () => this.actions.change(toNextStop(1))),
      this.speed, this.loop, this.clock, this.zone.element, this.live, this.compare, this.refused, this.zooms.element);
  }

  /** One more of the things to do at a moment. */
  add(control: HTMLElement): void {
    this.compare.after(control);
  }

  focusClock(): void {
    this.clock.focus();
    this.clock.select();
  }

  render(now: Snapshot): void {
    const { state, data } = now;
    const { mode, speed, loop } = state.travel;
    this.now = now;
    this.zone.render(now);
    this.zooms.render(now);
    const shownAs = mode === "at" ? "play" : "pause";
    if (this.shownAs !== shownAs) {
      this.shownAs = shownAs;
      fill(this.playing, icon(shownAs));
      for (const name of ["title", "aria-label"]) set(this.playing, name, mode === "at" ? t("Play (space)") : t("Pause (space)"));
    }
    if (document.activeElement !== this.speed) this.speed.value = String(speed);
    set(this.loop, "aria-pressed", loop ? "true" : "false");
    set(this.live, "aria-pressed", mode === "live" && !isNowhere(state) ? "true" : "false");
    set(this.compare, "aria-pressed", state.baselineMs !== null ? "true" : "false");
    const shownMs = mode === "live" ? data.graph?.about.instantMs : data.axis ? playheadMs(state, data.axis) : state.travel.atMs;
    const text = shownMs == null || isNowhere(state) ? "" : formatDateTime(shownMs, state.zone);
    if (document.activeElement !== this.clock && this.clock.value !== text) this.clock.value = text;
  }

  private typed(): void {
    const { state, data } = this.now!;
    // Relative to the server's clock: this browser's may go wrong.
    const ms = parseInstant(this.clock.value, serverMs(data, Date.now()), state.zone);
    if (ms === null) {
      // What is typed next takes its place.
      this.clock.select();
      const typed = this.clock.value.trim() || t("Nothing");
      return this.refuse(state.zone === UTC ? t`${typed} is no moment; such are ${t(MOMENTS)}` : t`${typed} is no moment in ${state.zone}; such are ${t(MOMENTS)}`);
    }
    this.clock.blur();
    this.actions.change(travelling((shown, axis) => goTo(shown, ms, axis)));
  }

  private refuse(why: string): void {
    set(this.clock, "aria-invalid", why !== "");
    setText(this.refused, why);
  }
}
