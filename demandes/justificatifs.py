"""The proof of an absence: awaited until an hour, reminded of once, joined later; without it, the absence falls."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from demandes import actions
from demandes.models import Demande, Justificatif, PieceJointe
from demandes.types.planning import Absences
from enfants.messages import prevenir
from enfants.regles.dates import JOURS, en_clair
from familles.actions import ecrire
from familles.models import Utilisateur
from messagerie.models import ServiceMairie
from portail.commune import Commune
from portail.outils.dates import heure
from portail.outils.francais import au_milieu

RAPPEL = timedelta(hours=12)


class PlusRienAttendu(Exception):
    """This demande awaits no proof."""


def relancer_justificatifs(*, maintenant: datetime) -> None:
    """Twelve hours before the end, who has sent no proof reads it once; past the end, the absence is refused.

    A paper joined, or a proof received at the desk, leaves the demande to the agent. Each demande in its own
    transaction, locked: an agent who decides at the same moment and the portal never both do.
    """
    manquants = _manquants()
    for cle in list(manquants.filter(attendu_avant__lte=maintenant).values_list("demande", flat=True)):
        _refuser(cle, maintenant)
    bientot = manquants.filter(attendu_avant__gt=maintenant, attendu_avant__lte=maintenant + RAPPEL, rappele_le=None)
    for cle in list(bientot.values_list("demande", flat=True)):
        _rappeler(cle, maintenant)


def _manquants():
    papiers = PieceJointe.objects.filter(demande=OuterRef("demande"))
    en_attente = Justificatif.objects.filter(demande__etat=Demande.Etat.EN_ATTENTE, recu_le=None)
    return en_attente.exclude(Exists(papiers)).order_by("attendu_avant", "pk")


def _encore_manquant(cle):
    """The demande, locked, and its proof; None when it came or was decided meanwhile."""
    demande = actions.verrouiller(cle)
    justificatif = _manquants().select_for_update(of=("self",)).filter(demande=demande).first()
    return demande, justificatif


@transaction.atomic
def _refuser(cle, maintenant):
    demande, justificatif = _encore_manquant(cle)
    if justificatif is not None and justificatif.attendu_avant <= maintenant:
        actions.refuser(cle, par=None, motif=_motif(demande, justificatif))


def _motif(demande, justificatif):
    return (
        f"Le justificatif de cette absence («\u00a0{demande.valeurs_demandees['raison']}\u00a0») était attendu "
        f"{echeance(justificatif)} et n'est pas arrivé. L'absence n'est pas validée\u00a0: le service reste dû. "
        f"Si vous l'avez, contactez {_contact(demande)}."
    )


def _contact(demande):
    service, commune = ServiceMairie.de(demande.genre.service), Commune.actuelle()
    moyens = [moyen for moyen in (commune.telephone, commune.courriel) if moyen]
    qui = f"le {au_milieu(service.nom)}" if service else "la mairie"
    return f"{qui} ({', '.join(moyens)})" if moyens else qui


@transaction.atomic
def _rappeler(cle, maintenant):
    demande, justificatif = _encore_manquant(cle)
    if justificatif is None or justificatif.rappele_le:
        return
    service = ServiceMairie.de(demande.genre.service)
    prevenir(
        demande.famille,
        demande.enfants_concernes(),
        sujet=f"{demande.titre}\u00a0: justificatif attendu",
        corps=f"Bonjour,\n\nNous attendons un justificatif («\u00a0{demande.valeurs_demandees['raison']}\u00a0») "
        f"{echeance(justificatif)}. Une photo nette suffit.\n\n"
        "Sans lui, l'absence ne pourra pas être validée et le service restera dû.\n\n"
        f"{service.nom if service else Commune.actuelle().nom}",
        par=None,
        service=service,
        lien=demande.get_absolute_url(),
        lien_libelle="Joindre le justificatif",
        objet=demande.objet_du_fil,
        modele="justificatif_attendu",
        precisions={"avant": echeance(justificatif)},
    )
    ecrire(justificatif, {"rappele_le": maintenant})


def echeance(justificatif: Justificatif) -> str:
    """« avant le jeudi 26 novembre à 12 h »."""
    local = timezone.localtime(justificatif.attendu_avant)
    return f"avant le {JOURS[local.weekday()]} {en_clair(local.date(), annee=False)} à {heure(local)}"


def attendu(demande: Demande) -> Justificatif | None:
    """The proof that this pending demande still waits for, late or not, or has received as a paper."""
    if not demande.est_en_attente or demande.type != Absences.code:
        return None
    return Justificatif.objects.filter(demande=demande, recu_le=None).first()


@transaction.atomic
def joindre(demande: Demande, pieces: list[dict], *, par: Utilisateur) -> Demande:
    """The papers join the pending demande; from now on an agent decides, the portal no longer refuses.

    :param pieces: columns of PieceJointe, as ``PiecesForm.ranger`` returns them.
    :raises DemandeDejaTraitee: decided meanwhile, by an agent or for want of proof.
    :raises PlusRienAttendu: no proof is awaited, or it was received at the desk.
    :raises TropDePieces: more than NOMBRE_MAX_PIECES in all.
    """
    demande = actions.verrouiller(demande.pk)
    if not demande.est_en_attente:
        raise actions.DemandeDejaTraitee(demande)
    if attendu(demande) is None:
        raise PlusRienAttendu
    if demande.pieces.count() + len(pieces) > settings.NOMBRE_MAX_PIECES:
        raise actions.TropDePieces
    PieceJointe.objects.bulk_create(PieceJointe(demande=demande, deposee_par=par, **piece) for piece in pieces)
    # Who read the demande without its paper reads it again before deciding.
    ecrire(
        demande,
        {"modifiee_le": timezone.now(), "version": demande.version + 1, "lue_le": None, "lue_par": None},
    )
    return demande
