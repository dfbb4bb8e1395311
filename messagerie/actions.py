"""What reaches a family's inbox and the mairie's, who reads it, and where it is put away."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from familles.models import Famille, Responsable, Utilisateur
from messagerie.courriels import prevenir_adultes
from messagerie.models import Diffusion, Fil, Lecture, Message, PieceMessage, Rangement, ServiceMairie
from portail.outils.courriels import envoyer_modele

MESSAGES_PAR_HEURE = 20  # that one adult may write


class EnvoiImpossible(Exception):
    """Nothing was written; the text says why, to the person who tried."""


class TropDeMessages(EnvoiImpossible):
    def __init__(self):
        super().__init__("Vous avez envoyé beaucoup de messages en une heure. Attendez un peu avant le suivant.")


class ReponseEntreTemps(EnvoiImpossible):
    """Somebody wrote in the thread since the page was opened."""


@dataclass(frozen=True)
class Objet:
    """What a thread is about.

    :param cle: what its app understands, « demande/<uuid> ».
    :param libelle: in the words of the family, « Réservations de Léa ».
    :param lien: address within the portal where the family reads it.
    :param neuf: it has just been made: there can be no thread about it to look for.
    :param un_seul_fil: False where there is always something new to ask, as about a child: once its thread is
        answered, the next question opens another.
    """

    cle: str = ""
    libelle: str = ""
    lien: str = ""
    neuf: bool = False
    un_seul_fil: bool = True


# --- The mairie, or the portal in its name, writes --------------------------------------------------------


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
    objet: Objet | None = None,
    courriel: bool = True,
    modele: str = "nouveau_message",
    precisions: dict | None = None,
    lu_par: Responsable | None = None,
) -> Message:
    """A message of the mairie appears in the family's inbox, and a mail says that one awaits.

    Both adults of the household read it, or ``destinataire`` alone. The mail holds no personal data.

    :param par: the agent who causes it, None for the portal itself.
    :param lien: address within the portal where the message leads.
    :param objet: what it is about: where the same adults have a thread about it already, the message joins it.
    :param courriel: False for what the family has just done itself: the message alone keeps the trail.
    :param modele: the mail, where its subject can tell more than that a message awaits.
    :param precisions: what the templates of this mail print; nothing personal.
    :param lu_par: the adult who has just done it, and need not be told as of a novelty.
    """
    fil = _fil_de(famille, destinataire, objet) if objet else None
    if fil is None:
        fil = _nouveau_fil(famille, destinataire=destinataire, service=service, sujet=sujet, objet=objet)
    else:
        fil.sujet = sujet[:150]
    message = _ecrire(fil, de_la_mairie=True, auteur=par, corps=corps, lien=lien, lien_libelle=lien_libelle)
    if lu_par is not None:
        Lecture.objects.create(message=message, adulte=lu_par)
    if courriel:
        prevenir_adultes(_lecteurs(fil), modele, **(precisions or {}))
    return message


@dataclass(frozen=True)
class Envoi:
    """What one household reads of a message sent to many.

    :param famille: its key.
    :param destinataire: key of the only adult who reads it; None for both.
    :param objet: what it is about, which has just been made: no thread about it is looked for.
    """

    famille: int
    sujet: str
    corps: str
    destinataire: int | None = None
    lien: str = ""
    lien_libelle: str = ""
    objet: Objet = Objet()


@transaction.atomic
def diffuser(
    envois: Iterable[Envoi],
    *,
    par: Utilisateur | None,
    service: ServiceMairie | None = None,
    diffusion: Diffusion | None = None,
    modele: str = "nouveau_message",
) -> list[Message]:
    """A message, each household its own, appears in many inboxes, and a mail says that one awaits.

    As many queries for three hundred households as for one. An adult to whom several are written gets one mail.

    :param par: the agent who causes it, None for the portal itself.
    :param diffusion: of which these are the copies.
    :param modele: the mail, which tells nothing of the family.
    """
    envois, maintenant = list(envois), timezone.now()
    if not envois:
        return []
    fils = Fil.objects.bulk_create(
        Fil(
            famille_id=e.famille,
            destinataire_id=e.destinataire,
            service=service,
            sujet=e.sujet[:150],
            dernier_le=maintenant,
            mairie_le=maintenant,
            diffusion=diffusion,
            contexte=e.objet.cle,
            contexte_libelle=e.objet.libelle[:150],
            contexte_lien=e.objet.lien,
        )
        for e in envois
    )
    messages = Message.objects.bulk_create(
        Message(
            fil=fil,
            auteur=par,
            de_la_mairie=True,
            corps=e.corps,
            lien=e.lien,
            lien_libelle=e.lien_libelle,
            envoye_le=maintenant,
        )
        for fil, e in zip(fils, envois, strict=True)
    )
    entiers = {e.famille for e in envois if e.destinataire is None}
    seuls = {e.destinataire for e in envois if e.destinataire is not None}
    prevenir_adultes(Q(famille__in=entiers) | Q(pk__in=seuls), modele)
    return messages


@transaction.atomic
def repondre_a_la_famille(
    fil: Fil, *, par: Utilisateur, corps: str, pieces: Iterable[dict] = (), cle: UUID, vu: int | None = None
) -> Message:
    """The family reads the answer in the thread, whoever deleted it, and a mail says that a message awaits.

    :param pieces: columns of PieceMessage, of ``ranger``.
    :param cle: of the form: sent twice, it makes one message.
    :param vu: key of the last message that the agent had before their eyes; None not to look.
    :raises ReponseEntreTemps: a colleague or the family wrote since.
    """
    fil, pieces = Fil.objects.select_for_update(of=("self",)).get(pk=fil.pk), list(pieces)
    cle = cle_du_contenu(cle, fil.pk, corps, pieces=pieces)
    if deja := Message.objects.filter(cle=cle, auteur=par).first():
        return deja
    _rien_de_neuf(fil, vu)
    _lu_par_la_mairie(fil, par)
    message = _ecrire(fil, de_la_mairie=True, auteur=par, corps=corps, pieces=pieces, cle=cle)
    prevenir_adultes(_lecteurs(fil), "nouveau_message")
    return message


def _rien_de_neuf(fil, vu):
    """:raises ReponseEntreTemps: there is a message after the one of key ``vu``."""
    if vu is None:
        return
    dernier = fil.messages.filter(pk__gt=vu).select_related("auteur").order_by("pk").last()
    if dernier is None:
        return
    qui = "La famille"
    if dernier.de_la_mairie:
        qui = dernier.auteur.nom_complet if dernier.auteur else "Le portail"
    raise ReponseEntreTemps(f"{qui} vient d'écrire dans cet échange. Relisez-le avant de continuer.")


@transaction.atomic
def ecrire_a_la_famille(
    famille: Famille,
    *,
    par: Utilisateur,
    service: ServiceMairie | None,
    sujet: str,
    corps: str,
    destinataire: Responsable | None = None,
    pieces: Iterable[dict] = (),
    cle: UUID,
) -> Message:
    """A new thread appears in the family's inbox, or in that of one adult alone, and a mail says that one awaits.

    :param cle: of the form: sent twice, it makes one message.
    """
    # One form of an agent at a time: two clicks find each other here.
    Utilisateur.objects.select_for_update(of=("self",), no_key=True).get(pk=par.pk)
    pieces = list(pieces)
    cle = cle_du_contenu(cle, famille.pk, destinataire and destinataire.pk, sujet, corps, pieces=pieces)
    if deja := Message.objects.filter(cle=cle, auteur=par).first():
        return deja
    fil = _nouveau_fil(famille, destinataire=destinataire, service=service, sujet=sujet)
    message = _ecrire(fil, de_la_mairie=True, auteur=par, corps=corps, pieces=pieces, cle=cle)
    prevenir_adultes(_lecteurs(fil), "nouveau_message")
    return message


# --- The family writes ------------------------------------------------------------------------------------


@transaction.atomic
def ecrire(
    adulte: Responsable,
    *,
    service: ServiceMairie | None,
    sujet: str,
    corps: str,
    prive: bool = False,
    objet: Objet | None = None,
    pieces: Iterable[dict] = (),
    cle: UUID,
) -> Message:
    """A new thread awaits an answer of the service, which is told by mail; about the same thing, the thread goes on.

    :param prive: this adult alone reads it, not the other one of the household.
    :param cle: of the form: sent twice, it makes one message.
    :raises TropDeMessages: this adult wrote a lot within the hour.
    """
    adulte, pieces = _a_son_tour(adulte), list(pieces)
    cle = cle_du_contenu(cle, sujet, corps, prive, pieces=pieces)
    if deja := Message.objects.filter(cle=cle, auteur=adulte.utilisateur).first():
        return deja
    _freiner(adulte)
    seul = adulte if prive else None
    fil = _fil_de(adulte.famille, seul, objet) if objet else None
    if fil is None:
        fil = _nouveau_fil(adulte.famille, destinataire=seul, service=service, sujet=sujet, objet=objet)
    return _ecrire_en_famille(fil, adulte, corps=corps, pieces=pieces, cle=cle)


@transaction.atomic
def repondre(fil: Fil, *, adulte: Responsable, corps: str, pieces: Iterable[dict] = (), cle: UUID) -> Message:
    """The answer joins the thread, which awaits the mairie again; its service is told by mail.

    A thread that the portal wrote in nobody's name goes to the first service that families may write to.

    :param fil: one that this adult may read.
    :param cle: of the form: sent twice, it makes one message.
    :raises TropDeMessages: this adult wrote a lot within the hour.
    :raises EnvoiImpossible: the adult has changed households meanwhile.
    """
    adulte, pieces = _a_son_tour(adulte), list(pieces)
    fil = Fil.objects.select_for_update(of=("self",)).get(pk=fil.pk)
    cle = cle_du_contenu(cle, fil.pk, corps, pieces=pieces)
    if deja := Message.objects.filter(cle=cle, auteur=adulte.utilisateur).first():
        return deja
    _freiner(adulte)
    if fil.famille_id != adulte.famille_id:
        raise EnvoiImpossible("Cet échange est resté à votre ancien foyer. Écrivez un nouveau message.")
    return _ecrire_en_famille(fil, adulte, corps=corps, pieces=pieces, cle=cle)


def _ecrire_en_famille(fil, adulte, **message):
    """A thread that its author had deleted comes back; the service is told once, until it answers."""
    attendait = not fil._state.adding and fil.etat == Fil.Etat.EN_ATTENTE
    if fil.service_id is None:
        fil.service = ServiceMairie.objects.joignables().first()
    message = _ecrire(fil, de_la_mairie=False, auteur=adulte.utilisateur, **message)
    Rangement.objects.filter(fil=fil, adulte=adulte).delete()
    if not attendait:
        prevenir_service(fil.service, "message_de_famille")
    return message


def _a_son_tour(adulte):
    """One form of an adult at a time: two clicks find each other here; it may have changed households meanwhile."""
    return Responsable.objects.select_for_update(of=("self",), no_key=True).get(pk=adulte.pk)


def _freiner(adulte):
    depuis = timezone.now() - timedelta(hours=1)
    ecrits = Message.objects.filter(auteur=adulte.utilisateur, de_la_mairie=False, envoye_le__gte=depuis)
    if ecrits.count() >= MESSAGES_PAR_HEURE:
        raise TropDeMessages


def cle_du_contenu(cle: UUID, *contenu, pieces: list[dict]) -> UUID:
    """Of a form and of what it holds: sent again with other words or papers, it makes another message.

    :param pieces: columns of PieceMessage, of ``ranger``.
    """
    return uuid5(cle, repr((*contenu, [(piece["nom"], piece["taille"]) for piece in pieces])))


# --- Threads ----------------------------------------------------------------------------------------------


def _fil_de(famille, destinataire, objet):
    """The thread that the same adults have about this, locked; None where there is none.

    Two who look for it at once, and find none, do not open two.
    """
    if not objet.cle or objet.neuf:
        return None
    fils = Fil.objects.filter(famille=famille, destinataire=destinataire, contexte=objet.cle)
    if not objet.un_seul_fil:
        fils = fils.en_attente()
    fils = fils.select_for_update(of=("self",)).order_by("pk")
    if (fil := fils.first()) is not None:
        return fil
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"fil/{famille.pk}/{objet.cle}"])
    return fils.first()


def _nouveau_fil(famille, *, destinataire, service, sujet, objet=None):
    """To be saved with its first message."""
    objet = objet or Objet()
    return Fil(
        famille=famille,
        destinataire=destinataire,
        service=service,
        sujet=sujet[:150],
        contexte=objet.cle,
        contexte_libelle=objet.libelle[:150],
        contexte_lien=objet.lien,
    )


def _ecrire(fil, *, de_la_mairie, pieces=(), **message):
    """The message, its papers, and where the thread stands now; the thread is new or locked."""
    maintenant = timezone.now()
    fil.dernier_le = maintenant
    if not de_la_mairie:
        fil.famille_le, fil.etat = maintenant, Fil.Etat.EN_ATTENTE
    else:
        fil.mairie_le = maintenant
        if fil.famille_le and message["auteur"] is not None:  # what the portal says by itself answers no question
            fil.etat = Fil.Etat.REPONDU
    if fil._state.adding:
        fil.save()
    else:
        fil.save(update_fields=["dernier_le", "mairie_le", "famille_le", "etat", "sujet", "service"])
        if de_la_mairie:  # an answer comes back to the box of who had deleted the thread
            fil.rangements.all().delete()
    message = Message.objects.create(fil=fil, de_la_mairie=de_la_mairie, envoye_le=maintenant, **message)
    PieceMessage.objects.bulk_create(PieceMessage(message=message, **colonnes) for colonnes in pieces)
    return message


def _lecteurs(fil):
    """The adults of a thread, as a filter."""
    return Q(pk=fil.destinataire_id) if fil.destinataire_id else Q(famille=fil.famille_id)


# --- An adult keeps its box -------------------------------------------------------------------------------


def marquer_lu(fil: Fil, adulte: Responsable) -> None:
    """The thread loses its « non lu » for this adult; the other adult's box does not change."""
    non_lus = fil.messages.filter(de_la_mairie=True).exclude(lectures__adulte=adulte)
    Lecture.objects.bulk_create(
        [Lecture(message=message, adulte=adulte, lu_le=timezone.now()) for message in non_lus.order_by("pk")],
        ignore_conflicts=True,
    )


