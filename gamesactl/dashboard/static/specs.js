// What each graph shows.

import * as format from "./format.js";
import { model } from "./model.js";
import * as pick from "./pick.js";
import { stage } from "./stage.js";

const degrees = (value) => `${Math.round(value)}°`;
const watts = (value) => `${Math.round(value)} W`;
const hertz = (value) => (value ? `${(value / 1e9).toFixed(1)} G` : "0");
const parts = (value) => `${+(value * 100).toPrecision(3)} %`;

const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);

function temperatureRange(least, highest, levels) {
  const top = most([highest ?? 60, ...levels]);
  return [Math.floor(Math.min((least ?? 30) - 4, top - 40) / 10) * 10, top + Math.max(3, top * 0.05)];
}

/** The limits of what is drawn; that of the sensor nearest to its own stands out. */
function temperatureLevels(graph) {
  const found = new Map();
  let nearest = null;
  graph.series.forEach((one, k) => {
    if (!graph.shown(k)) return;
    for (const name of one.sensors) {
      const value = stage.limit(name);
      if (value === null) continue;
      const headroom = value - stage.store().latest(name);
      if (!found.has(value)) found.set(value, { value, label: `limit ${format.temperature(value)}`, strong: false });
      if (nearest === null || headroom < nearest.headroom) nearest = { headroom, value };
    }
  });
  if (nearest) found.get(nearest.value).strong = true;
  return [...found.values()];
}

/** The maximum of the hardware, and what it was set to in the course of time where that was less. */
function frequencyLevels() {
  const rows = model.tunables.filter((row) => row.role === "frequency_maximum" && typeof row.found === "number");
  const [fastest] = rows.sort((a, b) => b.found - a.found);
  if (!fastest) return [];
  const top = { value: fastest.found * 1e3, label: `maximum ${format.frequency(fastest.found * 1e3)}` };
  const steps = stage.events()
    .filter((event) => event.decision)
    .map((event) => [event.t, 1e3 * (event.decision.settings?.[fastest.name] ?? fastest.found)]);
  if (!steps.some((step) => step[1] < top.value)) return [top];
  return [top, { steps, label: "limit set" }];
}

export const SPECS = [
  {
    id: "temperature", title: "Temperature", format: format.temperature, axis: degrees, forecast: true, wide: true,
    series: pick.temperatures, range: temperatureRange, levels: temperatureLevels,
  },
  {
    id: "utilization", title: "Utilization", format: format.percent, axis: parts,
    series: pick.utilization, range: () => [0, 1.02],
  },
  {
    id: "power", title: "Power", format: format.power, axis: watts,
    series: pick.powers, range: (least, highest) => [Math.min(0, (least ?? 0) * 1.1), Math.max(5, (highest ?? 5) * 1.15)],
  },
  {
    id: "frequency", title: "Frequency", format: format.frequency, axis: hertz, series: pick.frequencies,
    levels: frequencyLevels, range: (_least, highest, levels) => [0, most([highest ?? 1e9, ...levels]) * 1.08],
  },
  {
    id: "pressure", title: "Pressure (time spent waiting)", format: (value) => format.percent(value, 1), axis: parts,
    series: pick.pressures, range: (_least, highest) => [0, Math.max(0.05, (highest ?? 0) * 1.2)],
  },
];
