// How far a message to many is: the page asks again every two seconds as long as it is under way and seen.
(() => {
  const PAUSE = 2000;

  const suivre = async () => {
    const avant = document.querySelector("[data-portail-avancement]");
    if (!avant || avant.dataset.portailAvancement !== "en-cours") return;
    if (!document.hidden && !avant.contains(document.activeElement)) {
      try {
        const reponse = await fetch(window.location.pathname, { credentials: "same-origin" });
        if (!reponse.ok || reponse.redirected) return;
        const page = new DOMParser().parseFromString(await reponse.text(), "text/html");
        const apres = page.querySelector("[data-portail-avancement]");
        if (!apres) return;
        avant.replaceWith(document.adoptNode(apres));
      } catch {
        // The network is away: the next round asks again.
      }
    }
    window.setTimeout(suivre, PAUSE);
  };

  window.setTimeout(suivre, PAUSE);
})();
