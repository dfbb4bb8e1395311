"""The account of a household as people read it: balances, the state of an invoice, the relevé of a school year."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Case, Exists, F, OuterRef, Q, Sum, Value, When
from django.db.models.functions import ExtractYear

from enfants.regles.annees import bornes
from facturation.models import Article, Ecriture, Facture, Regie, Reglement
from familles.models import Famille
from portail.outils.argent import euros

ZERO = Decimal(0)


def soldes(famille: Famille) -> dict[Regie, Decimal]:
    """What the family owes to each régie, in euros; below zero, what it has to its credit. One query, or two."""
    totaux = (
        Ecriture.objects.filter(famille=famille)
        .order_by()
        .values("regie")
        .annotate(solde=Sum(F("debit") - F("credit")))
        .values_list("regie", "solde")
    )
    par_regie = dict(totaux)
    regies = Regie.objects.filter(pk__in=par_regie) if par_regie else []
    return {regie: par_regie[regie.pk] for regie in regies}


@dataclass(frozen=True)
class Etat:
    """How far an invoice is.

    :param ton: « neutre », « ok », « attention » or « danger ».
    """

    code: str
    libelle: str
    ton: str


BROUILLON = Etat("brouillon", "Brouillon", "neutre")
REPORTEE = Etat("reportee", "Reportée", "neutre")
AVOIR = Etat("avoir", "Avoir", "neutre")
ANNULEE = Etat("annulee", "Annulée par un avoir", "neutre")
PAYEE = Etat("payee", "Payée", "ok")
EN_PARTIE = Etat("en-partie", "Payée en partie", "attention")
A_PAYER = Etat("a-payer", "À payer", "attention")
EN_RETARD = Etat("en-retard", "En retard", "danger")
TITREE = Etat("titree", "Titre émis, à payer à la trésorerie", "attention")
ANNONCEE = Etat("annoncee", "Paiement annoncé par PayFiP", "neutre")
TITRE_PAYE = Etat("titre-paye", "Payée à la trésorerie", "ok")
TITRE_ANNULE = Etat("titre-annule", "Titre annulé", "neutre")
DES_ARTICLES = {
    Article.Etat.A_PAYER: TITREE,
    Article.Etat.ANNONCE: ANNONCEE,
    Article.Etat.PAYE: TITRE_PAYE,
    Article.Etat.ANNULE: TITRE_ANNULE,
}


def etat(facture: Facture, aujourdhui: date) -> Etat:
    """How far an invoice is; nothing of it is stored.

    :param facture: from ``avec_reste()``, with its ``article``.
    """
    if facture.etat == Facture.Etat.BROUILLON:
        return REPORTEE if facture.est_reportee else BROUILLON
    if facture.est_avoir:
        return AVOIR
    if facture.annulee:
        return ANNULEE
    if (article := getattr(facture, "article", None)) is not None:
        return DES_ARTICLES[article.etat]
    if facture.reste <= 0:
        return PAYEE
    if facture.echeance < aujourdhui:
        return EN_RETARD
    return EN_PARTIE if facture.impute else A_PAYER


# --- The relevé of a school year ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Total:
    """What moved for a régie over a school year: debits less credits, in euros."""

    regie: str
    est_titre: bool
    annee: int
    solde: Decimal


def totaux(famille: Famille) -> list[Total]:
    """By régie, then by school year; one query. A balance is the sum of some of them."""
    annee = ExtractYear("le") - Case(When(le__month__lt=9, then=Value(1)), default=Value(0))
    lignes = (
        Ecriture.objects.filter(famille=famille)
        .annotate(annee=annee)
        .values_list("regie__nom", "regie__regime", "annee")
        .annotate(solde=Sum(F("debit") - F("credit")))
        .order_by("regie__ordre", "regie__nom", "regie", "annee")
    )
    return [Total(nom, regime == Regie.Regime.TITRE, annee, solde) for nom, regime, annee, solde in lignes]


@dataclass(frozen=True)
class LigneReleve:
    """An operation of the account.

    :param numero: « N° opération », which never changes.
    :param regle: of an invoice, « oui », « en partie », « non », « titre »; "" of the others.
    :param solde: what the family owes after it, in euros.
    """

    numero: int
    le: date
    libelle: str
    regle: str
    debit: Decimal
    credit: Decimal
    solde: Decimal
    facture: Facture | None
    reglement: Reglement | None


@dataclass(frozen=True)
class Releve:
    """The operations of a school year, from 1 September to 31 August.

    :param ancien_solde, solde: what the family owed before, and owes after; below zero, to its credit.
    :param factures: those of the year, drafts carried over among them, the newest first.
    """

    annee: int
    ancien_solde: Decimal
    lignes: list[LigneReleve]
    debit: Decimal
    credit: Decimal
    solde: Decimal
    factures: list[Facture]


def releve(famille: Famille, annee: int, *, ancien: Decimal | None = None) -> Releve:
    """The account of a household over a school year; two queries, three without ``ancien``.

    :param ancien: what the family owed before the year, where it is known.
    """
    du, au = bornes(annee)
    ecritures = Ecriture.objects.filter(famille=famille)
    if ancien is None:
        ancien = ecritures.filter(le__lt=du).aggregate(t=Sum(F("debit") - F("credit")))["t"] or ZERO
    rows = list(ecritures.filter(le__range=(du, au)).select_related("reglement").order_by("le", "pk"))
    de_l_annee = Q(emise_le__range=(du, au)) | Q(reporte_le__range=(du, au))
    lues = Facture.objects.filter(famille=famille)
    lues = lues.filter(de_l_annee | Q(pk__in={row.facture_id for row in rows} - {None}))
    lues = lues.avec_reste().select_related("article__role", "regie")
    factures = {facture.pk: facture for facture in lues.order_by("-mois", "-emise_le", "-pk")}
    lignes, solde = [], ancien
    for row in rows:
        solde += row.debit - row.credit
        facture = factures.get(row.facture_id)
        lignes.append(
            LigneReleve(
                row.pk,
                row.le,
                row.libelle,
                _regle(facture) if row.nature == Ecriture.Nature.FACTURE else "",
                row.debit,
                row.credit,
                solde,
                facture,
                row.reglement,
            )
        )
    debit, credit = sum((r.debit for r in rows), ZERO), sum((r.credit for r in rows), ZERO)
    ici = [f for f in factures.values() if du <= (f.emise_le or f.reporte_le) <= au]
    return Releve(annee, ancien, lignes, debit, credit, solde, ici)


def _regle(facture):
    if hasattr(facture, "article"):
        return "titre"
    if facture.reste <= 0:
        return "oui"
    return "en partie" if facture.impute else "non"


def solde_en_clair(solde: Decimal) -> str:
    """« Vous devez 43,20 € », « Vous avez 12,00 € d'avance », « Votre compte est à jour »."""
    if solde > 0:
        return f"Vous devez {euros(solde)}"
    return f"Vous avez {euros(-solde)} d'avance" if solde < 0 else "Votre compte est à jour"


def avec_annulation(reglements):
    """With ``annule``: taken back by a counter-entry."""
    contre = Ecriture.objects.filter(annule__reglement=OuterRef("pk"), annule__nature=Ecriture.Nature.REGLEMENT)
    return reglements.annotate(annule=Exists(contre))
