/** A frame as a graph, like the answer of `/graph` for its instant, but without measurements. Pure. */

import type { FrameLevel, Frames } from "../values/answers";
import { type Edge, type Graph, type Level, type Node, type Notice, type Rates, edgeKey } from "../values/model";
import { append } from "../values/multimap";

/** The graph of one frame; null where nothing was seen. */
export function graphOfFrame(frames: Frames, index: number): Graph | null {
  const about = frames.frames[index]?.about;
  if (!about) return null;
  const columns = new Map(frames.levels.map((level) => [level.cluster, level]));
  const levels = new Map<string, Level>();
  for (const [name, level] of frames.graph.levels) levels.set(name, { ...levelOfFrame(level, columns.get(name), index), tones: about.tones });
  return { ...frames.graph, about, measuredMs: null, levels };
}

function levelOfFrame(level: Level, columns: FrameLevel | undefined, index: number): Level {
  const rates = columns ? ratesOf(columns, index) : new Map<string, Rates>();
  const notices = columns ? noticesOf(columns, index) : new Map<string, Notice[]>();
  const edges: Edge[] = [];
  const seen = new Set([level.entryNode]);
  for (const edge of level.edges) {
    const key = edgeKey(edge);
    const now = rates.get(key);
    if (!now && !edge.synthetic && !notices.has(key)) continue;
    edges.push({ ...edge, rates: now ?? NONE, notices: notices.get(key) ?? [], measurements: {}, toldBy: "" });
    seen.add(edge.source).add(edge.target);
  }
  const nodes: Node[] = [];
  for (const node of level.nodes) {
    const told = notices.get(node.name);
    if (seen.has(node.name) || told || node.synthetic) nodes.push({ ...node, notices: told ?? [], measurements: {} });
  }
  return { ...level, nodes, edges };
}

const NONE: Rates = { normal: 0, warning: 0, danger: 0 };

/** By edge; an edge without any traffic in the frame is absent, as the columns cannot tell it from one at rest. */
function ratesOf(level: FrameLevel, index: number): Map<string, Rates> {
  const [normal, warning, danger] = [level.normal[index] ?? [], level.warning[index] ?? [], level.danger[index] ?? []];
  const found = new Map<string, Rates>();
  level.source.forEach((source, place) => {
    const rates = { normal: normal[place] ?? 0, warning: warning[place] ?? 0, danger: danger[place] ?? 0 };
    if (rates.normal || rates.warning || rates.danger) found.set(edgeKey({ source, target: level.target[place] ?? "" }), rates);
  });
  return found;
}

/** By node name or edge key. */
function noticesOf(level: FrameLevel, index: number): Map<string, Notice[]> {
  const found = new Map<string, Notice[]>();
  for (const { frame, source, target, ...notice } of level.notices) {
    if (frame !== index) continue;
    append(found, target === null ? source : edgeKey({ source, target }), notice);
  }
  return found;
}
