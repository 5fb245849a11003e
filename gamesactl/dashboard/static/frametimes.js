// The last frames, one bar each, as their source gives them; without a source the reason why they are unknown.

import { colour, el, say } from "./dom.js";
import { milliseconds } from "./format.js";

export class FrameTimes {
  static spec = { id: "frames", title: "Frame times", format: milliseconds, series: () => [] };
  series = [];
  drawnAt = 0;
  pixel = Infinity;
  past = { points: { t: [], series: [] } };
  #frames = null;

  constructor() {
    this.canvas = el("canvas", { class: "frames-canvas", role: "img", "aria-label": "Frame times; the table has the numbers" });
    this.legend = el("div", { class: "legend" }, el("span", { class: "value" }, ""));
    this.empty = el("p", { class: "empty" }, "unknown");
    this.body = el("div", { class: "plot-frame" }, this.canvas, this.empty);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  setSeries() {}

  rebuild() {
    this.draw();
  }

  set frames(frames) {
    this.#frames = frames;
    this.draw();
  }

  tell() {
    const frames = this.#frames;
    const known = frames && frames.source !== null;
    this.empty.hidden = Boolean(known);
    if (!known) say(this.empty, `unknown: ${frames?.reason ?? "the dashboard has not answered yet"}`);
    say(this.legend.firstChild, known ? `${Math.round(frames.fps)} fps, half within ${milliseconds(frames.p50_ms)}, 99 % within ${milliseconds(frames.p99_ms)}; from ${frames.source}` : "");
  }

  draw() {
    this.tell();
    const times = this.#frames?.times ?? [];
    const [width, height] = [this.canvas.clientWidth * devicePixelRatio, this.canvas.clientHeight * devicePixelRatio];
    this.canvas.width = width;
    this.canvas.height = height;
    if (!times.length || !width) return;
    const context = this.canvas.getContext("2d");
    const top = Math.max(2 * (this.#frames.p50_ms ?? 16), this.#frames.p99_ms ?? 0) * 1.15;
    const shown = times.slice(-Math.floor(width / 2));
    const bar = width / shown.length;
    const y = (value) => height - (height * Math.min(value, top)) / top;
    shown.forEach((value, n) => {
      context.fillStyle = colour(value > 2 * this.#frames.p50_ms ? "--action-throttle" : "--series-2");
      context.fillRect(n * bar, y(value), Math.max(1, bar - 1), height - y(value));
    });
    context.fillStyle = colour("--ink");
    context.fillRect(0, Math.round(y(this.#frames.p50_ms)), width, 1);
  }

  table() {
    const rows = (this.#frames?.times ?? []).map((value, n) => el("tr", {}, el("th", { scope: "row" }, String(n + 1)), el("td", { class: "number" }, milliseconds(value))));
    return el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Frame"), el("th", { scope: "col" }, "Time"))), el("tbody", {}, rows.reverse()));
  }
}
