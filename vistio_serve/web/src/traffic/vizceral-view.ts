/**
 * The Vizceral component, kept in its cage: what it draws is good, and seven of its habits are healed here.
 *
 * 1. Its cache of layouts loses nodes: `layouts.ts` takes its place.
 * 2. Particles of views made before their sprite was decoded never show, nor do notice icons: every view
 *    gets our own sprite, and its icon again a moment later.
 * 3. Notices go into innerHTML: `encode.ts` escapes them.
 * 4. It writes into what it is given: `encode.ts` makes new objects.
 * 5. Options before the first data throw: they wait.
 * 6. Nothing of it can be stopped, and two on a page share parts: there is one, and `dispose` ends its loop.
 * 7. Clicks are lost where frames are slow: `clicks.ts` hears them instead.
 *
 * And more: leaving a level while still entering it left an empty picture, which `settle` puts right;
 * arcs of no size are errors on the console, so `withoutEmptyArcs` leaves them out; and a connection was found
 * where its node is, so `preferNodes`. What is selected was white and all else all but gone, which a light ground
 * does not bear (`looks.ts`); names were cut at the edges of the picture (`labels.ts`); and between clusters no line
 * said where particles will come.
 */

import Module from "vizceral";
import type VizceralComponent from "vizceral";
import type { ConnectionObject, ConnectionView, Hit, NodeObject, TrafficGraph } from "vizceral";
import type { Palette } from "../dom/palette";
import { type LevelChanges, SIGNS } from "../picture/changes";
import type { Scene } from "../picture/scene";
import { type Selection, samePath } from "../values/state";
import { listenForClicks } from "./clicks";
import { encode } from "./encode";
import { labelScale, sizeLabels } from "./labels";
import { type NamedLayout, stableRing, stableTree } from "./layouts";
import { DIMMED, applyPalette, changeColor, lineColor, makeSprite } from "./looks";
import { showSign } from "./signs";
import type { Inspection, TrafficEvents, TrafficView } from "./view";

// A UMD file: bundled, its default export arrives wrapped in another one.
const Vizceral = ((Module as unknown as { default?: typeof Module }).default ?? Module) as typeof Module;

const ZOOM_MS = 1100;
const ICONS_DECODED_MS = 300;
// Frames that standing particles are let run: long enough to fill an edge.
const STILL_FRAMES = 120;
// Any text: what was found is a set.
const FOUND = "found";

/** What stands in the middle of a cluster; the original calls a share of all traffic "RPS". */
const RATE = { header: "REQ/S", data: "data.volume", format: "0,0" };
const ERRORS = { header: "ERRORS", data: "data.classPercents.danger", format: "0.00%" };
const BOTH = { top: RATE, bottom: ERRORS };
const DEFINITIONS = { detailedNode: { volume: { default: BOTH, focused: BOTH, entry: BOTH } } };
// Below this an arc has no area, which three.js reports as an error for each frame.
const SMALLEST_ARC = 1e-4;

