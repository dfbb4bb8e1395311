"""The loop: a family asks, an agent decides, the file changes, the family is told why."""

from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from demandes import planning, textes_planning
from demandes.models import Demande, JourDemande, PieceJointe
from demandes.types import TypeDemande
from enfants import actions as enfants
from enfants.messages import prevenir
from enfants.models import Enfant, SuspensionAcces
from familles import actions as familles
from familles.models import Famille, Utilisateur
from messagerie.actions import prevenir_service
from messagerie.models import ServiceMairie
from portail.commune import Commune
from portail.outils.dates import jour, quand

ATTENTES_MAX = 10  # demandes of one kind and household that may wait, where several may


class DecisionImpossible(Exception):
    """Nothing was written; the text says why, to the person who tried."""


class DemandeDejaTraitee(DecisionImpossible):
    def __init__(self, demande: Demande):
        etat = demande.get_etat_display().lower()
        qui = demande.traitee_par or "le portail"
        super().__init__(f"Demande déjà traitée : {etat} par {qui}, {quand(demande.traitee_le)}.")


class DemandeModifiee(DecisionImpossible):
    def __init__(self):
        super().__init__("La famille a modifié sa demande pendant que vous la lisiez. Relisez-la avant de décider.")


class DossierModifie(DecisionImpossible):
    def __init__(self, libelles: list[str]):
        super().__init__(
            f"Le dossier a changé depuis le dépôt ({', '.join(libelles)}). Rien n'a été enregistré : "
            "refusez la demande, ou invitez la famille à la modifier."
        )


