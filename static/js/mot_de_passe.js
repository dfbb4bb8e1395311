// Rules ticked as the password is typed, and an eye to read what one types. The server decides all the same.
(() => {
  const TESTS = {
    longueur: (texte, longueur) => [...texte].length >= longueur,
    majuscule: (texte) => /\p{Lu}/u.test(texte),
    minuscule: (texte) => /\p{Ll}/u.test(texte),
    chiffre: (texte) => /\p{Nd}/u.test(texte),
  };

  const icone = (nom) => {
    const modele = document.querySelector("svg.icone use");
    const image = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const trait = document.createElementNS("http://www.w3.org/2000/svg", "use");
    image.setAttribute("class", "icone");
    image.setAttribute("aria-hidden", "true");
    trait.setAttribute("href", `${modele.getAttribute("href").split("#")[0]}#${nom}`);
    image.append(trait);
    return image;
  };

  const ajouterOeil = (champ) => {
    const cadre = document.createElement("div");
    cadre.className = "champ-secret";
    champ.before(cadre);
    const bouton = document.createElement("button");
    bouton.type = "button";
    cadre.append(champ, bouton);
    const montrer = (visible) => {
      champ.type = visible ? "text" : "password";
      bouton.setAttribute("aria-label", visible ? "Masquer le mot de passe" : "Afficher le mot de passe");
      bouton.replaceChildren(icone(visible ? "oeil-barre" : "oeil"));
    };
    montrer(false);
    bouton.addEventListener("click", () => montrer(champ.type === "password"));
    // Browsers remember what is typed in text fields: it leaves as a password.
    champ.form.addEventListener("submit", () => montrer(false));
  };

  const suivreRegles = (zone, champ) => {
    const longueur = Number(zone.dataset.longueur) || 8;
    const regles = [...zone.querySelectorAll("[data-regle]")].filter((regle) => regle.dataset.regle in TESTS);
    if (!regles.length) return;

    const etats = regles.map((regle) => {
      const etat = document.createElement("span");
      etat.className = "visually-hidden";
      regle.append(etat);
      return etat;
    });
    const annonce = document.createElement("p");
    annonce.className = "visually-hidden";
    annonce.setAttribute("aria-live", "polite");
    champ.form.append(annonce);

    const verifier = () => {
      let respectees = 0;
      regles.forEach((regle, rang) => {
        const vrai = TESTS[regle.dataset.regle](champ.value, longueur);
        regle.classList.toggle("respectee", vrai);
        etats[rang].textContent = vrai ? "\u00a0: c'est fait" : "";
        respectees += vrai;
      });
      annonce.textContent = champ.value ? `${respectees} règles sur ${regles.length} respectées` : "";
    };
    champ.addEventListener("input", verifier);
    verifier();
  };

  for (const zone of document.querySelectorAll("[data-portail-mot-de-passe]")) {
    const secrets = [...zone.querySelectorAll('input[type="password"]')];
    const nouveau = secrets.find((champ) => champ.autocomplete === "new-password");
    if (nouveau) suivreRegles(zone, nouveau);
    secrets.forEach(ajouterOeil);
  }
})();
