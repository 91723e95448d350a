/**
 * Asks the server; whatever goes wrong is a value, never an exception.
 *
 * Addresses are relative to the page, so that the page works wherever a proxy has put it.
 */

import { manner, t } from "../texts/say";
import type { Annotation, Diff, FrameLevel, Frames, Heat, Incidents, Instants, Problem, Subject, Timeline } from "../values/answers";
import { formatInstant } from "../values/format";
import type { Access } from "../values/marks";
import { type Graph, type RawAbout, type RawGraph, type RawNotice, readAbout, readGraph, readNotice } from "../values/model";
import type { Window } from "../values/state";
import { type Page, whenSeen } from "./seen";

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

interface RawFrames {
  start: string; end: string; step_ms: number; graph: RawGraph;
  frames: ({ asked: string } & ({ instant: null } | RawAbout))[];
  levels: (Omit<FrameLevel, "notices"> & {
    notices: ({ frame: number; source: string; target: string | null } & RawNotice)[];
  })[];
}

type Query = Readonly<Record<string, string | undefined>>;

const TIMEOUT_MS = 15_000;
// Of a day of a big mesh, what happened takes that long to be worked out.
const WORKED_OUT_MS = 120_000;
const OF_THE_PICTURE = new Set(["graph", "frames"]);
// More is neither read in a panel nor told apart in a picture.
const MAX_CHANGES = 1000;

export class Api {
  /** Shown with what asks for a change; null: what the browser shows by itself, such as a password. */
  token: string | null = null;
  /** Who is told that an answer for the picture is awaited. */
  awaited: { begin(): () => void } | null = null;

  /**
   * @param base the page's own address; answers are beside it.
   * @param fetcher `fetch`, or what a test puts in its place.
   * @param page each question waits until somebody sees it.
   */
  constructor(
    private readonly base: string,
    private readonly fetcher: typeof fetch = (...given) => fetch(...given),
    private readonly page: Page | null = null,
  ) {}

  /** The address of an answer, for links. */
  address(route: string, query: Query = {}): string {
    const given = Object.entries(query).filter((each): each is [string, string] => each[1] !== undefined);
    const url = new URL(route, this.base);
    url.hash = "";
    url.search = new URLSearchParams(given).toString();
    return url.href;
  }

  async graph(atMs: number | null, signal?: AbortSignal): Promise<Result<Graph>> {
    const asked = await this.json<RawGraph>("graph", { at: instant(atMs) }, signal);
    return asked.ok ? { ok: true, value: readGraph(asked.value) } : asked;
  }

  /** The graph at an instant with everything that was there at some time in the window. */
  async topology(window: Window, atMs: number, signal?: AbortSignal): Promise<Result<Graph>> {
    const [start, end] = [formatInstant(window.startMs), formatInstant(window.endMs)];
    const asked = await this.json<RawGraph>("graph", { at: instant(atMs), stable: `${start}/${end}` }, signal);
    return asked.ok ? { ok: true, value: readGraph(asked.value) } : asked;
  }

  /** The graphs of a window, one each `stepMs`; the recording's interval where it is left out. */
  async frames(window: Window, stepMs?: number, signal?: AbortSignal): Promise<Result<Frames>> {
    const query = {
      start: instant(window.startMs),
      end: instant(window.endMs),
      step: stepMs === undefined ? undefined : `${stepMs}ms`,
    };
    const asked = await this.json<RawFrames>("frames", query, signal);
    return asked.ok ? { ok: true, value: readFrames(asked.value) } : asked;
  }

  /** How far the recording goes, and the server's clock; of single instants as few as can be asked for. */
  extent(): Promise<Result<Instants>> {
    return this.json("instants", { start: "-1s" });
  }

  instants(window: Window | null, signal?: AbortSignal): Promise<Result<Instants>> {
    return this.json("instants", { start: instant(window?.startMs), end: instant(window?.endMs) }, signal);
  }

  timeline(window: Window | null, subject: Subject | null, signal?: AbortSignal, stepMs?: number): Promise<Result<Timeline>> {
    const query = {
      start: instant(window?.startMs),
      end: instant(window?.endMs),
      step: stepMs === undefined ? undefined : `${stepMs}ms`,
      cluster: subject?.level || undefined,
      level: subject?.level === "" ? "global" : undefined,
      node: subject?.node,
      source: subject?.source,
      target: subject?.target,
    };
    return this.json("timeline", query, signal);
  }

  async annotations(window: Window, signal?: AbortSignal): Promise<Result<readonly Annotation[]>> {
    const query = { start: instant(window.startMs), end: instant(window.endMs) };
    const asked = await this.json<{ annotations: Annotation[] }>("annotations", query, signal);
    return asked.ok ? { ok: true, value: asked.value.annotations } : asked;
  }

