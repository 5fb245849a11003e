// Tables: the one behind a graph, and the panels' (sorted by their headings, rows kept while their key stays).

import { el, mark, say } from "./dom.js";
import { clock } from "./format.js";

const ROWS = 400;

/** What a graph shows, newest first: the mean of each step, and least and most where they differ. */
export function pointsTable(spec, graph) {
  const { t, series } = graph.past.points;
  const head = ["Time", ...graph.series.map((one) => one.label)].map((title) => el("th", { scope: "col" }, title));
  const rows = [];
  for (let n = t.length - 1; n >= 0 && rows.length < ROWS; n -= 1) {
    if (series.every((one) => one.mean[n] === null)) continue;
    const cells = series.map((one) => {
      const spread = one.min[n] !== one.max[n] && one.min[n] !== null;
      const range = spread ? ` (${spec.format(one.min[n])} to ${spec.format(one.max[n])})` : "";
      return el("td", { class: "number" }, `${spec.format(one.mean[n] ?? NaN)}${range}`);
    });
    rows.push(el("tr", {}, el("th", { scope: "row" }, clock(t[n])), cells));
  }
  return el("table", {}, el("caption", { class: "unseen" }, spec.title), el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows));
}

/**
 * columns: [{title, text(row) | node(row), sort(row)?, class?}]. `node` is made once per row and `refresh(node, row)`
 * called with newer ones; `empty` is said where there are none. Rows are recognised by key(row), so focus and scrolling survive an update.
 */
export class Table {
  #rows = new Map();
  #latest = [];
  #by = null;
  #up = true;

  constructor(columns, { key, caption, sort = null, up = true, mark: marked = null, empty = "nothing" }) {
    this.columns = columns;
    this.key = key;
    this.marked = marked;
    this.empty = el("tr", {}, el("td", { colspan: columns.length, class: "none" }, empty));
    this.#by = sort;
    this.#up = up;
    this.body = el("tbody");
    this.heads = columns.map((column) => this.#head(column));
    this.node = el(
      "table", {},
      el("caption", { class: "unseen" }, caption),
      el("thead", {}, el("tr", {}, this.heads)), this.body,
    );
    this.#showOrder();
  }

  update(rows) {
    this.#latest = rows;
    const column = this.columns.find((one) => one.title === this.#by);
    const sorted = column?.sort ? [...rows].sort(order(column.sort, this.#up)) : rows;
    const seen = new Set();
    sorted.forEach((row, place) => {
      const key = this.key(row);
      seen.add(key);
      let line = this.#rows.get(key);
      if (!line) {
        line = this.#line(row);
        this.#rows.set(key, line);
      }
      this.#fill(line, row);
      if (this.body.children[place] !== line) this.body.insertBefore(line, this.body.children[place] ?? null);
    });
    if (sorted.length) this.empty.remove();
    else this.body.append(this.empty);
    for (const [key, line] of this.#rows) {
      if (seen.has(key)) continue;
      line.remove();
      this.#rows.delete(key);
    }
  }

  #line(row) {
    const cells = this.columns.map((column, n) => {
      const cell = el(n === 0 ? "th" : "td", { class: column.class ?? null, scope: n === 0 ? "row" : null });
      if (column.node) cell.append(column.node(row));
      return cell;
    });
    return el("tr", {}, cells);
  }

  #fill(line, row) {
    this.columns.forEach((column, n) => {
      if (column.text) say(line.children[n], column.text(row));
      else column.refresh?.(line.children[n].firstChild, row);
    });
    if (this.marked) mark(line, "data-mark", this.marked(row));
  }

  #head(column) {
    if (!column.sort) return el("th", { scope: "col", class: column.class ?? null }, column.title);
    const sort = el("button", { type: "button", class: "sort" }, column.title);
    sort.addEventListener("click", () => {
      this.#up = this.#by === column.title ? !this.#up : true;
      this.#by = column.title;
      this.#showOrder();
      this.update(this.#latest);
    });
    return el("th", { scope: "col", class: column.class ?? null }, sort);
  }

  #showOrder() {
    this.columns.forEach((column, n) => {
      mark(this.heads[n], "aria-sort", column.title === this.#by ? (this.#up ? "ascending" : "descending") : null);
    });
  }
}

/** What is not known comes last, whichever way. */
function order(value, up) {
  const missing = (one) => one === null || one === undefined || Number.isNaN(one);
  return (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (missing(x) || missing(y)) return missing(x) - missing(y);
    const sign = typeof x === "string" ? x.localeCompare(String(y), "en", { numeric: true }) : x - y;
    return up ? sign : -sign;
  };
}
