// The month: the menu of a cell over the grid (click, right click, long press, Enter), arrows from cell to cell.
// Without this file a cell is a plain link to the same menu.
(() => {
  const grille = document.querySelector("[data-portail-planning]");
  if (!grille || !window.HTMLDialogElement) return;

  const fenetre = document.createElement("dialog");
  fenetre.className = "fenetre";
  document.body.append(fenetre);
  let venue = null;

  const fermer = document.createElement("button");
  fermer.type = "button";
  fermer.className = "btn btn-lien";
  fermer.textContent = "Fermer";
  fermer.addEventListener("click", () => fenetre.close());
  fenetre.addEventListener("close", () => venue && venue.focus());
  fenetre.addEventListener("click", (evenement) => {
    if (evenement.target === fenetre) fenetre.close();
  });

  const ouvrir = async (cellule) => {
    if (fenetre.open) return;
    try {
      const reponse = await fetch(cellule.href, { headers: { "X-Portail-Fragment": "1" } });
      const page = new DOMParser().parseFromString(await reponse.text(), "text/html");
      const menu = page.querySelector("[data-portail-menu-case]");
      if (!reponse.ok || !menu) throw new Error("Menu absent");
      venue = cellule;
      fenetre.replaceChildren(document.adoptNode(menu), fermer);
      fenetre.showModal();
      fenetre.querySelector("h1").focus();
    } catch {
      location.assign(cellule.href); // the whole page tells what is wrong: an expired session, the network
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

  // Right click; on a touch screen the browser sends the same at a long press.
  grille.addEventListener("contextmenu", (evenement) => {
    const cellule = celluleDe(evenement);
    if (!cellule) return;
    evenement.preventDefault();
    ouvrir(cellule);
  });

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
