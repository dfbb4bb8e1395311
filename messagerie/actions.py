"""What reaches a family's inbox, and what is marked read."""

from django.db import transaction
from django.utils import timezone

from familles.models import Famille, Responsable, Utilisateur
from messagerie.models import Fil, Lecture, Message, ServiceMairie
from portail.outils.courriels import envoyer_modele


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


def marquer_lu(fil: Fil, adulte: Responsable) -> None:
    """The thread loses its « non lu » for this adult; the other adult's box does not change."""
    non_lus = fil.messages.filter(de_la_mairie=True).exclude(lectures__adulte=adulte)
    Lecture.objects.bulk_create(
        [Lecture(message=message, adulte=adulte, lu_le=timezone.now()) for message in non_lus.order_by("pk")],
        ignore_conflicts=True,
    )


def prevenir_service(service: ServiceMairie | None, modele: str, **contexte) -> None:
    """Mail the service's own address, where it wants to be told at each event."""
    if service and service.courriel and service.rythme == ServiceMairie.Rythme.IMMEDIAT:
        envoyer_modele(modele, service.courriel, service=service, **contexte)
