/** What the server answers, as values; `asking/api.ts` asks for them. */

import type { About, Graph, Notice, Rates } from "./model";

/** An answer is under way, noticeably; or for so long that something may be wrong. */
export type Waiting = "asking" | "hanging";

/** An RFC 9457 problem; `kind` is what follows `urn:vistio:problem:`, or one of this page's own. */
export interface Problem {
  readonly kind: string;
  /** 0 when there was no answer. */
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly beforeMs: number | null;
  readonly afterMs: number | null;
  readonly reason: string;
}

export interface Gap {
  readonly start: string;
  readonly end: string;
  readonly writer: string;
  readonly missing: number;
  readonly reason: string;
}

export interface Instants {
  readonly now: string;
  readonly recording: { readonly first: string | null; readonly last: string | null };
  readonly gaps: readonly Gap[];
}

type Column = readonly (number | null)[];

/** Columns of equal length. Rates are null where not all was seen; what is known of them then is a part, or null as well. */
export interface TimelineSteps {
  readonly start_ms: readonly number[];
  readonly normal: Column;
  readonly warning: Column;
  readonly danger: Column;
  readonly known_normal: Column;
  readonly known_warning: Column;
  readonly known_danger: Column;
  readonly edges: Column;
  readonly instants: readonly number[];
  readonly missing: readonly number[];
  readonly notices_info: Column;
  readonly notices_warning: Column;
  readonly notices_error: Column;
}

export interface Timeline {
  readonly now: string;
  readonly start: string;
  readonly end: string;
  readonly step_ms: number;
  readonly steps: TimelineSteps;
  readonly gaps: readonly Gap[];
}

export interface Annotation {
  readonly id: string;
  readonly start: string;
  readonly end: string | null;
  readonly kind: string;
  readonly text: string;
  readonly cluster: string;
  readonly node: string;
  readonly link: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface DiffChange {
  /** Empty for the global level. */
  readonly cluster: string;
  /** `unseen`: on one side a rule was not answered that could have told of it. */
  readonly change: "new" | "gone" | "changed" | "unseen";
  /** Null where one side was not seen. */
  readonly change_rps: number | null;
  readonly before: Rates | null;
  readonly after: Rates | null;
}

export interface DiffEdge extends DiffChange {
  readonly source: string;
  readonly target: string;
}

export interface DiffNode extends DiffChange {
  readonly node: string;
}

interface DiffMoment {
  readonly start: string;
  readonly end: string;
  readonly instants: number;
  /** To how many digits rates may have been rounded when they were recorded; null where they are exact. */
  readonly significant_digits: number | null;
}

/** What changed between two moments, the largest change first. */
export interface Diff {
  readonly before: DiffMoment;
  readonly after: DiffMoment;
  readonly changed_edges: number;
  readonly changed_nodes: number;
  readonly edges: readonly DiffEdge[];
  readonly nodes: readonly DiffNode[];
}

/** A node, or an edge with its target, by the names of the recording; without a cluster it is of the global level. */
interface Whom {
  readonly cluster: string;
  readonly node: string;
  readonly target: string | null;
}

/** Something left its normal. The words are the server's, which can tell what it means. */
export interface Incident {
  readonly start: string;
  /** Null while it lasts, for all that was seen. */
  readonly end: string | null;
  readonly summary: string;
  /** Who left normal first. */
  readonly first: Whom;
  readonly hit: readonly Pick<Whom, "cluster" | "node">[];
  /** Of what enters, 0 to 1; null where none of it was seen. */
  readonly worst_share: number | null;
  /** As usual, in the worst minute; 1 where it did not take longer, or nobody knows. */
  readonly times_as_long: number;
}

/** The incidents of a window by time, and what of it was not seen, which may hide more. */
export interface Incidents {
  readonly start: string;
  readonly end: string;
  readonly incidents: readonly Incident[];
  readonly unseen: readonly Pick<Gap, "start" | "end" | "reason">[];
}

/** Every node over time: for each a list, step by step; null where it was not seen. */
export interface Heat {
  readonly start: string;
  readonly end: string;
  readonly step_ms: number;
  /** Empty for the global level. */
  readonly cluster: readonly string[];
  readonly node: readonly string[];
  /** Requests per second. */
  readonly normal: readonly Column[];
  readonly warning: readonly Column[];
  readonly danger: readonly Column[];
  readonly latency_ms: readonly Column[];
}

/** A level of `Frames`; edges by their place in `source` and `target`, which are keys as in `Node.name`. */
export interface FrameLevel {
  /** "" is the global level. */
  readonly cluster: string;
  readonly source: readonly string[];
  readonly target: readonly string[];
  /** Requests per second: frame by frame, edge by edge; 0 where an edge was absent. */
  readonly normal: readonly (readonly number[])[];
  readonly warning: readonly (readonly number[])[];
  readonly danger: readonly (readonly number[])[];
  /** `frame` is a place in `Frames.frames`; without a target the notice is on the node `source`. */
  readonly notices: readonly FrameNotice[];
}

export interface FrameNotice extends Notice {
  readonly frame: number;
  readonly source: string;
  readonly target: string | null;
}

/** What one frame shows; null where nothing was seen. */
export interface Frame {
  readonly askedMs: number;
  readonly about: About | null;
}

/** Many graphs at once, to move through time. */
export interface Frames {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  /** Everything that some frame shows, and their peak as `maxVolume`; rates are those of the last frame. */
  readonly graph: Graph;
  readonly frames: readonly Frame[];
  readonly levels: readonly FrameLevel[];
}

/** What the timeline is about: everything, or a level, a node or an edge of it. */
export interface Subject {
  readonly level: string;
  readonly node?: string;
  readonly source?: string;
  readonly target?: string;
}
