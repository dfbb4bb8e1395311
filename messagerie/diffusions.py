"""Messages to many households: fixed when they are sent, handed out by lots that a kill may interrupt."""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from familles.models import Utilisateur
from messagerie.actions import Envoi, cle_du_contenu, diffuser
from messagerie.models import Diffusion, EnvoiDiffusion, PieceMessage, ServiceMairie
from messagerie.taches import balayer_diffusions

LOT = 50  # households a transaction


@transaction.atomic
def preparer(
    *,
    sujet: str,
    corps: str,
    selection: str,
    destinataires: Iterable[tuple[int, int | None]],
    service: ServiceMairie | None,
    par: Utilisateur,
    pieces: Iterable[dict] = (),
    cle: UUID,
) -> Diffusion:
    """The message will reach each of these households once; the worker begins at once.

    :param selection: to whom, in words.
    :param destinataires: key of a household, and of the only adult of it who reads the message, None for both.
    :param pieces: columns of PieceMessage, of ``ranger``; every household may open them.
    :param cle: of the form: sent twice, it makes one diffusion.
    """
    pieces = list(pieces)
    diffusion, nouvelle = Diffusion.objects.get_or_create(
        cle=cle_du_contenu(cle, par.pk, sujet, corps, selection, pieces=pieces),
        defaults={"sujet": sujet, "corps": corps, "selection": selection[:200], "service": service, "par": par},
    )
    if not nouvelle:
        return diffusion
    EnvoiDiffusion.objects.bulk_create(
        EnvoiDiffusion(diffusion=diffusion, famille_id=famille, adulte_id=adulte)
        for famille, adulte in sorted(set(destinataires), key=lambda cles: (cles[0], cles[1] or 0))
    )
    PieceMessage.objects.bulk_create(PieceMessage(diffusion=diffusion, **colonnes) for colonnes in pieces)
    balayer_diffusions.enqueue()
    return diffusion


def poursuivre() -> int:
    """Hand out what waits; returns how many households were reached.

    A lot is one transaction: its messages, its mails and the mark that they are done. A kill loses the lot under way,
    which is handed out anew; two workers share the lots.
    """
    remis = 0
    while lot := _remettre_un_lot():
        remis += lot
    return remis


@transaction.atomic
def _remettre_un_lot():
    envois = list(
        EnvoiDiffusion.objects.filter(fait_le=None, diffusion__arretee_le=None)
        .select_related("diffusion__par", "diffusion__service", "adulte")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("diffusion_id", "pk")[:LOT]  # by its key: the relation alone would put the newest first
    )
    maintenant = timezone.now()
    for diffusion, lot in groupby(envois, key=attrgetter("diffusion")):
        diffuser(
            [Envoi(_foyer(e), diffusion.sujet, diffusion.corps, destinataire=e.adulte_id) for e in lot],
            par=diffusion.par,
            service=diffusion.service,
            diffusion=diffusion,
        )
    EnvoiDiffusion.objects.filter(pk__in=[envoi.pk for envoi in envois]).update(fait_le=maintenant)
    return len(envois)


def _foyer(envoi):
    """Where its only adult reads it: they may have changed households since it was prepared."""
    return envoi.adulte.famille_id if envoi.adulte_id else envoi.famille_id


def arreter(diffusion: Diffusion) -> None:
    """Nobody else gets the message; those who have it keep it."""
    Diffusion.objects.filter(pk=diffusion.pk, arretee_le=None).update(arretee_le=timezone.now())


def reprendre(diffusion: Diffusion) -> None:
    """The households that did not get it yet do."""
    Diffusion.objects.filter(pk=diffusion.pk).update(arretee_le=None)
    balayer_diffusions.enqueue()
