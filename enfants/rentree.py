"""The rentrée: classes move up once a year, leavers are archived, each household confirms its children's files."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from enfants.models import Classe, ConfirmationDossier, Ecole, Enfant, Rattachement, Rentree, SuspensionAcces
from enfants.prevision import Prevision, Quoi, dresser
from enfants.regles.annees import libelle
from familles.actions import ecrire
from familles.models import Famille, Responsable, Utilisateur
from messagerie.actions import notifier
from messagerie.models import ServiceMairie
from portail.outils.dates import quand

COLONNES = ("niveau", "classe_id", "ecole_id", "archive_le")  # what a rentrée may change
LOT = 200  # households written to in one transaction


class RentreeImpossible(Exception):
    """Nothing was written; the text says why, to the agent."""


class RentreeDejaFaite(RentreeImpossible):
    def __init__(self, annee: int, rentree: Rentree | None):
        qui = f" par {rentree.faite_par}, {quand(rentree.faite_le)}" if rentree else ""
        super().__init__(f"La rentrée {libelle(annee)} est déjà faite{qui}.")


class RentreeDejaAnnulee(RentreeImpossible):
    def __init__(self, rentree: Rentree):
        super().__init__(f"{rentree} : déjà annulée par {rentree.annulee_par}, {quand(rentree.annulee_le)}.")


class ListeChangee(RentreeImpossible):
    def __init__(self):
        super().__init__(
            "La liste a changé pendant que vous la lisiez : un enfant, une classe ou une école n'est plus comme avant. "
            "Rien n'est fait, vos choix sont gardés : relisez la liste."
        )


# --- Moving up, undoing it -------------------------------------------------------------------------------


def prevoir(annee: int, choix: Mapping[str, str] | None = None) -> Prevision:
    """What the rentrée ``annee`` would do now; writes nothing.

    :param choix: see ``enfants.prevision.dresser``.
    """
    return dresser(annee, choix or {}, Enfant.objects.presents())


@transaction.atomic
def faire(annee: int, choix: Mapping[str, str], *, par: Utilisateur, archive_le: date, empreinte: str) -> Rentree:
    """Each child's page shows its new level, class and school; those who leave are no longer shown to their family.

    What each child was is kept, so that ``annuler`` can put it back.

    :param choix: see ``enfants.prevision.dresser``.
    :param archive_le: day written on the files of those who leave.
    :param empreinte: of the Prevision that the agent has read.
    :raises RentreeDejaFaite: done already for this year, maybe a moment ago by a colleague.
    :raises ListeChangee: a child, a class or a school is no longer as the agent has read.
    """
    enfants = verrouiller_les_presents()
    if faite := en_vigueur(annee):
        raise RentreeDejaFaite(annee, faite)
    prevision = dresser(annee, choix, enfants)
    if prevision.empreinte != empreinte:
        raise ListeChangee
    mouvements = {}
    for mouvement in prevision.mouvements:
        depart = archive_le.isoformat() if mouvement.quoi == Quoi.PART else None
        avant, apres = _colonnes(mouvement.enfant), mouvement.apres._asdict() | {"archive_le": depart}
        if apres != avant:
            mouvements[str(mouvement.enfant.pk)] = {"avant": avant, "apres": apres}
    try:
        with transaction.atomic():
            rentree = Rentree.objects.create(annee=annee, faite_par=par, mouvements=mouvements)
    except IntegrityError:  # two agents at once and no child to queue for: the constraint decides
        raise RentreeDejaFaite(annee, en_vigueur(annee)) from None
    _ecrire({int(cle): mouvement["apres"] for cle, mouvement in mouvements.items()})
    return rentree


def verrouiller_les_presents() -> list[Enfant]:
    """Lock every child until the end of the transaction: demandes about one of them queue up."""
    return list(Enfant.objects.presents().select_for_update(of=("self",)).order_by("pk"))


def en_vigueur(annee: int) -> Rentree | None:
    """The rentrée of this year that is done and not undone."""
    return Rentree.objects.filter(annee=annee, annulee_le=None).select_related("faite_par").first()


def _colonnes(enfant):
    """What a rentrée may change, as JSON keeps it."""
    valeurs = {nom: getattr(enfant, nom) for nom in COLONNES}
    return valeurs | {"archive_le": enfant.archive_le and enfant.archive_le.isoformat()}


def _ecrire(colonnes_par_enfant):
    """One UPDATE for all the children who get the same values: a few hundred for a town, not thousands."""
    ensembles = defaultdict(list)
    for pk, colonnes in colonnes_par_enfant.items():
        ensembles[tuple(colonnes[nom] for nom in COLONNES)].append(pk)
    for valeurs, cles in ensembles.items():
        Enfant.objects.filter(pk__in=cles).update(**dict(zip(COLONNES, valeurs, strict=True)))


@transaction.atomic
def annuler(rentree: Rentree, *, par: Utilisateur) -> list[Enfant]:
    """The children get back the level, class and school they had, and those who left come back.

    Returns the children left as they are: somebody has changed their file since, or their class is no more.

    :raises RentreeDejaAnnulee: a colleague was first.
    """
    enfants = list(_enfants_de(rentree).select_for_update(of=("self",)).order_by("pk"))
    rentree = Rentree.objects.select_for_update(of=("self",)).get(pk=rentree.pk)
    if rentree.annulee_le:
        raise RentreeDejaAnnulee(rentree)
    a_remettre, laisses = _trier(rentree, enfants)
    _ecrire({enfant.pk: rentree.mouvements[str(enfant.pk)]["avant"] for enfant in a_remettre})
    ecrire(rentree, {"annulee_le": timezone.now(), "annulee_par": par})
    return laisses


def modifies_depuis(rentree: Rentree) -> list[Enfant]:
    """The children that ``annuler`` would leave as they are."""
    return _trier(rentree, list(_enfants_de(rentree)))[1]


def _enfants_de(rentree):
    return Enfant.objects.filter(pk__in=[int(cle) for cle in rentree.mouvements])


def _trier(rentree, enfants):
    """Children to put back, children to leave."""
    classes, ecoles = ({None, *m.objects.values_list("pk", flat=True).order_by("pk")} for m in (Classe, Ecole))
    a_remettre, laisses = [], []
    for enfant in enfants:
        avant, apres = (rentree.mouvements[str(enfant.pk)][cle] for cle in ("avant", "apres"))
        possible = avant["classe_id"] in classes and avant["ecole_id"] in ecoles
        (a_remettre if possible and _colonnes(enfant) == apres else laisses).append(enfant)
    return a_remettre, laisses


# --- Confirmation of the files ---------------------------------------------------------------------------


def ouvrir_confirmations(annee: int, *, par: Utilisateur, au_plus: int | None = None) -> int:
    """Each household reads that it is to read its children's files again; returns how many were written to.

    LOT households a transaction, rows and message together: killed in the middle and run again, it writes to the
    others only. Run later, it writes to those who have come since.

    :param au_plus: number of households to stop at.
    """
    foyers = foyers_a_inviter(annee)[:au_plus]
    return sum(_inviter(annee, foyers[debut:][:LOT], par) for debut in range(0, len(foyers), LOT))


def foyers_a_inviter(annee: int) -> list[int]:
    """Keys of the households that ``ouvrir_confirmations`` would write to."""
    return list(_a_demander(annee).order_by("famille").values_list("famille", flat=True).distinct())


def _a_demander(annee):
    """Today's attachments whose household was not asked yet, and has an adult who may see the child."""
    jour = timezone.localdate()
    ecartes = SuspensionAcces.objects.en_vigueur(jour).filter(
        adulte=OuterRef("pk"), enfant=OuterRef(OuterRef("enfant"))
    )
    adultes = Responsable.objects.filter(famille=OuterRef("famille")).exclude(Exists(ecartes))
    deja = ConfirmationDossier.objects.filter(annee=annee, enfant=OuterRef("enfant"), famille=OuterRef("famille"))
    presents = Rattachement.objects.en_vigueur(jour).filter(enfant__archive_le=None)
    return presents.filter(Exists(adultes)).exclude(Exists(deja))