def marquer_non_lu(fil: Fil, adulte: Responsable) -> None:
    """The last message of the mairie is to be read again by this adult."""
    dernier = fil.messages.filter(de_la_mairie=True).order_by("envoye_le", "pk").last()
    if dernier is not None:
        Lecture.objects.filter(message=dernier, adulte=adulte).delete()


def supprimer(fils: Iterable[Fil], adulte: Responsable) -> None:
    """The threads leave this adult's box for « Supprimés »; the other adult and the mairie keep them."""
    maintenant = timezone.now()
    Rangement.objects.bulk_create(
        [Rangement(fil=fil, adulte=adulte, supprime_le=maintenant) for fil in fils], ignore_conflicts=True
    )


def restaurer(fils: Iterable[Fil], adulte: Responsable) -> None:
    """The threads come back to where they were in this adult's box."""
    Rangement.objects.filter(fil__in=[fil.pk for fil in fils], adulte=adulte).delete()


# --- The mairie keeps its queue ---------------------------------------------------------------------------


def ouvrir(fil: Fil, *, par: Utilisateur) -> None:
    """The family's last message has been read by the mairie: the family sees when."""
    _lu_par_la_mairie(fil, par)


def _lu_par_la_mairie(fil, par):
    """When the family's last message was first opened: opening it again does not change it."""
    if not fil.est_nouveau:
        return
    fil.lu_mairie_le, fil.lu_mairie_par = timezone.now(), par
    fil.save(update_fields=["lu_mairie_le", "lu_mairie_par"])