export class VizceralView implements TrafficView {
  private readonly component: VizceralComponent;
  private readonly sprite = makeSprite();
  private readonly known = new WeakSet<ConnectionView>();
  private texture: unknown = null;
  private scene: Scene | null = null;
  private path: readonly string[] = [];
  private palette: Palette | null = null;
  private labels = true;
  private moving = true;
  private stale = true;
  private layouts = "";
  private found: ReadonlySet<string> | null = null;
  private settleAt = 0;
  private ended = false;
  // Another size of text remounts the view, as another theme does.
  private readonly remPx = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly events: TrafficEvents,
  ) {
    const component = new Vizceral(canvas);
    this.component = component;
    const shapeOf = (name: string) => this.scene?.topology.get(name === this.scene.name ? "" : name);
    component.layouts["ltrTree"] = stableTree(component.layouts["ltrTree"]!, shapeOf);
    component.layouts["ringCenter"] = stableRing(shapeOf);
    component.updateDefinitions(DEFINITIONS);
    component._attachGraphHandlers = (graph) => this.adopt(graph);
    component.requestAnimationFrame = () => {
      if (!this.ended) requestAnimationFrame((time) => component.animate(time));
    };
    window.addEventListener("resize", () => component.updateBoundingRectCache());
    listenForClicks(canvas, component);
    preferNodes(component);
  }

  show(scene: Scene): void {
    const first = this.scene === null;
    this.scene = scene;
    this.stale = true;
    if (this.palette) applyPalette(this.component, this.palette, scene.classes);
    if (first) this.component.setView([...this.path]);
    const layouts = layoutsOf(scene);
    this.component.updateData(encode(scene));
    // It lays out anew only when nodes or edges changed.
    if (!first && layouts !== this.layouts) this.component.currentGraph?._relayout();
    this.layouts = layouts;
    if (!first) return;
    this.component.setOptions({ showLabels: this.labels, allowDraggingOfNodes: true });
    this.component.animate(performance.now());
  }

  open(path: readonly string[]): void {
    this.path = path;
    const current = this.component.currentGraph;
    if (!this.scene || !current || samePath(current.graphIndex, path)) return;
    this.stale = true;
    const target = this.moving ? undefined : this.component.getNearestValidGraph(path);
    if (target) {
      this.component.selectGraph(target);
    } else {
      this.component.setView([...path]);
    }
    this.settleAt = performance.now() + (this.moving ? ZOOM_MS : 0);
  }

  emphasise(selection: Selection | null, found: ReadonlySet<string> | null): void {
    this.found = found;
    const graph = this.component.currentGraph;
    if (!graph) return;
    if (found) {
      graph.highlightMatchedNodes(FOUND);
      return;
    }
    const wanted = selection && objectOf(graph, selection);
    graph.highlightMatchedNodes("");
    graph.highlightObject(wanted ?? undefined, true);
  }

  setLabels(shown: boolean): void {
    this.labels = shown;
    if (this.scene) this.component.setOptions({ showLabels: shown, allowDraggingOfNodes: true });
  }

  setMotion(moving: boolean): void {
    this.moving = moving;
    this.stale = true;
  }

  setPalette(palette: Palette): void {
    this.palette = palette;
    applyPalette(this.component, palette, this.scene?.classes ?? new Map());
  }

  layOutAgain(): void {
    this.stale = true;
    this.component.currentGraph?._relayout();
  }

  draw(): HTMLCanvasElement | null {
    if (!this.scene) return null;
    this.component.render(performance.now());
    return this.canvas;
  }

  placeOf(node: string): { x: number; y: number } | null {
    const graph = this.component.currentGraph;
    const found = graph?.nodes[node];
    if (!graph || !found || !graph.hasPositionData) return null;
    const { left, right, top, bottom } = this.component.camera;
    const { position, scale } = graph.view.container;
    const rect = this.canvas.getBoundingClientRect();
    return {
      x: rect.left + ((found.position.x * scale.x + position.x - left) / (right - left)) * rect.width,
      y: rect.top + ((top - found.position.y * scale.y - position.y) / (top - bottom)) * rect.height,
    };
  }

  inspect(): Inspection {
    const graph = this.component.currentGraph;
    const edges = Object.values(graph?.connections ?? {}).filter((edge) => edge.isVisible());
    return {
      level: graph?.graphIndex.join("/") ?? "",
      nodes: graph?.hasPositionData ? Object.values(graph.nodes).filter((node) => node.isVisible()).map((node) => node.name) : [],
      edges: edges.map((edge) => edge.name),
      labels: Object.fromEntries(Object.values(graph?.nodes ?? {}).map((node) => [node.name, (node.view?.labelVisible !== false && node.view?.nameView?.nodeName) || ""])),
      particles: edges.reduce((count, edge) => count + particlesOf(edge), 0),
      zooming: this.settleAt > 0,
      pending: this.stale || ((graph?.layout as Partial<NamedLayout> | undefined)?.placing ?? false),
    };
  }

  dispose(): void {
    this.ended = true;
    this.component.renderer.forceContextLoss();
    this.component.renderer.dispose();
  }

  /** What a graph's events lead to, and what is done for it in each frame. */
  private adopt(graph: TrafficGraph): void {
    const layout = graph.layout as Partial<NamedLayout>;
    // A node's own view is laid out for what it holds; the levels for their topology.
    if (graph.type !== "focused") layout.graphName = graph.name;
    graph.on("setView", (path: never) => this.events.open(path));
    graph.handleIntersectedObjectClick = () => this.events.select(selectionOf(graph.intersectedObject));
    withoutEmptyArcs(graph);
    // It would look for a text in names; which nodes are meant is decided outside, for a group has the names inside of it.
    graph.highlightMatchedNodes = (text) => this.dimOthers(graph, text);
    if (graph.type === "global") {
      // There, a click entered and nothing could be selected.
      const base = Object.getPrototypeOf(Object.getPrototypeOf(graph)) as TrafficGraph;
      graph.highlightObject = base.highlightObject.bind(graph);
      graph.ConnectionClass.prototype.isInteractive = () => true;
    }
    const update = graph.update.bind(graph);
    graph.update = (time) => {
      this.beforeFrame(graph);
      if (this.moving) update(time);
      else if (this.stale) for (let frame = 0; frame < STILL_FRAMES; frame++) update(time);
      this.stale = false;
      if (this.settleAt && performance.now() > this.settleAt) this.settle(graph);
    };
  }

  private dimOthers(graph: TrafficGraph, text: string): { total: number; visible: number } {
    const { found } = this;
    // The component dims again after each layout, for as long as there is a text.
    graph.searchString = text;
    const dimmed = text !== "" && found !== null;
    const nodes = Object.keys(graph.nodes).map((name): [string, boolean] => [name, dimmed && !found.has(name)]);
    const edges = Object.keys(graph.connections).map((name): [string, boolean] => [name, dimmed]);
    graph._applyDimming(Object.fromEntries(nodes), Object.fromEntries(edges), dimmed);
    return { total: found?.size ?? 0, visible: found?.size ?? 0 };
  }

  private beforeFrame(graph: TrafficGraph): void {
    const changes = this.scene?.changes?.get(graph.graphIndex[0] ?? "");
    for (const node of Object.values(graph.nodes)) {
      const change = changes?.nodes.get(node.name);
      showSign(node, change?.notable ? SIGNS[change.kind] : "");
      if (node.view) node.view.dimmedLevel = DIMMED.node;
    }
    const { left, right } = this.component.camera;
    const unitsPerPx = (right - left) / this.canvas.clientWidth;
    const { position, scale } = graph.view.container;
    const sides = { left: (left - position.x) / scale.x, right: (right - position.x) / scale.x };
    sizeLabels(graph, labelScale(unitsPerPx, this.remPx, Object.keys(graph.nodes).length), sides);
    for (const edge of Object.values(graph.connections)) {
      if (!edge.isVisible()) continue;
      const view = edge.getView();
      if (!this.known.has(view)) this.heal(view);
      view.dimmedLevel = DIMMED.edge;
      this.colour(edge, view, changes);
    }
  }

  private heal(view: ConnectionView): void {
    this.known.add(view);
    if (!this.texture && view.noticeView) {
      const texture = new view.noticeView.noticeTexture.constructor(this.sprite);
      texture.needsUpdate = true;
      this.texture = texture;
    }
    view.uniforms.texture.value = this.texture;
    setTimeout(() => view.validateNotices(), ICONS_DECODED_MS);
  }

  /** The line under the particles says how bad it is, also where few requests make few particles. */
  private colour(edge: ConnectionObject, view: ConnectionView, changes: LevelChanges | undefined): void {
    // Between clusters the component draws particles only, and what the mouse meets is a line without colour.
    const material = view.connectionLineMaterial ?? view.interactiveLineMaterial;
    if (!material || !this.palette) return;
    const color = changes ? changeColor(changes.edges.get(edge.name), this.palette) : lineColor(edge.volume, this.palette);
    view.lineColor = color;
    material.color.setRGB(color.r, color.g, color.b);
    material.opacity = view.opacity * color.a;
    // Additive blending draws nothing on a light ground.
    material.blending = 1;
  }

  private settle(graph: TrafficGraph): void {
    this.settleAt = 0;
    const { container } = graph.view;
    const levels = new Set(allGraphs(this.component.graphs).map((each) => each.view.container));
    for (const child of [...this.component.scene.children]) {
      if (child !== container && levels.has(child)) this.component.scene.remove(child);
    }
    this.component.scene.add(container);
    container.position.set(0, 0, 0);
    container.scale.set(1, 1, 1);
    graph.view.setOpacity(1);
    const highlighted = graph.highlightedObject;
    if (highlighted) graph.highlightObject(highlighted, true);
  }
}

