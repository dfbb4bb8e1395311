"""Mandatory vaccines by date of birth. The law changes: what it says is in rows, the functions know no date."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

DELAI_REGULARISATION = 3  # months from a provisional admission (R3111-8 Code de la santé publique)


@dataclass(frozen=True)
class Obligation:
    """One disease a child must be vaccinated against, and for which children; None bounds nothing.

    :param ne_a_partir_de: first birth date concerned.
    :param ne_avant: first birth date no longer concerned.
    :param obligatoire_du: first day the vaccine may be asked for.
    :param obligatoire_au: last day it may be asked for (another row takes over).
    """

    code: str
    nom: str
    ne_a_partir_de: date | None = None
    ne_avant: date | None = None
    obligatoire_du: date | None = None
    obligatoire_au: date | None = None


_2018 = date(2018, 1, 1)  # loi 2017-1836, art. 49
# Décret 2024-694, and those who were not 18 months old on 1 January 2025 (R3111-2). Published guides hesitate between
# January and July 2023: hence a table that the commune edits.
_MENINGOCOQUES = date(2023, 7, 1)
_2025 = date(2025, 1, 1)

# L3111-2, R3111-2 Code de la santé publique.
TABLE_2025 = (
    Obligation("DIPHTERIE", "Diphtérie"),
    Obligation("TETANOS", "Tétanos"),
    Obligation("POLIO", "Poliomyélite"),
    Obligation("COQUELUCHE", "Coqueluche", _2018),
    Obligation("HIB", "Haemophilus influenzae de type b", _2018),
    Obligation("HEPATITE_B", "Hépatite B", _2018),
    Obligation("PNEUMOCOQUE", "Pneumocoque", _2018),
    Obligation("ROUGEOLE", "Rougeole", _2018),
    Obligation("OREILLONS", "Oreillons", _2018),
    Obligation("RUBEOLE", "Rubéole", _2018),
    Obligation("MENINGO_C", "Méningocoque C (ou ACWY)", _2018, ne_avant=_MENINGOCOQUES),
    Obligation("MENINGO_C_2024", "Méningocoque C (jusqu'en 2024)", _MENINGOCOQUES, obligatoire_au=date(2024, 12, 31)),
    Obligation("MENINGO_ACWY", "Méningocoques A, C, W et Y", _MENINGOCOQUES, obligatoire_du=_2025),
    Obligation("MENINGO_B", "Méningocoque B", _MENINGOCOQUES, obligatoire_du=_2025),
)


def _concerne(obligation: Obligation, naissance: date, jour: date) -> bool:
    return (
        (obligation.ne_a_partir_de is None or naissance >= obligation.ne_a_partir_de)
        and (obligation.ne_avant is None or naissance < obligation.ne_avant)
        and (obligation.obligatoire_du is None or jour >= obligation.obligatoire_du)
        and (obligation.obligatoire_au is None or jour <= obligation.obligatoire_au)
    )


def obligatoires(naissance: date | None, jour: date, table: Sequence[Obligation]) -> list[Obligation]:
    """What the health page asks of a child born on ``naissance``, on ``jour``, in the order of the table.

    Empty without a birth date: nothing can be told. All are asked for from birth: at the age of school the schedule of
    the doses is over (18 months, R3111-2).
    """
    return [obligation for obligation in table if naissance and _concerne(obligation, naissance, jour)]


def manquants(
    naissance: date | None, jour: date, table: Sequence[Obligation], faits: Mapping[str, str | date]
) -> list[Obligation]:
    """The mandatory vaccines without a date in the file, in the order of the table.

    :param faits: code of the vaccine -> when it was done, a date or what the family wrote; "" means not done.
    """
    return [obligation for obligation in obligatoires(naissance, jour, table) if not faits.get(obligation.code)]


def limite_provisoire(jour: date) -> date:
    """Last day of a provisional admission decided on ``jour``: same day three months later, or the month's last."""
    annees, mois = divmod(jour.month - 1 + DELAI_REGULARISATION, 12)
    annee, mois = jour.year + annees, mois + 1
    return date(annee, mois, min(jour.day, monthrange(annee, mois)[1]))
