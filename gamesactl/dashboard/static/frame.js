// When to draw: once per frame at most, only what asked for it, and not while nobody can see the page.

const CALM_MS = 500;

const waiting = new Set();
let asked = 0;

/** Draws with the next frame; asking twice draws once. */
export function soon(draw) {
  waiting.add(draw);
  if (!asked && !document.hidden) asked = requestAnimationFrame(run);
}

/** For what every tick wants drawn: at most every CALM_MS, for faster numbers cannot be read, and the newest at last. */
export function calmly(draw) {
  let last = -Infinity;
  let timer = 0;
  const now = () => {
    timer = 0;
    last = performance.now();
    soon(draw);
  };
  return () => {
    const left = last + CALM_MS - performance.now();
    if (left <= 0) now();
    else timer ||= setTimeout(now, left);
  };
}

function run() {
  asked = 0;
  const due = [...waiting];
  waiting.clear();
  for (const draw of due) draw();
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    cancelAnimationFrame(asked);
    asked = 0;
  } else if (waiting.size) asked ||= requestAnimationFrame(run);
});
