"""The loop: a family asks, an agent decides, the file changes, the family is told why."""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from demandes.models import Demande, PieceJointe
from demandes.types import TypeDemande
from familles import actions as familles
from familles.actions import PERIODE_HABITUELLE, Periode
from familles.models import Famille, Utilisateur
from messagerie.actions import notifier, prevenir_service
from messagerie.models import ServiceMairie
from portail.commune import Commune
from portail.outils.dates import jour, quand


class DecisionImpossible(Exception):
    """Nothing was written; the text says why, to the person who tried."""


class DemandeDejaTraitee(DecisionImpossible):
    def __init__(self, demande: Demande):
        etat = demande.get_etat_display().lower()
        super().__init__(f"Demande déjà traitée : {etat} par {demande.traitee_par}, {quand(demande.traitee_le)}.")


class DemandeModifiee(DecisionImpossible):
    def __init__(self):
        super().__init__("La famille a modifié sa demande pendant que vous la lisiez. Relisez-la avant de décider.")


class DossierModifie(DecisionImpossible):
    def __init__(self, libelles: list[str]):
        super().__init__(
            f"Le dossier a changé depuis le dépôt ({', '.join(libelles)}). Rien n'a été enregistré : "
            "refusez la demande, ou invitez la famille à la modifier."
        )


class DemandeInvalide(DecisionImpossible):
    def __init__(self, form):
        erreurs = [
            f"{form.fields[nom].label} : {e}" if nom in form.fields else e
            for nom, es in form.errors.items()
            for e in es
        ]
        super().__init__("Cette demande ne peut plus être acceptée telle quelle. " + " ".join(erreurs))


class TropDePieces(Exception):
    """Two adults joined papers at once: together they pass the limit."""


class RienADemander(Exception):
    """The form holds what the file holds, and no new paper."""


def formulaire(genre: type[TypeDemande], famille: Famille, *, demandeur: Utilisateur, pendante=None, data=None):
    """The form of a kind of demande on today's file, filled with the pending demande when there is one."""
    actuelles = genre.actuelles(famille)
    initial = {**actuelles, **(pendante.valeurs_demandees if pendante else {})}
    return genre.formulaire(data, actuelles=actuelles, initial=initial, demandeur=demandeur, **genre.options(famille))


def en_cours(genre: type[TypeDemande], famille: Famille) -> Demande | None:
    """The family's pending demande of this kind."""
    return Demande.objects.en_attente().filter(famille=famille, type=genre.code, enfant=None).first()


def deposer(
    genre: type[TypeDemande],
    famille: Famille,
    form,
    *,
    par: Utilisateur,
    pieces: list[dict] = (),
    sans_pieces: list = (),
) -> Demande:
    """The demande appears at the bottom of the page, « En attente »; asking again edits it.

    Only what differs from the file is kept. The service is told, by a mail without personal data.

    :param form: the valid form of the kind.
    :param pieces: papers to join, as ``portail.outils.fichiers.ranger`` returns them: their files are stored.
    :param sans_pieces: uuids of papers already joined that the family takes back.
    :raises RienADemander: nothing differs and no paper is joined.
    :raises TropDePieces: more than NOMBRE_MAX_PIECES in all.
    """
    try:
        with transaction.atomic():
            return _deposer(genre, famille, form, par, pieces, sans_pieces)
    except IntegrityError:
        # Two clicks at once: the first made the demande, this one edits it.
        with transaction.atomic():
            return _deposer(genre, famille, form, par, pieces, sans_pieces)


