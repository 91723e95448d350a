/** Puts the page together: store, questions, picture, panels, address. */

import "./style/tokens.css";
import "./style/page.css";
import "./style/asked.css";
import "./style/marks.css";
import "./style/search.css";
import "./style/small.css";
import { Api } from "./asking/api";
import { Asking } from "./asking/asking";
import { Clusters } from "./asking/clusters";
import { Commits } from "./asking/commits";
import { Comparing } from "./asking/comparing";
import { Engine } from "./asking/engine";
import { Happenings } from "./asking/happenings";
import { Heating } from "./asking/heating";
import { Later } from "./asking/later";
import { Marking } from "./asking/marking";
import { Awaited } from "./asking/waiting";
import { NOWHERE, askingBy } from "./asking/messages";
import { Trends } from "./asking/trends";
import { AroundView } from "./controls/around";
import { CrowdNoteView } from "./controls/crowd-note";
import { Embedding, beginningOf, embeddedState, fromParent, toParent } from "./controls/embedding";
import { FiltersView } from "./controls/filters";
import { HeaderView } from "./controls/header";
import { History, readDisplay, writeDisplay } from "./controls/history";
import { type Key, keysOf, nameOf, onKey, watchFocus } from "./controls/keys";
import { Kiosk, toggleFullScreen } from "./controls/kiosk";
import { languageOf, speakIn, withoutLanguage } from "./controls/language";
import { legend } from "./controls/legend";
import { LookView } from "./controls/look";
import { sheetOf } from "./controls/sheet";
import { showInTab } from "./controls/tab";
import { TransportView } from "./controls/transport";
import { h, iconButton } from "./dom/elements";
import { readPalette } from "./dom/palette";
import { LazyHeat } from "./heat/lazy";
import { makePanels } from "./panels";
import { Pictures } from "./picture/picture";
import { StatesView } from "./states/states";
import { WaitingView } from "./states/waiting";
import { Store, type View, type Snapshot } from "./store/store";
import { LevelTable } from "./table/level-table";
import { t } from "./texts/say";
import { TimelineView } from "./timeline/timeline";
import { Stage } from "./traffic/stage";
import { kioskMs } from "./values/kiosk";
import { openOrEnter } from "./values/opening";
import { putNode } from "./values/places";
import { select, setDisplay } from "./values/state";
import { fromFragment } from "./values/url";

// In a notebook's frame there is neither an address nor a server.
const embedded = beginningOf(document);
const initial = embedded ? embeddedState(embedded, readDisplay()) : fromFragment(location.hash, readDisplay(), null);
// Before anything is said: nothing of the page asks for a text while it is loaded.
void speakIn(languageOf(embedded ? "" : location.search, initial.display.language, navigator.languages), document).then(begin);

