"""What the council voted, who pays and for what: the values that prices are computed from.

Pure. A grid is what the council voted, from a day to a day; money is ``Decimal``, quotients are euros a month and a
part.
"""

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from enfants.regles.presences import AFacturer, Code
from portail.outils.argent import arrondir

ZERO = Decimal(0)


class Unite(StrEnum):
    JOUR = "JOUR"  # a meal, a morning, a day of ALSH: each day that is due
    DUREE = "DUREE"  # each half-hour begun, or whatever ``minutes`` says
    MOIS = "MOIS"  # once a month, however many days
    SEMAINE = "SEMAINE"  # once a week, however many days


class Cause(StrEnum):
    RESERVE_TARD = "RESERVE_TARD"
    SANS_RESERVATION = "SANS_RESERVATION"
    DEPART_TARDIF = "DEPART_TARDIF"
    ABSENCE = "ABSENCE"  # booked, not seen, without a word or a proof


class Genre(StrEnum):
    PRESTATION = "PRESTATION"
    MAJORATION = "MAJORATION"
    AIDE = "AIDE"


# --- What the council voted ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tranche:
    """A bracket of quotients.

    :param au: highest quotient of it, included, in euros; None: every quotient above the others.
    """

    au: Decimal | None
    montant: Decimal


@dataclass(frozen=True)
class Bareme:
    """How a price follows the quotient: brackets, or a rate of it, or not at all. One of the three.

    :param tranches: by rising quotient, the last one without a bound.
    :param taux: part of the quotient, in percent.
    :param plancher, plafond: least and highest price of a rate, in euros.
    """

    fixe: Decimal | None = None
    tranches: tuple[Tranche, ...] = ()
    taux: Decimal | None = None
    plancher: Decimal | None = None
    plafond: Decimal | None = None


@dataclass(frozen=True)
class Baremes:
    """The prices of a service, or of one formule of it, by who comes.

    :param exterieur: of who lives elsewhere; without it, the normal ones, with ``pourcent_exterieur`` more.
    :param occasionnel: of who is registered without habitual days.
    :param panier: with the family's own basket, under a PAI.
    """

    normal: Bareme
    exterieur: Bareme | None = None
    pourcent_exterieur: Decimal = ZERO
    occasionnel: Bareme | None = None
    panier: Bareme | None = None


@dataclass(frozen=True)
class Majoration:
    """What is added to a day, a percentage of its price or an amount in euros.

    :param a_partir_de: the first times of the month only warn: 2 spares the first one.
    :param double_des: from this time of the month on it counts twice; None never.
    :param minutes: of a late departure, each that many minutes begun count once.
    """

    cause: Cause
    pourcent: Decimal | None = None
    montant: Decimal | None = None
    a_partir_de: int = 1
    double_des: int | None = None
    minutes: int = 15


@dataclass(frozen=True)
class Carence:
    """What a justified absence leaves due.

    :param jours: first days of it that stay due.
    :param remise_des: nothing is given back of an absence of fewer days in a row.
    """

    jours: int = 0
    remise_des: int = 1


@dataclass(frozen=True)
class Grille:
    """The prices of one service from a day to a day, as voted.

    :param mots: one unit and several, in the words of the invoice: (« repas », « repas »).
    :param formules: key of a formule -> its own prices.
    :param rangs: percent taken off for the first child, the second…; the last one goes on.
    :param semaine: ``(days, prices)``: from that many days of a week, the week costs this instead.
    :param minutes, tolerance: of a duration: length of a unit, minutes past one that are not counted.
    """

    service: str
    unite: Unite = Unite.JOUR
    mots: tuple[str, str] = ("jour", "jours")
    baremes: Baremes | None = None
    formules: tuple[tuple[int, Baremes], ...] = ()
    rangs: tuple[Decimal, ...] = ()
    semaine: tuple[int, Bareme] | None = None
    minutes: int = 30
    tolerance: int = 0
    majorations: tuple[Majoration, ...] = ()

    @property
    def suit_le_quotient(self) -> bool:
        """Does a quotient change one of its prices?"""
        publics = [b for b in (self.baremes, *(b for _, b in self.formules)) if b is not None]
        baremes = [x for b in publics for x in (b.normal, b.exterieur, b.occasionnel, b.panier) if x is not None]
        baremes += [self.semaine[1]] if self.semaine else []
        return any(b.tranches or b.taux is not None for b in baremes)


# --- Who pays, for whom, for what ------------------------------------------------------------------------


@dataclass(frozen=True)
class Quotient:
    """A quotient and the days it counts; no value: the family does not tell it. Both days included."""

    valeur: Decimal | None
    du: date
    au: date | None = None

    def vaut(self, jour: date) -> bool:
        return self.du <= jour and (self.au is None or jour <= self.au)


@dataclass(frozen=True)
class Aide:
    """What somebody else pays of each unit: the CCAS, the MSA, an employer.

    :param montant: euros a unit; or ``pourcent`` of what is left to pay.
    :param plafond: the most that it pays in the month, in euros.
    """

    organisme: str
    montant: Decimal | None = None
    pourcent: Decimal | None = None
    plafond: Decimal | None = None
    du: date = date.min
    au: date = date.max


@dataclass(frozen=True)
class Payeur:
    """The household that pays, and the child: its rank, counted from 1, among those of the household."""

    residente: bool = True
    quotients: tuple[Quotient, ...] = ()
    rang: int = 1
    regulier: bool = True
    panier: bool = False
    aides: tuple[Aide, ...] = ()


class Journee(NamedTuple):
    """What ``presences.conclure`` found of a day.

    :param decision: an agent's word where the rules leave it to one; None: not decided, not billed.
    :param carence: what the reason of the absence leaves due; None: an absence without a cost.
    :param place_reprise: cancelled late, but another child took the place: nothing is due.
    """

    jour: date
    code: Code
    a_facturer: AFacturer
    formule: int | None = None
    tardif: bool = False
    minutes_de_retard: int = 0
    arrivee: time | None = None
    depart: time | None = None
    decision: bool | None = None
    carence: Carence | None = None
    place_reprise: bool = False


@dataclass(frozen=True)
class Ligne:
    """A line of the invoice: ``montant`` is ``quantite`` times ``prix``, to the cent.

    :param jours: the days it is about.
    """

    genre: Genre
    libelle: str
    quantite: int
    prix: Decimal
    jours: tuple[date, ...] = ()

    @property
    def montant(self) -> Decimal:
        return arrondir(self.quantite * self.prix)
