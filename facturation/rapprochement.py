"""The list that PayFiP, or the bank of the régie, gives of the payments it took: matched with what was credited."""

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.db import transaction

from facturation.actions import ActionImpossible
from facturation.models import TentativePaiement
from facturation.paiements import rapprocher
from familles.models import Utilisateur
from portail.outils.argent import euros
from portail.outils.dates import jour
from portail.outils.tableur import lire_csv

# Column -> how its header begins, as PayFiP, the DFT space and the banks write it.
COLONNES = {
    "référence": ("reference", "ref"),
    "montant": ("montant", "mt"),
    "date": ("date", "dattrans", "dt"),
}
FORMATS = ("%d/%m/%Y", "%Y-%m-%d", "%d%m%Y", "%d/%m/%y")


@dataclass
class Ligne:
    """A row of the list, and what came of it.

    :param etat: « rapprochee », « deja » or « inconnue ».
    :param tentative: what it is about, or may be about.
    """

    rang: int
    reference: str
    montant: Decimal | None
    le: date | None
    etat: str = "inconnue"
    phrase: str = ""
    tentative: TentativePaiement | None = None

    @property
    def en_clair(self):
        return euros(self.montant) if self.montant is not None else "–"

    @property
    def cle(self):
        return self.reference, self.montant, self.le


@transaction.atomic
def importer(octets: bytes, *, par: Utilisateur) -> list[Ligne]:
    """The payments of the list are matched: same reference, amount and day; the rest is told, row by row.

    The same list again changes nothing. Families see nothing of it.

    :raises TableauIllisible: no list, or a column is missing.
    """
    lignes = [
        Ligne(rang, brute["référence"][:30], _montant(brute["montant"]), _jour(brute["date"]))
        for rang, brute in enumerate(lire_csv(octets, COLONNES), start=2)
    ]
    connues = TentativePaiement.objects.filter(reference__in={ligne.reference for ligne in lignes} - {""})
    connues = list(connues.select_related("reglement", "facture").order_by("pk"))
    restent, explications = defaultdict(deque), _Connues(connues)
    for tentative in connues:
        if tentative.reglement is not None:
            restent[tentative.reference, tentative.montant, tentative.reglement.recu_le].append(tentative)
    for ligne in lignes:
        if siennes := restent.get(ligne.cle):
            ligne.tentative, ligne.etat = siennes.popleft(), "deja"
        else:
            _expliquer(ligne, explications)
    for ligne in sorted((li for li in lignes if li.etat == "deja"), key=lambda li: li.tentative.pk):
        _rapprocher(ligne, par)
    return lignes


def _rapprocher(ligne, par):
    try:
        rapprocher(ligne.tentative, par=par)
        ligne.etat, ligne.phrase = "rapprochee", "Rapproché."
    except ActionImpossible:
        ligne.phrase = "Déjà rapproché, ou confirmé par PayFiP."


class _Connues:
    """The last attempt of a reference, of a reference and an amount, and the last of these that is not paid."""

    def __init__(self, tentatives):
        self.de_reference, self.de_montant, self.sans_avis = {}, {}, {}
        for tentative in tentatives:
            cle = tentative.reference, tentative.montant
            self.de_reference[tentative.reference] = self.de_montant[cle] = tentative
            if tentative.issue != TentativePaiement.Issue.PAYE:
                self.sans_avis[cle] = tentative


def _expliquer(ligne, connues):
    """Why a row finds nothing, and where to look."""
    if ligne.montant is None or ligne.le is None:
        ligne.phrase = "Le montant ou la date ne se lit pas."
        return
    cle = ligne.reference, ligne.montant
    if cle in connues.sans_avis:
        ligne.tentative = connues.sans_avis[cle]
        ligne.phrase = "Une famille a commencé ce paiement et PayFiP n'en a rien dit\u00a0: constatez-le sur sa page."
    elif cle in connues.de_montant:
        ligne.tentative = connues.de_montant[cle]
        autre = ligne.tentative.reglement
        quand = f" du {jour(autre.recu_le, semaine=False)}" if autre else ""
        ligne.phrase = f"Le paiement connu{quand} n'est pas de ce jour, ou est déjà pris par une autre ligne."
    elif ligne.reference in connues.de_reference:
        ligne.tentative = connues.de_reference[ligne.reference]
        ligne.phrase = f"Le paiement connu est de {euros(ligne.tentative.montant)}."
    else:
        ligne.phrase = "Aucune famille n'a commencé ce paiement depuis le portail."


def _montant(texte):
    try:
        montant = Decimal(texte.translate(str.maketrans(",", ".", " \u00a0\u202f€")))
    except InvalidOperation:
        return None
    return montant if montant.is_finite() and 0 < montant < 10**8 else None


def _jour(texte):
    for forme in FORMATS:
        try:
            return datetime.strptime(texte[:10].strip(), forme).date()  # noqa: DTZ007 a day, no hour
        except ValueError:
            continue
    return None
