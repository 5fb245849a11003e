// A row per core, a column per step of time; the darker or brighter, the busier. One image, scaled up by the canvas.

import { colour, el, say } from "./dom.js";
import { clock, percent } from "./format.js";
import { hover } from "./hover.js";
import { Past } from "./past.js";
import { cores } from "./pick.js";
import { view } from "./view.js";

const CELL_PX = 4;
const STEPS = 64;

export class HeatMap {
  static spec = { id: "cores", title: "Cores", format: percent, series: cores, wide: true };
  spec = HeatMap.spec;
  series = [];
  drawnAt = 0;
  pixel = 1;
  #cells = null;
  #ramp = null;

  constructor(stage, redraw) {
    this.stage = stage;
    this.redraw = redraw;
    this.past = new Past(stage.store(), redraw);
    this.canvas = el("canvas", { class: "heat", role: "img", "aria-label": "Utilization of each core over time; its table has the numbers" });
    this.small = new OffscreenCanvas(1, 1);
    this.labels = el("div", { class: "heat-labels", "aria-hidden": "true" });
    this.legend = el("div", { class: "legend" }, el("span", { class: "heat-scale" }), el("span", { class: "value heat-value" }, ""));
    this.body = el("div", { class: "plot-frame heat-frame" }, this.labels, this.canvas);
    this.canvas.addEventListener("pointermove", (event) => hover.set(this.#time(event), this));
    this.canvas.addEventListener("pointerleave", () => hover.set(null, this));
    this.canvas.addEventListener("pointermove", (event) => this.#point(event));
    hover.addEventListener("change", () => this.tell());
    new ResizeObserver(redraw).observe(this.canvas);
  }

  setSeries(series) {
    const same = series.map((one) => one.key).join() === this.series.map((one) => one.key).join();
    if (same) return;
    this.series = series;
    this.past.series = series;
    this.labels.replaceChildren(...series.map((one, k) => el("span", { class: k % Math.ceil(series.length / 12) ? "hidden" : "" }, one.label)));
    this.rebuild();
  }

  rebuild() {
    const from = numbers(colour("--heat-from"));
    const to = numbers(colour("--heat-to"));
    const high = numbers(colour("--heat-high"));
    this.#ramp = new Uint32Array(STEPS + 1);
    for (let n = 0; n <= STEPS; n += 1) {
      const part = n / STEPS;
      const mixed = part < 0.7 ? mix(from, to, part / 0.7) : mix(to, high, (part - 0.7) / 0.3);
      this.#ramp[n] = (255 << 24) | (mixed[2] << 16) | (mixed[1] << 8) | mixed[0];
    }
  }

  draw() {
    if (!this.series.length) return;
    this.drawnAt = performance.now();
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    if (!width || !height) return;
    const [since, until] = view.range(this.stage.now());
    this.range = [since, until];
    const columns = Math.max(1, Math.min(Math.floor(width / CELL_PX), Math.floor(until - since)));
    const step = (until - since) / columns;
    this.pixel = step / 2;
    this.past.fill(since, until, 2 * columns, this.stage.store());
    this.#paint(columns, step, since);
    const scale = devicePixelRatio;
    if (this.canvas.width !== width * scale || this.canvas.height !== height * scale) {
      this.canvas.width = width * scale;
      this.canvas.height = height * scale;
    }
    const context = this.canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.small, 0, 0, this.canvas.width, this.canvas.height);
  }

  /** The mean of each step; where nothing is known the ground shows. A step lasts until the next point. */
  #paint(columns, step, since) {
    const rows = this.series.length;
    if (this.small.width !== columns || this.small.height !== rows || !this.#cells) {
      this.small.width = columns;
      this.small.height = rows;
      this.#cells = new ImageData(columns, rows);
    }
    const pixels = new Uint32Array(this.#cells.data.buffer).fill(0);
    const { t, series } = this.past.points;
    for (let n = 0; n < t.length; n += 1) {
      const from = Math.max(0, Math.floor((t[n] - since) / step));
      const next = n + 1 < t.length ? Math.floor((t[n + 1] - since) / step) : from + 1;
      for (let row = 0; row < rows; row += 1) {
        const value = series[row].mean[n];
        if (value === null) continue;
        const ink = this.#ramp[Math.round(Math.max(0, Math.min(1, value)) * STEPS)];
        for (let column = from; column < Math.max(next, from + 1) && column < columns; column += 1) pixels[row * columns + column] = ink;
      }
    }
    this.small.getContext("2d").putImageData(this.#cells, 0, 0);
  }

  tell() {
    const at = hover.t;
    const { t, series } = this.past.points;
    let text = "0 % to 100 % of each core";
    if (at !== null && t.length) {
      let n = t.findIndex((one) => one >= at);
      if (n < 0) n = t.length - 1;
      const row = hover.from === this ? this.row : -1;
      const busiest = series.reduce((best, one, k) => ((one.mean[n] ?? -1) > (series[best].mean[n] ?? -1) ? k : best), 0);
      const shown = row >= 0 ? row : busiest;
      text = `${row >= 0 ? "" : "busiest: "}${this.series[shown].label} ${percent(series[shown].mean[n])} at ${clock(t[n])}`;
    }
    say(this.legend.lastChild, text);
  }

  #time(event) {
    const box = this.canvas.getBoundingClientRect();
    const [since, until] = this.range ?? view.range(this.stage.now());
    return since + ((event.clientX - box.left) / box.width) * (until - since);
  }

  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.series.length);
    this.row = Math.max(0, Math.min(this.series.length - 1, row));
  }
}

const numbers = (text) => text.match(/[\d.]+/g).slice(0, 3).map(Number);
const mix = (a, b, part) => a.map((value, k) => Math.round(value + (b[k] - value) * part));
