/** The thread on which places by forces are made: one question, one answer. */

import { type Forces, placesByForces } from "./forces";

onmessage = ({ data }: MessageEvent<Forces>) => postMessage(placesByForces(data));
