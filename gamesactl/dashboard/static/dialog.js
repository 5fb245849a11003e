// Small questions: a native dialog, so focus stays inside and Escape closes it.

import { button, el } from "./dom.js";

/** Opens a dialog with a heading and content; buttons: [[label, work(close), kind]]. Removed when closed. */
export function ask(title, content, buttons) {
  const close = () => dialog.close();
  const actions = buttons.map(([label, work, kind]) => button(label, () => work(close), { class: kind ?? "" }));
  const form = el("form", { method: "dialog" },
    el("h2", { id: "dialog-title" }, title), content,
    el("div", { class: "buttons" }, actions, button("Close", close)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    actions[0]?.click();
  });
  const dialog = el("dialog", { "aria-labelledby": "dialog-title" }, form);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  document.body.append(dialog);
  dialog.showModal();
  dialog.scrollTop = 0; // a long one is scrolled to what has the focus
  return dialog;
}

/** A labelled field. */
export const labelled = (text, control) => el("label", { class: "field" }, el("span", {}, text), control);
