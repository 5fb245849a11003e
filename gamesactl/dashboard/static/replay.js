// A flight recording in place of the machine: the same cards and graphs, with a head that plays, pauses and is drawn.

import { button, el, find, say } from "./dom.js";
import { clock, span } from "./format.js";
import { decided } from "./model.js";
import { Store } from "./store.js";
import { view } from "./view.js";

const SPEEDS = [1, 5, 20];
const STEP_MS = 250;

/** Shows the recording from its beginning and plays it. `document` as docs/crystal-core.md says. */
export function start(number, document) {
  const rows = (document.Rows ?? []).filter((row) => typeof row[0] === "number");
  if (!rows.length) return;
  new Replay(number, document, rows);
}

class Replay {
  #next = 0;
  #speed = SPEEDS[1];
  #timer = 0;

  constructor(number, document, rows) {
    view.replay?.end();
    this.rows = rows;
    this.columns = document.Columns ?? [];
    this.since = rows[0][0];
    this.until = rows.at(-1)[0];
    this.sensors = new Map(this.columns.map((column) => [column.Name, sensor(column)]));
    this.events = [
      ...(document.Decisions ?? []).map(decided),
      ...(document.Events ?? []).filter((one) => one.Kind !== "decision")
        .map((one) => ({ t: one.Time, kind: "alert", action: one.Kind, sentence: one.Text, decision: null })),
    ].sort((a, b) => a.t - b.t);
    this.#build(number, document);
    this.seek(this.since);
    view.setReplay(this);
    this.play();
  }

  get now() {
    return this.store.size ? this.store.last : this.since;
  }

  /** Everything up to t, whichever way the head is moved. */
  seek(t) {
    if (!this.store || t < this.now) {
      this.store = new Store(this.rows.length + 1);
      this.store.directory(this.columns.map((column) => column.Name));
      this.#next = 0;
    }
    while (this.#next < this.rows.length && this.rows[this.#next][0] <= t) {
      const row = this.rows[this.#next];
      this.store.push(row[0], row.slice(1));
      this.#next += 1;
    }
    this.head.value = String(t - this.since);
    say(this.time, `${clock(t)}, ${span(t - this.since)} of ${span(this.until - this.since)}`);
    view.dispatchEvent(new Event("change"));
  }

  play() {
    if (this.now >= this.until) this.seek(this.since);
    let t = this.now;
    this.#timer = setInterval(() => {
      if (globalThis.document.hidden) return;
      t = Math.min(this.until, t + (this.#speed * STEP_MS) / 1000);
      this.seek(t);
      if (t >= this.until) this.pause();
    }, STEP_MS);
    say(this.toggle, "Pause");
  }

  pause() {
    clearInterval(this.#timer);
    this.#timer = 0;
    say(this.toggle, "Play");
  }

  switch() {
    if (this.#timer) this.pause();
    else this.play();
  }

  end() {
    this.pause();
    this.node.remove();
    view.setReplay(null);
  }

  #build(number, document) {
    this.head = el("input", { type: "range", min: "0", max: String(this.until - this.since), step: "0.5", "aria-label": "Moment of the recording" });
    this.head.addEventListener("input", () => {
      this.pause();
      this.seek(this.since + Number(this.head.value));
    });
    this.toggle = button("Pause", () => this.switch());
    this.time = el("span", { class: "value" });
    const speed = button(`${this.#speed}×`, () => {
      this.#speed = SPEEDS[(SPEEDS.indexOf(this.#speed) + 1) % SPEEDS.length];
      say(speed, `${this.#speed}×`);
      if (this.#timer) {
        this.pause();
        this.play();
      }
    }, { "aria-label": "Speed" });
    this.node = el("div", { class: "banner replay", role: "region", "aria-label": "Replay" },
      el("span", {}, el("b", {}, `Recording ${number}, ${document.Reason ?? "unknown"}`), ` ${document.Text ?? ""}`),
      this.toggle, speed, this.head, this.time, button("Back to the present", () => this.end(), { class: "primary" }));
    find("countdowns").before(this.node);
  }
}

function sensor(column) {
  return { name: column.Name, label: column.Label, quantity: column.Quantity, unit: column.Unit, driver: column.Name.split(".").slice(0, 2).join("."), limits: {}, limit: null, state: "ok", value: null };
}
