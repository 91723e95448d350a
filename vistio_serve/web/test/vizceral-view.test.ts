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
    scene = { children: [], add: vi.fn(), remove: vi.fn() };
    camera = { left: -500, right: 500, top: 300, bottom: -300 };
    renderer = { setClearColor: vi.fn(), dispose: vi.fn(), forceContextLoss: vi.fn() };
    currentGraph: unknown;
    requestAnimationFrame = (): void => undefined;
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
    animate(): void {
      this.calls.push("animate");
      this.requestAnimationFrame();
    }
  }
  // The bundle's default export is wrapped once more.
  return { default: { default: Component } };
});

const mesh = graph([level("", ["INTERNET>eu 10"]), level("eu", ["a>b 10"])]);
const scene = sceneOf(mesh, extend(EMPTY, mesh), NO_FILTERS);
const events = { select: vi.fn(), open: vi.fn() };

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
    expect(made.latest.calls).toEqual(["setView ", "setOptions", "animate"]);
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

  test("ends the component's loop, which nothing else can", () => {
    view.show(scene);
    expect(requestAnimationFrame).toHaveBeenCalledTimes(1);
    view.dispose();
    made.latest.animate();
    expect(requestAnimationFrame).toHaveBeenCalledTimes(1);
  });

  test("has its own layouts in place of those that lose nodes", () => {
    expect(new made.latest.layouts["ltrTree"]!()).toHaveProperty("graphName", null);
    expect(new made.latest.layouts["ringCenter"]!()).toHaveProperty("graphName", null);
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
    const connection = (): { uniforms: { texture: { value: unknown } }; noticeView: unknown; validateNotices: () => void } => ({
      uniforms: { texture: { value: undefined } }, noticeView: { noticeTexture: new texture(null) }, validateNotices: vi.fn(),
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
