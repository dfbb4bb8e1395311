// A deadline: only the fields of the chosen kind of rule show. Without this file all do, each kind under its legend.
(() => {
  const types = [...document.querySelectorAll("[data-portail-type-regle]")];
  const montrer = () => {
    if (!types.some((type) => type.checked)) return;
    for (const type of types) {
      for (const groupe of document.querySelectorAll(`fieldset.regle-${type.value}`)) groupe.hidden = !type.checked;
    }
  };
  for (const type of types) type.addEventListener("change", montrer);
  montrer();
})();
