// The card of the decision in force, and of who wants what: profile, holds, pause.

import { act } from "./api.js";
import { attempt, offered } from "./acting.js";
import { button, el, mark, say } from "./dom.js";
import { ACTIONS, clock, sentence, SOURCES, span } from "./format.js";
import { model } from "./model.js";
import { stage } from "./stage.js";
import { view } from "./view.js";

const HOUR_S = 3600;

export class DecisionCard {
  #profiles = "";
  #holds = "";

  constructor() {
    this.action = el("p", { class: "action" }, "unknown");
    this.reason = el("p", { class: "lead reason" }, "");
    this.since = el("p", { class: "note" }, "");
    this.profiles = el("div", { class: "segments", role: "group", "aria-label": "Profile" });
    this.cause = el("p", { class: "note" }, "");
    this.holds = el("ul", { class: "holds" });
    this.hold = offered(button("Hold for an hour", () => this.#hold(), { title: "Keeps this profile until an hour has passed or this dashboard ends" }));
    this.pause = offered(button("Pause", () => this.#pause()));
    this.why = el("p", { class: "note why-not" }, "");
    this.node = el(
      "section", { class: "card", id: "card-decision", "aria-labelledby": "card-title-decision" },
      el("h2", { id: "card-title-decision" }, "Decision"), this.action, this.reason, this.since,
      el("h3", { class: "sub" }, "Profile"), this.profiles, this.cause, this.holds,
      el("div", { class: "buttons" }, this.hold, this.pause), this.why,
    );
  }

  update() {
    const { tick, status } = model;
    const replayed = view.replay ? stage.events().findLast((event) => event.decision && event.t <= view.replay.now) : null;
    const action = view.replay ? replayed?.action : tick?.action;
    mark(this.node, "data-action", action ?? "");
    say(this.action, ACTIONS[action] ?? "unknown");
    say(this.reason, sentence(replayed?.decision ?? { reason: view.replay ? "" : tick?.reason }));
    const source = replayed?.decision.source ?? replayed?.decision.Source ?? tick?.source;
    const since = replayed?.t ?? tick?.since;
    const now = view.replay ? view.replay.now : tick?.t;
    say(this.since, since ? `decided by ${SOURCES[source] ?? source}, since ${clock(since)} (${span(now - since)})` : "");
    this.#showProfiles();
    say(this.cause, status?.ProfileCause ?? "");
    this.#showHolds(status?.Holds ?? []);
    say(this.pause, status && "PausedUntil" in status ? "Resume" : "Pause");
    say(this.why, model.hello && !model.canWrite ? `Read-only: ${model.whyReadOnly}` : "");
  }

  #showProfiles() {
    const { profiles, active, selected } = model.profiles;
    const key = JSON.stringify([profiles.map((one) => one.name), model.canWrite]);
    if (key !== this.#profiles) {
      this.#profiles = key;
      const sorted = [...profiles].sort((a, b) => a.rank - b.rank);
      this.profiles.replaceChildren(...sorted.map((one) =>
        offered(button(one.name, () => choose(one.name), { "data-profile": one.name, title: one.description }))));
    }
    for (const one of this.profiles.children) {
      mark(one, "aria-pressed", one.dataset.profile === (model.tick?.profile ?? active));
      mark(one, "data-selected", one.dataset.profile === selected ? "" : null);
    }
  }

  #showHolds(holds) {
    const key = JSON.stringify([holds, model.canWrite]);
    if (key === this.#holds) return;
    this.#holds = key;
    this.holds.replaceChildren(...holds.map((hold) => {
      const who = [hold.ApplicationId, hold.Reason].filter(Boolean).join(": ") || "somebody";
      const end = offered(button("Release", () => attempt(() => act("DELETE", `/hold/${hold.Cookie}`), model), { class: "quiet" }));
      return el("li", {}, el("span", {}, el("b", {}, hold.Profile), ` is held by ${who}`), end);
    }));
  }

  #hold() {
    const profile = model.tick?.profile ?? model.profiles.active;
    attempt(() => act("POST", "/hold", { profile, seconds: HOUR_S, reason: "held from the dashboard" }), model);
  }

  #pause() {
    const paused = model.status && "PausedUntil" in model.status;
    attempt(() => (paused ? act("POST", "/resume") : act("POST", "/pause", { seconds: HOUR_S })), model);
  }
}

export const choose = (name) => attempt(() => act("POST", "/profile", { name }), model);
