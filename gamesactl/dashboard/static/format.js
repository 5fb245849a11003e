// Numbers as people read them. What is not known is "unknown", never 0.

export const UNKNOWN = "unknown";

const known = (value) => typeof value === "number" && Number.isFinite(value);
const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");

/** Three digits that matter: 4.63, 46.3, 463. */
const three = (value) => fixed(value, Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2);

function scaled(value, unit, step, prefixes) {
  let size = Math.abs(value);
  let at = 0;
  while (size >= step * 0.9995 && at < prefixes.length - 1) {
    size /= step;
    at += 1;
  }
  const shown = at === 0 ? fixed(value, Number.isInteger(value) ? 0 : 1) : three(value / step ** at);
  return `${shown} ${prefixes[at]}${unit}`;
}

export const temperature = (value) => (known(value) ? `${fixed(value, 1)} °C` : UNKNOWN);
export const power = (value) => (known(value) ? `${fixed(value, 1)} W` : UNKNOWN);
export const percent = (value, digits = 0) => (known(value) ? `${fixed(value * 100, digits)} %` : UNKNOWN);
export const frequency = (value) => (known(value) ? scaled(value, "Hz", 1000, ["", "k", "M", "G"]) : UNKNOWN);
export const bytes = (value) => (known(value) ? scaled(value, "B", 1024, ["", "Ki", "Mi", "Gi", "Ti"]) : UNKNOWN);
export const milliseconds = (value) => (known(value) ? `${value < 10 ? fixed(value, 2) : fixed(value, 1)} ms` : UNKNOWN);
export const count = (value) => (known(value) ? value.toLocaleString("en") : UNKNOWN);

const BY_QUANTITY = {
  temperature,
  power,
  frequency,
  utilization: (value) => percent(value),
  pressure: (value) => percent(value, 1),
  fan: (value) => (known(value) ? `${fixed(value, 0)} rpm` : UNKNOWN),
  voltage: (value) => (known(value) ? `${fixed(value, 3)} V` : UNKNOWN),
  energy: (value) => (known(value) ? scaled(value, "J", 1000, ["", "k", "M"]) : UNKNOWN),
  size: bytes,
  rate: (value) => (known(value) ? `${three(value)}/s` : UNKNOWN),
};

/** A sensor's value, which is a text where it is a state. */
export function reading(quantity, value) {
  if (typeof value === "string") return value;
  return (BY_QUANTITY[quantity] ?? plain)(value);
}

/** A tunable's or a plain value with the unit that stands beside it. */
export function plain(value, unit = "") {
  if (value === null || value === undefined || value === "") return UNKNOWN;
  if (typeof value !== "number") return String(value);
  if (!known(value)) return UNKNOWN;
  if (unit === "kHz") return frequency(value * 1e3);
  if (unit === "MHz") return frequency(value * 1e6);
  if (unit === "µW" || unit === "uW") return power(value / 1e6);
  const shown = Number.isInteger(value) ? String(value) : three(value);
  return unit ? `${shown} ${unit}` : shown;
}

const two = (number) => String(number).padStart(2, "0");

/** 13:05:01; with the day where that is not today. */
export function clock(t) {
  if (!known(t)) return UNKNOWN;
  const at = new Date(t * 1000);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

export function span(seconds) {
  if (!known(seconds)) return UNKNOWN;
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return s % 60 && s < 600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export const ACTIONS = {
  noop: "Nothing is changed",
  throttle: "Throttling because of heat",
  boost: "Giving back what was held back",
  reduce_power: "Reducing power",
  conservative: "Failsafe settings",
};

export const SOURCES = {
  safety: "the safety envelope",
  forecast: "the forecast",
  rule: "a rule of the controller",
  policy: "the learnt policy",
  user: "somebody's wish",
};

/** "noop: CPU package 61 °C …" without the word that stands beside it anyway. */
export const sentence = (decision) => (decision?.reason ?? decision?.Reason ?? "").replace(/^[a-z_]+: /, "");
