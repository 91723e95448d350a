// @vitest-environment happy-dom
/**
 * The wrapper against a stand-in for the component, for what a browser test cannot provoke at will.
 * That the real one draws is proven in tests/web, in Chromium.
 */

import { beforeEach, describe, expect, test, vi } from "vitest";
import { sceneOf } from "../src/picture/scene";
import { VizceralView } from "../src/traffic/vizceral-view";
import { NO_FILTERS } from "../src/values/state";
import { EMPTY, extend } from "../src/values/topology";
import { graph, level } from "./graphs";

type Listener = (value: unknown) => void;

/** Behaves like 4.9.0 where it hurts. */
const made = vi.hoisted(() => ({ latest: null as unknown as InstanceType<typeof import("vizceral").default> & { calls: string[]; given: unknown[] } }));

vi.mock("vizceral", () => {
  class Component {
    calls: string[] = [];
    given: unknown[] = [];
    layouts = { ltrTree: class { run(): void {} }, ringCenter: class {} };
    graphs = {};
    scene = { children: [], add: vi.fn(), remove: vi.fn(), traverse: vi.fn() };
    camera = { left: -500, right: 500, top: 300, bottom: -300, updateProjectionMatrix: vi.fn() };
    moveNodeInteraction = { _setDraggableObjectPosition: (node: { position: unknown }, x: number, y: number) => { node.position = { x, y }; } };
    raycaster_mouseLocation_viewportSpace = { set: vi.fn() };
    setSize(width: number, height: number): void {
      Object.assign(this.camera, { left: -width / 2, right: width / 2, top: height / 2, bottom: -height / 2 });
    }
    renderer = { autoClear: false, info: { programs: [{ usedTimes: 1 }] }, debug: { checkShaderErrors: true }, setClearColor: vi.fn(), dispose: vi.fn(), forceContextLoss: vi.fn() };
    currentGraph: unknown;
    constructor() {
      made.latest = this as never;
    }
    hammertime = { off: vi.fn() };
    raycaster = { intersectObjects: (objects: unknown[]) => [...objects] as never[] };
    updateBoundingRectCache(): void {}
    updateDefinitions(): void {}
    updateStyles(): void {}
    setView(path: string[]): void {
      this.calls.push(`setView ${path.join("/")}`);
    }
    setOptions(): void {
      if (!this.given.length) throw new TypeError("Cannot read properties of undefined (reading 'showLabels')");
      this.calls.push("setOptions");
    }
    updateData(data: Record<string, unknown>): void {
      this.given.push(structuredClone(data));
      // It writes into what it is given.
      data["nodes"] = null;
    }
    render(): void {
      this.calls.push("render");
    }
  }
  // The bundle's default export is wrapped once more.
  return { default: { default: Component } };
});

const mesh = graph([level("", ["INTERNET>eu 10"]), level("eu", ["a>b 10"])]);
const scene = sceneOf(mesh, extend(EMPTY, mesh), NO_FILTERS);
const events = { select: vi.fn(), open: vi.fn(), put: vi.fn(), looked: vi.fn() };

