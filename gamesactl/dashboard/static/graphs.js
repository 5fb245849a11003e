// The set of graphs: when each is drawn, and what stands around it (legend, table, picture).

import { el } from "./dom.js";
import { picture } from "./export.js";
import { calmly, soon } from "./frame.js";
import { Graph } from "./graph.js";
import { FrameTimes } from "./frametimes.js";
import { HeatMap } from "./heatmap.js";
import { hover } from "./hover.js";
import { model } from "./model.js";
import { STEP_PX } from "./past.js";
import { SPECS } from "./specs.js";
import { stage } from "./stage.js";
import { pointsTable } from "./table.js";
import { view } from "./view.js";

const TABLE_MS = 5000;

export class Graphs {
  #all = [];

  constructor(host) {
    for (const spec of SPECS) this.#add(host, spec, (redraw) => new Graph(spec, stage, redraw));
    this.#add(host, FrameTimes.spec, () => new FrameTimes());
    this.#add(host, HeatMap.spec, (redraw) => new HeatMap(stage, redraw));
    model.addEventListener("tick", calmly(this.#moved));
    model.addEventListener("sensors", () => soon(this.choose));
    for (const what of ["events", "tunables"]) model.addEventListener(what, () => soon(this.draw));
    view.addEventListener("change", () => soon(this.choose));
    hover.addEventListener("change", () => hover.t === null && soon(this.#tell));
  }

  #add(host, spec, make) {
    const one = { spec, visible: true, table: null, tableAt: 0 };
    one.graph = make(() => soon(one.draw));
    one.draw = () => this.#draw(one, true);
    const toggle = el("button", { type: "button", class: "quiet", "aria-pressed": "false", title: "The numbers as a table" }, "Table");
    toggle.addEventListener("click", () => this.#toggleTable(one, toggle));
    const image = el("button", { type: "button", class: "quiet", title: "Save this graph as a picture" }, "PNG");
    image.addEventListener("click", () => picture(one.graph, spec));
    one.host = el(
      "section",
      { class: spec.wide ? "graph wide" : "graph", id: `graph-${spec.id}`, "aria-labelledby": `title-${spec.id}` },
      el("header", {}, el("h3", { id: `title-${spec.id}` }, spec.title), el("div", { class: "tools" }, one.graph.tools ?? [], toggle, image)),
      one.graph.legend, one.graph.body,
    );
    host.append(one.host);
    new IntersectionObserver((entries) => {
      one.visible = entries.at(-1).isIntersecting; // a busy browser tells several changes at once
      if (one.visible) soon(one.draw);
    }).observe(one.host);
    this.#all.push(one);
  }

  /** Which sensors are drawn: as soon as they are known, and again when they change. */
  choose = () => {
    for (const one of this.#all) {
      const series = one.spec.series(stage.sensors());
      one.graph.setSeries(series);
      one.host.hidden = !series.length && one.spec.id !== "frames";
    }
    this.draw();
  };

  shown(id) {
    return this.#all.find((one) => one.spec.id === id).graph;
  }

  frames(frames) {
    this.shown("frames").frames = frames;
  }

  /** With the colours that now hold. */
  recolour = () => {
    for (const one of this.#all) one.graph.rebuild();
    this.draw();
  };

  draw = () => {
    for (const one of this.#all) this.#draw(one, true);
  };

  /** A tick: the numbers at once; the lines when they moved by a step of theirs, and where they stand still not at all. */
  #moved = () => {
    for (const one of this.#all) {
      const due = performance.now() - one.graph.drawnAt >= Math.min(60_000, STEP_PX * one.graph.pixel * 1000);
      this.#draw(one, due && view.following && !view.replay);
    }
  };

  #tell = () => {
    for (const one of this.#all) one.graph.tell();
  };

  #draw(one, lines) {
    if (!one.visible || document.hidden) return;
    if (one.table && performance.now() - one.tableAt > TABLE_MS) this.#fillTable(one);
    if (lines) one.graph.draw();
    one.graph.tell();
  }

  #toggleTable(one, toggle) {
    const shown = one.table === null;
    toggle.setAttribute("aria-pressed", String(shown));
    one.graph.body.classList.toggle("hidden", shown);
    one.table?.remove();
    one.table = shown ? el("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": `${one.spec.title}: table` }) : null;
    if (!shown) return soon(one.draw);
    one.host.append(one.table);
    this.#fillTable(one);
  }

  #fillTable(one) {
    one.tableAt = performance.now();
    if (one.graph.body.classList.contains("hidden")) one.graph.draw();
    one.table.replaceChildren(one.graph.table?.() ?? pointsTable(one.spec, one.graph));
  }
}
