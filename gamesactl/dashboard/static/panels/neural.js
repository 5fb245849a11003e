// What was learnt on this machine: how well it forecasts, what its policy would have done, and what is unlike usual.

import { get } from "../api.js";
import { el } from "../dom.js";
import { ACTIONS, bytes, clock, count, milliseconds, percent, temperature, UNKNOWN } from "../format.js";
import { Table } from "../table.js";
import { facts, Panel, scroll } from "./panel.js";

const known = (value) => typeof value === "number";
const number = (value, digits = 2) => (known(value) ? value.toFixed(digits).replace("-", "−") : UNKNOWN);

export class Neural extends Panel {
  constructor() {
    super("neural", "Neural Optimizer", 2);
    this.life = el("div", { class: "fact-columns" });
    this.forecast = el("p", { class: "note" });
    this.skill = new Table(
      [
        { title: "Sensor", text: (row) => row.Label || row.Sensor, sort: (row) => row.Label || row.Sensor },
        { title: "Skill", node: bar, refresh: showBar, sort: (row) => row.Skill },
        { title: "Mean error", text: (row) => temperature(row.Error), sort: (row) => row.Error, class: "number" },
        { title: "If it stayed as it is", text: (row) => temperature(row.Persistence), sort: (row) => row.Persistence, class: "number wide-only" },
        { title: "Bounds that held", text: (row) => percent(row.Coverage, 1), sort: (row) => row.Coverage, class: "number" },
        { title: "Samples", text: (row) => count(row.Samples), sort: (row) => row.Samples, class: "number wide-only" },
        { title: "Weights", text: (row) => Object.entries(row.Members ?? {}).map(([name, weight]) => `${name} ${percent(weight)}`).join(", ") || "–", class: "wide-only" },
      ],
      { key: (row) => row.Sensor, caption: "Skill of the forecast by sensor", empty: "No sensor is forecast yet.", sort: "Skill", up: false },
    );
    this.calibration = el("div", { class: "calibration" });
    this.policy = el("div", { class: "fact-columns" });
    this.proposals = new Table(
      [
        { title: "Time", text: (row) => clock(row.Time), sort: (row) => row.Time },
        { title: "The policy", text: (row) => ACTIONS[row.Action] ?? row.Action },
        { title: "In force", text: (row) => ACTIONS[row.InForce] ?? row.InForce },
        { title: "Reason", text: (row) => row.Reason ?? "", class: "sentence" },
      ],
      { key: (row) => `${row.Time}-${row.Action}`, caption: "What the policy would have done", empty: "It has proposed nothing yet.", sort: "Time", up: false, mark: (row) => (row.Action === row.InForce ? null : "other") },
    );
    this.anomalies = el("p", { class: "note" });
    this.episodes = new Table(
      [
        { title: "Since", text: (row) => clock(row.Since), sort: (row) => row.Since },
        { title: "Until", text: (row) => (row.Active ? "still" : clock(row.Until)) },
        { title: "Sensor", text: (row) => row.Label || row.Sensor },
        { title: "What is odd", text: (row) => row.Sentence, class: "sentence" },
        { title: "Score", text: (row) => `${number(row.Score)} of ${number(row.Threshold)}`, class: "number wide-only" },
      ],
      { key: (row) => `${row.Sensor}-${row.Since}`, caption: "Anomalies", empty: "Nothing was odd.", sort: "Since", up: false, mark: (row) => (row.Active ? "rejected" : null) },
    );
    const section = (title, ...content) => el("section", { class: "card", hidden: true }, el("h3", {}, title), ...content);
    this.sections = [
      section("Life", this.life),
      section("Forecast", this.forecast, this.calibration, scroll("Skill by sensor", this.skill.node)),
      section("Policy: what it would have done", this.policy, scroll("Proposals", this.proposals.node)),
      section("Anomalies", this.anomalies, scroll("Anomalies", this.episodes.node)),
    ];
    this.body.append(...this.sections);
  }

  async show() {
    await super.show();
    if (!this.trouble.hidden) for (const one of this.sections) one.hidden = true;
  }

