// Rows of a small form each: the blank one waits behind a button, and there may be as many as the server allows.
(() => {
  // A row without its values and errors, from whichever the page has: after an error none may be blank.
  const vider = (ligne) => {
    for (const champ of ligne.querySelectorAll("input, select")) {
      if (champ.type === "checkbox") champ.checked = champ.name.endsWith("-peut_chercher");
      else champ.value = "";
      champ.classList.remove("is-invalid");
      champ.removeAttribute("aria-invalid");
    }
    for (const morte of ligne.querySelectorAll(".invalid-feedback, .retirer")) morte.remove();
    ligne.querySelector("legend").textContent = "Une personne de plus";
    return ligne;
  };

  for (const lignes of document.querySelectorAll("[data-portail-lignes]")) {
    const presentes = () => lignes.querySelectorAll("[data-portail-ligne]");
    const total = lignes.querySelector('[name$="-TOTAL_FORMS"]');
    const maximum = Number(lignes.querySelector('[name$="-MAX_NUM_FORMS"]').value);
    if (!total || !presentes().length) continue;

    const derniere = [...presentes()].pop();
    const modele = vider(derniere.cloneNode(true));
    const rang = Number(total.value) - 1;
    const bouton = document.createElement("button");
    bouton.type = "button";
    bouton.className = "btn btn-secondary";
    bouton.textContent = "Ajouter une personne";

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
      bouton.hidden = presentes().length >= maximum;
      ligne.querySelector("input:not([type=hidden])").focus();
    };

    // Alone, the blank row is what the page is for.
    if (derniere.matches("[data-portail-ligne-vide]") && presentes().length > 1) {
      derniere.remove();
      total.value = rang;
    }
    lignes.append(bouton);
    bouton.addEventListener("click", ajouter);
  }
})();
