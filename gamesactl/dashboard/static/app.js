// Puts the page together.

import { get } from "./api.js";
import { allow } from "./acting.js";
import { Cards } from "./cards.js";
import { DecisionCard } from "./decision.js";
import { announce, find, mark, say } from "./dom.js";
import { clock, span } from "./format.js";
import { soon } from "./frame.js";
import { Graphs } from "./graphs.js";
import { shortcuts } from "./keyboard.js";
import { model } from "./model.js";
import { Crystal } from "./panels/crystal.js";
import { Decisions } from "./panels/decisions.js";
import { Flights } from "./panels/flights.js";
import { Neural } from "./panels/neural.js";
import { Sensors } from "./panels/sensors.js";
import { Countdown, Tunables } from "./panels/tunables.js";
import { Tabs } from "./tabs.js";
import { Toolbar } from "./toolbar.js";
import { view } from "./view.js";

const QUIET_S = 10;
const FRAMES_MS = 2000;
const NO_FRAMES_MS = 30_000;

const TABS = [
  { id: "overview", title: "Overview", panel: null },
  { id: "sensors", title: "Sensors", panel: new Sensors() },
  { id: "tunables", title: "Tunables", panel: new Tunables() },
  { id: "decisions", title: "Decisions", panel: new Decisions() },
  { id: "flights", title: "Flights", panel: new Flights() },
  { id: "crystal", title: "Crystal Core", panel: new Crystal() },
  { id: "neural", title: "Neural", panel: new Neural() },
];

const cards = new Cards(find("cards"), new DecisionCard());
const graphs = new Graphs(find("graphs"));
const tabs = new Tabs(TABS);
new Toolbar();
new Countdown();
shortcuts(TABS);

tabs.changed = () => {
  soon(cards.update);
  soon(graphs.draw);
};

/** Whether what is shown is still true, and if not since when. */
function showConnection() {
  const { connection, hello, staleSince } = model;
  if (hello) {
    say(find("machine"), hello.machine ?? "");
    mark(find("machine"), "title", hello.machine ?? null);
    find("simulated").hidden = !hello.simulated;
    allow(model.whyReadOnly);
  }
  const quiet = model.heard !== null && Date.now() - model.heard > Math.max(QUIET_S, 3 / connection.rate) * 1000;
  const link = find("link");
  let state = "live";
  let sentence = "";
  if (!connection.open) {
    const wait = connection.retryAt ? Math.max(0, Math.ceil((connection.retryAt - Date.now()) / 1000)) : 0;
    state = model.heard === null && !connection.retryAt ? "connecting" : "lost";
    const since = model.heard === null ? "" : ` since ${clock(model.heard / 1000)}`;
    const again = `Trying again ${wait ? `in ${wait} s` : "now"}.`;
    if (connection.refused) sentence = `The dashboard refuses: ${connection.refused}. ${again}`;
    else if (connection.retryAt) sentence = `The dashboard does not answer${since}. ${again} If it ended: gamesactl dashboard`;
  } else if (staleSince !== null || quiet) {
    state = "stale";
    const since = staleSince ?? model.heard / 1000;
    sentence = `Stale since ${clock(since)} (${span(Date.now() / 1000 - since)}): gamesad is not running, or does not tick. What is shown is from then; it goes on by itself.`;
  }
  mark(link, "data-state", state);
  say(link, state);
  mark(document.body, "data-link", state);
  const banner = find("stale");
  banner.hidden = sentence === "";
  say(banner, sentence);
}

async function askFrames() {
  let wait = NO_FRAMES_MS;
  if (!document.hidden) {
    try {
      cards.performance.frames = await get("/frames");
      if (cards.performance.frames.source !== null) wait = FRAMES_MS;
      soon(cards.update);
      graphs.frames(cards.performance.frames);
    } catch {
      // unknown stays unknown
    }
  }
  setTimeout(askFrames, wait);
}

model.addEventListener("connection", () => soon(showConnection));
setInterval(showConnection, 1000);

let told = null;
model.addEventListener("events", () => {
  const newest = model.events.at(-1);
  if (newest && told !== null && newest.t > told && newest.kind !== "profile") announce(`${clock(newest.t)}: ${newest.sentence}`);
  told = Math.max(told ?? 0, newest?.t ?? 0);
});

find("rate").addEventListener("change", (event) => (model.connection.rate = Number(event.target.value)));
find("theme").value = window.gamesaTheme.get();
find("theme").addEventListener("change", (event) => window.gamesaTheme.set(event.target.value));
document.documentElement.addEventListener("themechange", () => {
  find("theme").value = window.gamesaTheme.get();
  graphs.recolour();
});
document.addEventListener("visibilitychange", () => document.hidden || model.refresh());

model.start();
askFrames();
window.gamesa = { model, view, graphs };
