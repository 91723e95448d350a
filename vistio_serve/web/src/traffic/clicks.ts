/**
 * Clicks on the picture, as the browser counts them.
 *
 * The component hears taps through Hammer, which measures a press by when it is handled: where a frame takes
 * a quarter of a second, as on a machine without a GPU, clicks are lost. It also waits before it believes that
 * a click is a single one. And it never hears that the mouse has left.
 */

import type VizceralComponent from "vizceral";

// More is a node that was dragged.
const TREMBLING_PX = 9;

export function listenForClicks(canvas: HTMLCanvasElement, component: VizceralComponent): void {
  component.hammertime.off("singletap doubletap");
  let pressed = { x: 0, y: 0 };
  canvas.addEventListener("pointerdown", (event) => {
    pressed = { x: event.clientX, y: event.clientY };
  });
  canvas.addEventListener("click", (event) => {
    const center = { x: event.clientX, y: event.clientY };
    if (Math.hypot(center.x - pressed.x, center.y - pressed.y) > TREMBLING_PX) return;
    // The picture may have moved below a mouse that stood still, for which it would look no further; and what
    // the mouse has come to a moment ago would count a tenth of a second later only.
    component.updateBoundingRectCache();
    component.raycaster_mouseLocation_viewportSpace.set(-1, -1);
    component.objectToSwitch = null;
    if (event.detail % 2) component.onDocumentClick({ center });
    // A finger taps once: what there is to see of a cluster is inside.
    const enters = (event as PointerEvent).pointerType === "touch" && component.currentGraph?.graphIndex.length === 0;
    if (event.detail % 2 === 0 || enters) component.onDocumentDoubleClick({ center });
  });
}

/** What the mouse was on is bright, and all else dim, only as long as it is there. */
export function listenForLeaving(canvas: HTMLCanvasElement, component: VizceralComponent): void {
  canvas.addEventListener("pointerleave", () => {
    clearTimeout(component.mouseOverTimer);
    component.raycaster_mouseLocation_viewportSpace.set(-1, -1);
    component.objectToSwitch = null;
    component.currentGraph?.setIntersectedObject(undefined);
  });
}