  async load() {
    const told = await get("/neural");
    const { Life: life = {}, Forecast: forecast = {}, Policy: policy = {}, Anomalies: anomalies = {} } = told;
    const parts = [told, told.Forecast, told.Policy, told.Anomalies];
    this.sections.forEach((one, n) => (one.hidden = !parts[n]));
    this.#life(told, life);
    this.#forecast(forecast);
    this.#policy(policy);
    this.anomalies.textContent = `${anomalies.State ?? UNKNOWN}; budget ${number(anomalies.Budget)} false alarms a week, ${number(anomalies.Rate)} so far; score ${number(anomalies.Score)}, alarm at ${number(anomalies.Threshold)}`;
    this.episodes.update([...(anomalies.Active ?? []).map((row) => ({ ...row, Active: true })), ...(anomalies.Recent ?? [])]);
  }

  #life(told, life) {
    const yielded = Object.entries(life.Yielded ?? {}).map(([name, times]) => `${name} ${count(times)}`).join(", ");
    this.life.replaceChildren(
      facts([["State", told.State ?? UNKNOWN], ["Since", clock(told.Since)], ["Memory", bytes(life.Memory)]]),
      facts([["Time in a tick", milliseconds(life.TickMs)], ["Budget", milliseconds(life.BudgetMs)], ["Gave way", yielded || "never"]]),
      facts([["Last checkpoint", clock(life.Checkpoint)], ["Rolled back", count(life.Rollbacks)], ["Set aside as damaged", count(life.SetAside)]]),
    );
  }

  #forecast(forecast) {
    const rows = forecast.Sensors ?? [];
    const horizons = (forecast.Horizons ?? []).join(", ");
    this.forecast.textContent = `${forecast.State ?? UNKNOWN}; ${horizons || UNKNOWN} s ahead. Skill is 1 minus the mean error divided by that of "it stays as it is": above 0 it knows more.`;
    this.skill.update(rows);
    const held = rows.map((row) => row.Coverage).filter(known);
    const wanted = forecast.Confidence;
    const mean = held.length ? held.reduce((a, b) => a + b) / held.length : NaN;
    this.calibration.replaceChildren(
      ...(held.length
        ? [el("span", {}, `Calibration: ${percent(mean, 1)} of the upper bounds held; ${percent(wanted)} is wanted`), gauge(mean, wanted)]
        : [el("span", {}, "Calibration: unknown until bounds have been met or missed")]),
    );
  }

  #policy(policy) {
    const interval = known(policy.Estimate)
      ? `${number(policy.Estimate)} (${number(policy.EstimateLow)} to ${number(policy.EstimateHigh)})` : UNKNOWN;
    this.policy.replaceChildren(
      facts([["Mode", policy.Mode ?? UNKNOWN], ["State", policy.State ?? UNKNOWN], ["Proposes now", policy.Proposed ? ACTIONS[policy.Proposed] ?? policy.Proposed : "nothing"]]),
      facts([["Worth", interval], ["The rules are worth", number(policy.RulesValue)], ["Estimated by", policy.Method ?? UNKNOWN]]),
      facts([["Seconds learnt from", count(policy.Steps)], ["Explored", count(policy.Explored)], ["Reason", policy.Reason ?? "–"]]),
    );
    this.proposals.update(policy.Proposals ?? []);
  }
}

function bar(row) {
  const node = el("span", { class: "skill" }, el("span", { class: "track" }, el("span", { class: "fill" })), el("span", { class: "value" }));
  showBar(node, row);
  return node;
}

function showBar(node, row) {
  const fill = node.firstChild.firstChild;
  const part = known(row.Skill) ? Math.max(-1, Math.min(1, row.Skill)) : 0;
  fill.style.width = `${50 * Math.abs(part)}%`;
  fill.style.left = `${part < 0 ? 50 - 50 * Math.abs(part) : 50}%`;
  fill.classList.toggle("bad", part < 0);
  node.lastChild.textContent = number(row.Skill);
}

function gauge(value, wanted) {
  const fill = el("span", { class: "fill" });
  fill.style.width = `${100 * value}%`;
  const tick = el("span", { class: "limit-tick" });
  tick.style.left = `${100 * (wanted ?? 1)}%`;
  return el("span", { class: "track", "aria-hidden": "true" }, fill, tick);
}
