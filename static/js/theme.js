// Light, dark or the system's: in <head>, before the first paint. The admin reads the same key.
(() => {
  const CLE = "theme";
  const systeme = window.matchMedia("(prefers-color-scheme: dark)");

  // A browser may refuse storage altogether: the choice then lasts as long as the page.
  let voulu = "auto";
  try {
    voulu = localStorage.getItem(CLE) || "auto";
  } catch {}

  const appliquer = () => {
    const sombre = voulu === "dark" || (voulu === "auto" && systeme.matches);
    document.documentElement.dataset.bsTheme = sombre ? "dark" : "light";
    for (const bouton of document.querySelectorAll("[data-theme-voulu]")) {
      bouton.setAttribute("aria-pressed", String(bouton.dataset.themeVoulu === voulu));
    }
  };

  appliquer();
  systeme.addEventListener("change", appliquer);

  document.addEventListener("DOMContentLoaded", () => {
    for (const choix of document.querySelectorAll("[data-portail-theme]")) choix.hidden = false;
    appliquer();
  });

  document.addEventListener("click", (evenement) => {
    const bouton = evenement.target.closest("[data-theme-voulu]");
    if (!bouton) return;
    voulu = bouton.dataset.themeVoulu;
    try {
      localStorage.setItem(CLE, voulu);
    } catch {}
    appliquer();
  });
})();
