// Every sensor: value, limit, age, and of what is not believed or not there the reason.

import { act } from "../api.js";
import { attempt, offered } from "../acting.js";
import { button, el, say } from "../dom.js";
import { ask, labelled } from "../dialog.js";
import { plain, reading, span, UNKNOWN } from "../format.js";
import { calmly } from "../frame.js";
import { model } from "../model.js";
import { Table } from "../table.js";
import { choice, Panel, scroll, search } from "./panel.js";

const known = (value) => value !== null && value !== undefined;

export class Sensors extends Panel {
  #words = "";
  #state = "in use";

  constructor() {
    super("sensors", "Sensors");
    this.table = new Table(
      [
        { title: "Sensor", node: names, sort: (row) => row.label || row.name },
        { title: "Value", text: value, sort: (row) => row.value, class: "number" },
        { title: "Limit", text: (row) => (known(row.limit) ? reading(row.quantity, row.limit) : "–"), sort: (row) => row.limit, class: "number" },
        { title: "Stated by its driver", text: limits, class: "wide-only" },
        { title: "Age", text: (row) => (known(row.value) ? (row.age ? span(row.age) : "now") : "–"), sort: (row) => row.age ?? 0, class: "number wide-only" },
        { title: "State", text: (row) => (row.state === "ok" ? "ok" : [row.state, row.reason].filter(Boolean).join(": ")), sort: (row) => row.state },
        { title: "", node: limiter, refresh: () => {}, class: "actions" },
      ],
      { key: (row) => row.name, caption: "Sensors", empty: "No sensor fits.", mark: (row) => (row.state === "ok" ? null : row.state) },
    );
    this.count = el("span", { class: "note", role: "status" });
    this.tools.append(
      this.count,
      choice("Which sensors", [["in use", "In use"], ["all", "All"], ["wrong", "Rejected or absent"]], (state) => {
        this.#state = state;
        this.draw();
      }),
      search("Search name, label, driver, quantity", (words) => {
        this.#words = words;
        this.draw();
      }),
    );
    this.body.append(scroll("Sensors", this.table.node));
    const draw = calmly(this.draw);
    for (const what of ["tick", "sensors"]) model.addEventListener(what, () => this.node.hidden || draw());
  }

  async load() {
    await model.refreshSensors();
    this.draw();
  }

  draw = () => {
    const states = { "in use": (row) => row.state !== "unused", all: () => true, wrong: (row) => !["ok", "unused"].includes(row.state) };
    const rows = [...model.sensors.values()].filter((row) => states[this.#state](row) && fits(row, this.#words));
    this.table.update(rows.map(now));
    say(this.count, `${rows.length} of ${model.sensors.size}`);
  };
}

/** With the value of the newest tick where there is one. */
function now(row) {
  const value = row.state === "ok" && typeof row.value !== "string" ? model.store.latest(row.name) : NaN;
  return Number.isNaN(value) ? row : { ...row, value };
}

const fits = (row, words) =>
  words.split(/\s+/).every((word) => `${row.name} ${row.label} ${row.driver} ${row.quantity} ${row.state}`.toLowerCase().includes(word));

const value = (row) => (known(row.value) ? reading(row.quantity, row.value) : UNKNOWN);

function names(row) {
  return el("span", { class: "two-lines" }, el("span", {}, row.label || row.name), el("code", {}, row.name));
}

function limits(row) {
  const stated = Object.entries(row.limits ?? {}).filter(([, limit]) => known(limit));
  return stated.map(([name, limit]) => `${name} ${reading(row.quantity, limit)}`).join(", ") || "–";
}

function limiter(row) {
  if (!["temperature", "power"].includes(row.quantity)) return el("span");
  return offered(button("Limit…", () => limit(row), { class: "quiet", "aria-label": `Limit ${row.label || row.name}` }));
}

function limit(row) {
  const unit = row.quantity === "power" ? "W" : "°C";
  const mine = model.status?.Limits?.[row.name];
  const field = el("input", { type: "number", step: "0.5", min: "0", required: true, value: mine ?? row.limit ?? "", autofocus: true });
  const said = el("p", { class: "note" }, known(mine) ? `Your limit is ${plain(mine, unit)}.` : "You have set no limit of your own.", " A limit of your own is only ever stricter than the machine's.");
  const done = (work, close) => attempt(work, model).then((fine) => fine && close());
  ask(`Limit ${row.label || row.name}`, [said, labelled(`At most, ${unit}`, field)], [
    ["Set", (close) => field.reportValidity() && done(() => act("POST", "/limit", { name: row.name, value: Number(field.value) }), close), "primary"],
    ["Take mine back", (close) => done(() => act("DELETE", `/limit/${encodeURIComponent(row.name)}`), close)],
  ]);
}
