"""The account of a household, as agents read it: what it owes, every operation, what each payment pays."""

from collections import defaultdict

from django import forms
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from enfants.regles.annees import annee_scolaire, libelle
from facturation import actions, comptes
from facturation.models import Facture, Mandat, Reglement
from facturation.pieces import adresse_pdf
from familles.models import Famille
from portail.outils.argent import euros
from portail.pages.encaissement.commun import (
    JourField,
    MontantField,
    MotifForm,
    RegieField,
    choisir,
    demander,
    dire_solde,
    donnees,
    exiger,
    rendre,
)

FACTURES_MONTREES = 60  # five years of a household with one régie


def chercher(request):
    exiger(request, "facturation.view_ecriture", "familles.view_famille")
    return choisir(request, "Comptes des familles", "")


def compte(request, pk):
    exiger(request, "facturation.view_ecriture")
    famille = get_object_or_404(Famille, pk=pk)
    aujourdhui = timezone.localdate()
    annee = _annee(request.GET.get("annee", ""), annee_scolaire(aujourdhui))
    factures = Facture.objects.filter(famille=famille).avec_reste().select_related("regie", "article")
    contexte = {
        "famille": famille,
        "soldes": [(regie, dire_solde(s), s > 0) for regie, s in comptes.soldes(famille).items()],
        "factures": [
            (f, comptes.etat(f, aujourdhui), adresse_pdf(f), euros(f.total), euros(f.reste) if f.numero else "")
            for f in factures[:FACTURES_MONTREES]
        ],
        "reglements": _reglements(famille),
        "releve": _lignes(comptes.releve(famille, annee)),
        "annee": libelle(annee),
        "annees": [(a, libelle(a)) for a in _autres_annees(famille, annee, aujourdhui)],
        "mandats": Mandat.objects.filter(famille=famille, revoque_le=None).select_related("regie").order_by("pk"),
    }
    return rendre(request, "compte", f"Compte de la famille {famille.nom}", contexte)


def _annee(texte, defaut):
    return int(texte) if texte.isascii() and texte.isdecimal() and 2000 < int(texte[:5]) < 2100 else defaut


def _autres_annees(famille, montree, aujourdhui):
    """The school years in which something moved, and the current one, but for the one that is shown; the last first."""
    annees = {total.annee for total in comptes.totaux(famille)} | {annee_scolaire(aujourdhui)}
    return sorted(annees - {montree}, reverse=True)


def _reglements(famille):
    """With what each pays, and what of it pays nothing yet: two queries."""
    reglements = comptes.avec_annulation(Reglement.objects.filter(famille=famille)).select_related("regie")
    lus = []
    for reglement in reglements.prefetch_related("imputations__facture")[:FACTURES_MONTREES]:
        parts = defaultdict(int)
        for imputation in reglement.imputations.all():
            parts[imputation.facture.numero_complet] += imputation.montant
        reste = reglement.montant - sum(parts.values())
        payees = [f"{numero}\u00a0: {euros(part)}" for numero, part in sorted(parts.items()) if part]
        lus.append(
            {
                "reglement": reglement,
                "montant": euros(reglement.montant),
                "payees": ", ".join(payees),
                "reste": euros(reste) if reste and not reglement.annule else "",
            }
        )
    return lus


def _lignes(releve):
    def montant(valeur):
        return euros(valeur) if valeur else ""

    lignes = [(r.numero, r.le, r.libelle, montant(r.debit), montant(r.credit), euros(r.solde)) for r in releve.lignes]
    return {"ancien": euros(releve.ancien_solde), "lignes": lignes, "solde": euros(releve.solde)}


class RemboursementForm(MotifForm):
    regie = RegieField()
    montant = MontantField()
    le = JourField(label="Remboursé le")
    vu = forms.IntegerField(widget=forms.HiddenInput, required=False)
    field_order = ["regie", "montant", "le", "motif"]


def rembourser(request, pk):
    exiger(request, "facturation.add_ecriture")
    famille = get_object_or_404(Famille, pk=pk)
    avances = [f"{regie}\u00a0: {euros(-solde)}" for regie, solde in comptes.soldes(famille).items() if solde < 0]

    def agir(lues):
        actions.rembourser(famille, par=request.user, **lues)

    return demander(
        request,
        RemboursementForm(donnees(request), initial={"vu": actions.derniere_ecriture(famille)}),
        titre=f"Rembourser la famille {famille.nom}",
        faits=[f"D'avance sur le compte\u00a0: {', '.join(avances) or 'rien'}."],
        bouton="Enregistrer le remboursement",
        agir=agir,
        retour=reverse("admin:compte", args=[famille.pk]),
        fait="Le remboursement est inscrit sur le compte.",
    )
