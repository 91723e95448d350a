/**
 * Questions and answers as messages between two windows: for a page in a notebook's frame, which has no server.
 *
 * The window around the frame passes each question on to whoever has the recording, and the answer back.
 */

/** What the page says to the window around it. */
export interface Question {
  readonly vistio: "ask";
  readonly id: number;
  /** As of a request: `graph?at=...`. */
  readonly path: string;
}

/** What it is told. */
export interface MessagedAnswer {
  readonly vistio: "answer";
  readonly id: number;
  readonly status: number;
  readonly body: string;
}

/** Where a page without a server believes to be; nobody ever asks there. */
export const NOWHERE = "http://recording.invalid/";

/**
 * A `fetch` that asks by messages.
 *
 * @param send how a question leaves.
 * @param listen calls back with each message that arrives.
 */
export function askingBy(send: (question: Question) => void, listen: (heard: (message: unknown) => void) => void): typeof fetch {
  const waiting = new Map<number, (answer: MessagedAnswer) => void>();
  let asked = 0;
  listen((message) => {
    if (!isAnswer(message)) return;
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  return (input, init) =>
    new Promise((resolve, reject) => {
      const url = new URL(input instanceof Request ? input.url : input, NOWHERE);
      const id = ++asked;
      const signal = init?.signal;
      const give = (): void => {
        waiting.delete(id);
        reject(signal?.reason);
      };
      if (signal?.aborted) return give();
      signal?.addEventListener("abort", give, { once: true });
      waiting.set(id, (answer) => {
        signal?.removeEventListener("abort", give);
        // A Response has no body where its status says so.
        resolve(new Response(answer.status === 204 || answer.status === 304 ? null : answer.body, { status: answer.status }));
      });
      send({ vistio: "ask", id, path: url.pathname.slice(1) + url.search });
    });
}

function isAnswer(message: unknown): message is MessagedAnswer {
  return typeof message === "object" && message !== null && (message as Partial<MessagedAnswer>).vistio === "answer";
}
