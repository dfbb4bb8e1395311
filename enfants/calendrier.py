"""The calendar that the deadlines count on: what the agents keep in the tables, else what the packages know."""

from datetime import date
from itertools import groupby
from operator import itemgetter

from enfants.models import JourFerie, PeriodeVacances
from enfants.regles.annees import annee_scolaire, bornes
from enfants.regles.garde import Periode
from portail.commune import Commune

ZONES = ("A", "B", "C")


def charger(du: date, au: date, zone: str | None = None) -> tuple[tuple[Periode, ...], frozenset[date]]:
    """School holidays that touch the days from ``du`` to ``au``, each whole and in order, and public holidays.

    What ``Calendrier`` of enfants/regles/delais.py wants; two queries. A school year that has a row in
    ``PeriodeVacances`` is the agents', and so is a civil year that has a row in ``JourFerie``; only the others come
    from the package ``holidays``: a bridge that an agent has removed must not come back.

    :param zone: A, B or C, the commune's when None; the tables know its holidays, not those of another.
    """
    # A holiday belongs to the school year of its first day, and that of ``du`` may have begun the year before.
    annees = range(annee_scolaire(du) - 1, annee_scolaire(au) + 1)
    vacances = []
    sienne = Commune.actuelle().zone
    zone = sienne if zone is None else zone
    if zone == sienne:
        lignes = PeriodeVacances.objects.filter(
            valable_du__gte=bornes(annees[0])[0], valable_du__lte=bornes(annees[-1])[1]
        )
        vacances = list(lignes.values_list("valable_du", "valable_au"))
    tenues = {annee_scolaire(premier) for premier, _ in vacances}
    if manquantes := set(annees) - tenues:
        vacances += [periode for periode in _vacances(zone, annees) if annee_scolaire(periode[0]) in manquantes]

    civiles = range(du.year, au.year + 1)
    feries = set(JourFerie.objects.filter(jour__year__range=(du.year, au.year)).values_list("jour", flat=True))
    if manquantes := set(civiles) - {jour.year for jour in feries}:
        feries |= _feries(manquantes)
    return (
        tuple(sorted((premier, dernier) for premier, dernier in vacances if dernier >= du and premier <= au)),
        frozenset(jour for jour in feries if du <= jour <= au),
    )


def _vacances(zone: str, annees: range) -> list[Periode]:
    """The holidays of the school years ``annees`` in the package, which lists them day by day."""
    from holidays import France  # 60 ms, and only where the tables are empty

    jours = France(years=range(annees[0], annees[-1] + 2), subdiv=f"Zone {zone}", categories=("school",), language="fr")
    groupes = ([jour for jour, _ in groupe] for _, groupe in groupby(sorted(jours.items()), itemgetter(1)))
    return [(groupe[0], groupe[-1]) for groupe in groupes]


def _feries(annees: set[int]) -> set[date]:
    from holidays import France  # as above

    return set(France(years=annees, language="fr"))