class EnfantPerdu(DecisionImpossible):
    """The child has left the household, or the services, or the adult's access to it is suspended."""

    def __init__(self, demande: Demande):
        super().__init__(
            f"{demande.deposee_par} n'a plus accès au dossier {demande.enfant.de_prenom} : accès suspendu, ou enfant "
            "parti de ce foyer. Rien n'a été enregistré : refusez la demande."
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


class TropDeDemandes(Exception):
    """Enough demandes of this kind wait already."""


class RienADemander(Exception):
    """The form holds what the file holds, and no new paper."""


def formulaire(
    genre: type[TypeDemande],
    famille: Famille,
    enfant: Enfant | None = None,
    *,
    demandeur: Utilisateur,
    pendante=None,
    data=None,
):
    """The form of a kind of demande on today's file, filled with the pending demande when there is one."""
    actuelles = genre.actuelles(famille, enfant)
    initial = {**actuelles, **(pendante.valeurs_demandees if pendante else {})}
    options = genre.options(famille, enfant)
    return genre.formulaire(data, actuelles=actuelles, initial=initial, demandeur=demandeur, **options)


def en_cours(genre: type[TypeDemande], famille: Famille, enfant: Enfant | None = None) -> Demande | None:
    """The family's pending demande of this kind, about this child."""
    if genre.plusieurs:
        return None
    pendantes = Demande.objects.en_attente()
    return pendantes.filter(famille=famille, type=genre.code, enfant=enfant, objet=genre.objet).first()


def deposer(
    genre: type[TypeDemande],
    famille: Famille,
    form,
    *,
    par: Utilisateur,
    enfant: Enfant | None = None,
    pieces: list[dict] = (),
    sans_pieces: list = (),
    pendante: Demande | None = None,
) -> Demande:
    """The demande appears at the bottom of the page, « En attente »; asking again edits it.

    Only what differs from the file is kept. The service is told, by a mail without personal data.

    :param form: the valid form of the kind.
    :param enfant: the child whose file it is, for kinds ``par_enfant``.
    :param pieces: papers to join, as ``portail.outils.fichiers.ranger`` returns them, with their ``nature``.
    :param sans_pieces: uuids of papers already joined that the family takes back.
    :param pendante: the demande that is edited, for kinds of which several may wait.
    :raises RienADemander: nothing differs and no paper is joined.
    :raises TropDePieces: more than NOMBRE_MAX_PIECES in all.
    :raises TropDeDemandes: ATTENTES_MAX wait already.
    """
    depot = partial(_deposer, genre, famille, form, par, enfant, pieces, sans_pieces, pendante)
    try:
        with transaction.atomic():
            return depot()
    except IntegrityError:
        # Two clicks at once: the first made the demande, this one edits it.
        with transaction.atomic():
            return depot()


def _deposer(genre, famille, form, par, enfant, pieces, sans_pieces, pendante):
    demandees = form.changees()
    demande = _a_modifier(genre, famille, enfant, pendante, demandees)
    gardees = demande.pieces.exclude(uuid__in=sans_pieces) if demande else PieceJointe.objects.none()
    if not demandees and not pieces and not gardees.exists():
        raise RienADemander
    if gardees.count() + len(pieces) > settings.NOMBRE_MAX_PIECES:
        raise TropDePieces
    avant = {nom: form.actuelles.get(nom, "") for nom in demandees}
    if demande is None:
        demande = Demande.objects.create(
            type=genre.code,
            objet=genre.objet,
            famille=famille,
            enfant=enfant,
            valeurs_avant=avant,
            valeurs_demandees=demandees,
            deposee_par=par,
        )
        service = ServiceMairie.de(genre.service)
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


def _a_modifier(genre, famille, enfant, pendante, demandees):
    """The pending demande that this deposit edits, locked; None when it makes a new one."""
    en_attente = Demande.objects.select_for_update(of=("self",)).en_attente().filter(famille=famille, type=genre.code)
    if not genre.plusieurs:
        return en_attente.filter(enfant=enfant, objet=genre.objet).first()
    if pendante is not None:
        return en_attente.filter(pk=pendante.pk).first()
    familles.verrouiller(famille.pk)  # two clicks at once: the second finds what the first has asked
    deja = list(en_attente.order_by("pk"))
    double = next((demande for demande in deja if demande.valeurs_demandees == demandees), None)
    if double is None and len(deja) >= ATTENTES_MAX:
        raise TropDeDemandes
    return double


def peut_lire(agent: Utilisateur, demande: Demande) -> bool:
    """True when this agent decides demandes, of this kind and about this child."""
    ouvertes = Demande.objects.ouvertes_a(agent).filter(pk=demande.pk)
    return agent.has_perm("demandes.traiter_demande") and ouvertes.exists()


def noter_lecture(demande: Demande, *, par: Utilisateur, page: str) -> None:
    """Where the demande tells a child's health, its family can read who opened it."""
    if demande.genre.est_de_sante:
        enfants.noter_consultation(demande.enfants_concernes(), par=par, page=page)


def a_perdu_l_enfant(demande: Demande) -> bool:
    """True when the household no longer has the child, or who asked may no longer see it."""
    aujourdhui = timezone.localdate()
    siens = Enfant.objects.de_la_famille(demande.famille_id, aujourdhui).non_partis(aujourdhui)
    suspendu = SuspensionAcces.objects.en_vigueur(aujourdhui).filter(
        enfant=demande.enfant_id, adulte__utilisateur=demande.deposee_par_id
    )
    return bool(demande.enfant_id) and (not siens.filter(pk=demande.enfant_id).exists() or suspendu.exists())


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
    decision: dict | None = None,
    mot: str = "",
) -> Demande:
    """The file takes what was asked, the demande is « Acceptée », the family's inbox says so.

    :param version: the version the agent saw; None takes the latest (bulk acceptance).
    :param decision: cleaned values of the kind's decision form; None takes the usual ones (bulk acceptance).
    :param mot: a word added to the message.
    :raises DecisionImpossible: decided or edited meanwhile, file changed since the deposit, no longer valid, or
        in need of the decision form; nothing is written.
    """
    demande = _verrouiller_en_attente(demande_id, version)
    if demande.genre.plusieurs:
        familles.attendre_son_tour()  # two households ask for one child: the second agent sees the first's
    demande.famille = famille = familles.verrouiller(demande.famille_id)
    if demande.enfant_id:
        demande.enfant = enfants.verrouiller(demande.enfant_id)
        if a_perdu_l_enfant(demande):
            raise EnfantPerdu(demande)
    suites = None
    if demande.genre.au_planning:
        _accepter_les_jours(demande, par=par, decision=decision, mot=mot)
    elif demande.valeurs_demandees or decision:  # a paper sent alone changes no field
        form = _revalider(demande, famille)
        if not decision and (raison := demande.genre.empeche(demande)):
            raise DecisionImpossible(raison)
        suites = demande.genre.appliquer(demande, form.cleaned_data, par=par, decision=decision or {})
        demande.save(update_fields=["enfant"])  # a child that was asked for now has a file
    _classer_les_pieces(demande)
    return _clore(demande, famille, Demande.Etat.ACCEPTEE, par=par, motif=mot, suites=suites or [])