def _deposer(genre, famille, form, par, pieces, sans_pieces):
    demande = (
        Demande.objects.select_for_update(of=("self",))
        .en_attente()
        .filter(famille=famille, type=genre.code, enfant=None)
        .first()
    )
    demandees = form.changees()
    gardees = demande.pieces.exclude(uuid__in=sans_pieces) if demande else PieceJointe.objects.none()
    if not demandees and not pieces and not gardees.exists():
        raise RienADemander
    if gardees.count() + len(pieces) > settings.NOMBRE_MAX_PIECES:
        raise TropDePieces
    avant = {nom: form.actuelles.get(nom, "") for nom in demandees}
    if demande is None:
        demande = Demande.objects.create(
            type=genre.code, famille=famille, valeurs_avant=avant, valeurs_demandees=demandees, deposee_par=par
        )
        service = ServiceMairie.objects.filter(code=genre.service).first()
        prevenir_service(service, "nouvelle_demande")
    else:
        demande.pieces.filter(uuid__in=sans_pieces).delete()
        familles.ecrire(
            demande,
            {
                "valeurs_avant": avant,
                "valeurs_demandees": demandees,
                "deposee_par": par,
                "modifiee_le": timezone.now(),
                "version": demande.version + 1,
                "lue_le": None,
                "lue_par": None,
            },
        )
    PieceJointe.objects.bulk_create([PieceJointe(demande=demande, deposee_par=par, **piece) for piece in pieces])
    return demande


def marquer_lue(demande: Demande, *, par: Utilisateur) -> None:
    """The family sees « lue » with its date, the first time an agent opens a pending demande."""
    lue = Demande.objects.en_attente().filter(pk=demande.pk, lue_le=None)
    lue.update(lue_le=timezone.now(), lue_par=par)


def verrouiller(demande_id: int) -> Demande:
    """Lock the demande until the end of the transaction.

    Nothing is joined: after a wait PostgreSQL reads the locked row anew, but not the rows joined to it.
    """
    return Demande.objects.select_for_update(of=("self",)).get(pk=demande_id)


def _verrouiller_en_attente(demande_id, version):
    """Lock, then check: still pending, and as the agent saw it."""
    demande = verrouiller(demande_id)
    if not demande.est_en_attente:
        raise DemandeDejaTraitee(demande)
    if version is not None and demande.version != version:
        raise DemandeModifiee
    return demande


@transaction.atomic
def accepter(
    demande_id: int,
    *,
    par: Utilisateur,
    version: int | None = None,
    periode: Periode = PERIODE_HABITUELLE,
    mot: str = "",
) -> Demande:
    """The file takes what was asked, the demande is « Acceptée », the family's inbox says so.

    :param version: the version the agent saw; None takes the latest (bulk acceptance).
    :param periode: when a new quotient counts.
    :param mot: a word added to the message.
    :raises DecisionImpossible: decided or edited meanwhile, file changed since the deposit, or no longer
        valid; nothing is written.
    """
    demande = _verrouiller_en_attente(demande_id, version)
    famille = familles.verrouiller(demande.famille_id)
    if demande.valeurs_demandees:  # a paper sent alone changes no field
        form = _revalider(demande, famille)
        demande.genre.appliquer(
            famille, form.cleaned_data, changees=list(demande.valeurs_demandees), par=par, periode=periode
        )
    return _clore(demande, famille, Demande.Etat.ACCEPTEE, par=par, motif=mot)


def _revalider(demande, famille):
    genre = demande.genre
    actuelles = genre.actuelles(famille)
    libelles = genre.libelles()
    ecarts = [libelles[nom] for nom, avant in demande.valeurs_avant.items() if actuelles.get(nom, "") != avant]
    if ecarts:
        raise DossierModifie(ecarts)
    valeurs = {**actuelles, **demande.valeurs_demandees}
    form = genre.formulaire(
        valeurs, actuelles=actuelles, initial=dict(valeurs), demandeur=demande.deposee_par, **genre.options(famille)
    )
    if not form.is_valid():
        raise DemandeInvalide(form)
    return form


