"use strict";
// Replays the frames that stand in this page. Nothing is fetched, and no text is ever parsed as HTML.
(() => {
  const data = JSON.parse(document.getElementById("frames").textContent);
  const root = document.getElementById("replay");
  const svgOf = "http://www.w3.org/2000/svg";
  const make = (name, attributes = {}, text = "") => {
    const element = document.createElementNS(svgOf, name);
    for (const key of Object.keys(attributes)) element.setAttribute(key, attributes[key]);
    element.textContent = text;
    return element;
  };
  // In English the texts are their own.
  const t = (key, given = {}) => (data.texts[key] || key).replace(/\{(\w+)\}/g, (_, name) => given[name]);
  const html = (name, text = "") => Object.assign(document.createElement(name), { textContent: text });
  const bar = html("div"), picture = html("div"), said = html("p");
  bar.className = "bar"; picture.className = "picture"; said.className = "quiet";
  const play = html("button", t("Play")), time = html("output"), slider = html("input"), choose = html("select");
  slider.type = "range"; slider.min = 0; slider.max = data.asked.length - 1; slider.value = data.first;
  slider.setAttribute("aria-label", t("Moment")); choose.setAttribute("aria-label", t("Level"));
  data.levels.forEach((level, index) => choose.append(Object.assign(html("option", level.name), { value: index })));
  choose.value = data.level;
  bar.append(play, slider, time, choose);
  root.replaceChildren(bar, picture, said);
  const wide = 170, high = 34, text = 24;
  let drawn;
  const draw = () => {
    const level = data.levels[choose.value];
    const layers = Math.max(0, ...level.nodes.map((node) => node[1]));
    const rows = Math.max(0, ...level.nodes.map((node) => node[2]));
    const size = { width: (layers + 1) * wide + 60, height: (rows + 1) * high + 30 };
    const svg = make("svg", { ...size, role: "img", "aria-label": t("Traffic at this moment") });
    const at = level.nodes.map((node) => [node[1] * wide + 14, node[2] * high + 16]);
    const edges = level.edges.map(([source, target]) => {
      const [x1, y1] = at[source], [x2, y2] = at[target], bend = x2 > x1 ? wide / 2 : -wide / 3;
      const path = make("path", { class: "edge", d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` });
      path.append(make("title"));
      svg.append(path);
      return path;
    });
    const nodes = level.nodes.map((node, index) => {
      const [x, y] = at[index], circle = make("circle", { class: "node", cx: x, cy: y, r: 7 });
      const name = node[0].length > text ? node[0].slice(0, text - 1) + "…" : node[0];
      circle.append(make("title", {}, node[0]));
      svg.append(circle, make("text", { x: x + 10, y: y + 4 }, name));
      return circle;
    });
    picture.replaceChildren(svg);
    drawn = { level, edges, nodes };
    show();
  };
  const number = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
  const show = () => {
    const frame = Number(slider.value), { level, edges, nodes } = drawn;
    const failing = new Set();
    let unseen = 0;
    level.edges.forEach(([source, target], index) => {
      const [normal, warning, danger] = level.rates.map((rates) => rates[index][frame]);
      const path = edges[index], names = `${level.nodes[source][0]} → ${level.nodes[target][0]}`;
      let looks = "unseen", width = 1.5, told = t("not seen");
      if (normal !== null) {
        const total = normal + warning + danger;
        const marked = (kind, rate) => rate > 0 && rate / total >= data.marked_from[kind];
        looks = total === 0 ? "none" : marked("danger", danger) ? "danger" : marked("warning", warning) ? "warning" : "normal";
        width = total === 0 ? 1 : 1.2 + 6 * Math.sqrt(total / level.most);
        told = t("{total} requests a second, {danger} danger, {warning} warning",
          { total: number(total), danger: number(danger), warning: number(warning) });
        if (looks === "danger") failing.add(target);
      } else unseen += 1;
      path.setAttribute("class", `edge ${looks}`);
      path.setAttribute("stroke-width", width.toFixed(1));
      path.firstChild.textContent = `${names}: ${told}`;
    });
    nodes.forEach((node, index) => node.setAttribute("class", failing.has(index) ? "node failing" : "node"));
    time.textContent = data.asked[frame];
    const shown = data.shown[frame];
    said.textContent = shown === null ? t("Nothing was seen at this moment.")
      : (shown === data.asked[frame] ? "" : t("As last seen at {shown}. ", { shown })) +
        (unseen ? t("{unseen} of {edges} connections were not seen.", { unseen, edges: edges.length })
          : t("All connections were seen."));
  };
  let timer = 0;
  play.addEventListener("click", () => {
    if (timer) { clearInterval(timer); timer = 0; play.textContent = t("Play"); return; }
    if (Number(slider.value) >= data.asked.length - 1) slider.value = 0;
    play.textContent = t("Pause");
    timer = setInterval(() => {
      if (Number(slider.value) >= data.asked.length - 1) { play.click(); return; }
      slider.value = Number(slider.value) + 1;
      show();
    }, 120);
  });
  slider.addEventListener("input", show);
  choose.addEventListener("change", draw);
  draw();
})();
