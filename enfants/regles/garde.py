"""Which household has a child on a day, when it lives in two. A household books and pays the days it has.

How the days are cut:

* A week of custody starts on ``jour_passage``; the day of the handover belongs to the household that receives.
  Weeks alternate from the named first week, before it as after it, by counting days: the number of the week in the
  year is never read (2026-W53 and 2027-W01 are both odd), and the hour never counts.
* With holidays by halves, a period of ``vacances`` is cut in its middle whatever the day of handover; of an odd
  number of days, the first half gets the one more. A period is exactly the days it is given with: a week-end before
  it, or a Monday back at school after it, follows the weeks, which go on as if the holidays had not interrupted them.
* The summer is one period like any other. A period belongs to the school year of its first day, so the summer of
  2027 is in 2026-2027. Every period given is cut: leave the bridges out if they should follow the weeks.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from enfants.regles.annees import annee_scolaire, libelle
from enfants.regles.dates import JOURS, en_clair, periode

Foyer = Hashable  # opaque: a key of the household
Periode = tuple[date, date]  # first and last day, both included


class Mode(StrEnum):
    TOUTES = "TOUTES"  # the first household has every day
    ALTERNEE = "ALTERNEE"  # one week each
    PARTS = "PARTS"  # both have every day, and share each invoice


class Vacances(StrEnum):
    ALTERNANCE = "ALTERNANCE"  # the weeks go on
    MOITIES = "MOITIES"  # half of each holiday, swapping each school year


@dataclass(frozen=True)
class Garde:
    """What was agreed for one child, ``a`` being the first household of ``foyers`` and ``b`` the second.

    :param premiere_semaine: any day of a week that ``a`` has (alternate weeks).
    :param jour_passage: weekday of the handover, 0 for Monday (alternate weeks).
    :param premiere_moitie_annees_paires: True when ``a`` has the first half of the holidays in the school years
        that start in an even year, and so the second half in the others; False for the contrary.
    :param part: per cent of each invoice that ``a`` pays, 0 to 100 (mode ``PARTS``).
    :param exceptions: (first day, last day, household), stronger than all the rest; the last listed wins.
    """

    mode: str
    foyers: tuple[Foyer, ...]
    premiere_semaine: date | None = None
    jour_passage: int = 0
    vacances: str = Vacances.ALTERNANCE
    premiere_moitie_annees_paires: bool = True
    part: int = 50
    exceptions: tuple[tuple[date, date, Foyer], ...] = ()


def foyers_du(garde: Garde, jour: date, vacances: Sequence[Periode]) -> tuple[Foyer, ...]:
    """The household that has the child on ``jour`` and may book it, alone in a tuple; both in mode ``PARTS``.

    :param garde: a custody of which ``verifier`` says nothing.
    :param vacances: holidays of the commune's zone; if two overlap, the first listed counts.
    """
    for du, au, foyer in reversed(garde.exceptions):
        if du <= jour <= au:
            return (foyer,)
    if garde.mode == Mode.PARTS:
        return garde.foyers
    a = garde.foyers[0]
    if garde.mode == Mode.TOUTES:
        return (a,)
    b = garde.foyers[1]
    if garde.vacances == Vacances.MOITIES:
        for premier, dernier in vacances:
            if premier <= jour <= dernier:
                return (a if _a_la_moitie(garde, jour, premier, dernier) else b,)
    return (b if (jour - _debut_premiere_semaine(garde)).days // 7 % 2 else a,)


def calendrier(garde: Garde, debut: date, fin: date, vacances: Sequence[Periode]) -> dict[date, tuple[Foyer, ...]]:
    """``foyers_du`` of each day from ``debut`` to ``fin``, both included, in order."""
    jours = (debut + timedelta(days=n) for n in range((fin - debut).days + 1))
    return {jour: foyers_du(garde, jour, vacances) for jour in jours}


def _debut_premiere_semaine(garde: Garde) -> date:
    retard = (garde.premiere_semaine.weekday() - garde.jour_passage) % 7
    return garde.premiere_semaine - timedelta(days=retard)


def _a_la_moitie(garde: Garde, jour: date, premier: date, dernier: date) -> bool:
    """True when ``a`` has the half of the holiday in which ``jour`` is."""
    moitie = ((dernier - premier).days + 2) // 2  # half the days, rounded up
    est_premiere = (jour - premier).days < moitie
    return est_premiere == _a_commence(garde, annee_scolaire(premier))


def _a_commence(garde: Garde, annee: int) -> bool:
    """True when ``a`` has the first halves of the school year."""
    return (annee % 2 == 0) == garde.premiere_moitie_annees_paires


def phrase(garde: Garde, noms: Mapping[Foyer, str]) -> str:
    """The custody in words a parent can check against the judgment or the agreement.

    :param garde: a custody of which ``verifier`` says nothing.
    :param noms: household -> the name to print.
    """
    a, b = noms[garde.foyers[0]], noms[garde.foyers[-1]]
    if garde.mode == Mode.TOUTES:
        phrases = [f"Toujours chez {a}."]
    elif garde.mode == Mode.PARTS:
        phrases = [
            f"Toute l'année dans les deux foyers : chaque facture est partagée, "
            f"{garde.part} % pour {a} et {100 - garde.part} % pour {b}."
        ]
    else:
        passage = JOURS[garde.jour_passage]
        debut = en_clair(_debut_premiere_semaine(garde))
        phrases = [
            f"Une semaine sur deux, du {passage} au {passage} : chez {a} la semaine du {debut}, chez {b} la suivante.",
            _phrase_vacances(garde, a, b),
        ]
    if garde.exceptions:
        lignes = " ; ".join(f"{periode(du, au)} chez {noms[foyer]}" for du, au, foyer in garde.exceptions)
        phrases.append(f"Exceptions : {lignes}.")
    return " ".join(phrases)


def _phrase_vacances(garde: Garde, a: str, b: str) -> str:
    if garde.vacances == Vacances.ALTERNANCE:
        return "Pendant les vacances, les semaines continuent d'alterner."
    annee = annee_scolaire(garde.premiere_semaine)
    paire, impaire = sorted((annee, annee + 1), key=lambda an: an % 2)
    premier, second = (a, b) if _a_commence(garde, paire) else (b, a)
    return (
        f"Vacances par moitié : première moitié chez {premier} les années scolaires paires "
        f"(comme {libelle(paire)}), chez {second} les impaires (comme {libelle(impaire)})."
    )


def verifier(garde: Garde) -> list[str]:
    """What does not hold in a custody typed by an agent, in sentences for this agent; empty when all is well."""
    fautes = []
    if garde.mode not in list(Mode):
        fautes.append("Choisissez le mode de garde.")
    elif garde.mode == Mode.TOUTES:
        if not 1 <= len(garde.foyers) <= 2:
            fautes.append("Choisissez le foyer de l'enfant.")
    elif len(garde.foyers) != 2 or len(set(garde.foyers)) != 2:
        fautes.append("Choisissez deux foyers différents.")
    if garde.mode == Mode.ALTERNEE:
        fautes += _verifier_semaines(garde)
    if garde.mode == Mode.PARTS and not 0 <= garde.part <= 100:
        fautes.append("La part du premier foyer va de 0 à 100 %.")
    for du, au, foyer in garde.exceptions:
        if au < du:
            fautes.append(f"Exception du {en_clair(du)} : la fin vient avant le début.")
        if foyer not in garde.foyers:
            fautes.append(f"Exception du {en_clair(du)} : ce foyer n'est pas un de ceux de l'enfant.")
    return fautes


def _verifier_semaines(garde: Garde) -> list[str]:
    fautes = []
    if garde.premiere_semaine is None:
        fautes.append("Donnez un jour de la première semaine.")
    elif not 2000 <= garde.premiere_semaine.year <= 2999:  # a typing slip: "26" read as the year 26
        fautes.append("Vérifiez l'année de la première semaine.")
    if garde.jour_passage not in range(7):
        fautes.append("Choisissez le jour où l'enfant change de foyer.")
    if garde.vacances not in list(Vacances):
        fautes.append("Choisissez comment les vacances se partagent.")
    return fautes
