// What stretch of time the graphs show, and whether they follow the present.

export const SPANS = [
  [60, "1 min"],
  [300, "5 min"],
  [900, "15 min"],
  [3600, "1 h"],
  [21600, "6 h"],
  [86400, "24 h"],
  [604800, "7 d"],
  [2592000, "30 d"],
];
const SHORTEST = 5;
const LONGEST = 31 * 86400;

/** Events: "change". While it follows, `range` moves with the present; a forecast has room at its right. */
class View extends EventTarget {
  span = 300;
  /** [since, until] where it stands still, else null. */
  fixed = null;
  /** The flight recording that is shown instead of the machine: {since, until, store, sensors, events, now}. */
  replay = null;

  get following() {
    return this.fixed === null;
  }

  /** [since, until] in seconds since the epoch, given the newest time there is. */
  range(now) {
    if (this.fixed) return this.fixed;
    if (this.replay) return [this.replay.since, this.replay.until];
    return [now - this.span, now + ahead(this.span)];
  }

  follow(span = this.span) {
    this.span = span;
    this.fixed = null;
    this.#changed();
  }

  show(since, until) {
    const middle = (since + until) / 2;
    const length = Math.min(LONGEST, Math.max(SHORTEST, until - since));
    this.fixed = [middle - length / 2, middle + length / 2];
    this.#changed();
  }

  pause(now) {
    this.show(...this.range(now));
  }

  /** By a part of what is shown, back where it is negative; what would pass the present follows it again. */
  pan(part, now) {
    const [since, until] = this.range(now);
    const by = (until - since) * part;
    if (part > 0 && !this.replay && until + by > now + ahead(until - since)) this.follow();
    else this.show(since + by, until + by);
  }

  /** around: 0..1, the place in the graph that stays where it is. */
  zoom(factor, now, around = 0.5) {
    const [since, until] = this.range(now);
    const at = since + (until - since) * around;
    this.show(at - (at - since) * factor, at + (until - at) * factor);
  }

  setReplay(replay) {
    this.replay = replay;
    this.fixed = null;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** Room for the forecast: its five seconds, and at least a hair's breadth. */
export const ahead = (span) => Math.max(span * 0.01, span <= 900 ? 6 : 0);

export const view = new View();
