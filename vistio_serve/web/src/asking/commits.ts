/**
 * Being told of each commit (server-sent events, `/live`), where server and browser allow it.
 *
 * Where they do not, nobody is told, and the page asks now and then as without. Only a page that is live and seen
 * listens: over HTTP/1.1 a browser opens six connections to a server, for all of its tabs together.
 */

import type { Page } from "./seen";

// The server tells the same again after ten seconds: two of these, and a little.
const TRUSTED_MS = 25_000;
// As many tabs of a browser listen, and the others ask.
const LISTENERS = 3;

/** As much of an EventSource as is used. */
export interface Stream {
  onmessage: ((event: MessageEvent) => void) | null;
  onerror: ((event: Event) => void) | null;
  readonly readyState: number;
  close(): void;
}

const CLOSED = 2;

export class Commits {
  private live = false;
  private listening: AbortController | null = null;
  private heardMs = -Infinity;
  private lastId = "";

  /**
   * @param hear called when there is something new, and when what was trusted to be told may no longer be.
   * @param locks null where the browser cannot count its tabs, as without TLS and not on localhost.
   */
  constructor(
    private readonly url: string,
    private readonly page: Page,
    private readonly hear: () => void,
    private readonly clock: () => number = () => performance.now(),
    private readonly locks: Pick<LockManager, "request"> | null = navigator.locks ?? null,
    private readonly connect: (url: string) => Stream = (url) => new EventSource(url),
  ) {
    page.addEventListener("visibilitychange", () => this.settle());
  }

  /** Whether each commit is told, so that one need not ask. */
  get telling(): boolean {
    return this.clock() - this.heardMs < TRUSTED_MS;
  }

  /** Whether the newest is shown, and so commits matter. */
  follow(live: boolean): void {
    this.live = live;
    this.settle();
  }

  private settle(): void {
    const wanted = this.live && !this.page.hidden;
    if (wanted && !this.listening) void this.listen((this.listening = new AbortController()));
    if (!wanted) this.listening?.abort();
  }

  /** Until it is aborted, or the server will not tell. */
  private async listen(until: AbortController): Promise<void> {
    for (let place = 0; place < LISTENERS && this.locks; place++) {
      const listened = await this.locks.request(`vistio-live-${place}`, { ifAvailable: true }, (lock) => lock !== null && this.stream(until.signal));
      if (listened) break;
    }
    this.listening = null;
    // It was wanted again meanwhile.
    if (until.signal.aborted) this.settle();
  }

  private stream(until: AbortSignal): Promise<true> {
    return new Promise((resolve) => {
      if (until.aborted) return resolve(true);
      const stream = this.connect(this.url);
      const end = (): void => {
        stream.close();
        this.heardMs = -Infinity;
        resolve(true);
      };
      until.addEventListener("abort", end);
      stream.onmessage = (event) => {
        this.heardMs = this.clock();
        if (event.lastEventId === this.lastId) return;
        this.lastId = event.lastEventId;
        this.hear();
      };
      // The browser connects again by itself, unless it was refused.
      stream.onerror = () => {
        if (stream.readyState === CLOSED) end();
        this.heardMs = -Infinity;
        this.hear();
      };
    });
  }
}
