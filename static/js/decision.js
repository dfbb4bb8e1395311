// The agent's page: keys a, r, j, k; ready-made reasons; the refusal's message as it is typed.
(() => {
  let parti = false;
  document.addEventListener("submit", (evenement) => {
    if (evenement.defaultPrevented) return; // another script of the page kept it back
    if (parti) evenement.preventDefault();
    parti = true;
  });
  window.addEventListener("pageshow", () => {
    parti = false;
  });

  const dansUnChamp = (element) => element.closest("input, textarea, select");
  document.addEventListener("keydown", (evenement) => {
    // A held key, or the second tap on the page that has just come, decides nothing.
    if (evenement.repeat || parti || performance.now() < 800) return;
    if (evenement.ctrlKey || evenement.metaKey || evenement.altKey || dansUnChamp(evenement.target)) return;
    const cible = document.querySelector(`[data-portail-touche="${CSS.escape(evenement.key)}"]`);
    if (!cible) return;
    evenement.preventDefault();
    if (evenement.key === "r") {
      // The reason comes with the refusal: the key leads to it.
      document.querySelector("#id_motif").focus();
      return;
    }
    cible.click();
  });

  const motif = document.querySelector("#id_motif");
  const prets = document.querySelector("[data-portail-motifs]");
  const apercu = document.querySelector("[data-portail-apercu]");
  if (!motif) return;

  const lignes = apercu ? [...apercu.querySelectorAll("p")] : [];
  const ligneRaison = lignes.find((ligne) => ligne.textContent.startsWith("Raison"));
  const montrer = () => {
    if (ligneRaison) ligneRaison.textContent = `Raison\u00a0: ${motif.value.trim() || "(votre raison)"}`;
  };
  motif.addEventListener("input", montrer);
  if (prets) {
    prets.addEventListener("change", () => {
      if (!prets.value) return;
      motif.value = motif.value.trim() ? `${motif.value.trim()}\n${prets.value}` : prets.value;
      prets.value = "";
      motif.focus();
      montrer();
    });
  }
})();
