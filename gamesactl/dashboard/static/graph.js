// One graph over time: lines with their least and most as a band, limits, forecast and markers. uPlot draws the lines.

import { colour, el, say } from "./dom.js";
import { hover } from "./hover.js";
import { Past } from "./past.js";
import { bands, forecasts, levels, markerAt, markers } from "./overlay.js";
import { view } from "./view.js";

/* global uPlot */

const TWO = (n) => String(n).padStart(2, "0");

function times(_plot, splits, _axis, _space, step) {
  return splits.map((t) => {
    const at = new Date(t * 1000);
    if (step >= 86400) return `${TWO(at.getMonth() + 1)}-${TWO(at.getDate())}`;
    const time = `${TWO(at.getHours())}:${TWO(at.getMinutes())}`;
    return step >= 60 ? time : `${time}:${TWO(at.getSeconds())}`;
  });
}

export class Graph {
  #plot = null;
  #hidden = new Set();
  series = [];
  visible = true;
  /** When it was drawn, ms, and the seconds one pixel stands for. */
  drawnAt = 0;
  pixel = 0;

  /**
   * spec: {id, title, format, axis (short numbers for the axis), series(sensors), range(least, most) → [from, to],
   * levels(graph) → [{value, label, strong} | {steps: [[t, value]], label}], forecast (bool), colours}.
   * stage: {store(), now(), events(), forecast()}: what is shown.
   */
  constructor(spec, stage, redraw) {
    this.spec = spec;
    this.stage = stage;
    this.past = new Past(stage.store(), redraw);
    this.redraw = redraw;
    this.legend = el("div", { class: "legend" });
    this.tip = el("div", { class: "tip", hidden: true });
    this.plotHost = el("div", {
      class: "plot", tabindex: "0", role: "img",
      "aria-label": `${spec.title}, a graph over time; its table has the numbers. Arrow keys move the readout.`,
    });
    this.empty = el("p", { class: "empty", hidden: true });
    this.body = el("div", { class: "plot-frame" }, this.plotHost, this.tip, this.empty);
    this.plotHost.addEventListener("keydown", (event) => this.#key(event));
    this.plotHost.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    new ResizeObserver(() => this.#resize()).observe(this.plotHost);
    hover.addEventListener("change", () => this.#follow());
  }

  setSeries(series) {
    const same = series.map((one) => one.key).join() === this.series.map((one) => one.key).join();
    if (same && this.#plot) return;
    const before = new Set(this.series.map((one) => one.key));
    for (const one of series) if (one.off && !before.has(one.key)) this.#hidden.add(one.key);
    this.series = series;
    this.past.series = series;
    this.rebuild();
  }

  /** Anew, with the colours that now hold. */
  rebuild() {
    this.#plot?.destroy();
    this.#plot = null;
    this.legend.replaceChildren(...this.series.map((one) => this.#chip(one)));
    if (!this.series.length) return;
    const ink = colour("--ink-faint");
    const grid = { stroke: colour("--grid"), width: 1 };
    this.paints = this.series.map((one) => colour(one.colour));
    this.inks = { limit: colour("--limit"), faint: ink, marker: ink, back: colour("--surface") };
    for (const action of ["throttle", "boost", "reduce_power", "conservative", "alert"]) {
      this.inks[action] = colour(`--action-${action}`);
    }
    this.inks.family = getComputedStyle(document.body).fontFamily;
    const font = `11px ${this.inks.family}`;
    const axis = { stroke: ink, font, grid, ticks: { show: false } };
    const line = (one, k) => ({
      label: one.label, stroke: this.paints[k], width: 1.5, spanGaps: false, points: { show: false },
      show: !this.#hidden.has(one.key),
    });
    this.#plot = new uPlot(
      {
        ...this.#size(),
        padding: [8, 18, 0, 0],
        legend: { show: false },
        scales: { x: { time: true, range: () => this.range }, y: { range: (_plot, least, most) => this.#yRange(least, most) } },
        axes: [
          { ...axis, size: 22, gap: 4, values: times, space: 64 },
          { ...axis, size: 46, gap: 6, values: (_plot, splits) => splits.map(this.spec.axis ?? this.spec.format), space: 34 },
        ],
        series: [{}, ...this.series.map(line)],
        cursor: {
          y: false,
          drag: { x: true, y: false, setScale: false, dist: 6 },
          points: { size: 7, width: 1.5 },
          bind: { dblclick: () => () => (view.follow(), null) },
        },
        hooks: {
          ready: [(plot) => this.#watch(plot)],
          setSelect: [(plot) => this.#selected(plot)],
          drawAxes: [(plot) => bands(plot, this.past.points, this.paints, (k) => this.shown(k))],
          draw: [(plot) => this.#overlay(plot)],
        },
      },
      this.#data(),
      this.plotHost,
    );
  }

  shown(k) {
    return !this.#hidden.has(this.series[k].key);
  }

  #data() {
    this.range = view.range(this.stage.now());
    const [since, until] = this.range;
    const width = this.#plot?.bbox.width ? this.#plot.bbox.width / devicePixelRatio : 500;
    this.pixel = (until - since) / width;
    const points = this.past.fill(since, until, width, this.stage.store());
    return [points.t, ...points.series.map((one) => one.mean)];
  }

  draw() {
    if (!this.#plot) return;
    this.drawnAt = performance.now();
    this.#plot.setData(this.#data(), true);
    if (hover.t !== null && hover.from === this) hover.set(this.#plot.posToVal(this.#plot.cursor.left, "x"), this); // time runs under it
    else if (hover.t !== null) this.#follow();
    const none = this.past.points.t.length === 0;
    this.empty.hidden = !none;
    if (none) say(this.empty, this.past.trouble || "nothing is known of this time");
  }

  /** The legend's numbers: of the moment under the pointer, else of now. */
  tell() {
    const { points } = this.past;
    const at = hover.t === null ? -1 : this.#plot?.cursor.idx ?? -1;
    this.series.forEach((one, k) => {
      const value = at >= 0 ? points.series[k]?.mean[at] : most(one.sensors.map((name) => this.stage.store().latest(name)));
      say(this.legend.children[k].lastChild, this.spec.format(value ?? NaN));
    });
  }

  /** The time of the point that is read out; null where none is. */
  get moment() {
    const at = hover.t === null ? null : this.#plot?.cursor.idx;
    return typeof at === "number" ? this.past.points.t[at] : null;
  }


  get canvas() {
    return this.#plot?.ctx.canvas ?? null;
  }

  #chip(one) {
    const swatch = el("span", { class: "swatch" });
    swatch.style.background = `var(${one.colour})`;
    const chip = el(
      "button",
      { type: "button", class: "chip", "aria-pressed": String(!this.#hidden.has(one.key)), title: one.sensors.slice(0, 4).join(", ") },
      swatch, el("span", { class: "chip-label" }, one.label), el("span", { class: "value" }, ""),
    );
    chip.addEventListener("click", () => {
      if (!this.#hidden.delete(one.key)) this.#hidden.add(one.key);
      chip.setAttribute("aria-pressed", String(!this.#hidden.has(one.key)));
      this.#plot?.setSeries(this.series.indexOf(one) + 1, { show: !this.#hidden.has(one.key) });
    });
    return chip;
  }

  #yRange(least, most) {
    const found = (this.spec.levels?.(this) ?? []).flatMap((one) => (one.steps ? one.steps.map((step) => step[1]) : [one.value]));
    return this.spec.range(least, most, found);
  }

  #overlay(plot) {
    levels(plot, this.spec.levels?.(this) ?? [], this.inks);
    markers(plot, this.stage.events(), this.inks);
    if (this.spec.forecast) forecasts(plot, this.stage.forecast(), this.series, this.paints, (k) => this.shown(k));
  }

  #size() {
    const box = this.plotHost.getBoundingClientRect();
    return { width: Math.max(120, Math.floor(box.width)), height: Math.max(90, Math.floor(box.height)) };
  }

  #resize() {
    if (!this.#plot) return;
    const size = this.#size();
    if (size.width !== this.#plot.width || size.height !== this.#plot.height) this.#plot.setSize(size);
    this.redraw();
  }

  /** uPlot tells of its cursor also when nobody moved it, so the pointer is watched here. */
  #watch(plot) {
    plot.over.addEventListener("pointermove", (event) => {
      hover.set(plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x"), this);
    });
    plot.over.addEventListener("pointerleave", () => hover.from === this && hover.set(null, this));
  }

  /** Another graph's pointer, or our own: cursor, numbers, and the sentence of a marker that is near. */
  #follow() {
    if (!this.#plot) return;
    if (hover.from !== this || hover.t === null) {
      this.#plot.setCursor({ left: hover.t === null ? -10 : this.#plot.valToPos(hover.t, "x"), top: hover.t === null ? -10 : 0 });
    }
    this.tell();
    const near = hover.t !== null && hover.from === this ? markerAt(this.stage.events(), hover.t, this.pixel * 6) : null;
    this.tip.hidden = near === null;
    if (near === null) return;
    say(this.tip, `${near.time}  ${near.sentence}`);
    const place = this.#plot.valToPos(near.t, "x") + this.#plot.over.offsetLeft;
    const right = place > this.body.clientWidth / 2;
    this.tip.style.left = right ? "auto" : `${place + 10}px`;
    this.tip.style.right = right ? `${this.body.clientWidth - place + 10}px` : "auto";
  }

  #selected(plot) {
    const { left, width } = plot.select;
    if (width < 6) return;
    view.show(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  }

  #wheel(event) {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const delta = event.deltaY || event.deltaX;
    if (event.shiftKey) view.pan(Math.sign(delta) * 0.1, this.stage.now());
    else view.zoom(delta > 0 ? 1.25 : 0.8, this.stage.now(), this.#plot.cursor.left / this.#plot.over.clientWidth);
  }

  #key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.shiftKey || !this.#plot) return;
    event.preventDefault();
    event.stopPropagation();
    const { t } = this.past.points;
    const now = hover.t === null ? t.length - 1 : (this.#plot.cursor.idx ?? t.length - 1) + by;
    const at = Math.max(0, Math.min(t.length - 1, now));
    if (t.length) hover.set(t[at], null);
  }
}

function most(values) {
  let found = NaN;
  for (const value of values) if (!(value <= found) && !Number.isNaN(value)) found = value;
  return found;
}