@transaction.atomic
def confier(fil: Fil, agent: Utilisateur | None) -> None:
    """The thread is this agent's to answer; None: anybody's again."""
    fil = Fil.objects.select_for_update(of=("self",)).get(pk=fil.pk)
    fil.affecte_a = agent
    fil.save(update_fields=["affecte_a"])


@transaction.atomic
def transferer(fil: Fil, service: ServiceMairie) -> None:
    """Another service answers from now on, and is told by mail when the family waits."""
    fil = Fil.objects.select_for_update(of=("self",)).get(pk=fil.pk)
    if fil.service_id == service.pk:
        return
    fil.service, fil.affecte_a = service, None
    fil.save(update_fields=["service", "affecte_a"])
    if fil.etat == Fil.Etat.EN_ATTENTE:
        prevenir_service(service, "message_de_famille")


@transaction.atomic
def clore(fil: Fil, *, par: Utilisateur, vu: int | None = None) -> None:
    """No answer is needed: the thread leaves the queue until the family writes again.

    :param vu: key of the last message that the agent had before their eyes; None not to look.
    :raises ReponseEntreTemps: a colleague or the family wrote since.
    """
    fil = Fil.objects.select_for_update(of=("self",)).get(pk=fil.pk)
    _rien_de_neuf(fil, vu)
    if fil.etat == Fil.Etat.EN_ATTENTE:
        _lu_par_la_mairie(fil, par)
        fil.etat = Fil.Etat.CLOS
        fil.save(update_fields=["etat"])


def prevenir_service(service: ServiceMairie | None, modele: str, **contexte) -> None:
    """Mail the service's own address, where it wants to be told at each event; it leaves within the minute."""
    if service and service.courriel and service.rythme == ServiceMairie.Rythme.IMMEDIAT:
        envoyer_modele(modele, service.courriel, reveiller=False, service=service, **contexte)
