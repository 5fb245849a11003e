// When to draw: once per frame at most, only what asked for it, and not while nobody can see the page.

const waiting = new Set();
let asked = 0;

/** Draws with the next frame; asking twice draws once. */
export function soon(draw) {
  waiting.add(draw);
  if (!asked && !document.hidden) asked = requestAnimationFrame(run);
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
