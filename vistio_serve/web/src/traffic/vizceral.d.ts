/** The parts of vizceral 4.9.0 that this page touches, seen in its source; it ships no types. */
declare module "vizceral" {
  export interface Position { x: number; y: number }
  export interface Vector extends Position { z: number; set(x: number, y: number, z: number): void }
  export interface Container3D {
    position: Vector;
    scale: Vector;
    visible?: boolean;
    parent: unknown;
    userData: Record<string, unknown>;
  }
  export interface Material {
    color: { setRGB(r: number, g: number, b: number): void };
    opacity: number;
    blending: number;
    needsUpdate: boolean;
    visible: boolean;
  }
  export interface IndexAttribute { array: Uint16Array; needsUpdate: boolean }
  export interface NodeObject {
    name: string;
    position: Position;
    size: number;
    depth: number;
    metadata: unknown;
    displayName?: string;
    notices?: unknown[];
    getName(): string;
    isVisible(): boolean;
    isEntryNode(): boolean;
    updatePosition(position: Position): void;
    graphRenderer: string;
    view?: NodeView;
  }
  export interface NodeView {
    container: Container3D;
    radius: number;
    dimmedLevel: number;
    /** A node left of the middle has its name on its left. */
    labelPositionLeft?: boolean;
    /** Not there before the name was shown or hidden. */
    labelVisible?: boolean;
    nameView?: NodeNameView;
    addDonutSlice?(start: number, share: number, color: unknown): number;
    /** Takes over what data changed. */
    update(): void;
  }
  export interface NodeNameView {
    nodeName: string;
    labelWidth: number;
    /** Somebody points at its node, or selected it. */
    highlight?: boolean;
    /** Between the node and its name. */
    buffer: number;
    container: Container3D;
    view: { scale: Vector; geometry: { parameters: { width: number } } };
    updateLabel(): void;
  }
  export interface ConnectionView {
    container: Container3D;
    uniforms: { texture: { value: unknown } };
    opacityAttr: { array: Float32Array };
    positionAttr: { array: Float32Array; constructor: new (array: Uint16Array, itemSize: number) => IndexAttribute };
    particles: { visible: boolean; geometry: { index: IndexAttribute | null; setIndex(index: IndexAttribute): void; setDrawRange(start: number, count: number): void } };
    /** How many particles of each class a step sends on their way. */
    releasesPerTick: unknown[];
    /** The last one of those that are free, of so many. */
    lastParticleIndex: number;
    particleSystemSize: number;
    maxParticles: number;
    growParticles(more: number): number;
    noticeView?: { noticeTexture: { constructor: new (image: HTMLCanvasElement) => { needsUpdate: boolean } } };
    connectionLineMaterial?: Material;
    interactiveLineMaterial?: Material;
    lineColor?: { r: number; g: number; b: number; a: number };
    opacity: number;
    dimmedLevel: number;
    update(time: number): void;
    validateNotices(): void;
  }
  export interface ConnectionObject {
    name: string;
    source: NodeObject;
    target: NodeObject;
    volume: Record<string, number>;
    volumeTotal: number;
    isVisible(): boolean;
    getName(): string;
    getView(): ConnectionView;
    view?: ConnectionView;
  }
  export interface LayoutGraph { nodes: NodeObject[]; connections: ConnectionObject[]; options?: unknown; entryNode?: string }
  export interface Dimensions { width: number; height: number }
  export interface Layout {
    run(graph: LayoutGraph, dimensions: Dimensions, done: () => void): void;
  }
  /** What the mouse is on, nearest first. */
  export interface Hit { object: { userData: { object?: { type: string } }; parent?: { visible?: boolean } | null } }
  export interface TrafficGraph {
    name: string;
    type: string;
    graphIndex: string[];
    nodes: Record<string, NodeObject>;
    connections: Record<string, ConnectionObject>;
    graphs: Record<string, TrafficGraph>;
    parentGraph?: TrafficGraph;
    layout: Layout;
    view: { container: Container3D; setOpacity(opacity: number): void };
    highlightedObject?: NodeObject | ConnectionObject;
    intersectedObject?: NodeObject | ConnectionObject;
    hasPositionData: boolean;
    searchString?: string;
    NodeClass: { prototype: { render(): void } };
    ConnectionClass: { prototype: { isInteractive(): boolean } };
    on(event: string, listener: (value: never) => void): void;
    update(time: number): void;
    setFilters(filters: unknown): void;
    highlightObject(object?: NodeObject | ConnectionObject, force?: boolean): void;
    highlightMatchedNodes(text: string): { total: number; visible: number };
    highlightConnectedNodes(object?: NodeObject | ConnectionObject): void;
    handleIntersectedObjectClick(): void;
    handleIntersectedObjectDoubleClick(): void;
    _relayout(): void;
    setIntersectedObject(object: unknown): void;
    setContext(context: unknown): void;
    _applyDimming(nodes: Record<string, boolean>, connections: Record<string, boolean>, applied: boolean): void;
  }
  export default class Vizceral {
    constructor(canvas: HTMLCanvasElement, targetFramerate?: number);
    currentGraph?: TrafficGraph;
    graphs: Record<string, TrafficGraph>;
    layouts: Record<string, new () => Layout>;
    renderer: { autoClear: boolean; info: { programs: { usedTimes: number }[] | null }; debug: { checkShaderErrors: boolean }; domElement: HTMLCanvasElement; getPixelRatio(): number; setPixelRatio(ratio: number): void; setClearColor(color: string | number, alpha: number): void; dispose(): void; forceContextLoss(): void };
    scene: { traverse(visit: (object: { material?: Material }) => void): void; add(object: Container3D): void; remove(object: Container3D): void; children: Container3D[] };
    camera: { left: number; right: number; top: number; bottom: number; updateProjectionMatrix(): void };
    /** Of the canvas, in CSS pixels; sets the camera to the whole. */
    setSize(width: number, height: number): void;
    moveNodeInteraction: { _setDraggableObjectPosition(node: NodeObject, x: number, y: number): void };
    /** Finds out anew what is below the mouse. */
    calculateMouseOver(immediate?: boolean): void;
    requestAnimationFrame(): void;
    animate(time?: number): void;
    render(time: number): void;
    setView(path: readonly string[], highlight?: string): void;
    selectGraph(graph: TrafficGraph): void;
    getNearestValidGraph(path: readonly string[]): TrafficGraph | undefined;
    updateData(data: unknown): void;
    updateStyles(styles: Record<string, unknown>): void;
    updateDefinitions(definitions: unknown): void;
    setOptions(options: { showLabels: boolean; allowDraggingOfNodes: boolean }): void;
    setFilters(filters: unknown): void;
    updateBoundingRectCache(): void;
    raycaster: { intersectObjects(objects: unknown[]): Hit[] };
    objectToSwitch?: NodeObject | ConnectionObject | null;
    /** A tenth of a second, until what is below the mouse counts. */
    mouseOverTimer?: number;
    hammertime: { off(events: string): void };
    raycaster_mouseLocation_viewportSpace: { set(x: number, y: number): void };
    onDocumentClick(event: { center: Position }): void;
    onDocumentDoubleClick(event: { center: Position }): void;
    _attachGraphHandlers(graph: TrafficGraph): void;
  }
}
