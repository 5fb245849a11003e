// Doing something: offered only when the dashboard may, told when done, and why not when refused.

import { button, el } from "./dom.js";

const STAYS_MS = 8000;
const AT_MOST = 4;

/** Everything that acts, so that all of it can be shut off at once with the reason. */
const actors = new Set();
let shut = "the dashboard has not answered yet";

/** A control that acts: disabled, with the reason as its title, while nothing may be changed. */
export function offered(control) {
  control.classList.add("acts");
  control.dataset.title = control.title;
  actors.add(new WeakRef(control));
  set(control);
  return control;
}

function set(control) {
  control.disabled = shut !== "";
  const what = control.dataset.title;
  control.title = shut ? `${what && `${what}. `}Not here: ${shut}` : what;
}

/** why: a sentence, empty where acting is allowed. */
export function allow(why) {
  if (why === shut) return;
  shut = why;
  for (const reference of actors) {
    const control = reference.deref();
    if (control) set(control);
    else actors.delete(reference);
  }
}

/** Runs what acts, tells how it went and reads what changed. True when it was done. */
export async function attempt(work, model) {
  try {
    note(await work(), "done");
    return true;
  } catch (error) {
    note(error.next ? `${error.message}; ${error.next}` : error.message, "failed");
    return false;
  } finally {
    await Promise.allSettled([model.refreshStatus(), model.refreshTunables(), model.refreshSensors()]);
  }
}

/** A line at the lower edge: what was done goes by itself, what failed stays until it is closed. */
export function note(sentence, kind) {
  const host = document.getElementById("notes");
  const one = el("div", { class: `toast ${kind}` }, el("span", {}, sentence));
  const close = button("×", () => one.remove(), { class: "quiet", "aria-label": "Close" });
  one.append(close);
  host.append(one);
  while (host.children.length > AT_MOST) host.firstChild.remove();
  if (kind === "done") setTimeout(() => one.remove(), STAYS_MS);
}
