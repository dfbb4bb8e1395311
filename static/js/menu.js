// Folding menus open and close without this file; with it, Escape and leaving by the keyboard close them too.
(() => {
  for (const menu of document.querySelectorAll("[data-portail-menu]")) {
    menu.addEventListener("keydown", (evenement) => {
      if (evenement.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    menu.addEventListener("focusout", (evenement) => {
      if (evenement.relatedTarget && !menu.contains(evenement.relatedTarget)) menu.open = false;
    });
  }

  // The chip of the current page may stand outside of the rail's visible part on a phone.
  const courante = document.querySelector(".rail [aria-current]");
  if (courante) {
    const rangee = courante.closest("ul");
    rangee.scrollLeft = courante.offsetLeft - rangee.offsetLeft - 16;
  }
})();
