// Crystal Core: how full its pool is, in which tiers the blocks lie, how well it guesses what is read next, and a map.

import { get } from "../api.js";
import { el, say } from "../dom.js";
import { bytes, clock, count, percent } from "../format.js";
import { Table } from "../table.js";
import { facts, Panel, scroll } from "./panel.js";

const TIERS = ["hot", "warm", "cold", "frozen"];
const known = (value) => typeof value === "number";

export class Crystal extends Panel {
  constructor() {
    super("crystal", "Crystal Core", 2);
    this.tiers = el("div", { class: "stack", role: "img" });
    this.legend = el("p", { class: "legend-line" });
    this.map = el("div", { class: "pool-map", role: "img", "aria-label": "The pool by address; the table below has the blocks" });
    this.mapNote = el("p", { class: "note" });
    this.numbers = el("div", { class: "fact-columns" });
    this.table = new Table(
      [
        { title: "Address", text: (row) => `0x${row.address.toString(16)}`, sort: (row) => row.address },
        { title: "Size", text: (row) => bytes(row.size), sort: (row) => row.size, class: "number" },
        { title: "Lies in", text: (row) => bytes(stored(row)), sort: stored, class: "number" },
        { title: "Tier", text: (row) => row.tier, sort: (row) => TIERS.indexOf(row.tier) },
        { title: "Accesses", text: (row) => (known(row.accesses) ? row.accesses.toFixed(1) : "–"), sort: (row) => row.accesses, class: "number wide-only" },
        { title: "Written", text: (row) => (row.modified ? clock(row.modified) : "–"), sort: (row) => row.modified, class: "wide-only" },
        { title: "Owner", text: (row) => row.owner, sort: (row) => row.owner },
      ],
      { key: (row) => `${row.id ?? row.address}`, caption: "Blocks", empty: "The pool is empty: recordings and models lie here.", sort: "Address", mark: (row) => row.tier },
    );
    this.body.append(
      el("section", { class: "card" }, el("h3", {}, "Occupancy by tier"), this.tiers, this.legend),
      el("section", { class: "card" }, el("h3", {}, "Map of the pool"), this.map, this.mapNote),
      el("section", { class: "card" }, el("h3", {}, "Numbers"), this.numbers),
      el("section", { class: "card" }, el("h3", {}, "Blocks"), scroll("Blocks", this.table.node)),
    );
  }

  async load() {
    const [told, blocks] = await Promise.all([get("/crystal"), get("/crystal/blocks")]);
    this.#tiers(told);
    this.#map(told, blocks);
    this.#facts(told);
    this.table.update(blocks);
  }

  #tiers(told) {
    const parts = [...TIERS.map((tier) => [tier, told[`${tier}_bytes`], told[`${tier}_blocks`]]), ["free", told.free, null]];
    const whole = parts.reduce((sum, [, size]) => sum + (known(size) ? size : 0), 0);
    this.tiers.replaceChildren(...parts.filter(([, size]) => size > 0).map(([tier, size]) => {
      const part = el("span", { class: "part", "data-tier": tier, title: `${tier}: ${bytes(size)}` });
      part.style.flexGrow = String(size / whole);
      return part;
    }));
    const words = parts.map(([tier, size, blocks]) => `${tier} ${bytes(size)}${known(blocks) ? ` in ${blocks} block${blocks === 1 ? "" : "s"}` : ""}`);
    this.tiers.setAttribute("aria-label", words.join(", "));
    this.legend.replaceChildren(...parts.map(([tier], n) => el("span", { class: "key", "data-tier": tier }, words[n])));
  }

  #map(told, blocks) {
    if (!blocks.length || !known(told.size) || !known(told.address)) {
      this.map.replaceChildren();
      say(this.mapNote, blocks.length ? "where the pool lies is unknown" : `${bytes(told.size)}, all of it free`);
      return;
    }
    const start = told.address;
    const end = start + told.size;
    this.map.replaceChildren(...blocks.map((row) => {
      const piece = el("span", { class: "piece", "data-tier": row.tier, title: `${row.owner}: ${bytes(row.size)}, ${row.tier}` });
      piece.style.left = `${(100 * (row.address - start)) / (end - start)}%`;
      piece.style.width = `${Math.max(0.15, (100 * stored(row)) / (end - start))}%`;
      return piece;
    }));
    say(this.mapNote, `${bytes(end - start)} by address, from 0x${start.toString(16)}; what has no colour is free`);
  }

  #facts(told) {
    const tried = (told.prefetch_hits ?? 0) + (told.prefetch_misses ?? 0);
    const rate = tried ? percent(told.prefetch_hits / tried) : "nothing was read frozen yet";
    this.numbers.replaceChildren(
      facts([
        ["Size", bytes(told.size)], ["May grow to", bytes(told.limit)], ["Used", bytes(told.used)],
        ["Largest free piece", bytes(told.largest_free)],
        ["Fragmentation", percent(known(told.fragmentation_ppm) ? told.fragmentation_ppm / 1e6 : NaN, 1)],
      ]),
      facts([
        ["Thawed ahead and read", count(told.prefetch_hits)], ["Read while frozen", count(told.prefetch_misses)],
        ["Hit rate", rate], ["Freezes, thaws", `${count(told.freezes)}, ${count(told.thaws)}`],
        ["Promotions, demotions", `${count(told.promotions)}, ${count(told.demotions)}`],
      ]),
      facts([
        ["Allocations, frees", `${count(told.allocations)}, ${count(told.frees)}`],
        ["Recovered after a crash", count(told.recovered)], ["Discarded as damaged", count(told.discarded)],
      ]),
    );
  }
}

/** A frozen block takes less than its size. */
const stored = (row) => row.frozen_size ?? row.size;
