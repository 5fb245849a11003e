// What lies under and over the lines of a graph, drawn on its canvas: bands, limits, the forecast, markers of events.

import { clock, sentence } from "./format.js";

const MARKED = new Set(["throttle", "boost", "reduce_power", "conservative", "alert", "anomaly"]);

const GRAVE = new Set(["conservative", "alert", "anomaly"]);

const clipped = (plot, draw) => {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx, bbox);
  ctx.restore();
};

/** Between the least and the most of each step. Where both are the same there is nothing to see. */
export function bands(plot, points, paints, shown) {
  clipped(plot, (ctx) => {
    points.series.forEach((one, k) => {
      if (!shown(k)) return;
      ctx.fillStyle = paints[k];
      ctx.globalAlpha = 0.18;
      let from = 0;
      for (let n = 0; n <= points.t.length; n += 1) {
        if (n < points.t.length && one.mean[n] !== null) continue;
        if (n - from > 1) area(plot, ctx, points.t, one, from, n);
        from = n + 1;
      }
    });
  });
}

function area(plot, ctx, t, one, from, to) {
  ctx.beginPath();
  for (let n = from; n < to; n += 1) ctx.lineTo(plot.valToPos(t[n], "x", true), plot.valToPos(one.max[n], "y", true));
  for (let n = to - 1; n >= from; n -= 1) ctx.lineTo(plot.valToPos(t[n], "x", true), plot.valToPos(one.min[n], "y", true));
  ctx.fill();
}

/** Dashed lines at limits, and steps where a limit changed with time. Names that would overlap are left out. */
export function levels(plot, found, inks) {
  const scale = devicePixelRatio;
  const named = [];
  clipped(plot, (ctx, box) => {
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.font = `${10.5 * scale}px ${inks.family}`;
    for (const one of [...found].sort((a, b) => weight(b) - weight(a))) {
      ctx.strokeStyle = weight(one) ? inks.limit : inks.faint;
      ctx.globalAlpha = weight(one) ? 0.9 : 0.4;
      ctx.lineWidth = scale;
      ctx.setLineDash([5 * scale, 4 * scale]);
      ctx.beginPath();
      let y;
      if (one.steps) {
        y = stairs(plot, ctx, box, one.steps);
      } else {
        y = Math.round(plot.valToPos(one.value, "y", true));
        ctx.moveTo(box.left, y);
        ctx.lineTo(box.left + box.width, y);
      }
      ctx.stroke();
      const base = y - box.top < 15 * scale ? y + 12 * scale : y - 4 * scale;
      if (!one.label || named.some((other) => Math.abs(other - base) < 14 * scale)) continue;
      named.push(base);
      name(ctx, one.label, box.left + 6 * scale, base, inks, weight(one));
    }
  });
}

const weight = (one) => (one.strong || one.steps ? 1 : 0);

/** A text that can be read on top of lines. */
function name(ctx, text, x, y, inks, heavy) {
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
  ctx.lineWidth = 3 * devicePixelRatio;
  ctx.strokeStyle = inks.back;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = heavy ? inks.limit : inks.faint;
  ctx.fillText(text, x, y);
}

function stairs(plot, ctx, box, steps) {
  let y = NaN;
  for (const [t, value] of steps) {
    const x = Math.max(box.left, plot.valToPos(t, "x", true));
    const next = plot.valToPos(value, "y", true);
    if (Number.isNaN(y)) ctx.moveTo(x, next);
    else {
      ctx.lineTo(x, y);
      ctx.lineTo(x, next);
    }
    y = next;
  }
  ctx.lineTo(box.left + box.width, y);
  return y;
}

/**
 * What is expected ahead, dashed, and up to its upper bound a shade. forecast: {t, horizon, sensors: {name: {expected,
 * upper}}} or null; of a series of several sensors the one that goes highest.
 */
export function forecasts(plot, forecast, series, paints, shown) {
  if (!forecast) return;
  const x = (n) => plot.valToPos(n < 0 ? plot.data[0].at(-1) : forecast.t + (forecast.horizon[n] ?? n + 1), "x", true);
  const y = (value) => plot.valToPos(value, "y", true);
  clipped(plot, (ctx) => {
    ctx.lineWidth = 1.5 * devicePixelRatio;
    series.forEach((one, k) => {
      const told = one.sensors.map((name) => forecast.sensors[name]).filter((row) => row?.expected?.length);
      if (!shown(k) || !told.length) return;
      const best = told.reduce((a, b) => (b.expected[0] > a.expected[0] ? b : a));
      const data = plot.data[k + 1];
      const start = data[data.length - 1];
      if (typeof start !== "number") return;
      ctx.fillStyle = ctx.strokeStyle = paints[k];
      ctx.globalAlpha = 0.22;
      ctx.beginPath();
      ctx.moveTo(x(-1), y(start));
      best.upper.forEach((value, n) => value !== null && ctx.lineTo(x(n), y(value)));
      for (let n = best.expected.length - 1; n >= 0; n -= 1) if (best.expected[n] !== null) ctx.lineTo(x(n), y(best.expected[n]));
      ctx.fill();
      ctx.globalAlpha = 1;
      ctx.setLineDash([3 * devicePixelRatio, 2 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x(-1), y(start));
      best.expected.forEach((value, n) => value !== null && ctx.lineTo(x(n), y(value)));
      ctx.stroke();
    });
  });
}

/** A mark at the top for each event; a line through the graph for what should not have come to pass. */
export function markers(plot, events, inks) {
  const { min, max } = plot.scales.x;
  const scale = devicePixelRatio;
  clipped(plot, (ctx, box) => {
    for (const event of events) {
      if (event.t < min || event.t > max || !isMarked(event)) continue;
      const x = Math.round(plot.valToPos(event.t, "x", true));
      ctx.fillStyle = ctx.strokeStyle = inks[event.action === "anomaly" ? "alert" : event.action] ?? inks.marker;
      if (GRAVE.has(event.action)) {
        ctx.lineWidth = scale;
        ctx.beginPath();
        ctx.moveTo(x + 0.5, box.top);
        ctx.lineTo(x + 0.5, box.top + box.height);
        ctx.stroke();
      }
      ctx.beginPath();
      ctx.moveTo(x - 4 * scale, box.top);
      ctx.lineTo(x + 4 * scale, box.top);
      ctx.lineTo(x, box.top + 6 * scale);
      ctx.fill();
    }
  });
}

export const isMarked = (event) => MARKED.has(event.action) || event.kind === "profile" || event.kind === "decision";

/** The event nearest to t within so many seconds, with its time and sentence for people; null where none is near. */
export function markerAt(events, t, within) {
  let best = null;
  for (const event of events) {
    if (!isMarked(event)) continue;
    const off = Math.abs(event.t - t);
    if (off <= within && (best === null || off < Math.abs(best.t - t))) best = event;
  }
  if (best === null) return null;
  return { t: best.t, time: clock(best.t), sentence: best.decision ? `${best.action.replace("_", " ")}: ${sentence(best.decision)}` : best.sentence };
}
