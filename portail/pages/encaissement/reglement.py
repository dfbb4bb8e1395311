"""A payment comes in: whose, how much, what it pays; then by hand, and taken back."""

from decimal import Decimal

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from enfants.regles.dates import en_clair, enumerer
from facturation import actions, comptes
from facturation.actions import ActionImpossible
from facturation.models import Facture, Moyen, Regie, Reglement
from facturation.regles.partages import repartir
from portail.outils.argent import euros
from portail.pages.ecrire_famille import cle_du_formulaire
from portail.pages.encaissement.commun import (
    CENTIME,
    JourField,
    MontantField,
    MotifForm,
    RegieField,
    choisir,
    demander,
    dire_solde,
    donnees,
    exiger,
    famille_demandee,
    rendre,
)

# What agents type: a direct debit comes from its lot.
MOYENS = [choix for choix in Moyen.choices if choix[0] != Moyen.PRELEVEMENT]


class PartsForm(forms.Form):
    """What of which invoice is paid: a field for each that is due, all left empty for the oldest first."""

    def __init__(self, *args, dues, **kwargs):
        super().__init__(*args, **kwargs)
        self.dues = {f"part-{facture.pk}": facture for facture in dues}
        for nom, facture in self.dues.items():
            label = f"À payer sur la facture {facture.numero_complet}"
            self.fields[nom] = MontantField(label=label, required=False)

    def clean(self):
        perdues = [nom for nom, v in self.data.items() if nom.startswith("part-") and v and nom not in self.dues]
        if perdues:
            raise forms.ValidationError("Une de ces factures vient d'être payée\u00a0: relisez ce qui reste dû.")
        return super().clean()

    def lignes(self):
        """``(invoice, what is due of it, field)`` for the template."""
        return [(facture, euros(facture.reste), self[nom]) for nom, facture in self.dues.items()]

    def parts(self) -> list[tuple[Facture, Decimal]]:
        choisies = [(facture, self.cleaned_data.get(nom)) for nom, facture in self.dues.items()]
        return [(facture, montant) for facture, montant in choisies if montant]


class ReglementForm(PartsForm):
    regie = RegieField()
    moyen = forms.ChoiceField(
        label="Moyen",
        choices=[("", "–"), *MOYENS],
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choisissez le moyen de paiement."),
    )
    montant = MontantField()
    recu_le = JourField(label="Reçu le")
    reference = forms.CharField(
        label="Référence", max_length=60, required=False, help_text="N° de chèque et banque, virement."
    )

    def champs(self):
        return [self[nom] for nom in ("regie", "moyen", "montant", "recu_le", "reference")]

    def clean(self):
        lues = super().clean()
        regie, moyen = lues.get("regie"), lues.get("moyen")
        if regie and moyen and regie.moyens_acceptes and moyen not in regie.moyens_acceptes:
            self.add_error("moyen", f"«\u00a0{regie}\u00a0» n'accepte pas ce moyen de paiement.")
        for nom, facture in self.dues.items():
            if regie and lues.get(nom) and facture.regie_id != regie.pk:
                self.add_error(nom, f"Cette facture est de «\u00a0{facture.regie}\u00a0».")
        return lues


def nouveau(request):
    """The household first, by a search, then its payment: what it pays may be seen before it is written."""
    exiger(request, "facturation.add_reglement", "familles.view_famille")
    famille = famille_demandee(request)
    if famille is None:
        return choisir(request, "Encaisser un règlement", "?famille=")
    if request.method == "POST" and (deja := famille.reglements.filter(uuid=cle_du_formulaire(request)).first()):
        messages.success(request, dire(deja))  # the second click of two
        return redirect("admin:compte", famille.pk)
    dues = _dues(famille)
    form = ReglementForm(donnees(request), dues=dues, initial=_propose(dues))
    apercu = None
    if form.is_bound and form.is_valid():
        try:
            if "apercu" in request.POST:
                apercu = _apercu(form)
            else:
                return _encaisser(request, famille, form)
        except ActionImpossible as erreur:
            form.add_error(None, str(erreur))
    contexte = {
        "famille": famille,
        "form": form,
        "apercu": apercu,
        "cle": cle_du_formulaire(request),
        "soldes": [(regie, dire_solde(solde)) for regie, solde in comptes.soldes(famille).items()],
    }
    status = 422 if form.errors else 200
    return rendre(request, "reglement", f"Encaisser un règlement de la famille {famille.nom}", contexte, status)


