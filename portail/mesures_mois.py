"""What billing a month costs, on a base that ``peupler`` has filled.

Lot by lot, in a transaction that is undone; or whole, by several processes on a copy of the base.
"""

import multiprocessing
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from time import perf_counter

from django.db import OperationalError, connection, connections, transaction
from django.db.models import Count, Max
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enfants.models import Reservation
from facturation import campagnes
from facturation.models import Campagne, Facture, Produit, Regie
from familles.models import Utilisateur
from portail.mesures import MesureImpossible

ORDRES = ("SELECT", "INSERT", "UPDATE", "DELETE", "COPY")


@dataclass(frozen=True)
class Lot:
    """A lot of households, its drafts then its invoices.

    :param secondes: of the clock, the checks of the keys included.
    :param memoire: the most that the process has held so far, in MB.
    """

    familles: int
    secondes: float
    ordres: int
    memoire: float


class _Defaire(Exception):
    pass


def mois_charge() -> tuple[date, int]:
    """The month behind us with most booked days, and how many.

    :raises MesureImpossible: nothing is booked.
    """
    ce_mois = timezone.localdate().replace(day=1)
    passees = Reservation.objects.actives().filter(jour__lt=ce_mois, jour__gte=ce_mois - timedelta(days=366))
    mois = passees.order_by().values_list("jour__year", "jour__month").annotate(n=Count("pk")).order_by("-n").first()
    if mois is None:
        raise MesureImpossible("Il faut des réservations\u00a0: lancez d'abord «\u00a0manage.py peupler\u00a0».")
    return date(mois[0], mois[1], 1), mois[2]


def facturer_tout(mois: date) -> Iterator[tuple[str, Lot]]:
    """Bill the whole month as one régie, all its services together; yields each lot as it is done."""
    try:
        with transaction.atomic():
            for etape, campagne in _etapes(mois):
                yield from ((etape, lot) for lot in _lots(campagne))
            raise _Defaire
    except _Defaire:
        pass


def _etapes(mois):
    """Launch one step, then the other once the first is over."""
    comptable = Utilisateur.objects.get(identifiant="comptable")
    regie = Regie.objects.filter(regime=Regie.Regime.REGIE).order_by("pk").first()
    Produit.objects.update(regie=regie)
    campagne = campagnes.ouvrir(regie, mois)
    campagnes.lancer_preparation(campagne, par=comptable)
    yield "préparation", campagne
    suivant = (mois + timedelta(days=31)).replace(day=1)
    numerotees = Facture.objects.emises().filter(exercice=suivant.year)
    emise_le = max(suivant, numerotees.aggregate(d=Max("emise_le"))["d"] or suivant)
    campagnes.lancer_emission(campagne, emise_le=emise_le, echeance=emise_le + timedelta(days=30), par=comptable)
    yield "émission", campagne


def _lots(campagne: Campagne) -> Iterator[Lot]:
    while True:
        debut = perf_counter()
        with CaptureQueriesContext(connection) as captees:
            familles = campagnes.un_lot(campagne.pk)
            connection.check_constraints()
        if not familles:
            return
        ordres = sum(requete["sql"].strip().lstrip("(").startswith(ORDRES) for requete in captees.captured_queries)
        memoire = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield Lot(familles, perf_counter() - debut, ordres, memoire)


# --- Whole, by several processes ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Etape:
    """A step, done by several processes at once.

    :param lots: when each was over, in seconds since the step began, and its households; in order.
    :param memoire: the most that a process has held, in MB.
    """

    nom: str
    lots: list[tuple[float, int]]
    memoire: float

    @property
    def secondes(self) -> float:
        return self.lots[-1][0]

    @property
    def familles(self) -> int:
        return sum(familles for _, familles in self.lots)


@contextmanager
def sur_une_copie() -> Iterator[None]:
    """Until the end of the block, the base is a copy of itself; nothing of it is left.

    :raises MesureImpossible: somebody else is at work on the base.
    """
    base = connection.settings_dict["NAME"]
    copie = f"{base}_mesure"
    try:
        _administrer(f'DROP DATABASE IF EXISTS "{copie}"', f'CREATE DATABASE "{copie}" TEMPLATE "{base}"')
    except OperationalError as erreur:
        raise MesureImpossible(
            "Arrêtez d'abord le portail\u00a0: la base ne se copie pas pendant qu'il sert."
        ) from erreur
    try:
        connection.settings_dict["NAME"] = copie
        yield
    finally:
        connections.close_all()
        connection.settings_dict["NAME"] = base
        _administrer(f'DROP DATABASE "{copie}"')


def _administrer(*ordres):
    connections.close_all()
    with connection._nodb_cursor() as curseur:
        for ordre in ordres:
            curseur.execute(ordre)


def facturer_a(processus: int, mois: date) -> Iterator[Etape]:
    """Bill the whole month as so many workers would, for good; yields each step as it is over."""
    for nom, campagne in _etapes(mois):
        connections.close_all()  # each process opens its own
        debut = perf_counter()
        with multiprocessing.get_context("fork").Pool(processus) as equipe:
            faits = equipe.map(_travailler, [campagne.pk] * processus, chunksize=1)
        lots = sorted((fin - debut, familles) for lots, _ in faits for fin, familles in lots)
        yield Etape(nom, lots, max(memoire for _, memoire in faits))


def _travailler(cle):
    """What a worker does of a campaign: when each of its lots was over, and the most that it held in memory."""
    lots = []
    while familles := campagnes.un_lot(cle):
        lots.append((perf_counter(), familles))
    connections.close_all()
    return lots, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
