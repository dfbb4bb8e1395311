"""Custody as the database holds it, read by enfants/regles/garde.py."""

from datetime import date

from enfants.models import Garde, PeriodeVacances, Rattachement
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


def foyers_du_jour(enfants: list[int], jour: date) -> dict[int, list[int]]:
    """Key of each child -> keys of the households that have it on that day: two when they share the invoices.

    Three queries, four when one of the children has two households.
    """
    foyers = {enfant: [] for enfant in enfants}
    rattachements = Rattachement.objects.en_vigueur(jour).filter(enfant__in=enfants).order_by("enfant", "famille")
    for enfant, famille in rattachements.values_list("enfant", "famille"):
        foyers[enfant].append(famille)
    alternees = list(Garde.objects.filter(enfant__in=enfants).order_by("enfant").prefetch_related("exceptions"))
    if alternees:
        vacances = PeriodeVacances.objects.filter(valable_au__gte=jour, valable_du__lte=jour)
        periodes = list(vacances.exclude(nom__istartswith="pont").values_list("valable_du", "valable_au"))
        for garde in alternees:
            siens = regles.foyers_du(regle(garde), jour, periodes)
            foyers[garde.enfant_id] = [famille for famille in foyers[garde.enfant_id] if famille in siens]
    return foyers
