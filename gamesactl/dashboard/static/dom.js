// Elements are made here only. What others wrote (labels, reasons) becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** el("td", {class: "name"}, "text", child): keys that begin with "on" are listeners, null leaves an attribute out. */
export function el(tag, attributes = {}, ...children) {
  const made = tag === "svg" || tag === "path" ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Writes only what changed: an unchanged text costs no layout. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function mark(node, key, value) {
  if (value === null || value === false) {
    if (node.hasAttribute(key)) node.removeAttribute(key);
  } else if (node.getAttribute(key) !== String(value)) node.setAttribute(key, String(value));
}

export const find = (id) => document.getElementById(id);

/** The colour a custom property stands for now, as canvas wants it (light-dark() is resolved by the browser only). */
export function colour(name) {
  const probe = find("probe");
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

/** A button with a text; `pressed` and `disabled` as in HTML. */
export function button(label, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, label);
}

/** What is spoken to screen readers, once. */
export function announce(sentence) {
  say(find("announcer"), sentence);
}
