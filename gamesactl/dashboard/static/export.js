// What leaves the page: the range on show as CSV or JSON, and a graph as a picture.

import { download, save } from "./api.js";
import { colour } from "./dom.js";
import { clock } from "./format.js";
import { model } from "./model.js";
import { stage } from "./stage.js";
import { view } from "./view.js";

const stamp = (t) => new Date(t * 1000).toISOString().slice(0, 19).replace(/[:T]/g, "-");

/** form: "csv" or "json". sensors: names, or none for all. Refused. */
export async function range(form, sensors = []) {
  const [since, until] = view.range(stage.now());
  const end = Math.min(until, Date.now() / 1000);
  await download("/export", { format: form, sensor: sensors, since, until: end, points: 2000 }, `gamesa-${stamp(since)}.${form}`);
}

/** The graph with its title, machine, range and legend, as it looks now. */
export function picture(graph, spec) {
  const drawn = graph.canvas;
  if (!drawn || !graph.series.length) return;
  graph.draw();
  const scale = devicePixelRatio;
  const head = 46 * scale;
  const whole = document.createElement("canvas");
  whole.width = drawn.width + 24 * scale;
  whole.height = drawn.height + head + 12 * scale;
  const context = whole.getContext("2d");
  context.fillStyle = colour("--surface");
  context.fillRect(0, 0, whole.width, whole.height);
  context.drawImage(drawn, 12 * scale, head);
  const family = getComputedStyle(document.body).fontFamily;
  const [since, until] = view.range(stage.now());
  context.fillStyle = colour("--ink");
  context.font = `600 ${13 * scale}px ${family}`;
  context.fillText(spec.title, 12 * scale, 18 * scale);
  context.fillStyle = colour("--ink-faint");
  context.font = `${11 * scale}px ${family}`;
  context.textAlign = "right";
  context.fillText(`${model.hello?.machine ?? ""}  ${clock(since)} to ${clock(until)}`, whole.width - 12 * scale, 18 * scale);
  context.textAlign = "left";
  let x = 12 * scale;
  if (graph.paints) {
    graph.series.forEach((one, k) => {
      if (!graph.shown(k)) return;
      context.fillStyle = graph.paints[k];
      context.fillRect(x, 29 * scale, 9 * scale, 9 * scale);
      context.fillStyle = colour("--ink");
      context.fillText(one.label, x + 13 * scale, 37 * scale);
      x += context.measureText(one.label).width + 30 * scale;
    });
  }
  whole.toBlob((blob) => save(blob, `gamesa-${spec.id}-${stamp(until)}.png`));
}
