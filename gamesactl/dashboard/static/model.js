// What the page knows of the machine: filled by the connection and the REST side, read by everything that draws.

import { get, token } from "./api.js";
import { Connection } from "./connection.js";
import { Store } from "./store.js";

const EVENTS_KEPT = 500;
const STATUS_S = 5;
const SENSORS_S = 20;

/** Events: "tick", "sensors", "status", "tunables", "events" (decisions and alerts), "connection", "anomaly". */
class Model extends EventTarget {
  connection = new Connection();
  store = new Store();
  hello = null;
  tick = null;
  status = null;
  /** By name, as /sensors tells them, in the order of the directory. */
  sensors = new Map();
  tunables = [];
  profiles = { profiles: [], active: null, selected: null, holds: [] };
  /** Newest last: {t, kind: "decision"|"alert"|"anomaly"|"profile", action, sentence, decision}. */
  events = [];
  staleSince = null;
  /** When the last tick came, by this page's clock. */
  heard = null;
  #asked = { status: 0, sensors: 0 };

  start() {
    this.connection.addEventListener("message", (event) => this.#hear(event.detail));
    this.connection.addEventListener("state", () => this.#tell("connection"));
    this.connection.start();
  }

  /** Whether acting is offered. The server decides anew each time. */
  get canWrite() {
    return this.whyReadOnly === "";
  }

  /** A sentence; empty where acting is offered. */
  get whyReadOnly() {
    if (!this.hello) return "the dashboard has not answered yet";
    if (!this.hello.can_write) return this.hello.why_read_only ?? "nobody may write here";
    return token ? "" : "this page was opened without its token; open the address that gamesactl dashboard printed";
  }

  /** Everything that does not come by itself; failures leave what was known. */
  async refresh() {
    await Promise.allSettled([this.refreshSensors(), this.refreshStatus(), this.refreshTunables(), this.#refreshDecisions()]);
  }

  async refreshSensors() {
    this.#asked.sensors = Date.now();
    const rows = await get("/sensors");
    this.sensors = new Map(rows.map((row) => [row.name, row]));
    this.#tell("sensors");
  }

  async refreshStatus() {
    this.#asked.status = Date.now();
    const [status, profiles] = await Promise.allSettled([get("/status"), get("/profiles")]);
    if (status.status === "fulfilled") this.status = status.value;
    if (profiles.status === "fulfilled") this.profiles = profiles.value;
    this.#tell("status");
  }

  async refreshTunables() {
    this.tunables = await get("/tunables");
    this.#tell("tunables");
  }

  async #refreshDecisions() {
    for (const decision of (await get("/decisions", { count: 200 })).reverse()) this.#keep(decided(decision));
    this.#tell("events");
  }

  #keep(event) {
    const twin = (one) => one.t === event.t && one.kind === event.kind && one.sentence === event.sentence;
    if (this.events.some(twin)) return;
    let at = this.events.length;
    while (at > 0 && this.events[at - 1].t > event.t) at -= 1;
    this.events.splice(at, 0, event);
    if (this.events.length > EVENTS_KEPT) this.events.shift();
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
  }

  #hear(message) {
    switch (message.type) {
      case "hello":
        this.hello = message;
        this.staleSince = message.stale_since ?? null;
        this.store.directory(message.directory);
        this.refresh();
        this.#tell("connection");
        break;
      case "tick":
        this.#ticked(message);
        break;
      case "directory":
        this.store.directory(message.directory);
        this.refreshSensors().catch(() => {});
        break;
      case "decision":
        this.#keep(decided(message));
        this.#tell("events");
        this.refreshStatus();
        this.refreshTunables().catch(() => {});
        break;
      case "alert":
      case "anomaly":
        this.#keep(told(message));
        this.#tell("events");
        if (message.type === "anomaly") this.#tell("anomaly");
        break;
      case "profile":
        this.#keep(told(message));
        this.refreshStatus();
        this.#tell("events");
        break;
      case "missed":
        this.#refreshDecisions().catch(() => {});
        break;
      case "stale":
        this.staleSince = message.since;
        this.#tell("connection");
        break;
      case "live":
        this.staleSince = null;
        this.refresh();
        this.#tell("connection");
        break;
      default: // a newer server may tell more
    }
  }

  #ticked(message) {
    if (this.staleSince !== null) {
      this.staleSince = null;
      this.#tell("connection");
    }
    this.tick = message;
    this.heard = Date.now();
    if (this.store.push(message.t, message.values)) this.#tell("tick");
    if (document.hidden) return;
    if (this.heard - this.#asked.status > STATUS_S * 1000) this.refreshStatus();
    if (this.heard - this.#asked.sensors > SENSORS_S * 1000) this.refreshSensors().catch(() => {});
  }
}

const field = (row, key) => row[key] ?? row[key[0].toUpperCase() + key.slice(1)];

export function decided(decision) {
  const action = field(decision, "action");
  return {
    t: field(decision, "since"),
    kind: "decision",
    action,
    sentence: field(decision, "reason") ?? action,
    decision,
  };
}

function told(message) {
  const sentence = field(message, "sentence") ?? field(message, "cause") ?? message.type;
  const active = field(message, "active");
  const t = field(message, "since") ?? message.t ?? Date.now() / 1000;
  const words = message.type === "profile" ? `profile ${field(message, "profile")}: ${sentence}` : sentence;
  return { t, kind: message.type, action: active === false ? "over" : message.type, sentence: words, decision: null };
}

export const model = new Model();
