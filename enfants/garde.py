"""Custody as the database holds it, read by enfants/regles/garde.py."""

from datetime import date

from enfants.models import Garde, PeriodeVacances
from enfants.regles import garde as regles


def regle(garde: Garde, exceptions: list[tuple] | None = None) -> regles.Garde:
    """The rule of a child's custody; its households are the keys of familles.

    :param exceptions: (first day, last day, household) not saved yet, instead of those on file.
    """
    if exceptions is None:
        exceptions = [(e.valable_du, e.valable_au, e.foyer_id) for e in garde.exceptions.all()]
    return regles.Garde(
        mode=regles.Mode(garde.mode),
        foyers=(garde.premier_foyer_id, garde.second_foyer_id),
        premiere_semaine=garde.premiere_semaine,
        jour_passage=garde.jour_passage,
        vacances=regles.Vacances(garde.vacances),
        premiere_moitie_annees_paires=garde.premiere_moitie_annees_paires,
        part=garde.part,
        exceptions=tuple(exceptions),
    )


def calendrier(garde: Garde, du: date, au: date) -> dict[date, tuple[int, ...]]:
    """Which household has the child on each day, both ends included: its key, or both when invoices are shared.

    The bridge of the Ascension follows the weeks: holidays by halves cut whole holidays.
    """
    vacances = PeriodeVacances.objects.filter(valable_au__gte=du, valable_du__lte=au).exclude(nom__istartswith="pont")
    periodes = list(vacances.values_list("valable_du", "valable_au"))
    return regles.calendrier(regle(garde), du, au, periodes)
