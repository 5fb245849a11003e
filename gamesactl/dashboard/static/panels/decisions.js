// What was decided, newest first, with what it was decided by; filtered by the server.

import { get } from "../api.js";
import { button, el } from "../dom.js";
import { ACTIONS, clock, plain, sentence, span } from "../format.js";
import { model } from "../model.js";
import { Table } from "../table.js";
import { view } from "../view.js";
import { choice, Panel, scroll, search } from "./panel.js";

export class Decisions extends Panel {
  #query = { action: "", source: "" };
  #words = "";
  #rows = [];

  constructor() {
    super("decisions", "Decisions");
    this.table = new Table(
      [
        { title: "Since", text: (row) => clock(row.since), sort: (row) => row.since },
        { title: "Action", node: (row) => el("span", { class: "action-word", "data-action": row.action }, ACTIONS[row.action] ?? row.action), sort: (row) => row.action },
        { title: "By", text: (row) => row.source, sort: (row) => row.source },
        { title: "Profile", text: (row) => row.profile ?? "–", sort: (row) => row.profile, class: "wide-only" },
        { title: "Reason", text: sentence, class: "sentence" },
        { title: "Set", text: settings, class: "wide-only sentence" },
        { title: "", node: (row) => button("Show", () => this.#show(row), { class: "quiet", "aria-label": `Show the time around ${clock(row.since)} in the graphs` }), refresh: () => {}, class: "actions" },
      ],
      { key: (row) => `${row.number}-${row.since}`, caption: "Decisions", empty: "No decision fits.", sort: "Since", up: false },
    );
    const any = (words) => [["", `Any ${words}`]];
    this.tools.append(
      choice("Action", [...any("action"), ...Object.entries(ACTIONS)], (action) => this.#filter({ action })),
      choice("Source", [...any("source"), ...["safety", "forecast", "rule", "policy", "user"].map((one) => [one, one])], (source) => this.#filter({ source })),
      search("Search reasons", (words) => {
        this.#words = words;
        this.#draw();
      }),
    );
    this.body.append(scroll("Decisions", this.table.node));
    model.addEventListener("events", () => this.node.hidden || this.show());
  }

  async load() {
    this.#rows = await get("/decisions", { count: 300, ...this.#query });
    this.#draw();
  }

  #filter(part) {
    Object.assign(this.#query, part);
    this.show();
  }

  #draw() {
    this.table.update(this.#rows.filter((row) => `${row.reason} ${row.sensor} ${row.profile}`.toLowerCase().includes(this.#words)));
  }

  #show(row) {
    view.show(row.since - 60, row.since + 60);
    location.hash = "overview";
  }
}

/** scaling_max_freq of 8: 3.9 GHz. */
function settings(row) {
  const groups = new Map();
  for (const [name, value] of Object.entries(row.settings ?? {})) {
    const what = name.split(".").at(-1);
    const unit = /_freq$/.test(what) ? "kHz" : /_uw$/.test(what) ? "µW" : "";
    const key = `${what} ${plain(value, unit)}`;
    groups.set(key, (groups.get(key) ?? 0) + 1);
  }
  return [...groups].map(([key, count]) => (count > 1 ? `${key} (${count} of them)` : key)).join(", ") || "nothing";
}

export const lasted = (row, next) => span(next - row.since);
