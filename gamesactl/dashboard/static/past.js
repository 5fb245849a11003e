// The points of one graph: what this page saw itself, and before that what /history kept.

import { get } from "./api.js";
import { Points } from "./store.js";

const AT_MOST = 800;
/** Pixels to a point: what lies between shows in its band. */
export const STEP_PX = 2;
const RETRY_MS = 3000;

export class Past {
  #series = [];
  #known = null;
  #asking = false;
  #failedAt = 0;
  points = new Points(0);
  /** Why nothing older is shown; empty where nothing is missing. */
  trouble = "";

  constructor(store, arrived) {
    this.store = store;
    this.arrived = arrived;
  }

  set series(series) {
    this.#series = series;
    this.#known = null;
    this.points = new Points(series.length);
  }

  /** Fills `points` for [since, until] at `width` pixels; asks for what is not here, and draws again when it came. */
  fill(since, until, width, store = this.store) {
    const step = (until - since) / Math.max(50, width / STEP_PX);
    const gap = Math.max(12, 3 * step);
    this.points.clear();
    const recent = store.size ? store.first : Math.min(until, Date.now() / 1000);
    if (store === this.store && since < recent) {
      this.#want(since, Math.min(until, recent), until - since);
      this.#older(since, Math.min(until, recent));
    }
    store.gather(this.#series, since - step, until, step, gap, this.points);
    return this.points;
  }

  /** Appends what /history told of [since, until). */
  #older(since, until) {
    const known = this.#known;
    if (!known) return;
    for (let n = 0; n < known.t.length; n += 1) {
      const t = known.t[n];
      if (t < since || t >= until) continue;
      this.points.t.push(t);
      for (let k = 0; k < this.#series.length; k += 1) {
        const from = known.series[k];
        const into = this.points.series[k];
        into.mean.push(from.mean[n]);
        into.min.push(from.min[n]);
        into.max.push(from.max[n]);
      }
    }
  }

  #want(since, until, length) {
    const known = this.#known;
    const slack = Math.max(2, length / 100);
    const enough = known && known.since <= since + slack && known.until >= until - slack && known.length <= 1.5 * length;
    if (enough || this.#asking || !this.#series.length || Date.now() - this.#failedAt < RETRY_MS) return;
    this.#ask(since - slack, until, length);
  }

  async #ask(since, until, length) {
    const series = this.#series;
    const names = [...new Set(series.flatMap((one) => one.sensors))];
    this.#asking = true;
    try {
      const told = await get("/history", { sensor: names, since, until, points: AT_MOST });
      if (series === this.#series) this.#known = { since, until, length, ...combined(series, told) };
      this.trouble = "";
    } catch (error) {
      this.#failedAt = Date.now();
      this.trouble = error.message;
    } finally {
      this.#asking = false;
    }
    this.arrived();
  }
}

/** Series of several sensors are the most of them. In a gap the server puts a time with nulls. */
function combined(series, told) {
  const places = series.map((one) => one.sensors.map((name) => told.columns.indexOf(name)).filter((at) => at >= 0));
  const most = (table, at, n) => {
    let found = null;
    for (const place of at) {
      const value = table[place]?.[n];
      if (typeof value === "number" && (found === null || value > found)) found = value;
    }
    return found;
  };
  const points = new Points(series.length);
  for (let n = 0; n < told.t.length; n += 1) {
    points.t.push(told.t[n]);
    for (let k = 0; k < series.length; k += 1) {
      points.series[k].mean.push(most(told.mean, places[k], n));
      points.series[k].min.push(most(told.min, places[k], n));
      points.series[k].max.push(most(told.max, places[k], n));
    }
  }
  return points;
}
