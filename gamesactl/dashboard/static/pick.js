// Which sensors a graph shows, and as what: sensors that are alike (the cores of a processor) become one line.

const COLOURS = 8;
const SUBJECTS = [
  [/^cpu\.|coretemp|k10temp|zenpower|x86_pkg|rapl:\d+\.power|^cpufreq|package/i, 1],
  [/amdgpu|nvidia|nouveau|radeon|i915|\bxe\b|gpu/i, 2],
  [/memory|dimm|spd|jc42/i, 3],
  [/BAT|battery|power_supply/, 4],
  [/nvme|drivetemp|sd[a-z]/i, 5],
];

/** What it belongs to: 1 CPU, 2 GPU, 3 memory, 4 battery, 5 disk; undefined where that is not known. */
export const subject = (one) => SUBJECTS.find(([pattern]) => pattern.test(one.name) || pattern.test(one.label))?.[1];

/** CPU is always the same colour, the GPU another; the rest by turn. */
function paint(series) {
  const used = new Set();
  for (const one of series) {
    const wanted = subject({ name: one.sensors[0], label: one.label });
    if (wanted && !used.has(wanted)) {
      one.colour = `--series-${wanted}`;
      used.add(wanted);
    }
  }
  let next = 1;
  for (const one of series) {
    if (one.colour) continue;
    while (used.has(next) && next < COLOURS) next += 1;
    one.colour = `--series-${next}`;
    used.add(next);
  }
  return series;
}

const single = (sensor) => ({ key: sensor.name, label: sensor.label || sensor.name, sensors: [sensor.name] });

/** Three or more sensors whose labels differ in digits only become one series, which is the most of them. */
function grouped(sensors, word) {
  const groups = new Map();
  for (const sensor of sensors) {
    const key = `${sensor.driver}|${(sensor.label || sensor.name).replace(/\d+/g, "#")}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(sensor);
  }
  return [...groups.entries()].flatMap(([key, alike]) => {
    if (alike.length < 3) return alike.map(single);
    const label = key.split("|")[1].replace(/\s*#/g, "").replace("coretemp Core", "CPU cores").replace("CPU (P-core)", "P-cores").replace("CPU (E-core)", "E-cores").trim();
    return [{ key, label: `${label}, ${word}`, sensors: alike.map((one) => one.name) }];
  });
}

const used = (sensors, quantity) =>
  [...sensors.values()].filter((one) => one.quantity === quantity && one.state !== "unused");

export const isCore = (name) => /^cpu\.cpu\d+\.utilization$/.test(name);

export function temperatures(sensors) {
  const rank = (one) => (one.critical ? 0 : one.limit !== null && one.limit !== undefined ? 1 : 2);
  const found = used(sensors, "temperature");
  const labels = new Set(found.filter((one) => rank(one) < 2).map((one) => one.label));
  const twice = (one) => rank(one) === 2 && labels.has(one.label);
  const chosen = found.filter((one) => !twice(one)).sort((a, b) => rank(a) - rank(b));
  const series = grouped(chosen, "hottest").slice(0, 6);
  // Where the package is known its cores add nothing at first; a press on the name shows them.
  if (chosen.some((one) => one.critical)) for (const one of series) one.off = one.sensors.length > 1;
  return paint(series);
}

export function utilization(sensors) {
  const other = (one) => !isCore(one.name) && !/swap|power_supply|charge/.test(one.name);
  return paint(used(sensors, "utilization").filter(other).slice(0, 6).map(single));
}

/** Domains, without the parts that lie inside one (intel-rapl:0:0). */
export function powers(sensors) {
  const whole = (one) => !/:\d+:\d+/.test(one.name);
  return paint(used(sensors, "power").filter(whole).slice(0, 6).map(single));
}

export function frequencies(sensors) {
  return paint(grouped(used(sensors, "frequency"), "fastest").slice(0, 5));
}

export function pressures(sensors) {
  const found = used(sensors, "pressure").filter((one) => /\.some$/.test(one.name));
  const short = (one) => ({ ...single(one), label: one.name.split(".")[1].replace("cpu", "CPU") });
  return paint(found.slice(0, 6).map(short));
}

export function cores(sensors) {
  return [...sensors.values()].filter((one) => isCore(one.name)).map(single);
}

/** The first sensor whose name fits, or null. */
export function named(sensors, pattern, quantity) {
  for (const one of sensors.values()) if (one.quantity === quantity && pattern.test(one.name)) return one;
  return null;
}
