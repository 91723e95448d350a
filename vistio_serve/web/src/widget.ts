/**
 * The notebook's side of the page: a frame with the page in it, and the way of its messages to the kernel and back.
 *
 * It is a module of its own, which anywidget loads; the page comes from the kernel, as an answer, and runs in a sandbox that
 * can neither reach the notebook nor any network.
 */

interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: string, callback: (...given: never[]) => void): void;
  off(event: string, callback: (...given: never[]) => void): void;
}

interface Answer { readonly id: string; readonly status: number }

/** What notebook and page tell each other, as the widget's traits. */
const SHARED = ["at", "window", "selected"] as const;
const PAGE = "page";

let views = 0;
// A frame of a sandbox remembers nothing: what is chosen there counts for all frames of this notebook.
let language = "auto";

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const view = `${Math.random().toString(36).slice(2)}-${++views}`;
  const frame = document.createElement("iframe");
  frame.title = "vistio";
  frame.setAttribute("sandbox", "allow-scripts allow-downloads allow-popups allow-popups-to-escape-sandbox");
  frame.style.cssText = "width: 100%; border: 0; display: block";
  const resize = (): void => { frame.style.height = `${Number(model.get("height"))}px`; };
  resize();

  const shared = (): Record<string, unknown> => Object.fromEntries(SHARED.map((name) => [name, model.get(name)]));
  const toPage = (message: unknown): void => frame.contentWindow?.postMessage(message, "*");

  let page = "";
  const begin = (body: string): void => {
    page = body;
    frame.srcdoc = begun(page, { ...shared(), theme: themeOf(), language });
  };
  const answered = (content: Answer, buffers: DataView[]): void => {
    const [whose, id] = content.id.split("/");
    if (whose !== view) return;
    const body = new TextDecoder().decode(buffers[0]);
    if (id === PAGE) begin(body);
    else toPage({ vistio: "answer", id: Number(id), status: content.status, body });
  };
  const heard = (event: MessageEvent): void => {
    if (event.source !== frame.contentWindow) return;
    const { vistio, id, path, chosen, ...state } = event.data as { vistio?: string; id?: number; path?: string; chosen?: string };
    if (vistio === "language" && chosen !== undefined) {
      language = chosen;
      begin(page);
    }
    if (vistio === "ask") model.send({ id: `${view}/${id}`, path });
    if (vistio === "state") {
      for (const name of SHARED) if (name in state) model.set(name, (state as Record<string, unknown>)[name]);
      model.save_changes();
    }
  };
  const changed = (): void => toPage({ vistio: "go", ...shared() });

  // Whenever the notebook has moved the frame it begins anew, as it once began.
  frame.addEventListener("load", changed);
  window.addEventListener("message", heard);
  model.on("msg:custom", answered);
  model.on("change:height", resize);
  for (const name of SHARED) model.on(`change:${name}`, changed);
  el.append(frame);
  model.send({ id: `${view}/${PAGE}`, path: "" });
  return () => {
    window.removeEventListener("message", heard);
    model.off("msg:custom", answered);
    model.off("change:height", resize);
    for (const name of SHARED) model.off(`change:${name}`, changed);
    frame.remove();
  };
}

/** The page's document, which begins with this state. */
function begun(page: string, beginning: unknown): string {
  const content = JSON.stringify(beginning).replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  return page.replace("<head>", () => `<head><meta name="vistio-embedded" content="${content}">`);
}

/** As JupyterLab says it, else as the browser does. */
function themeOf(): "auto" | "light" | "dark" {
  const light = document.body.dataset["jpThemeLight"];
  return light === undefined ? "auto" : light === "true" ? "light" : "dark";
}

export default { render };
