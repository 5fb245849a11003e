// The four cards: what is true now, the most important first.

import { el, mark, say } from "./dom.js";
import * as format from "./format.js";
import { calmly, soon } from "./frame.js";
import { model } from "./model.js";
import { frequencies, isCore, named, powers, subject } from "./pick.js";
import { stage } from "./stage.js";
import { view } from "./view.js";

const COLDEST = 20;

const card = (id, title, ...content) =>
  el("section", { class: "card", id: `card-${id}`, "aria-labelledby": `card-title-${id}` }, el("h2", { id: `card-title-${id}` }, title), ...content);

/** A name, a bar and a value; set(part 0..1 or NaN, text): a value that is measured against nothing has no bar. */
class Meter {
  constructor(label, colour = "--accent") {
    this.fill = el("span", { class: "fill" });
    this.colour(colour);
    this.value = el("span", { class: "value" }, format.UNKNOWN);
    this.label = el("span", { class: "meter-label" }, label);
    this.tick = el("span", { class: "limit-tick", hidden: true });
    this.node = el("div", { class: "meter" }, this.label, el("span", { class: "track", "aria-hidden": "true" }, this.fill, this.tick), this.value);
  }

  colour(name) {
    const wanted = `var(${name})`;
    if (this.fill.style.background !== wanted) this.fill.style.background = wanted;
  }

  set(part, text, tick = NaN) {
    const known = Number.isFinite(part);
    const width = `${known ? Math.round(1000 * Math.max(0, Math.min(1, part))) / 10 : 0}%`;
    if (this.fill.style.width !== width) this.fill.style.width = width;
    mark(this.node, "data-unknown", known || text !== format.UNKNOWN ? null : "");
    mark(this.node, "data-bare", known || text === format.UNKNOWN ? null : "");
    say(this.value, text);
    this.tick.hidden = !Number.isFinite(tick);
    if (Number.isFinite(tick)) this.tick.style.left = `${Math.round(1000 * Math.min(1, tick)) / 10}%`;
  }
}

class Thermal {
  constructor() {
    this.state = el("span", { class: "state" }, format.UNKNOWN);
    this.value = el("span", { class: "hero" }, format.UNKNOWN);
    this.label = el("span", { class: "hero-label" }, "");
    this.headroom = el("p", { class: "lead" }, "");
    this.fill = el("span", { class: "fill" });
    this.ahead = el("span", { class: "ahead" });
    this.bar = el("div", { class: "headroom", "aria-hidden": "true" }, this.fill, this.ahead, el("span", { class: "limit-tick end" }));
    this.expected = el("p", { class: "note expected" }, "");
    this.others = Array.from({ length: 3 }, () => new Meter("", "--series-1"));
    this.node = card(
      "thermal", "Thermal", this.state,
      el("div", { class: "hero-line" }, this.value, this.label), this.headroom, this.bar, this.expected,
      el("div", { class: "meters" }, this.others.map((one) => one.node)),
    );
  }

  update() {
    const store = stage.store();
    const found = [];
    for (const [name, sensor] of stage.sensors()) {
      if (sensor.quantity !== "temperature") continue;
      const limit = stage.limit(name);
      const value = store.latest(name);
      if (limit !== null && !Number.isNaN(value)) found.push({ name, label: sensor.label || name, value, limit });
    }
    found.sort((a, b) => a.limit - a.value - (b.limit - b.value));
    const first = found[0];
    const told = new Set(first && [subject(first)]);
    const rest = found.filter((one) => !told.has(subject(one)) && told.add(subject(one)));
    const state = view.replay ? "replay" : model.tick?.thermal_state ?? format.UNKNOWN;
    say(this.state, state);
    mark(this.node, "data-state", state);
    say(this.value, first ? format.temperature(first.value) : format.UNKNOWN);
    say(this.label, first ? first.label : "no temperature with a limit");
    const room = first ? first.limit - first.value : NaN;
    const side = room >= 0 ? "under" : "over";
    say(this.headroom, first ? `${format.temperature(Math.abs(room))} ${side} its limit of ${format.temperature(first.limit)}` : "");
    this.bar.hidden = !first;
    if (first) this.#headroom(first);
    this.others.forEach((meter, n) => {
      const one = rest[n];
      meter.node.hidden = !one;
      if (!one) return;
      say(meter.label, one.label);
      meter.colour(`--series-${subject(one) ?? 8}`);
      meter.set((one.value - COLDEST) / (one.limit - COLDEST), format.temperature(one.value));
    });
  }

