// The views: tabs that follow the address's fragment, with the arrow keys that tabs have.

import { el, find } from "./dom.js";

export class Tabs {
  /** tabs: [{id, title, panel (null: the overview)}]. */
  constructor(tabs) {
    this.tabs = tabs;
    this.host = find("tabs");
    this.links = tabs.map((tab) =>
      el("a", { role: "tab", id: `tab-${tab.id}`, href: `#${tab.id}`, "aria-controls": `panel-${tab.id}` }, tab.title));
    this.host.append(...this.links);
    for (const tab of tabs) if (tab.panel) find("main").append(tab.panel.node);
    this.host.addEventListener("keydown", (event) => this.#arrow(event));
    addEventListener("hashchange", () => this.show());
    setInterval(() => this.#refresh(), 1000);
    this.show();
  }

  get current() {
    return this.tabs.find((tab) => `#${tab.id}` === location.hash) ?? this.tabs[0];
  }

  show() {
    const current = this.current;
    this.tabs.forEach((tab, n) => {
      const chosen = tab === current;
      this.links[n].setAttribute("aria-selected", String(chosen));
      this.links[n].tabIndex = chosen ? 0 : -1;
      find(`panel-${tab.id}`).hidden = !chosen;
    });
    this.links[this.tabs.indexOf(current)].scrollIntoView({ block: "nearest", inline: "nearest" });
    document.title = `${current.title} · gamesa`;
    this.asked = Date.now();
    current.panel?.show();
    this.changed?.();
  }

  #refresh() {
    const { panel } = this.current;
    if (document.hidden || !panel?.refreshSeconds || Date.now() - this.asked < panel.refreshSeconds * 1000) return;
    this.asked = Date.now();
    panel.show();
  }

  #arrow(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const at = (this.tabs.indexOf(this.current) + by + this.tabs.length) % this.tabs.length;
    location.hash = this.tabs[at].id;
    this.links[at].focus();
  }
}
