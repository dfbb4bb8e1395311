"""What billing a month costs, lot by lot, on a base that ``peupler`` has filled; everything is undone at the end."""

import resource
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from time import perf_counter

from django.db import connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enfants.models import Reservation
from facturation import campagnes
from facturation.models import Campagne, Produit, Regie
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
    comptable = Utilisateur.objects.get(identifiant="comptable")
    try:
        with transaction.atomic():
            regie = Regie.objects.filter(regime=Regie.Regime.REGIE).order_by("pk").first()
            Produit.objects.update(regie=regie)
            campagne = campagnes.ouvrir(regie, mois)
            campagnes.lancer_preparation(campagne, par=comptable)
            yield from (("préparation", lot) for lot in _lots(campagne))
            campagne.refresh_from_db()
            suivant = (mois + timedelta(days=31)).replace(day=1)
            echeance = suivant + timedelta(days=30)
            campagnes.lancer_emission(campagne, emise_le=suivant, echeance=echeance, par=comptable)
            yield from (("émission", lot) for lot in _lots(campagne))
            raise _Defaire
    except _Defaire:
        pass


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