def _accepter_les_jours(demande, *, par, decision, mot):
    acceptes = decision["jours"] if decision else None
    if acceptes is not None and not acceptes:
        raise DecisionImpossible("Aucun jour n'est coché : refusez la demande, avec une raison.")
    if acceptes is not None and not mot.strip() and _refuse_des_jours(demande, acceptes):
        raise DecisionImpossible("Dites à la famille pourquoi certains jours sont refusés.")
    if raisons := planning.accepter_jours(demande, par=par, acceptes=acceptes):
        raise DecisionImpossible("Ces jours ne peuvent pas être acceptés, décochez-les. " + " ".join(raisons))


def _refuse_des_jours(demande, acceptes):
    """Days that a closure has refused already have had their reason."""
    return demande.jours.filter(etat=JourDemande.Etat.EN_ATTENTE).exclude(pk__in=acceptes).exists()


def _classer_les_pieces(demande):
    """Papers asked for by name join the child's file."""
    par_nature = {}
    for piece in demande.pieces.exclude(nature=""):
        colonnes = {nom: getattr(piece, nom) for nom in ("nom", "type_mime", "taille", "fichier")}
        par_nature.setdefault(piece.nature, []).append(colonnes)
    for nature, pieces in par_nature.items():
        expire_le = demande.genre.expiration(demande, nature)
        enfants.classer_document(demande.enfant, demande.famille, nature, pieces, expire_le=expire_le)


def _revalider(demande, famille):
    genre, enfant = demande.genre, demande.enfant
    actuelles = genre.actuelles(famille, enfant)
    libelles = genre.libelles()
    ecarts = [libelles[nom] for nom, avant in demande.valeurs_avant.items() if actuelles.get(nom, "") != avant]
    if ecarts:
        raise DossierModifie(ecarts)
    valeurs = {**actuelles, **demande.valeurs_demandees}
    options = genre.options(famille, enfant)
    form = genre.formulaire(
        valeurs, actuelles=actuelles, initial=dict(valeurs), demandeur=demande.deposee_par, **options
    )
    # What was not asked is not judged: an old file must not stop a paper or a phone number.
    autres = set(form.fields) - set(demande.valeurs_demandees)
    for nom in autres:
        form.fields[nom].required = False
    if not form.is_valid():
        raise DemandeInvalide(form)
    return form


@transaction.atomic
def refuser(demande_id: int, *, par: Utilisateur | None, motif: str, version: int | None = None) -> Demande:
    """The demande is « Refusée » with its reason, the file keeps its values, the family's inbox says why.

    :param par: None when the rules refuse: a proof that has not come in time.
    :raises ValidationError: no reason.
    :raises DecisionImpossible: decided or edited meanwhile; nothing is written.
    """
    if not motif.strip():
        raise ValidationError("Dites à la famille pourquoi sa demande est refusée.")
    demande = _verrouiller_en_attente(demande_id, version)
    famille = familles.verrouiller(demande.famille_id)
    planning.clore_jours(demande, set())
    return _clore(demande, famille, Demande.Etat.REFUSEE, par=par, motif=motif.strip())


def _clore(demande, famille, etat, *, par, motif, suites=()):
    maintenant = timezone.now()
    familles.ecrire(
        demande,
        {
            "etat": etat,
            "motif": motif,
            "traitee_par": par,
            "traitee_le": maintenant,
            "lue_par": demande.lue_par or par,
            "lue_le": demande.lue_le or (maintenant if par else None),
        },
    )
    service = ServiceMairie.de(demande.genre.service)
    sujet, corps = composer_reponse(demande, etat, motif, service, suites)
    prevenir(
        famille,
        demande.enfants_concernes(),
        sujet=sujet,
        corps=corps,
        par=par,
        service=service,
        lien=demande.get_absolute_url(),
        lien_libelle="Voir la demande",
        objet=demande.objet_du_fil,
        modele="reponse_demande",
    )
    if etat == Demande.Etat.ACCEPTEE and demande.genre.prevenir_autre_foyer:
        _prevenir_l_autre_foyer(demande, service)
    return demande


