// PayFiP opens in another tab and does not come back: once its tab is closed, the invoice is read again by itself.
(() => {
  let parti = false;
  for (const formulaire of document.querySelectorAll("[data-portail-retour]")) {
    formulaire.addEventListener("submit", () => {
      parti = true;
    });
  }
  document.addEventListener("visibilitychange", () => {
    if (parti && !document.hidden) window.location.reload();
  });
})();
