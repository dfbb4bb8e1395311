"""The page of the registrations of a child: all its services on one form, a demande for each that is asked."""

from collections import namedtuple
from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from demandes import actions
from demandes.forms.inscription import InscriptionForm
from demandes.models import Demande
from demandes.types import Inscriptions
from demandes.types.inscription import NATURES_DE_SANTE, jours_en_mots, valeurs
from enfants import inscriptions
from enfants.models import Enfant, Inscription, Nature, Reglement
from enfants.regles.dates import JOURS, enumerer
from enfants.regles.planning import Offre
from familles.models import Famille, Utilisateur

# etat: « dossier », « envoyee », « a_fournir »; lien: where a paper of health is sent.
Papier = namedtuple("Papier", "nature libelle services etat lien")


@dataclass
class Bloc:
    """One service of the page: where the child stands, and the form to ask."""

    offre: Offre
    genre: Inscriptions
    form: InscriptionForm
    ligne: Inscription | None
    pendante: Demande | None

    @property
    def jours_au_dossier(self) -> str:
        """« lundi et jeudi », said where the form asks for others; "" where it shows them."""
        return jours_en_mots(self.ligne.jours).lower() if self.ligne and self.pendante else ""

    @property
    def horaire(self) -> str:
        """« Lundi, mardi, jeudi et vendredi, de 12 h à 13 h 45 »."""
        jours = enumerer(JOURS[jour] for jour in sorted(self.offre.jours))
        vacances = ", pendant les vacances scolaires" if self.offre.periode == "VACANCES" else ""
        return f"{jours.capitalize()}, de {_heure(self.offre.debut)} à {_heure(self.offre.fin)}{vacances}"

    @property
    def est_demande(self) -> bool:
        """Something differs from what the file holds and from what waits already; to call once valid."""
        changees = self.form.changees()
        return bool(changees) and not (self.pendante and self.pendante.valeurs_demandees == changees)

    def fautes(self) -> list[str]:
        """What is to correct; a change put back to what the file holds is no demande: it is to withdraw one."""
        if not self.form.is_valid():
            return [erreur for erreurs in self.form.errors.values() for erreur in erreurs]
        if self.pendante and self.pendante.valeurs_demandees and not self.form.changees():
            return ["pour ne rien changer, retirez votre demande."]
        return []


def _heure(heure):
    return f"{heure.hour}\u00a0h" + (f"\u00a0{heure.minute:02}" if heure.minute else "")


def blocs(
    famille: Famille,
    enfant: Enfant,
    annee: int,
    *,
    demandeur: Utilisateur,
    reglement: Reglement | None,
    data=None,
) -> list[Bloc]:
    """The services of the child for the year, in their order; few queries, whatever their number."""
    siennes = Inscription.objects.filter(enfant=enfant, famille=famille, annee=annee).select_related("service")
    lignes = {ligne.service.code: ligne for ligne in siennes}
    demandes = Demande.objects.en_attente().filter(famille=famille, enfant=enfant, type=Inscriptions.code)
    pendantes = {demande.objet: demande for demande in demandes.prefetch_related("pieces")}
    resultat = []
    for offre in inscriptions.offres_pour(enfant, annee):
        genre, ligne = Inscriptions.pour(f"{offre.code}/{annee}"), lignes.get(offre.code)
        pendante, actuelles = pendantes.get(genre.objet), valeurs(ligne)
        demandees = pendante.valeurs_demandees if pendante else {}
        accepte = {"reglement": str(reglement.pk)} if reglement else {}
        form = InscriptionForm(
            data,
            prefix=offre.code,
            actuelles=actuelles,
            initial={**actuelles, **demandees, **accepte},
            demandeur=demandeur,
            enfant=enfant,
            offre=offre,
        )
        resultat.append(Bloc(offre, genre, form, ligne, pendante))
    return resultat


def papiers(enfant: Enfant, annee: int, blocs: list[Bloc]) -> list[Papier]:
    """What the services ask for, and where each paper is."""
    valides = inscriptions.papiers_valides(enfant, annee, timezone.localdate())
    envoyees = {piece.nature for bloc in blocs if bloc.pendante for piece in bloc.pendante.pieces.all()}
    services = {}
    for bloc in blocs:
        for nature in bloc.offre.pieces:
            services.setdefault(nature, []).append(bloc.offre.nom)
    return [
        Papier(
            nature,
            Nature(nature).label,
            ", ".join(noms),
            "dossier" if nature in valides else "envoyee" if nature in envoyees else "a_fournir",
            reverse("demander_enfant", args=[enfant.uuid, "sante"]) if nature in NATURES_DE_SANTE else "",
        )
        for nature, noms in services.items()
    ]


def a_envoyer(papiers: list[Papier]) -> list[str]:
    """Natures that the page has an upload field for."""
    return [papier.nature for papier in papiers if papier.etat == "a_fournir" and not papier.lien]


class PapierSansService(Exception):
    """A paper comes with no service to ask it for."""


@transaction.atomic
def deposer(
    famille: Famille, enfant: Enfant, blocs: list[Bloc], *, par: Utilisateur, pieces: list[dict] = ()
) -> list[Demande]:
    """A demande appears for each service that is asked, all of them or none; asking again edits it.

    A paper joins one demande alone, the first whose service asks for it: it is read once, and joins the child's file
    with that one.

    :param blocs: with their valid forms.
    :param pieces: as ``PiecesForm.ranger`` returns them.
    :raises PapierSansService: a paper, and no service asked, waiting or held that wants it.
    :raises TropDePieces: more than NOMBRE_MAX_PIECES on one demande.
    """
    demandes = [bloc for bloc in blocs if bloc.est_demande]
    par_service = {}
    for piece in pieces:
        par_service.setdefault(_destinataire(piece["nature"], blocs, demandes).offre.code, []).append(piece)
    return [
        actions.deposer(bloc.genre, famille, bloc.form, par=par, enfant=enfant, pieces=siennes)
        for bloc in blocs
        if (siennes := par_service.get(bloc.offre.code, [])) or bloc in demandes
    ]


def _destinataire(nature, blocs, demandes):
    tenus = [bloc for bloc in blocs if bloc.pendante or bloc.ligne]
    for bloc in [*demandes, *tenus]:
        if nature in bloc.offre.pieces:
            return bloc
    if demandes:
        return demandes[0]
    raise PapierSansService
