// The month: the menu of a cell over the grid (click, right click, long press, Enter), arrows from cell to cell.
// Without this file a cell is a plain link to the same menu.
(() => {
  const grille = document.querySelector("[data-portail-planning]");
  if (!grille || !window.HTMLDialogElement) return;

  const fenetre = document.createElement("dialog");
  fenetre.className = "fenetre";
  document.body.append(fenetre);
  let venue = null;
  let enChemin = false;

  const fermer = document.createElement("button");
  fermer.type = "button";
  fermer.className = "btn btn-lien";
  fermer.textContent = "Fermer";
  fermer.addEventListener("click", () => fenetre.close());
  fenetre.addEventListener("close", () => venue && venue.focus());
  fenetre.addEventListener("click", (evenement) => {
    if (evenement.target === fenetre) fenetre.close();
  });

  // The finger of a long press is lifted over the window that has just opened: this is no choice of what lies there.
  let touchee = false;
  fenetre.addEventListener("pointerdown", () => (touchee = true), true);
  const ecarter = (evenement) => {
    if (touchee || !evenement.detail) return; // pressed here, or by the keyboard
    evenement.preventDefault();
    evenement.stopPropagation();
  };
  fenetre.addEventListener("click", ecarter, true);

  const ouvrir = async (cellule) => {
    if (fenetre.open || enChemin) return; // a double click is one
    enChemin = true;
    try {
      const reponse = await fetch(cellule.href, { headers: { "X-Portail-Fragment": "1" } });
      const page = new DOMParser().parseFromString(await reponse.text(), "text/html");
      const menu = page.querySelector("[data-portail-menu-case]");
      if (!reponse.ok || !menu) throw new Error("Menu absent");
      venue = cellule;
      touchee = false;
      fenetre.replaceChildren(document.adoptNode(menu), fermer);
      fenetre.showModal();
      fenetre.querySelector("h1").focus();
    } catch {
      location.assign(cellule.href); // the whole page tells what is wrong: an expired session, the network
    } finally {
      enChemin = false;
    }
  };

  // Two clicks on a button of the menu are one demand.
  fenetre.addEventListener("submit", (evenement) => {
    const formulaire = evenement.target;
    if (formulaire.dataset.parti) evenement.preventDefault();
    formulaire.dataset.parti = "1";
  });

  const celluleDe = (evenement) => evenement.target.closest("a[data-jour]");

  grille.addEventListener("click", (evenement) => {
    const cellule = celluleDe(evenement);
    if (!cellule || evenement.ctrlKey || evenement.metaKey || evenement.shiftKey) return;
    evenement.preventDefault();
    ouvrir(cellule);
  });

  // Right click; Android sends the same at a long press, an iPhone sends nothing: the press is timed below.
  grille.addEventListener("contextmenu", (evenement) => {
    const cellule = celluleDe(evenement);
    if (!cellule) return;
    evenement.preventDefault();
    ouvrir(cellule);
  });

  const APPUI_LONG = 600;
  let appui = 0;
  grille.addEventListener("pointerdown", (evenement) => {
    const cellule = celluleDe(evenement);
    clearTimeout(appui);
    if (cellule && evenement.pointerType === "touch") appui = setTimeout(() => ouvrir(cellule), APPUI_LONG);
  });
  for (const fin of ["pointerup", "pointercancel", "pointerleave"]) {
    grille.addEventListener(fin, () => clearTimeout(appui)); // a scroll cancels the pointer
  }

  const PAS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  grille.addEventListener("keydown", (evenement) => {
    const cellule = celluleDe(evenement);
    const pas = PAS[evenement.key];
    if (!cellule || !pas) return;
    const jours = [...grille.querySelectorAll("ol > li")].map((jour) => [...jour.querySelectorAll("[data-jour]")]);
    let x = jours.findIndex((jour) => jour.includes(cellule));
    let y = jours[x].indexOf(cellule);
    do {
      x += pas[0];
      y += pas[1];
    } while (jours[x] && jours[x][y] && !jours[x][y].href);
    if (!jours[x] || !jours[x][y]) return;
    evenement.preventDefault();
    jours[x][y].focus();
  });
})();
