// « Copier » beside a value that is to be typed elsewhere. Without this file the value is selected by a click.
(() => {
  if (!navigator.clipboard) return;
  for (const place of document.querySelectorAll("[data-portail-copier]")) {
    const valeur = document.getElementById(place.dataset.portailCopier);
    const bouton = document.createElement("button");
    bouton.type = "button";
    bouton.className = "btn btn-secondary";
    bouton.setAttribute("aria-live", "polite");
    const libelle = () => {
      bouton.textContent = "Copier";
      const quoi = document.createElement("span");
      quoi.className = "visually-hidden";
      quoi.textContent = ` ${place.dataset.quoi}`;
      bouton.append(quoi);
    };
    bouton.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(valeur.textContent.trim());
        bouton.textContent = "Copié";
      } catch {
        window.getSelection().selectAllChildren(valeur); // refused: the value is at least selected
      }
      window.setTimeout(libelle, 2000);
    });
    libelle();
    place.replaceWith(bouton);
  }
})();
