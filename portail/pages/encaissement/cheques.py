"""Many cheques at once: a table to type, what was understood, then the slip that goes with them to the bank."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid5

from django import forms
from django.contrib import messages
from django.db import transaction
from django.forms import BaseFormSet, formset_factory
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from enfants.regles.dates import en_clair
from facturation import actions, comptes
from facturation.actions import ActionImpossible
from facturation.models import Facture, Moyen, Reglement, Remise
from facturation.regles.partages import repartir
from familles.models import Famille
from portail.outils.argent import euros
from portail.pages.ecrire_famille import chercher_familles, cle_du_formulaire
from portail.pages.encaissement.commun import (
    CENTIME,
    JourField,
    MontantField,
    RegieField,
    cle_lue,
    donnees,
    exiger,
    factures_designees,
    rendre,
)
from portail.pages.rentree_presentation import accorder

CHEQUES_PAR_PAGE = 15


class EnteteForm(forms.Form):
    regie = RegieField()
    recu_le = JourField(label="Reçus le")


class ChequeForm(forms.Form):
    qui = forms.CharField(
        label="Famille, ou n° de facture",
        max_length=80,
        error_messages={"required": "Écrivez la famille, ou le n° d'une facture."},
    )
    montant = MontantField()
    reference = forms.CharField(label="N° de chèque", max_length=60, required=False)


class ChequesBase(BaseFormSet):
    def clean(self):
        if not any(self.errors) and not any(form.has_changed() for form in self.forms):
            raise forms.ValidationError("Écrivez au moins un chèque.")

    def remplis(self):
        return [form for form in self.forms if form.has_changed()]


ChequesFormSet = formset_factory(
    ChequeForm, ChequesBase, extra=CHEQUES_PAR_PAGE, max_num=CHEQUES_PAR_PAGE, validate_max=True
)


@dataclass(frozen=True)
class Cheque:
    """A row as it was understood: whose, how much, and the invoice that it names."""

    rang: int
    famille: Famille
    montant: Decimal
    reference: str
    facture: Facture | None


def saisir(request):
    """Type, check who was found, write: all the cheques or none."""
    exiger(request, "facturation.add_reglement", "familles.view_famille")
    data, cle = donnees(request), cle_du_formulaire(request)
    entete = EnteteForm(data)
    lignes = ChequesFormSet(data, prefix="cheques")
    compris, action = [], request.POST.get("action", "")
    if data is not None and all([entete.is_valid(), lignes.is_valid()]):
        compris = _comprendre(lignes, entete.cleaned_data["regie"])
        if action == "enregistrer" and not lignes.total_error_count():
            try:
                _enregistrer(compris, cle, par=request.user, **entete.cleaned_data)
            except ActionImpossible as erreur:
                entete.add_error(None, str(erreur))
            else:
                total = euros(sum(cheque.montant for cheque in compris))
                phrase = accorder(len(compris), "chèque enregistré", "chèques enregistrés")
                messages.success(request, f"{phrase}, {total}.")
                return redirect(f"{reverse('admin:nouveau_bordereau')}?regie={entete.cleaned_data['regie'].pk}")
    fautes = data is not None and (entete.errors or lignes.total_error_count())
    verifies = [] if fautes or action == "corriger" else _montrer(compris, entete)
    contexte = {"entete": entete, "lignes": lignes, "verifies": verifies, "cle": cle}
    contexte["total"] = euros(sum((cheque.montant for cheque in compris), Decimal(0)))
    titre = "Vérifiez les chèques" if verifies else "Saisir des chèques"
    return rendre(request, "cheques", titre, contexte, 422 if fautes else 200)


def _comprendre(lignes, regie):
    """The cheques of the rows; a row that no household, or several, could have sent gets its error."""
    compris = []
    for rang, form in enumerate(lignes.forms):
        if not form.has_changed():
            continue
        lue = form.cleaned_data
        famille, facture, faute = _designer(lue["qui"], regie)
        if faute:
            form.add_error("qui", faute)
        else:
            compris.append(Cheque(rang, famille, lue["montant"], lue["reference"], facture))
    return compris


def _designer(texte, regie):
    """(household, invoice that is named, sentence when nobody or several are)."""
    factures = list(factures_designees(texte).filter(regie=regie)[:2])
    if len(factures) == 1:
        return factures[0].famille, factures[0], ""
    if factures:
        return None, None, "Plusieurs factures ont ce numéro\u00a0: ajoutez l'année, par exemple 2026-000042."
    trouvees = chercher_familles(texte)
    if len(trouvees) == 1:
        return Famille.objects.get(pk=trouvees[0][0]), None, ""
    if trouvees:
        noms = " ou ".join(qui for _, qui, _ in trouvees[:3])
        return None, None, f"Plusieurs familles correspondent\u00a0: {noms}. Précisez, ou écrivez un n° de facture."
    return None, None, "Aucune famille ni facture de cette régie ne correspond."


def _parts(cheque, regie):
    """The invoice that it names first, then the oldest."""
    dues = [(facture, facture.reste) for facture in actions.factures_dues(cheque.famille, regie)]
    dues.sort(key=lambda due: due[0] != cheque.facture)  # a stable sort: the others keep their order
    return repartir(cheque.montant, dues)


def _montrer(compris, entete):
    """``(who, amount, number, what it pays)``; two cheques of one household are each shown as if alone."""
    montres = []
    for cheque in compris:
        parts, reste = _parts(cheque, entete.cleaned_data["regie"])
        payees = [f"{facture.numero_complet}\u00a0: {euros(part)}" for facture, part in parts]
        if reste >= CENTIME:
            payees.append(f"d'avance\u00a0: {euros(reste)}")
        montres.append((str(cheque.famille), euros(cheque.montant), cheque.reference, ", ".join(payees)))
    return montres


@transaction.atomic
def _enregistrer(compris, cle, *, regie, recu_le, par):
    actions.verrouiller([cheque.famille.pk for cheque in compris])
    for cheque in compris:
        actions.encaisser(
            cheque.famille,
            regie=regie,
            moyen=Moyen.CHEQUE,
            montant=cheque.montant,
            recu_le=recu_le,
            reference=cheque.reference,
            parts=_parts(cheque, regie)[0],
            par=par,
            cle=uuid5(cle, str(cheque.rang)),  # the second click of two writes nothing
        )


# --- The slip ----------------------------------------------------------------------------------------------


class RegieChoisieForm(forms.Form):
    regie = RegieField(empty_label=None)


def remettre(request):
    """The cheques of a régie that are on no slip yet, all ticked."""
    exiger(request, "facturation.add_remise")
    choix = RegieChoisieForm(request.GET if "regie" in request.GET else None)
    regie = choix.cleaned_data["regie"] if choix.is_bound and choix.is_valid() else None
    cheques = list(_a_remettre(regie)) if regie else []
    jour = RemiseForm(donnees(request))
    if jour.is_bound and regie and jour.is_valid():
        cochees = {cle_lue(cle) for cle in request.POST.getlist("cheque")}
        choisis = [cheque for cheque in cheques if cheque.pk in cochees]
        try:
            remise = actions.remettre(choisis, regie=regie, le=jour.cleaned_data["le"], par=request.user)
        except ActionImpossible as erreur:
            jour.add_error(None, str(erreur))
        else:
            return redirect("admin:bordereau", remise.pk)
    contexte = {
        "choix": choix,
        "regie": regie,
        "jour": jour,
        "cheques": [(cheque, euros(cheque.montant)) for cheque in cheques],
        "total": euros(sum((cheque.montant for cheque in cheques), Decimal(0))),
    }
    faute = jour.is_bound and (jour.errors or regie is None)
    return rendre(request, "nouveau_bordereau", "Remettre des chèques", contexte, 422 if faute else 200)


class RemiseForm(forms.Form):
    le = JourField(label="Remise le", a_venir=True)


def _a_remettre(regie):
    cheques = Reglement.objects.filter(regie=regie, moyen=Moyen.CHEQUE, remise=None)
    return comptes.avec_annulation(cheques).filter(annule=False).select_related("famille").order_by("recu_le", "pk")


def bordereau(request, pk):
    """To print: what goes to the bank with the cheques."""
    exiger(request, "facturation.view_remise")
    remise = get_object_or_404(Remise.objects.select_related("regie", "par"), pk=pk)
    cheques = list(remise.reglements.select_related("famille").order_by("pk"))
    contexte = {
        "remise": remise,
        "jour": en_clair(remise.le),
        "cheques": [(cheque, euros(cheque.montant)) for cheque in cheques],
        "nombre": accorder(len(cheques), "chèque", "chèques"),
        "total": euros(sum((cheque.montant for cheque in cheques), Decimal(0))),
    }
    return rendre(request, "bordereau", f"Bordereau de remise n° {remise.numero}", contexte)
