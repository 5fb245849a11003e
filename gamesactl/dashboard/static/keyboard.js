// Shortcuts, each in one table from which the help is made. None while something is typed.

import { el, find } from "./dom.js";
import { ask } from "./dialog.js";
import { hover } from "./hover.js";
import { stage } from "./stage.js";
import { jump, toggle } from "./toolbar.js";
import { SPANS, view } from "./view.js";

const TYPING = "input, select, textarea, dialog *";

/** tabs: the ids of the views, in order. */
export function shortcuts(tabs) {
  const table = [
    ...tabs.map((tab, n) => [`${n + 1}`, tab.title, () => (location.hash = tab.id)]),
    [" ", "Pause, and back to now", toggle, "Space"],
    ["ArrowLeft", "Back in time", () => view.pan(-0.25, stage.now()), "←"],
    ["ArrowRight", "Forward in time", () => view.pan(0.25, stage.now()), "→"],
    ["+", "Zoom in", () => view.zoom(0.5, stage.now())],
    ["-", "Zoom out", () => view.zoom(2, stage.now())],
    ["Home", "Follow the present", () => view.follow()],
    ["s", "Next longer span", () => step(1)],
    ["S", "Next shorter span", () => step(-1), "Shift+S"],
    ["[", "To the decision or alert before", () => jump(-1)],
    ["]", "To the decision or alert after", () => jump(1)],
    ["t", "Tables instead of graphs, and back", tables],
    ["/", "Search in this view", search],
    ["c", "Next colours", colours],
    ["Escape", "End a replay, leave a moment", leave, "Esc"],
    ["?", "This list", () => help(table)],
  ];
  const works = new Map(table.map(([key, , work]) => [key, work]));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest(TYPING)) return;
    if (event.key === " " && event.target.closest("button, a, summary")) return;
    if (event.key.startsWith("Arrow") && event.target.closest("[role=tab], .table-scroll")) return;
    const work = works.get(event.key === "=" ? "+" : event.key);
    if (!work) return;
    event.preventDefault();
    work();
  });
  find("help").addEventListener("click", () => help(table));
}

function step(by) {
  const at = SPANS.findIndex(([seconds]) => seconds === view.span);
  view.follow(SPANS[Math.max(0, Math.min(SPANS.length - 1, at + by))][0]);
}

function tables() {
  const buttons = [...document.querySelectorAll("#graphs button")].filter((one) => one.textContent === "Table");
  const shown = buttons.some((one) => one.getAttribute("aria-pressed") === "true");
  for (const one of buttons) if ((one.getAttribute("aria-pressed") === "true") === shown) one.click();
}

function search() {
  document.querySelector(".panel:not([hidden]) input[type=search]")?.focus();
}

function colours() {
  const field = find("theme");
  field.selectedIndex = (field.selectedIndex + 1) % field.options.length;
  field.dispatchEvent(new Event("change"));
}

function leave() {
  if (hover.t !== null) hover.set(null, null);
  else if (view.replay) view.replay.end();
  else if (!view.following) view.follow();
}

function help(table) {
  if (document.querySelector("dialog[open]")) return;
  const rows = table.map(([key, what, , shown]) => el("tr", {}, el("th", { scope: "row" }, el("kbd", {}, shown ?? key)), el("td", {}, what)));
  const mouse = el("p", { class: "note" }, "In a graph: drag to zoom, double click to follow, Ctrl+wheel to zoom, Shift+wheel to pan. On a focused graph ← and → move the readout.");
  ask("Keyboard", [el("table", { class: "keys" }, el("tbody", {}, rows)), mouse], []);
}
