"""Relevé de compte: what was billed and what was paid, by school year."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from enfants.regles.annees import annee_scolaire, bornes, libelle
from facturation import comptes
from facturation.models import Ecriture, Facture
from familles.pages import page_famille
from portail.outils import pdf
from portail.outils.argent import euros
from portail.outils.dates import jour
from portail.outils.tableur import reponse_csv
from portail.pages import compte_presentation as presentation
from portail.pages.fiches import sans_pdf


class Annee:
    """« 2026-2027 » in an address: the school year that begins in 2026."""

    regex = "[0-9]{4}-[0-9]{4}"

    def to_python(self, texte):
        debut, fin = map(int, texte.split("-"))
        if fin != debut + 1:
            raise ValueError("Une année scolaire va d'une année à la suivante")
        return debut

    def to_url(self, annee):
        return libelle(annee)


@dataclass
class RelevePrepare:
    """All that the page of a school year prints."""

    annee: int
    annees: list[int]
    soldes: list[presentation.Solde]
    tresorerie: presentation.Tresorerie | None
    ancien_solde: str
    debit: str
    credit: str
    solde: str
    operations: list[presentation.LigneOperation]
    factures: list[presentation.LigneFacture]
    anciennes: list[presentation.LigneFacture]

    @property
    def lignes(self):
        return [*self.operations, *self.factures, *self.anciennes]


@page_famille
def releve(request, annee=None):
    """The balance, the invoices and the operations of a school year, the current one unless it is chosen."""
    page = charger_releve(request, annee)
    if autre := _choisie(request, page.annees):
        return redirect("releve_annee", autre)
    return render(request, "facturation/releve.html", _contexte(page, "releve"))


def charger_releve(request, annee=None) -> RelevePrepare:
    """What a family reads of its account, ready to print; four queries, whatever there is to read.

    :raises Http404: a school year in which nothing moved, the current one aside.
    """
    aujourdhui = timezone.localdate()
    totaux = comptes.totaux(request.famille)
    annee, annees = _annees(totaux, annee)
    lu = comptes.releve(request.famille, annee, ancien=sum((t.solde for t in totaux if t.annee < annee), Decimal(0)))
    soldes, regies = _soldes(totaux)
    ailleurs = Facture.objects.visibles_par(request.adulte).exclude(famille=request.famille)
    ailleurs = ailleurs.avec_reste().select_related("regie", "article__role").order_by("-emise_le", "-pk")
    return RelevePrepare(
        annee,
        annees,
        soldes,
        presentation.tresorerie(regies),
        euros(lu.ancien_solde),
        euros(lu.debit),
        euros(lu.credit),
        euros(lu.solde),
        [presentation.ligne_d_operation(ligne) for ligne in lu.lignes],
        [presentation.ligne_de_facture(facture, aujourdhui) for facture in lu.factures],
        [presentation.ligne_de_facture(facture, aujourdhui) for facture in ailleurs],
    )


def _annees(totaux, demandee):
    """The year to show, and those that may be chosen, the last first."""
    courante = annee_scolaire(timezone.localdate())
    annees = sorted({t.annee for t in totaux} | {courante}, reverse=True)
    if demandee is not None and demandee not in annees:
        raise Http404("Rien cette année-là")
    return courante if demandee is None else demandee, annees


def _choisie(request, annees):
    """The school year chosen in the list, None without."""
    texte = request.GET.get("annee")
    return next((annee for annee in annees if libelle(annee) == texte), None)


def _soldes(totaux):
    """``(balances in words, (régie, whether the trésorerie collects))``, as they stand today."""
    soldes, regies = [], []
    for (regie, est_titre), parts in groupby(totaux, key=attrgetter("regie", "est_titre")):
        soldes.append(presentation.solde(regie, est_titre, sum((t.solde for t in parts), Decimal(0))))
        regies.append((regie, est_titre))
    return soldes, regies


def _contexte(page, actif):
    return {
        "page": page,
        "annee": libelle(page.annee),
        "annees": presentation.choix_des_annees(page.annees, page.annee),
        "rail": presentation.rail(page.annee, actif),
    }


# --- The same to keep -----------------------------------------------------------------------------------


@page_famille
@require_safe
def releve_csv(request, annee):
    """The operations of the year for a spreadsheet."""
    lu = _lire(request, annee)
    entetes = ["N° opération", "Date", "Description", "Réglé", "Débit", "Crédit", "Solde"]
    lignes = [["", "", "Ancien solde", "", "", "", lu.ancien_solde]]
    lignes += [
        [o.numero, f"{o.le:%d/%m/%Y}", o.libelle, presentation.REGLE[o.regle], o.debit, o.credit, o.solde]
        for o in lu.lignes
    ]
    lignes.append(["", "", "Solde du compte pour l'année scolaire", "", lu.debit, lu.credit, lu.solde])
    return reponse_csv(f"releve-{libelle(annee)}.csv", entetes, lignes)


@page_famille
@require_safe
def releve_pdf(request, annee):
    """The operations of the year on paper."""
    lu, aujourdhui = _lire(request, annee), timezone.localdate()
    contexte = {
        "famille": request.famille,
        "adultes": [adulte.utilisateur.nom_complet for adulte in request.famille.adultes()],
        "annee": libelle(annee),
        "arrete_le": jour(aujourdhui, semaine=False),
        "ancien_solde": euros(lu.ancien_solde),
        "debit": euros(lu.debit),
        "credit": euros(lu.credit),
        "solde": euros(lu.solde),
        "operations": [presentation.ligne_d_operation(ligne) for ligne in lu.lignes],
    }
    try:
        papier = pdf.rendre("pdf/releve.html", contexte)
    except pdf.PdfIndisponible:
        return sans_pdf(request, "releve_annee", annee)
    return HttpResponse(
        papier,
        content_type="application/pdf",
        headers={"Content-Disposition": content_disposition_header(False, f"releve-{libelle(annee)}.pdf")},
    )


def _lire(request, annee):
    """:raises Http404: a school year in which nothing moved, the current one aside."""
    _annees(comptes.totaux(request.famille), annee)
    return comptes.releve(request.famille, annee)


# --- Mes règlements -------------------------------------------------------------------------------------


class LigneReglement(NamedTuple):
    """:param annule: why it was taken back, "" when it stands; ``recu``: where its receipt is, "" without."""

    numero: int
    date: str
    moyen: str
    montant: str
    paye: list[tuple[str, str]]
    reste: str
    annule: str
    recu: str


@page_famille
def reglements(request, annee):
    """The payments of a school year, and what the trésorerie was given to collect."""
    totaux = comptes.totaux(request.famille)
    annee, annees = _annees(totaux, annee)
    if autre := _choisie(request, annees):
        return redirect("reglements", autre)
    contexte = {
        "annee": libelle(annee),
        "annees": presentation.choix_des_annees(annees, annee),
        "rail": presentation.rail(annee, "reglements"),
        "tresorerie": presentation.tresorerie(_soldes(totaux)[1]),
        "lignes": _reglements(request.famille, annee),
    }
    return render(request, "facturation/reglements.html", contexte)


def _reglements(famille, annee):
    natures = [Ecriture.Nature.REGLEMENT, Ecriture.Nature.TITRE]
    ecritures = Ecriture.objects.filter(famille=famille, le__range=bornes(annee), nature__in=natures)
    ecritures = ecritures.select_related("reglement", "facture", "annulation").order_by("-le", "-pk")
    return [_ligne(ecriture) for ecriture in ecritures.prefetch_related("reglement__imputations__facture")]


def _ligne(ecriture):
    annulation = getattr(ecriture, "annulation", None)
    reglement, parts = ecriture.reglement, {}
    if reglement is None:
        parts[ecriture.facture] = ecriture.credit
    else:
        for imputation in reglement.imputations.all():
            parts[imputation.facture] = parts.get(imputation.facture, Decimal(0)) + imputation.montant
    reste = ecriture.credit - sum(parts.values())
    recu = presentation.adresse_si_elle_existe("recu", reglement.uuid) if reglement and not annulation else ""
    return LigneReglement(
        ecriture.pk,
        f"{ecriture.le:%d/%m/%Y}",
        reglement.get_moyen_display() if reglement else ecriture.libelle,
        euros(ecriture.credit),
        [
            (f"Facture {facture.numero_complet}\u00a0: {euros(montant)}", facture.get_absolute_url())
            for facture, montant in parts.items()
            if montant
        ],
        euros(reste) if reste and not annulation else "",
        annulation.libelle if annulation else "",
        recu,
    )
