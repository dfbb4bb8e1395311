"""What reaches a family's inbox, and what is marked read."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from familles.models import Famille, Responsable, Utilisateur
from messagerie.models import Fil, Lecture, Message, ServiceMairie
from portail.outils.courriels import envoyer_a_tous, envoyer_modele


@transaction.atomic
def notifier(
    famille: Famille,
    *,
    sujet: str,
    corps: str,
    par: Utilisateur | None,
    service: ServiceMairie | None = None,
    destinataire: Responsable | None = None,
    lien: str = "",
    lien_libelle: str = "",
    courriel: bool = True,
    lu_par: Responsable | None = None,
) -> Message:
    """A message of the mairie appears in the family's inbox, and a mail says that one awaits.

    Both adults of the household read it, or ``destinataire`` alone. The mail holds no personal data.

    :param par: the agent who causes it, None for the portal itself.
    :param lien: address within the portal where the message leads.
    :param courriel: False for what the family has just done itself: the message alone keeps the trail.
    :param lu_par: the adult who has just done it, and need not be told as of a novelty.
    """
    fil = Fil.objects.create(famille=famille, destinataire=destinataire, service=service, sujet=sujet[:150])
    message = Message.objects.create(
        fil=fil, auteur=par, de_la_mairie=True, corps=corps, lien=lien, lien_libelle=lien_libelle
    )
    if lu_par is not None:
        Lecture.objects.create(message=message, adulte=lu_par)
    if not courriel:
        return message
    for adulte in [destinataire] if destinataire else famille.adultes():
        if adulte.utilisateur.courriel and adulte.utilisateur.is_active:
            envoyer_modele("nouveau_message", adulte.utilisateur.courriel)
    return message


@dataclass(frozen=True)
class Envoi:
    """What one household reads of a message sent to many.

    :param famille: its key.
    :param destinataire: key of the only adult who reads it; None for both.
    """

    famille: int
    sujet: str
    corps: str
    destinataire: int | None = None
    lien: str = ""
    lien_libelle: str = ""


@transaction.atomic
def diffuser(
    envois: Iterable[Envoi], *, par: Utilisateur | None, service: ServiceMairie | None = None
) -> list[Message]:
    """A message, each household its own, appears in many inboxes, and a mail says that one awaits.

    As many queries for three hundred households as for one. An adult to whom several are written gets one mail.

    :param par: the agent who causes it, None for the portal itself.
    """
    envois = list(envois)
    if not envois:
        return []
    fils = Fil.objects.bulk_create(
        Fil(famille_id=e.famille, destinataire_id=e.destinataire, service=service, sujet=e.sujet[:150]) for e in envois
    )
    messages = Message.objects.bulk_create(
        Message(fil=fil, auteur=par, de_la_mairie=True, corps=e.corps, lien=e.lien, lien_libelle=e.lien_libelle)
        for fil, e in zip(fils, envois, strict=True)
    )
    entiers = {e.famille for e in envois if e.destinataire is None}
    seuls = {e.destinataire for e in envois if e.destinataire is not None}
    adultes = Responsable.objects.filter(Q(famille__in=entiers) | Q(pk__in=seuls), utilisateur__is_active=True)
    adresses = adultes.exclude(utilisateur__courriel="").order_by("pk")
    envoyer_a_tous("nouveau_message", adresses.values_list("utilisateur__courriel", flat=True))
    return messages


def marquer_lu(fil: Fil, adulte: Responsable) -> None:
    """The thread loses its « non lu » for this adult; the other adult's box does not change."""
    non_lus = fil.messages.filter(de_la_mairie=True).exclude(lectures__adulte=adulte)
    Lecture.objects.bulk_create(
        [Lecture(message=message, adulte=adulte, lu_le=timezone.now()) for message in non_lus.order_by("pk")],
        ignore_conflicts=True,
    )


def prevenir_service(service: ServiceMairie | None, modele: str, **contexte) -> None:
    """Mail the service's own address, where it wants to be told at each event; it leaves within the minute."""
    if service and service.courriel and service.rythme == ServiceMairie.Rythme.IMMEDIAT:
        envoyer_modele(modele, service.courriel, reveiller=False, service=service, **contexte)
