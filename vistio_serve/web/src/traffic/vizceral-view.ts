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
import type { ConnectionObject, ConnectionView, NodeObject, TrafficGraph } from "vizceral";
import { h } from "../dom/elements";
import type { Palette } from "../dom/palette";
import { type LevelChanges, SIGNS } from "../picture/changes";
import type { Scene } from "../picture/scene";
import { USUAL_TONES } from "../values/model";
import { NO_PLACES, type Place, type Places, putNode } from "../values/places";
import { type Selection, samePath } from "../values/state";
import { listenForClicks, listenForLeaving } from "./clicks";
import { listenForDrags } from "./drags";
import { encode } from "./encode";
import { type Drawn, Frames, Particles, Programs, drawsOnProcessor, growInLeaps, hasTraffic, hideTransparent, isBehindDialog, opaqueContext, tellOf, tellOfPage } from "./frames";
import { labelScale, sizeLabels } from "./labels";
import { type NamedLayout, stableRing, stableTree } from "./layouts";
import { preferNodes, withoutEmptyArcs } from "./hits-and-arcs";
import { type Lens, type Size, WHOLE, sidesOf, within } from "./lens";
import { DIMMED, applyPalette, changeColor, lineColor, makeSprite } from "./looks";
import { listenForPanning } from "./panning";
import { showSign } from "./signs";
import type { Inspection, TrafficEvents, TrafficView } from "./view";
import { NO_WEIGHTS, type Weights, weightOf, weightsOf } from "./weights";

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
  /** Standing particles are to be let run anew. */
  private refill = true;
  private layouts = "";
  private found: ReadonlySet<string> | null = null;
  private settleAt = 0;
  private readonly frames: Frames;
  private readonly particles: Particles;
  private readonly programs = new Programs();
  private drawn: Drawn = { changed: true, steps: 0 };
  /** How much nodes and connections of a level count. */
  private weights: Weights = NO_WEIGHTS;
  private kept: Places = NO_PLACES;
  lens: Lens = WHOLE;
  whole: Size = { width: 1, height: 1 };
  // Another size of text remounts the view, as another theme does.
  private readonly remPx = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly events: TrafficEvents,
  ) {
    const onProcessor = drawsOnProcessor();
    opaqueContext(canvas, onProcessor);
    const component = new Vizceral(canvas);
    this.component = component;
    component.renderer.autoClear = true;
    // To look for errors it waits for each program that is compiled.
    component.renderer.debug.checkShaderErrors = false;
    this.frames = new Frames((drawn) => this.drawFrame(drawn), () => this.moves(), onProcessor);
    this.particles = new Particles(onProcessor);
    tellOfPage(canvas, this.frames);
    const shapeOf = (name: string) => this.scene?.topology.get(name === this.scene.name ? "" : name);
    // A node's own view has no name of a level, and is laid out for what it holds at a moment.
    const keptOf = (name: string | null) => (name === null ? undefined : this.kept[name === this.scene?.name ? "" : name]);
    component.layouts["ltrTree"] = stableTree(component.layouts["ltrTree"]!, shapeOf, keptOf);
    component.layouts["ringCenter"] = stableRing(shapeOf, keptOf);
    component.updateDefinitions(DEFINITIONS);
    component._attachGraphHandlers = (graph) => this.adopt(graph);
    window.addEventListener("resize", () => component.updateBoundingRectCache());
    listenForClicks(canvas, component);
    listenForLeaving(canvas, component);
    listenForPanning(canvas, this);
    listenForDrags(component, (level, node, place) => {
      this.kept = putNode(this.kept, level, node, place);
      events.put(level, node, place);
    }, () => this.frames.due());
    const setSize = component.setSize.bind(component);
    component.setSize = (width, height) => {
      setSize(width, height);
      const { left, right, top, bottom } = component.camera;
      this.whole = { width: right - left, height: top - bottom };
      this.look(within(this.lens, this.whole));
    };
    preferNodes(component);
  }

  show(scene: Scene): void {
    const first = this.scene === null;
    this.scene = scene;
    this.change();
    if (this.palette) applyPalette(this.component, this.palette, scene.classes);
    if (first) this.component.setView([...this.path]);
    const layouts = layoutsOf(scene);
    this.component.updateData(encode(scene));
    // It lays out anew only when nodes or edges changed.
    if (!first && layouts !== this.layouts) this.component.currentGraph?._relayout();
    this.layouts = layouts;
    if (!first) return;
    this.component.setOptions({ showLabels: this.labels, allowDraggingOfNodes: true });
  }

  open(path: readonly string[]): void {
    this.path = path;
    const current = this.component.currentGraph;
    if (!this.scene || !current || samePath(current.graphIndex, path)) return;
    this.change();
    this.look(WHOLE);
    const target = this.moving ? undefined : this.component.getNearestValidGraph(path);
    if (target) {
      this.component.selectGraph(target);
    } else {
      this.component.setView([...path]);
    }
    const zoomMs = this.moving ? ZOOM_MS : 0;
    this.settleAt = performance.now() + zoomMs;
    this.frames.due(zoomMs);
  }

  emphasise(selection: Selection | null, found: ReadonlySet<string> | null): void {
    this.found = found;
    const graph = this.component.currentGraph;
    if (!graph) return;
    this.frames.due();
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
    this.frames.due();
    if (this.scene) this.component.setOptions({ showLabels: shown, allowDraggingOfNodes: true });
  }

  setMotion(moving: boolean): void {
    this.moving = moving;
    this.change();
  }

  setPalette(palette: Palette): void {
    this.palette = palette;
    this.frames.due();
    applyPalette(this.component, palette, this.scene?.classes ?? new Map());
  }

  keep(places: Places): void {
    if (places === this.kept) return;
    this.kept = places;
    this.change();
    this.component.currentGraph?._relayout();
  }

  look(lens: Lens): void {
    this.lens = lens;
    this.stale = true;
    this.frames.due();
    Object.assign(this.component.camera, sidesOf(lens, this.whole));
    this.component.camera.updateProjectionMatrix();
    // The picture moved below a mouse that stood still, for which the component would look no further.
    this.component.raycaster_mouseLocation_viewportSpace.set(-1, -1);
    this.events.looked();
  }

  onNode(): boolean {
    return (this.component.objectToSwitch as { type?: string } | null | undefined)?.type === "node";
  }

  places(): readonly Place[] {
    const graph = this.component.currentGraph;
    return graph?.hasPositionData ? Object.values(graph.nodes).filter((node) => node.isVisible()).map((node) => node.position) : [];
  }

  draw(scale: number): HTMLCanvasElement | null {
    if (!this.scene) return null;
    const { renderer } = this.component;
    const usual = renderer.getPixelRatio();
    // Nothing moves between the two.
    this.drawn = { changed: false, steps: 0 };
    renderer.setPixelRatio(scale * devicePixelRatio);
    this.component.render(performance.now());
    const { canvas } = this;
    const copy = h("canvas", { width: Math.round(canvas.clientWidth * scale * devicePixelRatio), height: Math.round(canvas.clientHeight * scale * devicePixelRatio) });
    // Scaled, for a browser may have fewer pixels than it was asked for.
    copy.getContext("2d")?.drawImage(canvas, 0, 0, copy.width, copy.height);
    renderer.setPixelRatio(usual);
    this.component.render(performance.now());
    return copy;
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
      labels: Object.fromEntries(Object.values(graph?.nodes ?? {}).map((node) => [node.name, (node.view?.labelVisible !== false && node.view?.nameView?.container.visible !== false && node.view?.nameView?.nodeName) || ""])),
      particles: edges.reduce((count, edge) => count + particlesOf(edge), 0),
      zooming: this.settleAt > 0,
      pending: this.stale || ((graph?.layout as Partial<NamedLayout> | undefined)?.placing ?? false),
    };
  }

  dispose(): void {
    this.frames.end();
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
    tellOf(graph, this.frames);
    graph.update = (time) => this.updateGraph(graph, time);
  }

  /** Something of the picture became another one, and particles that stand may have to stand elsewhere. */
  private change(): void {
    this.stale = true;
    this.refill = true;
    this.frames.due();
  }

  private moves(): boolean {
    const graph = this.component.currentGraph;
    return this.moving && graph !== undefined && !isBehindDialog() && Object.values(graph.connections).some(hasTraffic);
  }

  private drawFrame(drawn: Drawn): void {
    // Before there are data there is nothing to draw.
    if (!this.scene) return;
    this.drawn = drawn;
    this.component.render(performance.now());
    if (drawn.changed) this.programs.keep(this.component);
  }

  /** What the component does for a graph in a frame: nodes take over what data changed, and particles move. */
  private updateGraph(graph: TrafficGraph, time: number): void {
    const { changed } = this.drawn;
    if (changed) this.beforeFrame(graph);
    const steps = this.moving ? this.drawn.steps : changed && this.refill ? STILL_FRAMES : 0;
    if (steps) this.particles.move(graph, steps, time);
    if (!changed) return;
    for (const node of Object.values(graph.nodes)) if (node.isVisible()) node.view?.update();
    this.stale = false;
    this.refill = false;
    if (this.settleAt && performance.now() >= this.settleAt) this.settle(graph);
    hideTransparent(this.component);
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
    const level = this.scene?.levels.get(graph.graphIndex[0] ?? "");
    if (level !== this.weights.level) this.weights = weightsOf(level);
    for (const node of Object.values(graph.nodes)) {
      const change = changes?.nodes.get(node.name);
      showSign(node, change?.notable ? SIGNS[change.kind] : "");
      if (node.view) node.view.dimmedLevel = DIMMED.node;
    }
    const { left, right } = this.component.camera;
    const unitsPerPx = (right - left) / this.canvas.clientWidth;
    const { position, scale } = graph.view.container;
    const sides = { left: (left - position.x) / scale.x, right: (right - position.x) / scale.x };
    sizeLabels(graph, labelScale(unitsPerPx, this.remPx, Object.keys(graph.nodes).length, this.lens.zoom), sides, (node) => this.weights.ranks.get(node) ?? 0);
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
    growInLeaps(view);
    setTimeout(() => {
      view.validateNotices();
      this.frames.due();
    }, ICONS_DECODED_MS);
  }

  /** The line under the particles says how bad it is, also where few requests make few particles. */
  private colour(edge: ConnectionObject, view: ConnectionView, changes: LevelChanges | undefined): void {
    // Between clusters the component draws particles only, and what the mouse meets is a line without colour.
    const weight = weightOf(edge.volumeTotal, this.weights.most);
    const material = view.connectionLineMaterial ?? view.interactiveLineMaterial;
    if (!material || !this.palette) return;
    const color = changes ? changeColor(changes.edges.get(edge.name), this.palette) : lineColor(edge.volume, this.palette, this.weights.level?.tones ?? USUAL_TONES, weight);
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