  #headroom(first) {
    const part = (value) => Math.max(0, Math.min(1, (value - COLDEST) / (first.limit - COLDEST)));
    const told = stage.forecast()?.sensors[first.name];
    const last = told?.expected?.length ? told.expected.length - 1 : -1;
    const upper = last >= 0 ? told.upper[last] : null;
    this.fill.style.width = `${100 * part(first.value)}%`;
    this.ahead.style.left = `${100 * part(Math.min(first.value, upper ?? first.value))}%`;
    this.ahead.style.width = `${100 * Math.max(0, part(upper ?? first.value) - part(first.value))}%`;
    const crossing = typeof told?.crossing === "number" && told.crossing >= 0.01 ? `, reaching its limit: ${format.percent(told.crossing)}` : "";
    say(this.expected, last >= 0 && told.expected[last] !== null
      ? `in 5 s ${format.temperature(told.expected[last])} expected, ${format.temperature(upper ?? NaN)} at most${crossing}`
      : view.replay ? "a recording has no forecast" : "no forecast yet");
  }
}

class Resources {
  constructor() {
    this.cpu = new Meter("CPU", "--series-1");
    this.gpu = new Meter("GPU", "--series-2");
    this.memory = new Meter("Memory", "--series-3");
    this.pressure = ["cpu", "memory", "io"].map((kind) => [kind, new Meter(kind === "cpu" ? "CPU" : kind === "io" ? "I/O" : "Memory", "--series-4")]);
    this.load = el("p", { class: "note" }, "");
    this.node = card(
      "resources", "Resources",
      el("div", { class: "meters large" }, this.cpu.node, this.gpu.node, this.memory.node), this.load,
      el("h3", { class: "sub", title: "Pressure stall information: the part of the last 10 s in which some task waited for it" }, "Waiting for"),
      el("div", { class: "meters" }, this.pressure.map(([, one]) => one.node)),
    );
  }

  update() {
    const store = stage.store();
    const sensors = stage.sensors();
    const part = (name) => store.latest(name);
    this.cpu.set(part("cpu.utilization"), format.percent(part("cpu.utilization")));
    const gpu = named(sensors, /gpu|nvidia|i915|\bxe\b|drm/i, "utilization");
    this.gpu.set(gpu ? part(gpu.name) : NaN, format.percent(gpu ? part(gpu.name) : NaN));
    mark(this.gpu.node, "title", gpu ? null : "no sensor here tells how busy a GPU is");
    const memory = part("memory.utilization");
    this.memory.set(memory, format.percent(memory));
    const free = part("memory.available");
    let busy = 0;
    let cores = 0;
    for (const name of sensors.keys()) {
      if (!isCore(name)) continue;
      cores += 1;
      if (part(name) > 0.5) busy += 1;
    }
    const words = [];
    if (cores) words.push(`${busy} of ${cores} cores busy`);
    if (!Number.isNaN(free)) words.push(`${format.bytes(free)} of memory free`);
    say(this.load, words.join(", "));
    for (const [kind, meter] of this.pressure) {
      const value = part(`pressure.${kind}.some_avg10`);
      meter.set(value, format.percent(value, 1));
    }
  }
}

class Performance {
  frames = null;

