// What can be set: its value, who wrote it, what it was before; setting one by hand goes back by itself unless kept.

import { act } from "../api.js";
import { attempt, offered } from "../acting.js";
import { button, el, find, say } from "../dom.js";
import { ask, labelled } from "../dialog.js";
import { plain, span } from "../format.js";
import { model } from "../model.js";
import { Table } from "../table.js";
import { choice, Panel, scroll, search } from "./panel.js";

const WRITERS = { found: "as found", gamesad: "gamesad", other: "somebody else" };
const REFRESH_S = 3;

export class Tunables extends Panel {
  #words = "";
  #which = "all";

  constructor() {
    super("tunables", "Tunables", REFRESH_S);
    this.table = new Table(
      [
        { title: "Tunable", node: (row) => el("span", { class: "two-lines" }, el("span", {}, row.role.replaceAll("_", " ")), el("code", {}, row.name)), sort: (row) => row.name },
        { title: "Value", text: (row) => plain(row.value, row.unit), sort: (row) => row.value, class: "number" },
        { title: "Before gamesad", text: (row) => plain(row.found, row.unit), sort: (row) => row.found, class: "number" },
        { title: "Written by", text: writer, sort: writer },
        { title: "May be", text: (row) => row.choices?.join(", ") ?? `${plain(row.minimum, row.unit)} to ${plain(row.maximum, row.unit)}`, class: "wide-only" },
        { title: "", node: (row) => offered(button("Set…", () => setByHand(row.name), { class: "quiet", "aria-label": `Set ${row.name}` })), refresh: () => {}, class: "actions" },
      ],
      { key: (row) => row.name, caption: "Tunables", empty: "No tunable fits: with “Changed”, everything is as it was found.", mark: (row) => (row.refused ? "rejected" : row.writer === "found" ? null : row.writer) },
    );
    this.count = el("span", { class: "note", role: "status" });
    this.tools.append(
      this.count,
      choice("Which tunables", [["all", "All"], ["changed", "Changed"]], (which) => {
        this.#which = which;
        this.draw();
      }),
      search("Search tunables", (words) => {
        this.#words = words;
        this.draw();
      }),
    );
    this.body.append(scroll("Tunables", this.table.node));
    model.addEventListener("tunables", () => this.node.hidden || this.draw());
  }

  async load() {
    await model.refreshTunables();
  }

  draw() {
    const rows = model.tunables.filter((row) =>
      (this.#which === "all" || row.writer !== "found") && `${row.name} ${row.role}`.toLowerCase().includes(this.#words));
    this.table.update(rows);
    say(this.count, `${rows.length} of ${model.tunables.length}`);
  }
}

function writer(row) {
  const words = [WRITERS[row.writer] ?? row.writer];
  if (row.override !== null && row.override !== undefined) words.push("set by hand");
  if (row.refused) words.push(row.refused);
  return words.join("; ");
}

function setByHand(name) {
  const row = model.tunables.find((one) => one.name === name);
  const field = row.choices
    ? el("select", {}, row.choices.map((one) => el("option", { value: one, selected: String(row.value) === String(one) }, one)))
    : el("input", { type: "number", step: "1", min: row.minimum, max: row.maximum, value: row.value, required: true });
  const seconds = el("input", { type: "number", min: "0", max: "3600", step: "1", value: "20", required: true });
  const body = () => ({ name, value: row.choices ? field.value : Number(field.value), revert_after_s: Number(seconds.value) });
  const done = async (work, close) => {
    if (!(await attempt(work, model))) return;
    close();
    find("countdowns").querySelector("button")?.focus(); // what must be answered in time comes first
  };
  ask(`Set ${name}`, [
    el("p", { class: "note" }, `It was ${plain(row.found, row.unit)} before gamesad, and is ${plain(row.value, row.unit)} now. The safety envelope stands above whatever is set here.`),
    labelled(row.unit ? `Value, ${row.unit}` : "Value", field),
    labelled("Goes back after so many seconds unless you keep it (0: stays)", seconds),
  ], [
    ["Set", (close) => field.reportValidity() && seconds.reportValidity() && done(() => act("POST", "/tunable", body()), close), "primary"],
    ["Give back to gamesad", (close) => done(() => act("POST", "/tunable/reset", { name }), close)],
  ]);
}

/** What was set by hand and goes back unless it is kept: a countdown with both choices, on every page. */
export class Countdown {
  #shown = new Map();

  constructor() {
    this.host = find("countdowns");
    model.addEventListener("tunables", () => this.#update());
  }

  #update() {
    const open = model.tunables.filter((row) => typeof row.until === "number" && row.until > Date.now() / 1000);
    const names = new Set(open.map((row) => row.name));
    for (const [name, one] of this.#shown) if (!names.has(name)) this.#drop(name, one);
    for (const row of open) {
      const one = this.#shown.get(row.name) ?? this.#make(row);
      one.until = row.until;
      this.#tell(one, row);
    }
  }

  #make(row) {
    const text = el("span", { role: "timer" });
    const keep = offered(button("Keep it", () => attempt(() => act("POST", "/tunable/confirm", { name: row.name }), model), { class: "primary" }));
    const back = offered(button("Put it back now", () => attempt(() => act("POST", "/tunable/reset", { name: row.name }), model)));
    const node = el("div", { class: "banner countdown" }, text, keep, back);
    const one = { node, text, timer: setInterval(() => this.#tell(one, row), 500), until: row.until };
    this.host.append(node);
    this.#shown.set(row.name, one);
    return one;
  }

  #tell(one, row) {
    const left = one.until - Date.now() / 1000;
    say(one.text, left > 0 ? `${row.name} is ${plain(row.value, row.unit)} and goes back in ${span(left)} unless you keep it` : `${row.name} goes back`);
    if (left <= -1) model.refreshTunables().catch(() => {});
    if (left <= -1) this.#drop(row.name, one);
  }

  #drop(name, one) {
    clearInterval(one.timer);
    one.node.remove();
    this.#shown.delete(name);
  }
}
