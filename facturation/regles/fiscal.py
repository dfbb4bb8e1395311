"""Tax certificates: what a household paid in a year for the care of a child under six.

Pure. Art. 200 quater B of the CGI: children under six on 1 January; sums paid, not billed; what helpers pay, the meals
and the penalties taken off.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from portail.outils.argent import arrondir

AGE = 6
CENT = Decimal(100)
ZERO = Decimal(0)


@dataclass(frozen=True)
class Ligne:
    """A line of an invoice.

    :param cle: whose care, by which service; None: nobody's in particular.
    :param montant: euros; below zero, taken off.
    :param part: percents of it that are care; 0 for a penalty.
    """

    cle: Hashable | None
    montant: Decimal
    part: Decimal


@dataclass(frozen=True)
class FacturePayee:
    """An invoice and what was paid of it, in euros: before the year, and within."""

    lignes: tuple[Ligne, ...]
    avant: Decimal
    pendant: Decimal


def est_concerne(naissance: date | None, annee: int) -> bool:
    """Under six on 1 January of the year: still counted during the year of its sixth birthday."""
    return naissance is not None and naissance > date(annee - AGE, 1, 1)


def versements(facture: FacturePayee) -> dict[Hashable, Decimal]:
    """What was paid within the year for each care, in whole cents.

    A payment pays every line alike. Whatever the number of payments and of years, their parts make the whole again.
    """
    gardes, total = gardes_nettes(facture.lignes)
    if total <= 0:
        return {}
    cles = sorted(gardes, key=str)
    cumuls = [ZERO]
    for cle in cles:
        cumuls.append(cumuls[-1] + gardes[cle])
    avant = [arrondir(facture.avant * cumul / total) for cumul in cumuls]
    apres = [arrondir((facture.avant + facture.pendant) * cumul / total) for cumul in cumuls]
    parts = [fin - debut for debut, fin in pairwise(b - a for a, b in zip(avant, apres, strict=True))]
    return {cle: part for cle, part in zip(cles, parts, strict=True) if part}


def par_annee(versements: Iterable[tuple[int, Decimal]]) -> dict[int, Decimal]:
    """Year -> what was paid within it, of sums told one after the other, in euros.

    One below zero puts right what was told last: 50 € told in December and 20 € in all in January make 20 € paid in
    December.
    """
    restent: list[list] = []
    for annee, montant in versements:
        if montant > 0:
            restent.append([annee, montant])
        while montant < 0 and restent:
            repris = min(-montant, restent[-1][1])
            montant += repris
            restent[-1][1] -= repris
            if not restent[-1][1]:
                restent.pop()
    sommes = defaultdict(Decimal)
    for annee, montant in restent:
        sommes[annee] += montant
    return dict(sommes)


def gardes_nettes(lignes: Iterable[Ligne]) -> tuple[dict[Hashable, Decimal], Decimal]:
    """What each care costs once what is taken off is taken off, and what the invoice costs, reductions of all aside.

    What is taken off a care (an aid, a correction) comes off its care and its other part alike. What is taken off
    nobody's care in particular, or more than it costs, comes off all lines alike.
    """
    lignes = list(lignes)
    couts, gardes, retraits = defaultdict(Decimal), defaultdict(Decimal), defaultdict(Decimal)
    total, de_tous = sum((ligne.montant for ligne in lignes), ZERO), ZERO
    for ligne in lignes:
        if ligne.montant > 0:
            couts[ligne.cle] += ligne.montant
            gardes[ligne.cle] += ligne.montant * ligne.part / CENT
        else:
            retraits[ligne.cle] += ligne.montant
    nettes = {}
    for cle in {*couts, *retraits}:
        reste = couts[cle] + retraits[cle]
        if cle is None:
            de_tous += retraits[cle]
        elif reste <= 0:
            de_tous += reste
        elif gardes[cle]:
            nettes[cle] = gardes[cle] * reste / couts[cle]
    return nettes, total - de_tous
