"""A thread prepared for its page: who wrote what, when, with which papers, and what became of it."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Q

from familles.models import Responsable
from messagerie.models import Fil, Message, PieceMessage, Rangement
from portail.outils.dates import quand


@dataclass
class MessageLu:
    """:param suivi: the trail of what the family wrote: « Envoyé hier à 9 h »."""

    de: str
    de_la_mairie: bool
    quand: str
    corps: str
    lien: str
    lien_libelle: str
    pieces: list[PieceMessage] = field(default_factory=list)
    suivi: list[str] = field(default_factory=list)


def charger_fil(fil: Fil, adulte: Responsable) -> dict:
    """What the page of a thread prints, for this adult."""
    ecrits = list(fil.messages.select_related("auteur").order_by("envoye_le", "pk"))
    pieces = _pieces(fil, ecrits)
    return {
        "fil": fil,
        "etat_libelle": "" if fil.etat == Fil.Etat.INFORMATION else fil.get_etat_display(),
        "supprime": Rangement.objects.filter(fil=fil, adulte=adulte).exists(),
        "messages_du_fil": [
            MessageLu(
                _auteur(fil, message, adulte),
                message.de_la_mairie,
                quand(message.envoye_le),
                message.corps,
                message.lien,
                message.lien_libelle,
                pieces[message.pk],
                [] if message.de_la_mairie else _suivi(fil, message, ecrits[rang + 1 :]),
            )
            for rang, message in enumerate(ecrits)
        ],
    }


def _pieces(fil, ecrits) -> dict[int, list[PieceMessage]]:
    """By message; what is joined to a diffusion comes with its text, the first of the thread."""
    jointes, par_message = Q(message__in=ecrits), defaultdict(list)
    if fil.diffusion_id and ecrits:
        jointes |= Q(diffusion=fil.diffusion_id)
    for piece in PieceMessage.objects.filter(jointes).order_by("pk"):
        par_message[piece.message_id or ecrits[0].pk].append(piece)
    return par_message


def _auteur(fil: Fil, message: Message, adulte: Responsable) -> str:
    """The service for the mairie: a family writes to a desk, not to an agent."""
    if message.de_la_mairie:
        return fil.expediteur
    if message.auteur_id in (None, adulte.utilisateur_id):
        return "Vous"
    return message.auteur.nom_complet


def _suivi(fil, message, suivants) -> list[str]:
    """When it was sent; of the family's last, when the mairie opened it; when it answered."""
    suivi = [f"Envoyé {quand(message.envoye_le)}"]
    est_le_dernier = not any(not suivant.de_la_mairie for suivant in suivants)
    if est_le_dernier and fil.lu_mairie_le and fil.lu_mairie_le >= message.envoye_le:
        suivi.append(f"Lu par la mairie {quand(fil.lu_mairie_le)}")
    # What the portal says by itself is no answer.
    reponse = next((s for s in suivants if not s.de_la_mairie or s.auteur_id is not None), None)
    if reponse is not None and reponse.de_la_mairie:
        suivi.append(f"Répondu {quand(reponse.envoye_le)}")
    elif est_le_dernier and fil.etat == Fil.Etat.CLOS:
        suivi.append("Clos par la mairie")
    return suivi
