// The message to many: only what the chosen selection needs is shown.
(() => {
  for (const formulaire of document.querySelectorAll("[data-portail-selection]")) {
    const montrer = () => {
      const choix = formulaire.querySelector('input[name="selection"]:checked')?.value;
      for (const bloc of formulaire.querySelectorAll("[data-portail-pour]")) {
        bloc.hidden = !bloc.dataset.portailPour.split(" ").includes(choix);
      }
    };
    formulaire.addEventListener("change", montrer);
    window.addEventListener("pageshow", montrer);
    montrer();
  }
})();