def _dues(famille):
    """By régie, the first due first; what the trésorerie collects is not paid here."""
    dues = Facture.objects.emises().filter(famille=famille, regie__regime=Regie.Regime.REGIE)
    dues = dues.avec_reste().filter(reste__gt=0)
    return list(dues.select_related("regie").order_by("regie__ordre", "echeance", "exercice", "numero"))


def _propose(dues):
    """When one régie alone is owed, all that is due."""
    if len({facture.regie_id for facture in dues}) != 1:
        return {}
    return {"regie": dues[0].regie, "montant": sum(facture.reste for facture in dues)}


def _parts(form):
    """What the payment would pay, and what would be left over."""
    montant, parts = form.cleaned_data["montant"], form.parts()
    if parts:
        return parts, montant - sum(part for _, part in parts)
    regie = form.cleaned_data["regie"]
    return repartir(montant, [(f, f.reste) for f in form.dues.values() if f.regie_id == regie.pk])


def _apercu(form):
    parts, reste = _parts(form)
    if reste < 0:
        raise ActionImpossible("Ces parts dépassent ce qui reste du règlement.")
    lignes = [f"{euros(part)} sur la facture {facture.numero_complet}" for facture, part in parts]
    return [*lignes, f"{euros(reste)} resteront d'avance sur le compte"] if reste >= CENTIME else lignes


def _encaisser(request, famille, form):
    lues = form.cleaned_data
    reglement = actions.encaisser(
        famille,
        regie=lues["regie"],
        moyen=lues["moyen"],
        montant=lues["montant"],
        recu_le=lues["recu_le"],
        reference=lues["reference"],
        parts=form.parts() or None,
        par=request.user,
        cle=cle_du_formulaire(request),
    )
    messages.success(request, dire(reglement))
    return redirect("admin:compte", famille.pk)


def dire(reglement: Reglement) -> str:
    """« 50,00 € encaissés : facture 2026-000001 (30,00 €) et facture 2026-000002 (20,00 €). »"""
    payees = [
        f"facture {i.facture.numero_complet} ({euros(i.montant)})"
        for i in reglement.imputations.select_related("facture").order_by("pk")
    ]
    reste = actions.reste_a_imputer(reglement)
    if reste > 0:
        payees.append(f"{euros(reste)} d'avance")
    return f"{euros(reglement.montant)} encaissés\u00a0: {enumerer(payees)}."


def imputer(request, pk):
    """What is left of a payment, given to invoices chosen one by one."""
    exiger(request, "facturation.add_imputation")
    reglement = get_object_or_404(Reglement.objects.select_related("famille", "regie"), pk=pk)
    dues = list(actions.factures_dues(reglement.famille, reglement.regie))
    form, reste = PartsForm(donnees(request), dues=dues), actions.reste_a_imputer(reglement)
    if form.is_bound and form.is_valid():
        try:
            if not form.parts():
                raise ActionImpossible("Écrivez au moins un montant.")
            actions.imputer(reglement, form.parts(), par=request.user)
        except ActionImpossible as erreur:
            form.add_error(None, str(erreur))
        else:
            messages.success(request, "Ce règlement est imputé.")
            return redirect("admin:compte", reglement.famille_id)
    contexte = {"reglement": reglement, "famille": reglement.famille, "reste": euros(reste), "form": form}
    return rendre(request, "imputer", "Imputer un règlement à la main", contexte, 422 if form.errors else 200)


def annuler(request, pk):
    """A payment is taken back by a counter-entry: it stays on the account, with the reason."""
    exiger(request, "facturation.annuler_reglement")
    reglement = get_object_or_404(Reglement.objects.select_related("famille", "regie"), pk=pk)
    return demander(
        request,
        MotifForm(donnees(request)),
        titre="Annuler un règlement",
        faits=[
            f"{reglement.get_moyen_display()} de {euros(reglement.montant)}, reçu le {en_clair(reglement.recu_le)}, "
            f"{reglement.famille}.",
            "Ce qu'il payait sera de nouveau dû, et ce qui en était d'avance ne le sera plus. "
            "Une écriture contraire le dit sur le compte, rien ne s'efface.",
        ],
        bouton="Annuler ce règlement",
        agir=lambda lues: actions.annuler_reglement(reglement, motif=lues["motif"], par=request.user),
        retour=reverse("admin:compte", args=[reglement.famille_id]),
        fait="Le règlement est annulé\u00a0: il ne paie plus rien.",
    )