  constructor() {
    this.power = [new Meter("", "--series-1"), new Meter("", "--series-2"), new Meter("", "--series-4")];
    this.frequency = new Meter("Frequency", "--series-1");
    this.rate = el("span", { class: "value" }, format.UNKNOWN);
    this.rateNote = el("p", { class: "note" }, "");
    this.fans = el("span", { class: "value" }, format.UNKNOWN);
    this.latency = el("span", { class: "value" }, format.UNKNOWN);
    const line = (label, value) => el("div", { class: "line" }, el("span", { class: "meter-label" }, label), value);
    this.node = card(
      "performance", "Power and performance",
      el("div", { class: "meters" }, this.power.map((one) => one.node), this.frequency.node),
      line("Frame rate", this.rate), this.rateNote, line("Fans", this.fans),
      el("div", { class: "line", title: "How long gamesad took from reading the sensors to the decision in force" }, el("span", { class: "meter-label" }, "Decision latency"), this.latency),
    );
  }

  update() {
    const store = stage.store();
    const sensors = stage.sensors();
    const domains = powers(sensors);
    this.power.forEach((meter, n) => {
      const one = sensors.get(domains[n]?.key);
      meter.node.hidden = !one && n > 0;
      if (!one) return n === 0 && (say(meter.label, "Power"), meter.set(NaN, format.UNKNOWN));
      const value = store.latest(one.name);
      const limit = model.tunables.find((row) => row.role === "power_limit" && row.name.startsWith(one.name.replace(/power$/, "")));
      const most = one.limits?.maximum ?? (limit ? limit.found / 1e6 : NaN);
      say(meter.label, domains[n].label);
      meter.colour(domains[n].colour);
      meter.set(Math.abs(value) / most, format.power(value), limit?.value < limit?.found ? limit.value / 1e6 / most : NaN);
    });
    this.#frequency(store, sensors);
    const fans = [...sensors.values()].filter((one) => one.quantity === "fan").map((one) => store.latest(one.name));
    say(this.fans, fans.length ? fans.map((value) => format.reading("fan", value)).join(", ") : "none reported");
    say(this.latency, view.replay ? format.UNKNOWN : format.milliseconds(model.tick?.duration_ms));
    const frames = this.frames;
    const known = frames && frames.source !== null;
    say(this.rate, known ? `${Math.round(frames.fps)} fps` : format.UNKNOWN);
    say(this.rateNote, known
      ? `half within ${format.milliseconds(frames.p50_ms)}, 99 % within ${format.milliseconds(frames.p99_ms)}; from ${frames.source}`
      : frames?.reason ?? "");
  }

  #frequency(store, sensors) {
    const policies = [...sensors.values()].filter((one) => one.quantity === "frequency" && /^cpufreq/.test(one.name));
    let value = NaN;
    let top = NaN;
    for (const one of policies.length ? policies : frequencies(sensors).slice(0, 1).map((group) => sensors.get(group.sensors[0]))) {
      const now = store.latest(one.name);
      if (!(now <= value) && !Number.isNaN(now)) value = now;
      if (one.limits?.maximum && !(one.limits.maximum <= top)) top = one.limits.maximum;
    }
    const caps = model.tunables.filter((row) => row.role === "frequency_maximum" && typeof row.value === "number");
    const cap = caps.length ? 1e3 * Math.max(...caps.map((row) => row.value)) : NaN;
    const of = Number.isNaN(top) ? "" : ` of ${format.frequency(top)}`;
    this.frequency.set(value / top, `${format.frequency(value)}${of}`, cap < top ? cap / top : NaN);
    mark(this.frequency.node, "title", cap < top ? `limited to ${format.frequency(cap)} now` : null);
  }
}

export class Cards {
  constructor(host, decisions) {
    this.all = [new Thermal(), new Resources(), new Performance(), decisions];
    this.performance = this.all[2];
    host.append(...this.all.map((one) => one.node));
    model.addEventListener("tick", calmly(this.update));
    for (const what of ["status", "events", "sensors", "tunables"]) model.addEventListener(what, () => soon(this.update));
    view.addEventListener("change", () => soon(this.update));
  }

  update = () => {
    if (!this.all[0].node.checkVisibility()) return;
    for (const one of this.all) one.update();
  };
}
