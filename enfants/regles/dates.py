"""Dates in French for the sentences of the rules (``portail.outils.dates`` needs Django)."""

from collections.abc import Iterable
from datetime import date

JOURS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MOIS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)


def en_clair(jour: date, *, annee: bool = True) -> str:
    """« 1er mars 2027 », « 24 décembre » without the year."""
    texte = f"{'1er' if jour.day == 1 else jour.day} {MOIS[jour.month - 1]}"
    return f"{texte} {jour.year}" if annee else texte


def periode(du: date, au: date) -> str:
    """« le 24 décembre 2026 », « du 24 au 26 décembre 2026 », « du 30 décembre 2026 au 2 janvier 2027 »."""
    if du == au:
        return f"le {en_clair(du)}"
    if (du.year, du.month) == (au.year, au.month):
        debut = "1er" if du.day == 1 else du.day
    else:
        debut = en_clair(du, annee=du.year != au.year)
    return f"du {debut} au {en_clair(au)}"


def enumerer(mots: Iterable[str]) -> str:
    """« lundi, mardi et jeudi »."""
    *debut, fin = mots
    return f"{', '.join(debut)} et {fin}" if debut else fin


def jours_en_clair(jours: Iterable[date]) -> str:
    """« lundi 23 et jeudi 26 novembre »; more than five, by month: « novembre : 23, 26 et 30, décembre : 3 »."""
    jours = sorted(jours)
    mois = {}
    for jour in jours:
        mois.setdefault((jour.year, jour.month), []).append(jour)
    if len(jours) > 5:
        return ", ".join(
            f"{MOIS[m - 1]}\u00a0: {enumerer(_numero(jour) for jour in tenus)}" for (_, m), tenus in mois.items()
        )
    return enumerer(
        f"{enumerer(f'{JOURS[jour.weekday()]} {_numero(jour)}' for jour in tenus)} {MOIS[m - 1]}"
        for (_, m), tenus in mois.items()
    )


def _numero(jour: date) -> str:
    return "1er" if jour.day == 1 else str(jour.day)
