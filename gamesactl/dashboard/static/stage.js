// What is on stage: the machine as it is now, or a flight recording in its place.

import { model } from "./model.js";
import { view } from "./view.js";

export const stage = {
  store: () => view.replay?.store ?? model.store,
  sensors: () => view.replay?.sensors ?? model.sensors,
  events: () => view.replay?.events ?? model.events,
  /** The newest time there is, in seconds since the epoch. */
  now: () => view.replay?.now ?? (model.store.size ? model.store.last : Date.now() / 1000),
  forecast() {
    const told = view.replay ? null : model.tick?.forecast;
    return told ? { t: model.tick.t, horizon: model.tick.horizon ?? [1, 2, 3, 4, 5], sensors: told } : null;
  },
  limit: (name) => model.tick?.limits?.[name] ?? stage.sensors().get(name)?.limit ?? null,
};
