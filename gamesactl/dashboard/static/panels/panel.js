// What all panels have: a heading, tools, a body, and a reason instead of a body where nothing can be told.

import { el, say } from "../dom.js";

export class Panel {
  /** refresh_s: how often it asks while it is on show; 0: only when events say so. */
  constructor(id, title, refresh_s = 0) {
    this.id = id;
    this.refreshSeconds = refresh_s;
    this.tools = el("div", { class: "tools" });
    this.trouble = el("p", { class: "empty", hidden: true });
    this.body = el("div", { class: "panel-body" });
    this.node = el(
      "section", { class: "panel", id: `panel-${id}`, role: "tabpanel", "aria-labelledby": `tab-${id}`, tabindex: "-1", hidden: true },
      el("header", {}, el("h2", {}, title), this.tools), this.trouble, this.body,
    );
  }

  /** Asks and draws; what fails is told in place of it. */
  async show() {
    try {
      await this.load();
      this.trouble.hidden = true;
    } catch (error) {
      this.trouble.hidden = false;
      say(this.trouble, error.next ? `${error.message}; ${error.next}` : error.message);
    }
  }

  async load() {}
}

/** A search field that calls back with the words in lower case. */
export function search(label, changed) {
  const field = el("input", { type: "search", placeholder: label, "aria-label": label, class: "search" });
  field.addEventListener("input", () => changed(field.value.trim().toLowerCase()));
  return field;
}

export const choice = (label, options, changed) => {
  const field = el("select", { "aria-label": label }, options.map(([value, text]) => el("option", { value }, text)));
  field.addEventListener("change", () => changed(field.value));
  return field;
};

/** A term and what is true of it; unknown is said. */
export function facts(rows) {
  return el("dl", { class: "facts" }, rows.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
}

export const scroll = (label, node) => el("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": label }, node);
