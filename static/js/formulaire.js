// Long forms: sent once, not left by mistake, files checked before they travel. All of it is checked again by the server.
(() => {
  const TAILLE_MAX = 5 * 1024 * 1024;

  const taille = (octets) =>
    octets < 1_000_000
      ? `${Math.max(1, Math.round(octets / 1000))}\u00a0ko`
      : `${(octets / 1_000_000).toFixed(1).replace(".", ",")}\u00a0Mo`;

  const suivreFichiers = (champ, formulaire) => {
    const max = Number(champ.dataset.tailleMax || formulaire.dataset.tailleMax) || TAILLE_MAX;
    const liste = document.createElement("ul");
    liste.className = "fichiers-choisis";
    liste.setAttribute("aria-live", "polite");
    champ.after(liste);

    const montrer = () => {
      const lignes = [...champ.files].map((fichier) => {
        const ligne = document.createElement("li");
        ligne.textContent = `${fichier.name} (${taille(fichier.size)})`;
        if (fichier.size > max) {
          ligne.className = "trop-lourd";
          ligne.textContent += `\u00a0: dépasse ${Math.floor(max / (1024 * 1024))}\u00a0Mo, choisissez un fichier moins lourd.`;
        }
        return ligne;
      });
      const lourds = lignes.some((ligne) => ligne.className);
      liste.replaceChildren(...lignes);
      champ.classList.toggle("is-invalid", lourds);
      champ.toggleAttribute("aria-invalid", lourds);
    };
    champ.addEventListener("change", montrer);
    return { champ, estTropLourd: () => [...champ.files].some((fichier) => fichier.size > max) };
  };

  for (const formulaire of document.querySelectorAll("[data-portail-formulaire]")) {
    const fichiers = [...formulaire.querySelectorAll('input[type="file"]')].map((champ) =>
      suivreFichiers(champ, formulaire),
    );
    // A form that comes back with errors holds words that are saved nowhere.
    let modifie = formulaire.querySelector(".is-invalid") !== null;
    let parti = false;

    formulaire.addEventListener("input", () => {
      modifie = true;
    });

    formulaire.addEventListener("submit", (evenement) => {
      const lourd = fichiers.find((fichier) => fichier.estTropLourd());
      if (parti || lourd) {
        evenement.preventDefault();
        if (lourd) lourd.champ.focus();
        return;
      }
      parti = true;
      // Not « disabled »: the name and value of the pressed button must leave with the form.
      const bouton = evenement.submitter || formulaire.querySelector('[type="submit"]');
      if (!bouton) return;
      bouton.setAttribute("aria-disabled", "true");
      bouton.dataset.libelle = bouton.textContent;
      bouton.textContent = "Envoi en cours…";
    });

    window.addEventListener("beforeunload", (evenement) => {
      if (modifie && !parti) evenement.preventDefault();
    });

    // Back from the browser's memory: the button works again.
    window.addEventListener("pageshow", (evenement) => {
      if (!evenement.persisted) return;
      parti = false;
      const bouton = formulaire.querySelector("[data-libelle]");
      if (!bouton) return;
      bouton.removeAttribute("aria-disabled");
      bouton.textContent = bouton.dataset.libelle;
    });
  }
})();
