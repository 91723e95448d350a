/** A scene as the component reads it: new objects each time, for it writes into what it is given. */

import { isSafeAddress } from "../dom/elements";
import type { Scene } from "../picture/scene";
import type { Edge, Level, Node, Notice } from "../values/model";

export type Encoded = Record<string, unknown>;

export function encode(scene: Scene): Encoded {
  const root = scene.levels.get("");
  return {
    renderer: "global",
    layout: "ringCenter",
    name: scene.name,
    entryNode: root?.entryNode ?? "",
    maxVolume: root?.maxVolume ?? 1,
    nodes: root?.nodes.map((node) => encodeCluster(node, scene.levels.get(node.name))) ?? [],
    connections: root?.edges.map(encodeEdge) ?? [],
  };
}

function encodeCluster(node: Node, level: Level | undefined): Encoded {
  // With a display name the entry shows its name too.
  const named = { ...encodeNode(node), displayName: node.label };
  if (!level) return { ...named, renderer: "region" };
  return {
    ...named,
    renderer: "region",
    layout: "ltrTree",
    maxVolume: level.maxVolume,
    nodes: level.nodes.map((inside) => ({ ...encodeNode(inside), renderer: "focusedChild", layout: "ltrTree" })),
    connections: level.edges.map(encodeEdge),
  };
}

function encodeNode(node: Node): Encoded {
  const made: Encoded = {
    name: node.name,
    class: node.class === "default" ? "normal" : node.class,
    metadata: { streaming: 1 },
    notices: node.notices.map(encodeNotice),
    // Else a node of a focused view loses what a level's node has.
    connections: [],
  };
  if (node.label !== node.name) made["displayName"] = node.label;
  return made;
}

function encodeEdge(edge: Edge): Encoded {
  return {
    source: edge.source,
    target: edge.target,
    metrics: { ...edge.rates },
    metadata: { streaming: 1 },
    notices: edge.notices.map(encodeNotice),
  };
}

/** The component writes these into innerHTML as they are. */
function encodeNotice(notice: Notice): Encoded {
  const made: Encoded = { title: escapeHtml(notice.title), severity: notice.severity };
  if (notice.subtitle) made["subtitle"] = escapeHtml(notice.subtitle);
  if (isSafeAddress(notice.link)) made["link"] = escapeHtml(notice.link);
  return made;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}