@transaction.atomic
def _inviter(annee, cles, par):
    # Locked, then read: two agents at once do not write twice to a household.
    verrouillees = Famille.objects.select_for_update(of=("self",)).filter(pk__in=cles).order_by("pk")
    familles = {famille.pk: famille for famille in verrouillees}
    a_demander = _a_demander(annee).filter(famille__in=cles).order_by("famille", "enfant")
    couples = list(a_demander.values_list("famille", "enfant"))
    ConfirmationDossier.objects.bulk_create(
        ConfirmationDossier(annee=annee, famille_id=famille, enfant_id=enfant) for famille, enfant in couples
    )
    service = ServiceMairie.de("enfance-jeunesse")
    sujet, corps = composer_invitation(annee, service)
    message = {"sujet": sujet, "corps": corps, "par": par, "service": service}
    invitees = dict.fromkeys(famille for famille, _ in couples)
    for cle in invitees:
        notifier(familles[cle], **message, lien=reverse("mes_enfants"), lien_libelle="Relire les dossiers")
    return len(invitees)


def composer_invitation(annee: int, service: ServiceMairie | None) -> tuple[str, str]:
    """Subject and text of the message; without first names, as an adult may see one child and not another."""
    corps = (
        f"Bonjour,\n\nRelisez le dossier de vos enfants pour l'année {libelle(annee)} : école, personnes à appeler, "
        "santé, autorisations, assurance.\n\nTout est juste ? Un clic suffit pour le confirmer. Sinon, demandez "
        "d'abord ce qui doit changer."
    )
    signature = f"\n\n{service.nom}" if service else ""
    return f"Rentrée {libelle(annee)} : vos dossiers à confirmer", corps + signature


def confirmer(enfant: Enfant, famille: Famille, annee: int, *, par: Utilisateur) -> None:
    """The household says that the child's file is right; a second click changes neither who nor when."""
    demandees = ConfirmationDossier.objects.filter(enfant=enfant, famille=famille, annee=annee)
    demandees.filter(confirmee_le=None).update(confirmee_le=timezone.now(), confirmee_par=par)
