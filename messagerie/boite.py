"""The three boxes of an adult, prepared for their page: what was received, sent, deleted."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import F
from django.urls import reverse

from messagerie.models import Fil
from portail.outils.dates import quand

FILS_PAR_PAGE = 20
MOTS_MAX = 100  # characters of a search

RECUS, ENVOYES, SUPPRIMES = "recus", "envoyes", "supprimes"


class Boite(NamedTuple):
    """:param dans: « Aucun message … ne contient ces mots. »"""

    nom: str
    route: str
    fils: str  # method of the query set
    dans: str
    vide: str


BOITES = {
    RECUS: Boite("Reçus", "messagerie", "recus_par", "reçu", "Vous n'avez pas de message."),
    ENVOYES: Boite(
        "Envoyés", "messages_envoyes", "envoyes_par", "envoyé", "Vous n'avez encore rien écrit à la mairie."
    ),
    SUPPRIMES: Boite(
        "Supprimés", "messages_supprimes", "supprimes_par", "supprimé", "Vous n'avez pas de message supprimé."
    ),
}


class LigneFil(NamedTuple):
    """A thread in a list."""

    uuid: UUID
    url: str
    sujet: str
    service: str
    quand: str
    non_lu: bool
    etat: str
    etat_libelle: str
    a_pieces: bool
    prive: bool


class Volet(NamedTuple):
    """A tab of the box."""

    nom: str
    url: str
    nombre: int
    actif: bool


@dataclass
class BoitePreparee:
    """All that the page of a box prints."""

    boite: Boite
    code: str
    mots: str
    page: Page  # of LigneFil
    volets: list[Volet]
    non_lus: int

    @property
    def lignes(self) -> list[LigneFil]:
        return self.page.object_list

    @property
    def url(self):
        return reverse(self.boite.route)

    @property
    def phrase(self):
        """What the search has found."""
        nombre, cherches = self.page.paginator.count, f"«\u00a0{self.mots}\u00a0»"
        if nombre == 0:
            return f"Aucun message {self.boite.dans} ne contient {cherches}."
        return f"{nombre} échange{'s' if nombre > 1 else ''} avec {cherches}."


def charger_boite(request, dossier: str = RECUS) -> BoitePreparee:
    """A page of one of the boxes of ``request.adulte``: the page ``?page=`` of what holds the words ``?q=``."""
    boite, adulte = BOITES[dossier], request.adulte
    mots = " ".join(request.GET.get("q", "")[:MOTS_MAX].split())
    nombres = Fil.objects.compter(adulte)
    fils = getattr(Fil.objects, boite.fils)(adulte)
    if mots:
        fils = fils.contenant(mots)
    paginateur = Paginator(_colonnes(fils, adulte), FILS_PAR_PAGE)
    if not mots:
        paginateur.count = nombres[dossier]  # counted already
    page = paginateur.get_page(request.GET.get("page"))
    page.object_list = [_ligne(*fil) for fil in page.object_list]
    volets = [Volet(autre.nom, reverse(autre.route), nombres[code], code == dossier) for code, autre in BOITES.items()]
    return BoitePreparee(boite, dossier, mots, page, volets, nombres["non_lus"])


def _colonnes(fils, adulte):
    return (
        fils.avec_non_lus(adulte)
        .avec_pieces()
        .values_list("uuid", "sujet", F("service__nom"), "dernier_le", "etat", "destinataire", "non_lu", "a_pieces")
    )


def _ligne(uuid, sujet, service, dernier_le, etat, destinataire, non_lu, a_pieces):
    return LigneFil(
        uuid,
        f"{reverse('messagerie')}{uuid}/",
        sujet,
        service or "La mairie",
        quand(dernier_le),
        non_lu,
        etat,
        "" if etat == Fil.Etat.INFORMATION else Fil.Etat(etat).label,
        a_pieces,
        destinataire is not None,
    )