  diff(beforeMs: number, afterMs: number, signal?: AbortSignal): Promise<Result<Diff>> {
    return this.json("diff", { before: instant(beforeMs), after: instant(afterMs), limit: String(MAX_CHANGES) }, signal);
  }

  incidents(window: Window): Promise<Result<Incidents>> {
    return this.json("incidents", { start: instant(window.startMs), end: instant(window.endMs) }, undefined, WORKED_OUT_MS);
  }

  heat(window: Window): Promise<Result<Heat>> {
    return this.json("heat", { start: instant(window.startMs), end: instant(window.endMs) }, undefined, WORKED_OUT_MS);
  }

  access(): Promise<Result<Access>> {
    return this.json("access", {}, undefined, TIMEOUT_MS, this.shown());
  }

  /** Makes, replaces or removes something. */
  change(method: "POST" | "PUT" | "DELETE", route: string, content?: unknown): Promise<Result<unknown>> {
    const shown = this.shown();
    const body = content === undefined ? {} : { body: JSON.stringify(content) };
    const headers = { ...shown.headers, ...(content === undefined ? {} : { "Content-Type": "application/json" }) };
    return this.json(route, {}, undefined, TIMEOUT_MS, { ...shown, method, headers, ...body });
  }

  /** With a token of its own, the browser shows nothing by itself, and asks nobody for a password when it is refused. */
  private shown(): RequestInit {
    return this.token ? { credentials: "omit", headers: { Authorization: `Bearer ${this.token}` } } : {};
  }

  /** The formats in which this server gives a graph, as its own description lists them; none when it does not answer. */
  async formats(): Promise<readonly string[]> {
    interface Description { paths?: Record<string, { get?: { parameters?: { name: string; schema?: { enum?: string[] } }[] } }> }
    const asked = await this.json<Description>("openapi.json", {});
    const parameters = asked.ok ? asked.value.paths?.["/graph"]?.get?.parameters : undefined;
    return parameters?.find((each) => each.name === "format")?.schema?.enum ?? [];
  }

  private async json<T>(route: string, query: Query, signal?: AbortSignal, timeoutMs = TIMEOUT_MS, more: RequestInit = {}): Promise<Result<T>> {
    if (this.page) await whenSeen(this.page);
    const limit = AbortSignal.timeout(timeoutMs);
    const answered = OF_THE_PICTURE.has(route) ? this.awaited?.begin() : undefined;
    try {
      const response = await this.fetcher(this.address(route, { ...query, lang: manner()?.language }), {
        ...more,
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
        headers: { Accept: "application/json, application/problem+json", ...more.headers as Record<string, string> },
      });
      const content = await contentOf(response);
      return response.ok
        ? { ok: true, value: content as T }
        : { ok: false, problem: problemOf(response.status, content) };
    } catch (error) {
      return { ok: false, problem: unreachable(error, signal, timeoutMs) };
    } finally {
      answered?.();
    }
  }
}

function readFrames(raw: RawFrames): Frames {
  return {
    startMs: Date.parse(raw.start),
    endMs: Date.parse(raw.end),
    stepMs: raw.step_ms,
    graph: readGraph(raw.graph),
    frames: raw.frames.map((frame) => ({
      askedMs: Date.parse(frame.asked),
      about: frame.instant === null ? null : readAbout(frame),
    })),
    levels: raw.levels.map((level) => ({
      ...level,
      notices: level.notices.map((notice) => ({
        ...readNotice(notice, notice.target !== null),
        frame: notice.frame,
        source: notice.source,
        target: notice.target,
      })),
    })),
  };
}

function instant(ms: number | null | undefined): string | undefined {
  return ms === null || ms === undefined ? undefined : formatInstant(ms);
}

function problemOf(status: number, content: unknown): Problem {
  const given = (typeof content === "object" && content !== null ? content : {}) as Record<string, unknown>;
  const text = (name: string): string => (typeof given[name] === "string" ? given[name] : "");
  const ms = (name: string): number | null => (text(name) ? Date.parse(text(name)) : null);
  return {
    kind: text("type").replace("urn:vistio:problem:", "") || "unknown",
    status,
    title: text("title") || t`The server answered ${status}`,
    detail: text("detail"),
    beforeMs: ms("before"),
    afterMs: ms("after"),
    reason: text("reason"),
  };
}

/** The answer's JSON; what a proxy says in the server's place is none, and thrown. */
async function contentOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(t`something else answers in its place, with status ${response.status}`);
  }
}

function unreachable(error: unknown, signal: AbortSignal | undefined, timeoutMs: number): Problem {
  const aborted = signal?.aborted ?? false;
  const late = error instanceof DOMException && error.name === "TimeoutError";
  return {
    kind: aborted ? "aborted" : "unreachable",
    status: 0,
    title: t("The server does not answer"),
    detail: late ? t`no answer within ${timeoutMs / 1000} s` : error instanceof Error ? error.message : String(error),
    beforeMs: null,
    afterMs: null,
    reason: "",
  };
}