describe("the wrapper", () => {
  let view: VizceralView;

  beforeEach(() => {
    vi.spyOn(globalThis, "requestAnimationFrame").mockClear().mockReturnValue(0);
    view = new VizceralView(document.createElement("canvas"), events);
  });

  test("keeps options back until there are data, which the component would throw at", () => {
    view.setLabels(false);
    expect(made.latest.calls).toEqual([]);
    view.show(scene);
    expect(made.latest.calls).toEqual(["setView ", "setOptions"]);
  });

  test("gives the component objects of its own, whatever it does to them", () => {
    view.show(scene);
    view.show(scene);
    expect(made.latest.given[1]).toEqual(made.latest.given[0]);
    expect(made.latest.given[1]).toMatchObject({ nodes: [{ name: "INTERNET" }, { name: "eu" }] });
  });

  test("opens the level of a link with the first data, not before", () => {
    view.open(["eu"]);
    view.show(scene);
    expect(made.latest.calls[0]).toBe("setView eu");
  });

  test("draws what is shown in the browser's next frame, and nothing once it is disposed of", () => {
    const frames: FrameRequestCallback[] = [];
    vi.mocked(requestAnimationFrame).mockImplementation((frame) => frames.push(frame));
    view.show(scene);
    expect(made.latest.calls).not.toContain("render");
    frames.shift()!(0);
    expect(made.latest.calls.at(-1)).toBe("render");
    expect(made.latest.renderer.info.programs, "kept, also without users").toEqual([{ usedTimes: 2 }]);
    view.look(view.lens);
    frames.shift()!(0);
    expect(made.latest.renderer.info.programs).toEqual([{ usedTimes: 2 }]);
    made.latest.calls.length = 0;
    view.look(view.lens);
    view.dispose();
    for (const frame of frames) frame(0);
    expect(made.latest.calls).toEqual([]);
  });

  test("has its own layouts in place of those that lose nodes", () => {
    expect(new made.latest.layouts["ltrTree"]!()).toHaveProperty("graphName", null);
    expect(new made.latest.layouts["ringCenter"]!()).toHaveProperty("graphName", null);
  });

  test("shows the part that the lens says, also after the window was resized", () => {
    made.latest.setSize(1000, 600);
    view.look({ zoom: 2, x: 100, y: -50 });
    expect(made.latest.camera).toMatchObject({ left: -150, right: 350, top: 100, bottom: -200 });
    made.latest.setSize(800, 400);
    expect(view.whole).toEqual({ width: 800, height: 400 });
    expect(made.latest.camera).toMatchObject({ left: -100, right: 300, top: 50, bottom: -150 });
    expect(events.looked).toHaveBeenCalled();
  });

  test("tells where a node was left, once", () => {
    made.latest.currentGraph = { graphIndex: ["eu"] } as never;
    const node = { name: "a", position: { x: 0, y: 0 } } as never;
    made.latest.moveNodeInteraction._setDraggableObjectPosition(node, 1, 2);
    made.latest.moveNodeInteraction._setDraggableObjectPosition(node, 3, 4);
    document.dispatchEvent(new MouseEvent("mouseup"));
    document.dispatchEvent(new MouseEvent("mouseup"));
    expect(events.put.mock.calls).toEqual([["eu", "a", { x: 3, y: 4 }]]);
  });

  test("hands on that a level is to be entered, and what was clicked, and decides nothing", () => {
    const listeners: Record<string, Listener> = {};
    class Conn { isInteractive(): boolean { return false; } }
    const adopted = {
      type: "global", name: "mesh", layout: { graphName: null }, connections: {}, nodes: {},
      on: (name: string, listener: Listener) => { listeners[name] = listener; },
      update: vi.fn(), highlightObject: vi.fn(), handleIntersectedObjectClick: vi.fn(),
      intersectedObject: { getName: () => "eu" } as unknown,
      NodeClass: class { render(): void {} }, ConnectionClass: Conn,
    };
    const base = { highlightObject: vi.fn() };
    Object.setPrototypeOf(adopted, Object.create(base));
    made.latest._attachGraphHandlers(adopted as never);
    listeners["setView"]?.(["eu"]);
    expect(events.open).toHaveBeenCalledWith(["eu"]);
    adopted.handleIntersectedObjectClick();
    expect(events.select).toHaveBeenCalledWith({ kind: "node", node: "eu" });
    adopted.intersectedObject = { source: { getName: () => "a" }, target: { getName: () => "b" } };
    adopted.handleIntersectedObjectClick();
    expect(events.select).toHaveBeenLastCalledWith({ kind: "edge", source: "a", target: "b" });
    adopted.intersectedObject = undefined;
    adopted.handleIntersectedObjectClick();
    expect(events.select).toHaveBeenLastCalledWith(null);
    expect(adopted.layout.graphName).toBe("mesh");
    expect(new Conn().isInteractive()).toBe(true);
  });

  test("finds a node under the mouse before the connections that end in its middle", () => {
    const hit = (type: string) => ({ object: { userData: { object: { type } } } });
    const found = made.latest.raycaster.intersectObjects([hit("connection"), hit("node")]);
    expect(found.map((each) => each.object.userData.object?.type)).toEqual(["node", "connection"]);
  });

  test("gives every connection our sprite, for those made too early have none", () => {
    vi.useFakeTimers();
    const texture = class { constructor(readonly image: unknown) {} needsUpdate = false; };
    const connection = (): { uniforms: { texture: { value: unknown } }; noticeView: unknown; validateNotices: () => void; growParticles: () => number } => ({
      uniforms: { texture: { value: undefined } }, noticeView: { noticeTexture: new texture(null) }, validateNotices: vi.fn(), growParticles: () => 0,
    });
    const [first, second] = [connection(), connection()];
    const edges: Record<string, unknown> = { "a--b": { isVisible: () => true, getView: () => first, volume: {} } };
    const adopted = { type: "region", name: "eu", graphIndex: ["eu"], layout: {}, nodes: {}, connections: edges, view: { container: { position: { x: 0, y: 0 }, scale: { x: 1, y: 1 } } }, on: vi.fn(), update: vi.fn(), NodeClass: class { render(): void {} } };
    made.latest._attachGraphHandlers(adopted as never);
    adopted.update(0);
    edges["b--c"] = { isVisible: () => true, getView: () => second, volume: {} };
    adopted.update(1);
    expect(first.uniforms.texture.value).toBeInstanceOf(texture);
    expect(second.uniforms.texture.value).toBe(first.uniforms.texture.value);
    vi.advanceTimersByTime(1000);
    expect(first.validateNotices).toHaveBeenCalledTimes(1);
    vi.useRealTimers();
  });
});
