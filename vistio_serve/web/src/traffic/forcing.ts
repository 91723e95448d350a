/** Asks a worker for places by forces. Loaded when a level needs them first; the policy lets workers be made of blobs alone. */

import ForcesWorker from "./forces-worker?worker&inline";
import type { Forces } from "./forces";

export type Made = Record<string, { x: number; y: number }>;

export function placesInWorker(forces: Forces): Promise<Made> {
  const worker = new ForcesWorker();
  const made = new Promise<Made>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Made>) => resolve(data);
    worker.onerror = () => reject(new Error("no places by forces"));
  });
  worker.postMessage(forces);
  return made.finally(() => worker.terminate());
}
