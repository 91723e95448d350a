/** The one place that changes: the state and the data, and who wants to know. */

import type { Annotation, Diff, Gap, Heat, Incidents, Problem, Subject, Timeline, Waiting } from "../values/answers";
import type { Access } from "../values/marks";
import type { Graph } from "../values/model";
import type { Patterns } from "../values/patterns";
import type { State, Window } from "../values/state";
import { EMPTY, type Topology } from "../values/topology";
import type { Axis } from "../values/travel";

/** The answer to a question about rates over time; the last timeline stays beside a problem of the same subject. */
export interface Followed {
  readonly subject: Subject;
  readonly timeline: Timeline | null;
  /** Of a level what enters, of a node what it receives; null of anything else, and where that is not known. */
  readonly counted: Timeline | null;
  readonly problem: Problem | null;
}

/** The hour before; neither timeline nor problem while the answer is under way. */
export interface Trend {
  readonly subject: Subject;
  readonly window: Window;
  readonly timeline: Timeline | null;
  readonly problem: Problem | null;
}

/** What happened; neither found nor problem while the answer is under way. What was found stays beside a later problem. */
export interface Happened {
  /** The timeline's window that it was asked for; null for the whole recording. */
  readonly of: Window | null;
  /** What of it was asked about. */
  readonly window: Window;
  readonly found: Incidents | null;
  readonly problem: Problem | null;
}

/** All services over time; neither heat nor problem while the answer is under way. */
export interface Heated {
  /** As in `Happened`. */
  readonly of: Window | null;
  readonly window: Window;
  readonly heat: Heat | null;
  readonly problem: Problem | null;
}

/** What the global level has below it: the timelines of clusters, for their notices. */
export interface Below {
  /** As in `Happened`. */
  readonly of: Window | null;
  readonly window: Window;
  /** By level; some may not have been answered yet. */
  readonly timelines: ReadonlyMap<string, Timeline>;
  /** Whether the last round was not answered for some cluster. */
  readonly failed: boolean;
}

/** What was answered. Everything here can be asked again; nothing here is in a link. */
export interface Data {
  /** The graph on the page: for the moment asked for, or the last one before something failed. */
  readonly graph: Graph | null;
  /** Everything that was there in the timeline's window, or since; places of nodes come from it. */
  readonly topology: Topology;
  /** Why the graph is not the one asked for. */
  readonly problem: Problem | null;
  /** Whether the picture's answer is under way, and for how long; null while nobody would notice. */
  readonly waiting: Waiting | null;
  readonly axis: Axis | null;
  /** The server's clock less this browser's, in ms; null until it was told. */
  readonly clockOffsetMs: number | null;
  readonly gaps: readonly Gap[];
  /** Rates over time; of what was followed when it was asked for, see `fitting`. */
  readonly followed: Followed | null;
  readonly annotations: readonly Annotation[];
  /** What may be done here; null as long as the server has not said. */
  readonly access: Access | null;
  /** What changed from the pinned moment to the one shown; while time plays it may be a moment late. */
  readonly diff: Diff | null;
  readonly diffProblem: Problem | null;
  /** The hour before, of what is selected. */
  readonly trend: Trend | null;
  /** What happened in the timeline's window. */
  readonly happened: Happened | null;
  readonly below: Below | null;
  readonly heated: Heated | null;
  /** The engine of regular expressions; null until something needs it and it is loaded. */
  readonly patterns: Patterns | null;
  /** What of the page's own was to be loaded, and why it could not; empty where all is well. */
  readonly unloaded: string;
}

export const NO_DATA: Data = {
  graph: null,
  topology: EMPTY,
  problem: null,
  waiting: null,
  axis: null,
  clockOffsetMs: null,
  gaps: [],
  followed: null,
  annotations: [],
  access: null,
  diff: null,
  diffProblem: null,
  trend: null,
  happened: null,
  below: null,
  heated: null,
  patterns: null,
  unloaded: "",
};

export interface Snapshot {
  readonly state: State;
  readonly data: Data;
}

export type Listener = (now: Snapshot, before: Snapshot) => void;

/** What panels and controls do: they hand in a step. */
export interface Actions {
  change(step: (state: State, data: Data) => State): void;
}

/** A part of the page that is a function of the snapshot. */
export interface View {
  readonly element: HTMLElement;
  render(now: Snapshot): void;
}

export class Store implements Actions {
  private now: Snapshot;
  private told: Snapshot;
  private readonly listeners: Listener[] = [];
  private scheduled = false;

  constructor(
    state: State,
    private readonly schedule: (run: () => void) => void = (run) => queueMicrotask(run),
  ) {
    this.now = { state, data: NO_DATA };
    this.told = this.now;
  }

  get snapshot(): Snapshot {
    return this.now;
  }

  change(step: (state: State, data: Data) => State): void {
    const state = step(this.now.state, this.now.data);
    if (state !== this.now.state) this.set({ ...this.now, state });
  }

  learn(news: Partial<Data>): void {
    this.set({ ...this.now, data: { ...this.now.data, ...news } });
  }

  /** Calls back after changes, once for all of those that came together. */
  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }

  private set(next: Snapshot): void {
    this.now = next;
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(() => {
      this.scheduled = false;
      const [now, before] = [this.now, this.told];
      this.told = now;
      for (const listener of this.listeners) listener(now, before);
    });
  }
}