def _prevenir_l_autre_foyer(demande, service):
    """The file is the child's: its other household hears that it changed, not what the first one asked."""
    enfant, genre = demande.enfant, demande.genre
    for famille in Famille.objects.filter(
        pk__in=enfant.rattachements.en_vigueur(timezone.localdate()).exclude(famille=demande.famille).values("famille")
    ):
        prevenir(
            famille,
            [enfant],
            sujet=f"{genre.libelle_icone} {enfant.de_prenom} : dossier mis à jour",
            corps=f"Bonjour,\n\nLe dossier {enfant.de_prenom} a changé à la demande de son autre foyer "
            f"(« {genre.libelle_icone} »). Relisez-le, et dites-nous si quelque chose n'est pas juste.\n\n"
            f"{service.nom if service else Commune.actuelle().nom}",
            par=None,
            service=service,
            lien=reverse("dossier_enfant", args=[enfant.uuid]),
            lien_libelle="Voir le dossier",
        )


def composer_reponse(
    demande: Demande, etat: str, motif: str, service: ServiceMairie | None, suites: list[str] = ()
) -> tuple[str, str]:
    """Subject and text of the answer, as the family will read them; also the agent's preview.

    :param suites: what accepting has done beside.
    """
    genre = demande.genre
    deposee = jour(timezone.localtime(demande.deposee_le).date())
    quoi = f"votre demande « {demande.titre} » du {deposee}"
    if etat == Demande.Etat.ACCEPTEE:
        sujet = f"{demande.titre} : demande acceptée"
        lignes = [f"Nous avons accepté {quoi} : {demande.resume}.", *genre.precisions(demande), *suites]
        if genre.au_planning:  # some days may be refused
            jours = demande.jours.select_related("enfant", "service")
            lignes = [f"Voici notre réponse à {quoi}.", *textes_planning.decision(jours)]
        if motif:
            lignes.append(motif)
        if genre.prevenir_les_deux:
            lignes.append(
                f"Demandée par {demande.deposee_par}, elle concerne tout le foyer. "
                "Si vous n'en saviez rien, prévenez la mairie sans attendre."
            )
    else:
        sujet = f"{demande.titre} : demande refusée"
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
    planning.clore_jours(demande, set(), sinon=JourDemande.Etat.RETIRE)
    return demande


@dataclass(frozen=True)
class LigneComparee:
    """A row of *before | asked | now*; ``conflit`` when the file changed since the deposit."""

    libelle: str
    avant: str
    demande: str
    maintenant: str
    conflit: bool


def comparer(demande: Demande, *, pour_agent: bool, sans_maintenant: bool = False) -> list[LigneComparee]:
    """What was, what is asked, what is now, in the words of the form; bank numbers whole for agents only.

    A list or a table of values is told line by line, and only the lines that change.

    :param sans_maintenant: for a family whose child has left: what the file has become is not read.
    """
    genre, avant = demande.genre, demande.valeurs_avant
    actuelles = avant if sans_maintenant else genre.actuelles(demande.famille, demande.enfant)
    afficher = genre.afficher if pour_agent else genre.afficher_masque
    libelles = genre.libelles()
    lignes = []
    for nom, valeur in [] if genre.au_planning else demande.demandees_dans_l_ordre():
        trois = (avant.get(nom, ""), valeur, actuelles.get(nom, ""))
        conflit = demande.est_en_attente and trois[2] != trois[0]
        if genre.eclater(nom, valeur) is None:
            lignes.append(LigneComparee(libelles.get(nom, nom), *(afficher(nom, v) for v in trois), conflit))
        else:
            lignes += _comparer_lignes([genre.eclater(nom, v) for v in trois], demande.est_en_attente)
    return lignes


def _comparer_lignes(trois, en_attente):
    avant, demande, maintenant = trois
    for cle in {**avant, **demande, **maintenant}:
        textes = [lignes.get(cle, ("", "–"))[1] for lignes in trois]
        if textes[0] != textes[1] or (en_attente and textes[2] != textes[0]):
            libelle = next(lignes[cle][0] for lignes in (demande, avant, maintenant) if cle in lignes)
            yield LigneComparee(libelle, *textes, en_attente and textes[2] != textes[0])
