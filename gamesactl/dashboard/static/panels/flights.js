// Flight recordings: the minutes around an alert, a failsafe or a crash, replayed through the same cards and graphs.

import { get } from "../api.js";
import { button, el } from "../dom.js";
import { clock, span } from "../format.js";
import { start } from "../replay.js";
import { Table } from "../table.js";
import { Panel, scroll } from "./panel.js";

export class Flights extends Panel {
  constructor() {
    super("flights", "Flight recordings", 10);
    this.table = new Table(
      [
        { title: "Began", text: (row) => clock(row.began), sort: (row) => row.began },
        { title: "Reason", text: (row) => row.reason ?? "unknown", sort: (row) => row.reason },
        { title: "What happened", text: (row) => row.text ?? "", class: "sentence" },
        { title: "Lasts", text: (row) => span(row.ended - row.began), sort: (row) => row.ended - row.began, class: "number wide-only" },
        { title: "", node: (row) => button("Replay", () => this.#replay(row.number), { class: "primary", "aria-label": `Replay recording ${row.number}` }), refresh: () => {}, class: "actions" },
      ],
      { key: (row) => String(row.number), caption: "Flight recordings", empty: "Nothing has been recorded: a minute before and after each alert, anomaly, failsafe and crash is kept here.", sort: "Began", up: false },
    );
    this.body.append(scroll("Flight recordings", this.table.node));
  }

  async load() {
    const rows = (await get("/flights")).map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key.toLowerCase(), value])));
    this.table.update(rows);
  }

  async #replay(number) {
    start(number, await get(`/flights/${number}`));
    location.hash = "overview";
  }
}
