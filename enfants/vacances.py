"""The calendar that is published: school holidays of a zone (vacances-scolaires-france), public ones (holidays)."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from django.db import transaction
from vacances_scolaires_france import SchoolHolidayDates

from enfants.models import JourFerie, PeriodeVacances

ZONES = SchoolHolidayDates.SUPPORTED_ZONES


class Periode(NamedTuple):
    nom: str
    du: date
    au: date


class Import(NamedTuple):
    """What became of a period: ``gardees`` are the rows on file that it would have overlapped."""

    periode: Periode
    gardees: list[PeriodeVacances]


def publiees(zone: str) -> list[Periode]:
    """Every period that the package knows for the zone « A », « B » or « C », the bridge of the Ascension too."""
    vacances = SchoolHolidayDates()
    cle = vacances.zone_key(zone)
    jours = ((jour, ligne["nom_vacances"]) for jour, ligne in sorted(vacances.data.items()) if ligne[cle])
    return [_jusqu_au_31_aout(periode) for periode in _regrouper(jours)]


def _regrouper(jours) -> Iterator[Periode]:
    """Consecutive days of one name as a period."""
    periode = None
    for jour, nom in jours:
        if periode and nom == periode.nom and jour == periode.au + timedelta(days=1):
            periode = periode._replace(au=jour)
            continue
        if periode:
            yield periode
        periode = Periode(nom, jour, jour)
    if periode:
        yield periode


def _jusqu_au_31_aout(periode):
    """Some summers of the package go to the day of the pupils, others to 31 August: here the school year's end."""
    est_l_ete = periode.du.month in (6, 7)
    return periode._replace(au=date(periode.du.year, 8, 31)) if est_l_ete else periode


@transaction.atomic
def importer(periodes: list[Periode]) -> list[Import]:
    """The calendar shows these holidays; where one overlaps a row on file, the row wins: an agent corrected it."""
    bilan = []
    for periode in periodes:
        gardees = list(PeriodeVacances.objects.filter(valable_du__lte=periode.au, valable_au__gte=periode.du))
        if not gardees:
            PeriodeVacances.objects.create(nom=periode.nom, valable_du=periode.du, valable_au=periode.au)
        bilan.append(Import(periode, gardees))
    return bilan


def feries_publies(annees: Iterable[int]) -> dict[date, str]:
    """The public holidays of these civil years, with their names."""
    from holidays import France  # 60 ms

    return dict(sorted(France(years=list(annees), language="fr").items()))


@transaction.atomic
def importer_feries(feries: dict[date, str]) -> dict[int, list[JourFerie]]:
    """The calendar holds these public holidays; a day that is on file stays as an agent called it.

    :returns: civil year -> the days added.
    """
    connus = set(JourFerie.objects.filter(jour__in=feries).values_list("jour", flat=True))
    nouveaux = [JourFerie(jour=jour, nom=nom) for jour, nom in feries.items() if jour not in connus]
    JourFerie.objects.bulk_create(nouveaux, ignore_conflicts=True)
    annees = sorted({jour.year for jour in feries})
    return {annee: [ferie for ferie in nouveaux if ferie.jour.year == annee] for annee in annees}
