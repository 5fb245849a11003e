// The recent past in this page: one ring of times and one ring per sensor, of fixed size. Nothing here grows with time.

/** A graph's worth of points, reused from drawing to drawing. null: nothing is known. */
export class Points {
  constructor(series) {
    this.t = [];
    this.series = Array.from({ length: series }, () => ({ mean: [], min: [], max: [] }));
  }

  clear() {
    this.t.length = 0;
    for (const one of this.series) one.mean.length = one.min.length = one.max.length = 0;
  }

  /** A time at which nothing is known: lines end here. */
  gap(t) {
    this.t.push(t);
    for (const one of this.series) {
      one.mean.push(null);
      one.min.push(null);
      one.max.push(null);
    }
  }
}

export class Store {
  #t;
  #columns = new Map();
  #next = 0;
  #order = [];
  size = 0;

  /** Keeps the last `capacity` ticks. */
  constructor(capacity = 3600) {
    this.capacity = capacity;
    this.#t = new Float64Array(capacity);
  }

  /** The sensors of the columns to come, in order. A sensor that went keeps its past until the ring has turned. */
  directory(names) {
    this.#order = names.map((name) => {
      let column = this.#columns.get(name);
      if (!column) {
        column = { values: new Float32Array(this.capacity).fill(NaN), left: 0 };
        this.#columns.set(name, column);
      }
      column.left = 0;
      return column;
    });
    const present = new Set(this.#order);
    for (const [name, column] of this.#columns) {
      if (present.has(column)) continue;
      if (column.left >= this.capacity) this.#columns.delete(name);
      else column.left ||= 1;
    }
  }

  /** One tick; null in `values` is NaN here. An old or repeated time is passed over: rings are sorted. */
  push(t, values) {
    if (this.size && t <= this.last) return false;
    const at = this.#next;
    this.#t[at] = t;
    for (const column of this.#columns.values()) {
      column.values[at] = NaN;
      if (column.left) column.left += 1;
    }
    for (let place = 0; place < this.#order.length; place += 1) {
      const value = values[place];
      this.#order[place].values[at] = typeof value === "number" ? value : NaN;
    }
    this.#next = (at + 1) % this.capacity;
    this.size = Math.min(this.size + 1, this.capacity);
    return true;
  }

  get first() {
    return this.size ? this.#t[this.#place(0)] : NaN;
  }

  get last() {
    return this.size ? this.#t[this.#place(this.size - 1)] : NaN;
  }

  /** The newest value of a sensor; NaN where it is not known. */
  latest(name) {
    const column = this.#columns.get(name);
    return column && this.size ? column.values[this.#place(this.size - 1)] : NaN;
  }

  #place(n) {
    return (this.#next - this.size + n + 2 * this.capacity) % this.capacity;
  }

  /** The number of the first tick at or after t. */
  #from(t) {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#t[this.#place(middle)] < t) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Appends to `points` what the sensors of each series showed from since to until, in steps of `step` seconds that lie
   * on whole multiples of it, so that a finished step never changes while the window moves. A series of several sensors
   * is the most of them ("max") at each tick. `gap`: seconds without a tick that end a line.
   */
  gather(series, since, until, step, gap, points) {
    const columns = series.map((one) => one.sensors.map((name) => this.#columns.get(name)?.values).filter(Boolean));
    const sums = new Float64Array(series.length);
    const counts = new Int32Array(series.length);
    const least = new Float64Array(series.length);
    const most = new Float64Array(series.length);
    let bucket = NaN;
    let before = points.t.length ? points.t[points.t.length - 1] : NaN;
    let latest = NaN;
    const finish = () => {
      if (Number.isNaN(bucket)) return;
      points.t.push(latest);
      for (let k = 0; k < series.length; k += 1) {
        const out = points.series[k];
        const n = counts[k];
        out.mean.push(n ? sums[k] / n : null);
        out.min.push(n ? least[k] : null);
        out.max.push(n ? most[k] : null);
      }
    };
    for (let n = this.#from(since); n < this.size; n += 1) {
      const at = this.#place(n);
      const t = this.#t[at];
      if (t > until) break;
      const here = Math.floor(t / step);
      if (here !== bucket) {
        finish();
        if (t - before > gap) points.gap((t + before) / 2);
        bucket = here;
        sums.fill(0);
        counts.fill(0);
        least.fill(Infinity);
        most.fill(-Infinity);
      }
      before = latest = t;
      for (let k = 0; k < series.length; k += 1) {
        let value = NaN;
        for (const values of columns[k]) if (!(values[at] <= value)) value = Number.isNaN(values[at]) ? value : values[at];
        if (Number.isNaN(value)) continue;
        sums[k] += value;
        counts[k] += 1;
        if (value < least[k]) least[k] = value;
        if (value > most[k]) most[k] = value;
      }
    }
    finish();
  }
}