function begin(): void {
  const store = new Store(initial);
  const api = embedded ? new Api(NOWHERE, askingBy(toParent, fromParent), document) : new Api(document.baseURI, undefined, document);

  api.awaited = new Awaited(store);

  const filters = new FiltersView(store);
  const look = new LookView(store);
  const pictures = new Pictures();
  const marking = new Marking(store, api);
  const header = new HeaderView(store, pictures, () => filters.toggle(), () => look.toggle(), () => openExport(), () => help.showModal(), () => toggleSearch());
  const transport = new TransportView(store);
  transport.add(h("button", { type: "button", class: "button", title: t("What was noted, and to note something (a)"), onClick: () => openMarks() }, t("Marks")));
  const timeline = new TimelineView(store);
  const stage = new Stage({
    select: (selection) => store.change((state) => select(state, selection)),
    open: (path) => store.change((state) => openOrEnter(state, path)),
    put: (level, node, place) => store.change((state) => ({ ...state, places: putNode(state.places, level, node, place) })),
  }, pictures);
  const around = new AroundView(store);
  const crowdNote = new CrowdNoteView(store, pictures);
  const states = new StatesView(store);
  const waiting = new WaitingView();
  const panels = makePanels(store, pictures);
  const table = new LevelTable(store);
  const heat = new LazyHeat(store);
  const views: View[] = [table, heat, header, filters, look, around, crowdNote, states, waiting, ...panels, transport, timeline];

  const keys = keysOf(store, {
    search: () => toggleSearch(),
    focusLocator: () => header.focusLocator(),
    focusClock: () => transport.focusClock(),
    toggleFilters: () => filters.toggle(),
    toggleLook: () => look.toggle(),
    openExport: () => openExport(),
    openMarks: () => openMarks(),
    toggleHelp: () => help.showModal(),
    toggleFullScreen,
    zoom: (steps) => stage.zoom(steps),
  });
  const help = helpOf(keys);
  /** A view that was loaded later. */
  const added = <Loaded extends View>(made: Loaded): Loaded => {
    made.render(store.snapshot);
    views.push(made);
    document.body.append(made.element);
    return made;
  };
  const search = new Later(store, "search everywhere", async () => {
    const { SearchView } = await import("./search/dialogs");
    return added(new SearchView(store, pictures, keys));
  });
  const marks = new Later(store, "marks", async () => {
    const { MarksView } = await import("./search/dialogs");
    return added(new MarksView(store, marking));
  });
  const exported = new Later(store, "export", async () => {
    const { ExportView, POSTER_SCALE, posterOf } = await import("./search/dialogs");
    return added(new ExportView(embedded ? null : api, async (caption) => {
      const picture = stage.drawn(POSTER_SCALE);
      return picture && posterOf({ picture, timeline: await timeline.copy(picture.width / (POSTER_SCALE * devicePixelRatio), POSTER_SCALE), caption }, readPalette());
    }));
  });
  const openExport = (): void => void exported.use((loaded) => void loaded.open());
  const openMarks = (): void => void marks.use((loaded) => loaded.open());
  const toggleSearch = (): void => void search.use((loaded) => loaded.toggle());

  document.body.append(
    skipLinks(store, table),
    header.element,
    h("div", { class: "bars" }, filters.element, look.element),
    h("main", { class: "main" }, stage.element, sheetOf(panels.map((panel) => panel.element))),
    h("footer", { class: "footer" }, transport.element, timeline.element),
    help,
  );
  stage.element.append(around.element, crowdNote.element, table.element, heat.element, states.element, waiting.element);

  const eachMs = embedded ? null : kioskMs(location.search);
  const history = embedded ? new Embedding(store) : new History(store);
  if (history instanceof History) history.settle();
  const render = (now: Snapshot, before: Snapshot | null): void => {
    if (stage.render(now, before)) timeline.repaint();
    for (const view of views) view.render(now);
  };
  store.subscribe((now, before) => {
    if (history instanceof History) history.read();
    if (now.state.display !== before.state.display) writeDisplay(now.state.display, before.state.display);
    if (now.state.display.language !== before.state.display.language) return beginAnew(store, history);
    render(now, before);
    // A wall goes round for days: no step of that is one to go back to.
    if (eachMs === null) history.follow(now.state, before.state);
    showInTab(now);
  });
  watchFocus(document);
  document.addEventListener("keydown", (event) => onKey(event, keys));
  render(store.snapshot, null);
  Stage.listen(() => render(store.snapshot, store.snapshot));
  const queryLinks = document.querySelector<HTMLMetaElement>("meta[name=vistio-query-links]")?.content;
  new Asking(store, api, undefined, queryLinks, document, (hear) => (embedded ? null : new Commits(api.address("live"), document, hear))).start();
  new Comparing(store, api).start();
  new Trends(store, api).start();
  new Happenings(store, api).start();
  new Clusters(store, api).start();
  new Heating(store, api).start();
  if (eachMs !== null) new Kiosk(store, eachMs).start();
  new Engine(store).start();
  marking.start();
  // The badge tells an age, which grows without any news, until that is news in itself.
  setInterval(() => {
    header.render(store.snapshot);
    states.render(store.snapshot);
  }, 1000);

  // For tests, and for the curious.
  Object.assign(window, { vistio: { snapshot: () => store.snapshot, inspect: () => stage.inspect(), placeOf: (node: string) => stage.placeOf(node), texts: () => stage.texts() } });
}

/** In another language the page begins anew, for nothing of it is bound to its texts; what it shows stands in its address. */
function beginAnew(store: Store, history: History | Embedding): void {
  if (!(history instanceof History)) return toParent({ vistio: "language", chosen: store.snapshot.state.display.language });
  window.history.replaceState(null, "", withoutLanguage(location));
  history.settle();
  location.reload();
}

/** The first stops of the Tab key: past the tools, to what one came for. */
function skipLinks(store: Store, table: LevelTable): HTMLElement {
  const to = (text: string, target: () => HTMLElement | null): HTMLElement => h("button", { type: "button", class: "button", onClick: () => target()?.focus() }, text);
  const toTable = (): HTMLElement => {
    store.change((state) => setDisplay(state, { table: true }));
    table.render(store.snapshot);
    return table.element;
  };
  const toDetails = (): HTMLElement | null => document.querySelector(".panels");
  const toTime = (): HTMLElement | null => document.querySelector(".transport button");
  return h("nav", { class: "skip", "aria-label": t("Skip") }, to(t("To the graph as tables"), toTable), to(t("To the details"), toDetails), to(t("To the time"), toTime));
}

function helpOf(shown: readonly Key[]): HTMLDialogElement {
  const dialog = h("dialog", { class: "help", "aria-label": t("Help"), "data-key": "?" },
    h("header", { class: "panel-head" }, h("h2", {}, t("Keys and signs")), iconButton("close", t("Close"), () => dialog.close())),
    h("dl", { class: "facts" }, ...shown.map((key) => h("div", {}, h("dt", {}, h("kbd", {}, nameOf(key))), h("dd", {}, t(key.says))))),
    h("p", { class: "quiet" }, t("Double click enters a cluster or a node. Drag on the timeline zooms, a click goes there.")), legend(),
    // A notebook has no server to ask for them.
    embedded ? null : h("p", { class: "quiet" }, h("a", { href: "static/licences.txt", target: "_blank", rel: "noopener" }, t("Licences of what this page is built of"))));
  return dialog;
}
