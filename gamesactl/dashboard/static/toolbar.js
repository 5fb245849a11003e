// Over the graphs: how much time is shown, pause and the present, the moment under the pointer, and what leaves the page.

import { attempt, note } from "./acting.js";
import { button, el, find, mark, say } from "./dom.js";
import { ask } from "./dialog.js";
import { range } from "./export.js";
import { clock, span } from "./format.js";
import { hover } from "./hover.js";
import { model } from "./model.js";
import { isMarked, markerAt } from "./overlay.js";
import { stage } from "./stage.js";
import { SPANS, view } from "./view.js";

export class Toolbar {
  constructor() {
    this.spans = SPANS.map(([seconds, label]) => button(label, () => view.follow(seconds), { "data-span": seconds }));
    this.pause = button("Pause", () => toggle());
    this.readout = el("output", { class: "readout", "aria-live": "off" });
    const move = (label, title, work) => button(label, work, { title, "aria-label": title, class: "icon" });
    find("toolbar").append(
      el("div", { class: "segments", role: "group", "aria-label": "Span" }, this.spans),
      this.pause,
      el("div", { class: "segments", role: "group", "aria-label": "Move" },
        move("◀", "Back in time", () => view.pan(-0.5, stage.now())), move("▶", "Forward in time", () => view.pan(0.5, stage.now())),
        move("−", "Zoom out", () => view.zoom(2, stage.now())), move("+", "Zoom in", () => view.zoom(0.5, stage.now()))),
      this.readout,
      button("Export…", exported, { title: "CSV or JSON of the time on show" }),
    );
    view.addEventListener("change", () => this.update());
    hover.addEventListener("change", () => this.update());
    this.update();
  }

  update() {
    for (const one of this.spans) mark(one, "aria-pressed", view.following && Number(one.dataset.span) === view.span);
    say(this.pause, view.following ? "Pause" : "Back to now");
    mark(this.pause, "class", view.following ? null : "primary");
    const [since, until] = view.range(stage.now());
    if (hover.t !== null) {
      const near = markerAt(stage.events(), hover.t, (until - since) / 100);
      say(this.readout, near ? `${clock(hover.t)}  ${near.sentence}` : clock(hover.t));
    } else if (!view.following || view.replay) say(this.readout, `${clock(since)} to ${clock(until)} (${span(until - since)})`);
    else say(this.readout, "");
  }
}

export function toggle() {
  if (view.replay) view.replay.switch();
  else if (view.following) view.pause(stage.now());
  else view.follow();
}

/** To the event before or after the moment under the pointer (or the end): shown, and told. */
export function jump(direction) {
  const events = stage.events().filter(isMarked);
  const [since, until] = view.range(stage.now());
  const from = hover.t ?? (direction < 0 ? until : since);
  const found = direction < 0 ? events.findLast((event) => event.t < from - 0.5) : events.find((event) => event.t > from + 0.5);
  if (!found) return note(direction < 0 ? "no earlier decision or alert is known" : "no later decision or alert is known", "done");
  if (found.t < since || found.t > until) view.show(found.t - (until - since) / 2, found.t + (until - since) / 2);
  hover.set(found.t, null);
  return undefined;
}

function exported() {
  const [since, until] = view.range(stage.now());
  const save = (form, sensors) => async (close) => {
    if (await attempt(async () => (await range(form, sensors), `${form.toUpperCase()} saved`), model)) close();
  };
  ask("Export", el("p", { class: "note" }, `${clock(since)} to ${clock(Math.min(until, Date.now() / 1000))}, every sensor, least, mean and most.`), [
    ["CSV", save("csv", []), "primary"],
    ["JSON", save("json", []), "primary"],
  ]);
}
