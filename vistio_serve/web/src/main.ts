/** Puts the page together: store, questions, picture, panels, address. */

import "./style/tokens.css";
import "./style/page.css";
import { Api } from "./asking/api";
import { Asking } from "./asking/asking";
import { Clusters } from "./asking/clusters";
import { Comparing } from "./asking/comparing";
import { Happenings } from "./asking/happenings";
import { NOWHERE, askingBy } from "./asking/messages";
import { Trends } from "./asking/trends";
import { CrowdNoteView } from "./controls/crowd-note";
import { Embedding, beginningOf, embeddedState, fromParent, toParent } from "./controls/embedding";
import { ExportView } from "./controls/export";
import { FiltersView } from "./controls/filters";
import { HeaderView } from "./controls/header";
import { History, readDisplay, writeDisplay } from "./controls/history";
import { type Key, keysOf, onKey } from "./controls/keys";
import { legend } from "./controls/legend";
import { LookView } from "./controls/look";
import { showInTab } from "./controls/tab";
import { TransportView } from "./controls/transport";
import { h, iconButton } from "./dom/elements";
import { makePanels } from "./panels";
import { Pictures } from "./picture/picture";
import { StatesView } from "./states/states";
import { Store, type View } from "./store/store";
import { LevelTable } from "./table/level-table";
import { TimelineView } from "./timeline/timeline";
import { Stage } from "./traffic/stage";
import { openOrEnter } from "./values/opening";
import { select, setDisplay } from "./values/state";
import { fromFragment } from "./values/url";

// In a notebook's frame there is neither an address nor a server.
const embedded = beginningOf(document);
const store = new Store(embedded ? embeddedState(embedded, readDisplay()) : fromFragment(location.hash, readDisplay()));
const api = embedded ? new Api(NOWHERE, askingBy(toParent, fromParent)) : new Api(document.baseURI);

const filters = new FiltersView(store);
const look = new LookView(store, () => stage.layOutAgain());
const pictures = new Pictures();
const exported = new ExportView(embedded ? null : api, (caption) => stage.toPng(caption));
const header = new HeaderView(store, pictures, () => filters.toggle(), () => look.toggle(), () => void exported.open(), () => help.showModal());
const transport = new TransportView(store);
const timeline = new TimelineView(store);
const stage = new Stage({
  select: (selection) => store.change((state) => select(state, selection)),
  open: (path) => store.change((state) => openOrEnter(state, path)),
}, pictures);
const crowdNote = new CrowdNoteView(store, pictures);
const states = new StatesView(store);
const panels = makePanels(store, pictures);
const table = new LevelTable(store);
const views: View[] = [table, header, filters, look, exported, crowdNote, states, ...panels, transport, timeline];

const keys = keysOf(store, {
  focusLocator: () => header.focusLocator(),
  focusClock: () => transport.focusClock(),
  toggleFilters: () => filters.toggle(),
  toggleLook: () => look.toggle(),
  openExport: () => void exported.open(),
  toggleHelp: () => help.showModal(),
});
const help = helpOf(keys);

document.body.append(
  skipLinks(),
  header.element,
  h("div", { class: "bars" }, filters.element, look.element),
  h("main", { class: "main" }, stage.element, h("aside", { class: "panels", "aria-label": "Details", tabindex: -1 }, ...panels.map((panel) => panel.element))),
  h("footer", { class: "footer" }, transport.element, timeline.element),
  help,
  exported.element,
);
stage.element.append(crowdNote.element, table.element, states.element);

const history = embedded ? new Embedding(store) : new History(store);
// A link that was written by hand may say -45m: what is copied from the address holds the moment.
if (history instanceof History) history.settle();
store.subscribe((now, before) => {
  if (now.state.display !== before.state.display) writeDisplay(now.state.display);
  if (stage.render(now, before)) timeline.repaint();
  for (const view of views) view.render(now);
  history.follow(now.state, before.state);
  showInTab(now);
});
document.addEventListener("keydown", (event) => onKey(event, keys));
stage.render(store.snapshot, null);
for (const view of views) view.render(store.snapshot);
const queryLinks = document.querySelector<HTMLMetaElement>("meta[name=vistio-query-links]")?.content;
new Asking(store, api, undefined, queryLinks).start();
new Comparing(store, api).start();
new Trends(store, api).start();
new Happenings(store, api).start();
new Clusters(store, api).start();
// The badge tells an age, which grows without any news, until that is news in itself.
setInterval(() => {
  header.render(store.snapshot);
  states.render(store.snapshot);
}, 1000);

// For tests, and for the curious.
Object.assign(window, { vistio: { snapshot: () => store.snapshot, inspect: () => stage.inspect(), placeOf: (node: string) => stage.placeOf(node), texts: () => stage.texts() } });

/** The first stops of the Tab key: past the tools, to what one came for. */
function skipLinks(): HTMLElement {
  const to = (text: string, target: () => HTMLElement | null): HTMLElement => h("button", { type: "button", class: "button", onClick: () => target()?.focus() }, text);
  const toTable = (): HTMLElement => {
    store.change((state) => setDisplay(state, { table: true }));
    table.render(store.snapshot);
    return table.element;
  };
  const toDetails = (): HTMLElement | null => document.querySelector(".panels");
  const toTime = (): HTMLElement | null => document.querySelector(".transport button");
  return h("nav", { class: "skip", "aria-label": "Skip" }, to("To the graph as tables", toTable), to("To the details", toDetails), to("To the time", toTime));
}

function helpOf(shown: readonly Key[]): HTMLDialogElement {
  const names: Record<string, string> = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" };
  const dialog = h("dialog", { class: "help", "aria-label": "Help", "data-key": "?" },
    h("header", { class: "panel-head" }, h("h2", {}, "Keys and signs"), iconButton("close", "Close", () => dialog.close())),
    h("dl", { class: "facts" }, ...shown.map((key) => h("div", {}, h("dt", {}, h("kbd", {}, names[key.key] ?? key.key)), h("dd", {}, key.says)))),
    h("p", { class: "quiet" }, "Double click enters a cluster or a node. Drag on the timeline zooms, a click goes there."), legend());
  return dialog;
}
