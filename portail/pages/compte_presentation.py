"""The account of a household as its pages print it: rows of plain texts, nothing left to compute."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.urls import NoReverseMatch, reverse

from demandes.presentation import Icone
from enfants.regles.annees import libelle
from enfants.regles.dates import enumerer
from facturation import comptes
from facturation.models import Facture
from facturation.paiements import moyen_de_payer
from portail.commune import Commune
from portail.outils.argent import euros
from portail.outils.dates import jour

ICONES = {"ok": "coche", "attention": "sablier", "danger": "attention", "neutre": "info"}
REGLE = {"oui": "Oui", "en partie": "En partie", "non": "Non", "titre": "Titre émis", "": ""}


class Solde(NamedTuple):
    """« Accueil de loisirs » : « Vous devez 43,20 € »."""

    regie: str
    phrase: str
    est_du: bool


class LigneFacture(NamedTuple):
    """An invoice in a list.

    :param payer: where it is paid on line, "" when it cannot be.
    :param reste: what is still to pay, to the commune or to the trésorerie.
    :param pdf: "" of a draft.
    """

    uuid: str
    url: str
    pdf: str
    payer: str
    titre: str
    numero: str
    montant: str
    reste: str
    detail: str
    code: str
    etat: str
    ton: str
    icone: str


class LigneOperation(NamedTuple):
    """A row of « Relevé des opérations »."""

    numero: int
    date: str
    libelle: str
    url: str
    regle: str
    debit: str
    credit: str
    solde: str


class Tresorerie(NamedTuple):
    """Where the trésorerie collects; ``pour``: for which régies, "" when it does for all."""

    pour: str


def rail(annee: int, actif: str) -> list[Icone]:
    """The icons at the left of « Relevé de compte »."""
    icones = [
        Icone("Mes factures", reverse("releve_annee", args=[annee]), "releve", actif == "releve"),
        Icone("Mes règlements", reverse("reglements", args=[annee]), "euro", actif == "reglements"),
    ]
    if adresse := adresse_si_elle_existe("attestations"):
        icones.append(Icone("Attestations fiscales", adresse, "fiscal", actif == "attestations"))
    return icones


def adresse_si_elle_existe(nom: str, *arguments) -> str:
    """Of a page that this portal may not have."""
    try:
        return reverse(nom, args=arguments)
    except NoReverseMatch:
        return ""


def solde(regie: str, est_titre: bool, montant: Decimal) -> Solde:
    """What is in a rôle has left the account: only the trésorerie knows what remains of it."""
    if est_titre and montant == 0:
        return Solde(regie, "Vos factures sont transmises à la trésorerie", False)
    return Solde(regie, comptes.solde_en_clair(montant), montant > 0)


def tresorerie(regies: Iterable[tuple[str, bool]]) -> Tresorerie | None:
    """The trésorerie collects for some of these régies, or for the whole commune; None where it does not.

    :param regies: name, and whether the trésorerie collects, of those where the household has something.
    """
    regies = list(regies)
    titres = [f"«\u00a0{nom}\u00a0»" for nom, est_titre in regies if est_titre]
    if titres:
        return Tresorerie(enumerer(titres) if len(titres) < len(regies) else "")
    return None if regies or Commune.actuelle().encaisse else Tresorerie("")


def ligne_de_facture(facture: Facture, aujourdhui: date) -> LigneFacture:
    """:param facture: from ``avec_reste()``, with its ``regie``, its ``article`` and the rôle of it."""
    etat, url = comptes.etat(facture, aujourdhui), facture.get_absolute_url()
    emise = facture.etat == Facture.Etat.EMISE
    return LigneFacture(
        str(facture.uuid),
        url if emise else "",
        reverse("facture_pdf", args=[facture.uuid]) if emise else "",
        f"{url}#payer" if emise and moyen_de_payer(facture, aujourdhui).est_actif else "",
        f"{facture.regie}, {facture.mois_en_clair}",
        f"n°\u00a0{facture.numero_complet}" if emise else "",
        euros(facture.total),
        euros(facture.total - facture.article.paye if etat == comptes.TITREE else facture.reste),
        detail(facture, etat),
        etat.code,
        etat.libelle,
        etat.ton,
        ICONES[etat.ton],
    )


def detail(facture: Facture, etat: comptes.Etat) -> str:
    """The sentence beside the state."""
    if etat == comptes.REPORTEE:
        return f"Moins de {_en_bref(facture.regie.minimum)}\u00a0: ajoutée à la facture suivante"
    if etat == comptes.AVOIR:
        return facture.motif
    if etat in (comptes.A_PAYER, comptes.EN_PARTIE, comptes.EN_RETARD):
        avant = f"à régler avant le {jour(facture.echeance, semaine=False)}"
        return f"Reste {euros(facture.reste)}, {avant}" if facture.impute else f"{avant[0].upper()}{avant[1:]}"
    if etat == comptes.TITREE and facture.article.paye:
        return f"{euros(facture.article.paye)} payés à la trésorerie"
    if etat == comptes.TITREE:
        return f"À régler à la trésorerie avant le {jour(facture.echeance, semaine=False)}"
    return ""


def _en_bref(montant):
    """« 15 € »."""
    return f"{montant:.0f}\u00a0€" if montant == int(montant) else euros(montant)


def ligne_d_operation(ligne: comptes.LigneReleve) -> LigneOperation:
    return LigneOperation(
        ligne.numero,
        f"{ligne.le:%d/%m/%Y}",
        ligne.libelle,
        ligne.facture.get_absolute_url() if ligne.facture else "",
        REGLE[ligne.regle],
        euros(ligne.debit) if ligne.debit else "",
        euros(ligne.credit) if ligne.credit else "",
        euros(ligne.solde),
    )


def choix_des_annees(annees: Iterable[int], choisie: int) -> list[tuple[str, bool]]:
    """For the list of school years: label, chosen."""
    return [(libelle(annee), annee == choisie) for annee in annees]
