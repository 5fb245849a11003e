// One moment under the pointer, shared by all graphs.

import { soon } from "./frame.js";

class Hover extends EventTarget {
  /** Seconds since the epoch, or null. */
  t = null;
  from = null;

  set(t, from) {
    if (t === this.t) return;
    this.t = t;
    this.from = from;
    soon(notify);
  }
}

export const hover = new Hover();
const notify = () => hover.dispatchEvent(new Event("change"));
