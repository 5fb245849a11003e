// The WebSocket: opens, comes back by itself, and says since when nothing came.

import { get, token } from "./api.js";

const FIRST_MS = 500;
const LONGEST_MS = 15_000;
const SILENCE_MS = 8_000;

/**
 * Events: "message" (detail: one parsed message), "state" (`open` or `retryAt` changed).
 * A connection that is silent for SILENCE_MS is closed and opened anew: a half-open one never says so itself.
 */
export class Connection extends EventTarget {
  #socket = null;
  #wait = FIRST_MS;
  #timer = 0;
  #silence = 0;
  #rate = 1;
  #stale = false; // the daemon is away: silence is what is expected
  open = false;
  retryAt = null;
  refused = ""; // why the dashboard, which does answer, lets nobody listen

  start() {
    clearTimeout(this.#timer);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    // A browser's WebSocket has no headers of its own choosing: where reading needs the token it is a subprotocol.
    const where = `${scheme}//${location.host}/api/v1/live`;
    const socket = token ? new WebSocket(where, ["gamesa", `gamesa.token.${token}`]) : new WebSocket(where);
    this.#socket = socket;
    this.#stale = false;
    socket.onopen = () => {
      this.#alive();
      this.send({ rate: this.#rate });
    };
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.type === "stale") this.#stale = true;
      else if (message.type === "live" || message.type === "tick") this.#stale = false;
      this.#alive();
      if (message.type === "hello") {
        this.#wait = FIRST_MS;
        this.refused = "";
        this.#set(true, null);
      }
      this.dispatchEvent(new CustomEvent("message", { detail: message }));
    };
    socket.onclose = () => this.#lost(socket);
  }

  /** Ends what is open; it comes back by itself. */
  close() {
    if (this.#socket) this.#lost(this.#socket);
  }

  set rate(hertz) {
    this.#rate = hertz;
    this.send({ rate: hertz });
  }

  get rate() {
    return this.#rate;
  }

  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #alive() {
    clearTimeout(this.#silence);
    if (this.#stale) return;
    const longest = Math.max(SILENCE_MS, 4_000 / this.#rate);
    this.#silence = setTimeout(() => this.#lost(this.#socket), longest);
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#silence);
    socket.close();
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(LONGEST_MS, this.#wait * 2);
    this.#set(false, Date.now() + wait);
    this.#timer = setTimeout(() => this.start(), wait);
    this.#ask();
  }

  /** A browser tells a page nothing of why it got no WebSocket; the same question by HTTP has an answer. */
  async #ask() {
    let refused = "";
    try {
      await get("/hello");
    } catch ({ status, message, next }) {
      if (status) refused = `${message}; ${next}`;
    }
    if (this.open || refused === this.refused) return;
    this.refused = refused;
    this.dispatchEvent(new CustomEvent("state"));
  }

  #set(open, retryAt) {
    this.open = open;
    this.retryAt = retryAt;
    this.dispatchEvent(new CustomEvent("state"));
  }
}