@transaction.atomic
def refuser(demande_id: int, *, par: Utilisateur, motif: str, version: int | None = None) -> Demande:
    """The demande is « Refusée » with its reason, the file keeps its values, the family's inbox says why.

    :raises ValidationError: no reason.
    :raises DecisionImpossible: decided or edited meanwhile; nothing is written.
    """
    if not motif.strip():
        raise ValidationError("Dites à la famille pourquoi sa demande est refusée.")
    demande = _verrouiller_en_attente(demande_id, version)
    famille = familles.verrouiller(demande.famille_id)
    return _clore(demande, famille, Demande.Etat.REFUSEE, par=par, motif=motif.strip())


def _clore(demande, famille, etat, *, par, motif):
    maintenant = timezone.now()
    familles.ecrire(
        demande,
        {
            "etat": etat,
            "motif": motif,
            "traitee_par": par,
            "traitee_le": maintenant,
            "lue_par": demande.lue_par or par,
            "lue_le": demande.lue_le or maintenant,
        },
    )
    service = ServiceMairie.objects.filter(code=demande.genre.service).first()
    sujet, corps = composer_reponse(demande, etat, motif, service)
    notifier(
        famille,
        sujet=sujet,
        corps=corps,
        par=par,
        service=service,
        lien=demande.get_absolute_url(),
        lien_libelle="Voir la demande",
    )
    return demande


def composer_reponse(demande: Demande, etat: str, motif: str, service: ServiceMairie | None) -> tuple[str, str]:
    """Subject and text of the answer, as the family will read them; also the agent's preview."""
    genre = demande.genre
    deposee = jour(timezone.localtime(demande.deposee_le).date())
    quoi = f"votre demande « {genre.libelle_icone} » du {deposee}"
    if etat == Demande.Etat.ACCEPTEE:
        sujet = f"{genre.libelle_icone} : demande acceptée"
        lignes = [f"Nous avons accepté {quoi} : {demande.resume}.", *genre.precisions(demande)]
        if motif:
            lignes.append(motif)
        if genre.prevenir_les_deux:
            lignes.append(
                f"Demandée par {demande.deposee_par}, elle concerne tout le foyer. "
                "Si vous n'en saviez rien, prévenez la mairie sans attendre."
            )
    else:
        sujet = f"{genre.libelle_icone} : demande refusée"
        lignes = [
            f"Nous ne pouvons pas accepter {quoi}.",
            f"Raison : {motif}",
            "Votre dossier n'a pas changé. Vous pouvez déposer une nouvelle demande ou nous écrire.",
        ]
    lignes.append(service.nom if service else Commune.actuelle().nom)
    return sujet, "\n\n".join(["Bonjour,", *lignes])


@transaction.atomic
def retirer(demande: Demande, *, par: Utilisateur) -> Demande:
    """The family takes its pending demande back: « Retirée », the file keeps its values.

    :raises DemandeDejaTraitee: an agent was first.
    """
    demande = _verrouiller_en_attente(demande.pk, None)
    familles.ecrire(demande, {"etat": Demande.Etat.RETIREE, "traitee_par": par, "traitee_le": timezone.now()})
    return demande


@dataclass(frozen=True)
class LigneComparee:
    """A row of *before | asked | now*; ``conflit`` when the file changed since the deposit."""

    libelle: str
    avant: str
    demande: str
    maintenant: str
    conflit: bool


def comparer(demande: Demande, *, pour_agent: bool) -> list[LigneComparee]:
    """What was, what is asked, what is now, in the words of the form; bank numbers whole for agents only."""
    genre = demande.genre
    afficher = genre.afficher if pour_agent else genre.afficher_masque
    actuelles = genre.actuelles(demande.famille)
    libelles = genre.libelles()
    return [
        LigneComparee(
            libelles.get(nom, nom),
            afficher(nom, demande.valeurs_avant.get(nom, "")),
            afficher(nom, valeur),
            afficher(nom, actuelles.get(nom, "")),
            demande.est_en_attente and actuelles.get(nom, "") != demande.valeurs_avant.get(nom, ""),
        )
        for nom, valeur in demande.demandees_dans_l_ordre()
    ]