function withoutEmptyArcs(graph: TrafficGraph): void {
  const { prototype } = graph.NodeClass;
  if (Object.hasOwn(prototype, "healed")) return;
  const render = prototype.render;
  prototype.render = function (this: NodeObject) {
    render.call(this);
    const view = this.view;
    const add = view?.addDonutSlice;
    if (view && add) view.addDonutSlice = (start, share, color) => (share < SMALLEST_ARC ? start : add.call(view, start, share, color));
  };
  Object.defineProperty(prototype, "healed", { value: true });
}

/** Connections end in the middle of their nodes, where as often as not they were what the mouse had found. */
function preferNodes({ raycaster }: VizceralComponent): void {
  const intersect = raycaster.intersectObjects.bind(raycaster);
  const isEdge = ({ object }: Hit): number => Number(object.userData.object?.type === "connection");
  raycaster.intersectObjects = (objects) => intersect(objects).sort((one, other) => isEdge(one) - isEdge(other));
}

function layoutsOf(scene: Scene): string {
  return [...scene.topology.values()].map((shape) => shape.layout ?? "").join();
}

function allGraphs(graphs: Record<string, TrafficGraph>): TrafficGraph[] {
  return Object.values(graphs).flatMap((graph) => [graph, ...allGraphs(graph.graphs)]);
}

function particlesOf(edge: ConnectionObject): number {
  const array = edge.view?.positionAttr.array ?? new Float32Array();
  let count = 0;
  for (let index = 0; index < array.length; index += 3) if (array[index] !== 0) count++;
  return count;
}

function objectOf(graph: TrafficGraph, selection: Selection): NodeObject | ConnectionObject | undefined {
  return selection.kind === "node"
    ? graph.nodes[selection.node]
    : graph.connections[`${selection.source}--${selection.target}`];
}

function selectionOf(object: NodeObject | ConnectionObject | undefined): Selection | null {
  if (!object) return null;
  return "source" in object
    ? { kind: "edge", source: object.source.getName(), target: object.target.getName() }
    : { kind: "node", node: object.getName() };
}
