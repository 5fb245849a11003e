// Before the first paint: the colours chosen by hand, or those the system prefers. Not a module, so that it does not wait.
"use strict";

(() => {
  const KEY = "gamesa-theme";
  const more = matchMedia("(prefers-contrast: more)");
  const light = matchMedia("(prefers-color-scheme: light)");
  const root = document.documentElement;

  function apply() {
    const chosen = localStorage.getItem(KEY) || "auto";
    const contrast = chosen === "contrast" || (chosen === "auto" && more.matches);
    root.dataset.theme = chosen === "light" || (chosen !== "dark" && light.matches) ? "light" : "dark";
    root.toggleAttribute("data-contrast", contrast);
    root.dispatchEvent(new Event("themechange"));
  }

  window.gamesaTheme = {
    get: () => localStorage.getItem(KEY) || "auto",
    set(name) {
      localStorage.setItem(KEY, name);
      apply();
    },
  };
  more.addEventListener("change", apply);
  light.addEventListener("change", apply);
  apply();
})();
