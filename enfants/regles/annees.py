"""The school year, named by the civil year of its September; the child's age and level."""

from datetime import date

NIVEAUX = {  # code -> label, in the order a child goes through them
    "TPS": "Toute petite section",
    "PS": "Petite section",
    "MS": "Moyenne section",
    "GS": "Grande section",
    "CP": "CP",
    "CE1": "CE1",
    "CE2": "CE2",
    "CM1": "CM1",
    "CM2": "CM2",
}
PREMIER_AGE = 2  # civil years between the birth and the September of TPS; CP is then the year of the 6th birthday


def annee_scolaire(jour: date) -> int:
    """The school year (1 September to 31 August) of ``jour``: 2026 is 2026-2027."""
    return jour.year - (jour.month < 9)


def libelle(annee: int) -> str:
    """« 2026-2027 », as written on every list and invoice."""
    return f"{annee}-{annee + 1}"


def bornes(annee: int) -> tuple[date, date]:
    """First and last day of the school year, both included."""
    return date(annee, 9, 1), date(annee + 1, 8, 31)


def a_venir(jour: date) -> int:
    """The school year a family registers for on ``jour``.

    From 1 March to 31 August it is the one that opens in September: schools and communes enrol in spring. From
    September to the end of February it is the current one, for those who move in.
    """
    return jour.year - (jour.month < 3)


def _mois(naissance: date, jour: date) -> int:
    return (jour.year - naissance.year) * 12 + jour.month - naissance.month - (jour.day < naissance.day)


def age(naissance: date, jour: date) -> int:
    """Whole years on ``jour``; who was born a 29 February grows up on 1 March. Below 0 before the birth."""
    return _mois(naissance, jour) // 12


def age_texte(naissance: date, jour: date) -> str:
    """« 8 ans », « 10 mois » before the first birthday, « moins d'un mois », « à naître »."""
    if jour < naissance:
        return "à naître"
    if ans := age(naissance, jour):
        return f"{ans}\u00a0an{'s' if ans > 1 else ''}"
    mois = _mois(naissance, jour)
    return f"{mois}\u00a0mois" if mois else "moins d'un mois"


def niveau_suivant(niveau: str) -> str | None:
    """Level of the next September; None after CM2: the child leaves the commune's schools.

    :raises ValueError: the code is not one of ``NIVEAUX``.
    """
    codes = list(NIVEAUX)
    rang = codes.index(niveau) + 1
    return codes[rang] if rang < len(codes) else None


def niveau_habituel(naissance: date, annee: int) -> str:
    """Level of a child neither ahead nor behind in the school year ``annee``, "" when too young or too old.

    PS opens in the civil year of the 3rd birthday (L131-5 Code de l'éducation), CP in that of the 6th; the other
    levels follow.
    """
    rang = annee - naissance.year - PREMIER_AGE
    return list(NIVEAUX)[rang] if 0 <= rang < len(NIVEAUX) else ""
