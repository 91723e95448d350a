// A plain page over this server's own answers. Everything that was recorded is text to it:
// names reach the document through textContent only.
"use strict";

const POLL_MS = 5000;
const TIMEOUT_MS = 15000;
const SEVERITIES = ["", "warning", "danger"];

const $ = (id) => document.getElementById(id);
let timer = 0;
let generation = 0; // an answer that comes after a newer question is dropped
let shown = null; // the instant on the page, RFC 3339

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// What this page says, in its language. In English the texts are their own.
const texts = JSON.parse(document.currentScript.dataset.texts);
const language = document.documentElement.lang.slice(0, 2);
const t = (text, given = {}) => (texts[text] || text).replace(/\{(\w+)\}/g, (_, name) => given[name]);

function askedTime() {
  return new URLSearchParams(location.hash.slice(1)).get("at") || "";
}

function show(at) {
  const hash = at ? "#" + new URLSearchParams({ at }) : "";
  if (hash === location.hash) refresh();
  else if (hash) location.hash = hash;
  else {
    history.pushState(null, "", location.pathname + location.search);
    refresh();
  }
}

function address(path, parameters) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  return query.size ? `${path}?${query}` : path;
}

async function ask(path, parameters) {
  const asked = language === "en" ? parameters : { ...parameters, lang: language };
  const response = await fetch(address(path, asked), { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const document_ = await response.json();
  if (response.ok) return document_;
  throw Object.assign(new Error(document_.detail), { problem: document_ });
}

function age(seconds) {
  if (seconds < 0) return t("in the future");
  if (seconds < 120) return t("{count} s", { count: Math.round(seconds) });
  if (seconds < 7200) return t("{count} min", { count: Math.round(seconds / 60) });
  if (seconds < 172800) return t("{count} h", { count: Math.round(seconds / 3600) });
  return t("{count} days", { count: Math.round(seconds / 86400) });
}

const between = (earlier, later) => (Date.parse(later) - Date.parse(earlier)) / 1000;

function state(name, text) {
  $("state").dataset.state = name;
  $("state").textContent = text;
}

// --- what is shown ---

function fact(name, ...content) {
  const box = element("div");
  const value = element("dd");
  value.append(...content);
  box.append(element("dt", name), value);
  return box;
}

function drawFacts(instants, about) {
  const facts = [];
  if (about) {
    facts.push(fact(t("Shown instant"), about.instant));
    if (about.age_s > 0) facts.push(fact(t("Older than asked by"), age(about.age_s)));
  }
  if (instants) {
    const { first, last } = instants.recording;
    facts.push(fact(t("Recorded"), first ? t("{start} to {end}", { start: first, end: last }) : t("nothing yet")));
    if (last) facts.push(fact(t("Newest instant is"), t("{age} old", { age: age(between(last, instants.now)) })));
  }
  if (about) {
    const link = element("a", String(about.configuration).slice(0, 12));
    link.href = address("config", { at: about.instant });
    facts.push(fact(t("Configuration"), link));
    if (about.backfilled) facts.push(fact(t("Origin"), t("backfilled")));
  }
  $("facts").replaceChildren(...facts);
}

function drawFailedRules(failed) {
  $("failed").hidden = failed.length === 0;
  $("failed-rules").replaceChildren(
    ...failed.map((rule) =>
      element("li", `${rule.cluster || t("global")} ${rule.rule}: ${rule.error || t(rule.outcome)}`)),
  );
}

function drawGaps(gaps) {
  $("gaps").hidden = gaps.length === 0;
  $("gap-rows").replaceChildren(...gaps.map((gap) => {
    const row = element("tr");
    row.append(element("td", gap.start), element("td", gap.end),
      element("td", gap.missing, "number"), element("td", gap.reason));
    return row;
  }));
}

function rate(requestsPerSecond) {
  const digits = requestsPerSecond >= 100 ? 0 : requestsPerSecond >= 10 ? 1 : 2;
  return requestsPerSecond.toLocaleString("en", { maximumFractionDigits: digits });
}

function share(part, whole) {
  if (!(whole > 0)) return "";
  const percent = (100 * part) / whole;
  if (percent === 0) return "0 %";
  return percent < 0.01 ? "< 0.01 %" : `${percent.toFixed(2)} %`;
}

// The Vizceral format escapes notices for a component that writes them into innerHTML. A parsed
// document runs nothing, and its text is what was meant.
function unescaped(html) {
  return new DOMParser().parseFromString(html, "text/html").documentElement.textContent;
}

// Where caller and called side tell differently.
function witnesses({ told_by: toldBy, measurements = {} }) {
  const parts = [];
  if (measurements.lost_rps > 0) parts.push(t("{rate} requests/s lost: sent, not received", { rate: rate(measurements.lost_rps) }));
  if (measurements.network_ms !== undefined) parts.push(t("network delay {delay} ms", { delay: rate(measurements.network_ms) }));
  if (toldBy === "caller") parts.push(t("told by the caller only"));
  if (toldBy === "called") parts.push(t("told by the called only"));
  return parts.join(t(", "));
}

function edgeRow(edge, named, marked) {
  const { normal = 0, warning = 0, danger = 0 } = edge.metrics || {};
  const total = normal + warning + danger;
  const tone = (kind, part) => (part > 0 && part / total >= marked[kind] ? `number ${kind}` : "number");
  const notices = element("td");
  const told = witnesses(edge.metadata?.vistio || {});
  if (told) notices.append(element("div", told));
  for (const notice of edge.notices || []) {
    notices.append(element("div", unescaped(notice.title), SEVERITIES[notice.severity]));
  }
  const row = element("tr");
  row.append(element("td", named(edge.source)), element("td", named(edge.target)), element("td", rate(total), "number"),
    element("td", share(danger, total), tone("danger", danger)),
    element("td", share(warning, total), tone("warning", warning)), notices);
  return { row, total, danger };
}

// An empty cluster holds one made-up node, whose notice tells quiet from not seen.
function whyEmpty(graph) {
  const told = (graph.nodes || []).flatMap((node) => node.notices || [])[0];
  return told ? unescaped(told.title) : t("No traffic was seen here at this instant.");
}

function edgeTable(title, graph, marked) {
  // Zero-rate edges that only hold the drawing together are no facts.
  const edges = (graph.connections || []).filter((edge) => !edge.metadata?.vistio?.synthetic);
  const names = new Map((graph.nodes || []).map((node) => [node.name, node.displayName || node.name]));
  const named = (name) => names.get(name) || name;
  const section = element("section");
  section.append(element("h2", title));
  if (!edges.length) {
    section.append(element("p", whyEmpty(graph), "quiet"));
    return section;
  }
  const head = element("tr");
  for (const name of [t("source"), t("target")]) head.append(element("th", name));
  for (const name of [t("requests/s"), t("errors"), t("warnings")]) head.append(element("th", name, "number"));
  head.append(element("th", t("notices")));
  const rows = edges.map((edge) => edgeRow(edge, named, marked)).sort((a, b) => b.danger - a.danger || b.total - a.total);
  const [table, thead, tbody, box] = ["table", "thead", "tbody", "div"].map((tag) => element(tag));
  thead.append(head);
  tbody.append(...rows.map(({ row }) => row));
  table.append(thead, tbody);
  box.className = "scroll";
  box.tabIndex = 0;
  box.append(table);
  section.append(box);
  return section;
}

function drawGraph(graph) {
  const regions = graph.nodes.filter((node) => (node.nodes || []).length);
  const marked = graph.metadata.vistio.marked_from;
  $("clusters").replaceChildren(
    edgeTable(t("Between clusters"), graph, marked),
    ...regions.map((region) => edgeTable(t("Cluster {cluster}", { cluster: region.displayName || region.name }), region, marked)),
  );
}

function drawProblem(problem) {
  $("problem").hidden = !problem;
  $("problem-near").replaceChildren();
  if (!problem) return;
  $("problem-title").textContent = problem.title;
  $("problem-detail").textContent = problem.detail;
  for (const [side, label] of [["before", t("Show the last before")], ["after", t("Show the first after")]]) {
    if (!problem[side]) continue;
    const button = element("button", `${label}${t(": ")}${problem[side]}`);
    button.type = "button";
    button.addEventListener("click", () => show(problem[side]));
    $("problem-near").append(button);
  }
}

// --- asking ---

function outcomeState(at, graph, error) {
  if (error && !error.problem) return ["gone", t("the server does not answer; asking again ({error})", { error: error.message })];
  if (error && error.problem.status === 503) return ["nothing", t("waiting for a recording")];
  if (error && graph) return ["stale", t("nothing seen since {instant}; this is the last graph", graph.metadata.vistio)];
  if (error) return ["nothing", at ? t("nothing to show at {at}", { at }) : t("nothing recorded lately")];
  const about = graph.metadata.vistio;
  const late = about.age_s > 60;
  if (at && late) return ["stale", t("as of {instant}, {age} before the asked time", { instant: about.instant, age: age(about.age_s) })];
  if (at) return ["past", t("as of {instant}", about)];
  return late ? ["stale", t("the newest graph is {age} old", { age: age(about.age_s) })] : ["live", t("live, {instant}", about)];
}

async function refresh() {
  const mine = ++generation;
  clearTimeout(timer);
  const at = askedTime();
  if (document.activeElement !== $("at")) $("at").value = at;
  const [graph, instants] = await Promise.allSettled([ask("graph", { at }), ask("instants", { end: at })]);
  const before = graph.reason?.problem?.before;
  // Live, the last graph that there is stands below the words that say why it is the last.
  if (!at && before) graph.value = await ask("graph", { at: before }).catch(() => undefined);
  if (mine !== generation) return;
  const error = graph.reason;
  const window_ = instants.value;
  state(...outcomeState(at, graph.value, error));
  // While the server is gone the last picture stays, under a state that says so.
  if (!error || error.problem) {
    const about = graph.value && graph.value.metadata.vistio;
    shown = about ? about.instant : null;
    drawProblem(error && error.problem);
    drawFacts(window_, about);
    drawFailedRules(about ? about.failed_rules : []);
    drawGaps(window_ ? window_.gaps : []);
    if (graph.value) drawGraph(graph.value);
    else $("clusters").replaceChildren();
  }
  $("earlier").disabled = $("later").disabled = !shown;
  linkFormats(at);
  // A fixed instant in the past does not change; live, relative and failed ones do.
  if (!at || at.startsWith("-") || error) timer = setTimeout(refresh, POLL_MS);
}

async function step(direction) {
  const ms = Date.parse(shown);
  const window_ = direction < 0
    ? { start: new Date(ms - 3600000).toISOString(), end: new Date(ms).toISOString() }
    : { start: new Date(ms + 1).toISOString(), end: new Date(ms + 3600000).toISOString() };
  try {
    const { instants } = await ask("instants", window_);
    const seen = instants.filter((row) => row.seen);
    const next = direction < 0 ? seen.at(-1) : seen[0];
    if (next) show(next.instant);
    else drawProblem({ title: t("Nothing there"), detail: t("No instant is recorded in the hour on that side.") });
  } catch (error) {
    drawProblem(error.problem || { title: t("The server does not answer"), detail: error.message });
  }
}

let formats = [];
function linkFormats(at) {
  if (!formats.length) return;
  const links = formats.flatMap((format) => {
    const link = element("a", format);
    link.href = address("graph", { at, format });
    return [link, " "];
  });
  $("formats").replaceChildren(...links);
}

async function learnFormats() {
  try {
    const { paths } = await ask("openapi.json", {});
    const parameter = paths["/graph"].get.parameters.find(({ name }) => name === "format");
    formats = parameter.schema.enum;
    linkFormats(askedTime());
  } catch {
    setTimeout(learnFormats, POLL_MS); // the link that is in the page works meanwhile
  }
}

$("when").addEventListener("submit", (event) => {
  event.preventDefault();
  $("at").blur();
  show($("at").value.trim());
});
$("live").addEventListener("click", () => show(""));
$("earlier").addEventListener("click", () => step(-1));
$("later").addEventListener("click", () => step(1));
addEventListener("hashchange", refresh);
addEventListener("popstate", () => { if (!location.hash) refresh(); });
learnFormats();
refresh();
