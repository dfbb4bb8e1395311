"""The calendar by subscription: a secret address, by adult, where its own agenda reads the reservations."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from enfants.models import AbonnementCalendrier, Enfant, Reservation
from enfants.regles import delais
from familles.models import Responsable
from portail.outils.ical import Evenement, calendrier

AVANT, APRES = timedelta(days=31), timedelta(days=365)
LECTURE_NOTEE = timedelta(hours=1)  # agendas read again and again: the date is written once an hour


@transaction.atomic
def creer(adulte: Responsable) -> str:
    """A new address, whose secret is told this once; the former one stops at the same moment.

    :returns: the secret: 32 random bytes. Only its hash is kept.
    """
    jeton = secrets.token_urlsafe(32)
    valeurs = {"empreinte": _empreinte(jeton), "cree_le": timezone.now(), "lu_le": None}
    AbonnementCalendrier.objects.update_or_create(adulte=adulte, defaults=valeurs)
    return jeton


def supprimer(adulte: Responsable) -> bool:
    """The address stops; False when there was none."""
    return bool(AbonnementCalendrier.objects.filter(adulte=adulte).delete()[0])


def trouver(jeton: str) -> AbonnementCalendrier | None:
    """Whose address it is; None when it was replaced or removed, or when the account is closed."""
    siens = AbonnementCalendrier.objects.select_related("adulte__utilisateur")
    return siens.filter(empreinte=_empreinte(jeton), adulte__utilisateur__is_active=True).first()


def _empreinte(jeton):
    # Plain SHA-256: nobody guesses 256 random bits.
    return hashlib.sha256(jeton.encode(errors="replace")).hexdigest()


def lire(abonnement: AbonnementCalendrier, *, maintenant: datetime) -> bytes:
    """The reservations of the adult's own household, for the children that it may see now."""
    lus = AbonnementCalendrier.objects.filter(pk=abonnement.pk)
    lus.filter(Q(lu_le=None) | Q(lu_le__lt=maintenant - LECTURE_NOTEE)).update(lu_le=maintenant)
    aujourdhui, adulte = timezone.localdate(maintenant), abonnement.adulte
    reservations = Reservation.objects.actives().filter(
        famille=adulte.famille_id,
        enfant__in=Enfant.objects.visibles_par(adulte.utilisateur).order_by().values("pk"),
        jour__gte=aujourdhui - AVANT,
        jour__lte=aujourdhui + APRES,
        motif_absence=None,
    )
    reservations = reservations.select_related("enfant", "service").order_by("jour", "service__heure_debut", "pk")
    return calendrier("Portail famille", map(_evenement, reservations), _fuseau())


def _fuseau():
    return ZoneInfo(settings.TIME_ZONE)


def _evenement(reservation):
    enfant, service, jour = reservation.enfant, reservation.service, reservation.jour
    heures = delais.Calendrier(_fuseau(), (), service.heure_debut)
    return Evenement(
        # Booked, cancelled and booked again, it is the same appointment; it tells nothing by itself.
        uid=f"{uuid.uuid5(enfant.uuid, f'{service.code}/{jour}')}@portail-famille",
        debut=heures.instant(jour, service.heure_debut),
        fin=heures.instant(jour, service.heure_fin),
        resume=f"{service.nom_court} – {enfant.prenom}",
        ecrit_le=reservation.reservee_le,
    )
