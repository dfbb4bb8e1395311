"""The facts of a child's file, gathered for enfants/regles/dossier.py."""

from collections.abc import Iterable
from datetime import date

from django.contrib.postgres.expressions import ArraySubquery
from django.core.cache import cache
from django.db.models import F, OuterRef
from django.db.models.functions import JSONObject

from enfants.models import DocumentEnfant, Enfant, Informations, Sante, Vaccin
from enfants.regles.dossier import FaitsDossier, Manque, manques, pressants
from enfants.regles.vaccins import manquants
from familles.models import Famille

# What a list needs for ``manques_de``: no query more, whatever the number of children.
A_CHARGER = ("personnes", "documents")
DUREE_CACHE = 60  # seconds


def vaccins_actifs() -> list[Vaccin]:
    """The table of the law, kept a minute: every page of a child reads it."""
    return cache.get_or_set("vaccins", lambda: list(Vaccin.objects.filter(actif=True)), DUREE_CACHE)


def informations(enfant: Enfant) -> Informations:
    """The child's informations, blank when nobody gave any."""
    return getattr(enfant, "informations", None) or Informations(enfant=enfant)


def sante(enfant: Enfant) -> Sante:
    """The child's health sheet, blank when nobody gave any."""
    return getattr(enfant, "sante", None) or Sante(enfant=enfant)


def faits(enfant: Enfant, famille: Famille | None, jour: date, vaccins: list[Vaccin]) -> FaitsDossier:
    """The file as this household must keep it; as the mairie has it, both households together, without.

    :param enfant: with ``informations`` and ``sante`` joined, A_CHARGER prefetched where there are many.
    """
    actuels = [(d.nature, d.expire_le) for d in enfant.documents.all() if d.remplace_le is None]
    fiche, fiche_sante = informations(enfant), sante(enfant)
    personnes = [p for p in enfant.personnes.all() if p.urgence and (famille is None or p.famille_id == famille.pk)]
    return FaitsDossier(
        ecole_connue=enfant.ecole_id is not None,
        naissance_connue=enfant.date_naissance is not None,
        contacts_urgence=len(personnes),
        documents=_papiers(actuels),
        a_pai=enfant.a_pai,
        vaccins_manquants=len(manquants(enfant.date_naissance, jour, vaccins, fiche_sante.vaccinations or {})),
        vaccins_etat=fiche_sante.vaccins_etat,
        vaccins_jusqu_au=fiche_sante.vaccins_jusqu_au,
        assurance_fin=fiche.assurance_fin,
    )


def _papiers(actuels: Iterable[tuple[str, date | None]]) -> dict[str, date | None]:
    """Of two papers of one nature (two households), the one that counts longest; without end wins."""
    papiers = {}
    for nature, fin in actuels:
        deja = papiers.get(nature, date.min)
        papiers[nature] = None if fin is None or deja is None else max(deja, fin)
    return papiers


def manques_de(enfant: Enfant, famille: Famille | None, jour: date, vaccins: list[Vaccin]) -> list[Manque]:
    """What is missing or expires in the child's file, the urgent first."""
    return manques(faits(enfant, famille, jour, vaccins), jour)


def avec_papiers(enfants):
    """These children with what ``pressants_de`` reads, in the same query, nothing of it encrypted."""
    actuels = DocumentEnfant.objects.actuels().filter(enfant=OuterRef("pk")).order_by()
    return enfants.annotate(
        papiers=ArraySubquery(actuels.values(papier=JSONObject(nature="nature", fin="expire_le"))),
        vaccins_etat=F("sante__vaccins_etat"),
        vaccins_jusqu_au=F("sante__vaccins_jusqu_au"),
        assurance_fin=F("informations__assurance_fin"),
    )


def pressants_de(enfant: Enfant, jour: date) -> list[Manque]:
    """Papers out of date, about to be, or missing where it is urgent.

    :param enfant: of ``avec_papiers``.
    """
    actuels = [(p["nature"], date.fromisoformat(p["fin"]) if p["fin"] else None) for p in enfant.papiers]
    faits_connus = FaitsDossier(
        documents=_papiers(actuels),
        a_pai=enfant.a_pai,
        vaccins_etat=enfant.vaccins_etat or "",
        vaccins_jusqu_au=enfant.vaccins_jusqu_au,
        assurance_fin=enfant.assurance_fin,
    )
    return pressants(faits_connus, jour)
