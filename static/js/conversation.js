// The agent's answer: a ready-made text joins what is typed, without a trip to the server.
(() => {
  const pretes = document.querySelector("[data-portail-reponses]");
  const bouton = document.querySelector("[data-portail-inserer]");
  const corps = document.querySelector("#id_corps");
  if (!pretes || !bouton || !corps) return;

  bouton.addEventListener("click", (evenement) => {
    evenement.preventDefault();
    const texte = pretes.selectedOptions[0].dataset.texte;
    if (!texte) return;
    corps.value = corps.value.trim() ? `${corps.value.trim()}\n\n${texte}` : texte;
    pretes.value = "";
    corps.dispatchEvent(new Event("input", { bubbles: true }));
    corps.focus();
  });
})();
