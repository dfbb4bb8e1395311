// Rows of a small form each: the blank one waits behind a button, and there may be as many as the server allows.
(() => {
  for (const lignes of document.querySelectorAll("[data-portail-lignes]")) {
    const vide = lignes.querySelector("[data-portail-ligne-vide]");
    const total = lignes.querySelector('[name$="-TOTAL_FORMS"]');
    const maximum = Number(lignes.querySelector('[name$="-MAX_NUM_FORMS"]').value);
    if (!vide || !total) continue;

    const modele = vide.cloneNode(true);
    const rang = Number(total.value) - 1;
    const bouton = document.createElement("button");
    bouton.type = "button";
    bouton.className = "btn btn-secondary";
    bouton.textContent = "Ajouter une personne";

    const compter = () => lignes.querySelectorAll("[data-portail-ligne]").length;
    const ajouter = () => {
      const ligne = modele.cloneNode(true);
      const nouveau = Number(total.value);
      for (const element of ligne.querySelectorAll("*")) {
        for (const attribut of ["name", "id", "for", "aria-describedby"]) {
          const valeur = element.getAttribute(attribut);
          if (valeur) element.setAttribute(attribut, valeur.replace(`-${rang}-`, `-${nouveau}-`));
        }
      }
      total.value = nouveau + 1;
      bouton.before(ligne);
      bouton.hidden = compter() >= maximum;
      ligne.querySelector("input:not([type=hidden])").focus();
    };

    // Alone, the blank row is what the page is for.
    if (compter() > 1) {
      vide.remove();
      total.value = rang;
    }
    lignes.append(bouton);
    bouton.addEventListener("click", ajouter);
  }
})();
