"""The facts of a child's file, gathered for enfants/regles/dossier.py."""

from datetime import date

from django.core.cache import cache

from enfants.models import Enfant, Informations, Sante, Vaccin
from enfants.regles.dossier import FaitsDossier, Manque, manques
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
    papiers = {}
    for document in enfant.documents.all():
        if document.remplace_le is None:
            papiers[document.nature] = _la_plus_longue(papiers, document)
    fiche, fiche_sante = informations(enfant), sante(enfant)
    personnes = [p for p in enfant.personnes.all() if p.urgence and (famille is None or p.famille_id == famille.pk)]
    return FaitsDossier(
        ecole_connue=enfant.ecole_id is not None,
        naissance_connue=enfant.date_naissance is not None,
        contacts_urgence=len(personnes),
        documents=papiers,
        a_pai=enfant.a_pai,
        vaccins_manquants=len(manquants(enfant.date_naissance, jour, vaccins, fiche_sante.vaccinations or {})),
        vaccins_etat=fiche_sante.vaccins_etat,
        vaccins_jusqu_au=fiche_sante.vaccins_jusqu_au,
        assurance_fin=fiche.assurance_fin,
    )


def _la_plus_longue(papiers, document):
    """Of two papers of one nature (two households), the one that counts longest; without end wins."""
    if document.nature not in papiers or document.expire_le is None:
        return document.expire_le
    deja = papiers[document.nature]
    return deja if deja is None else max(deja, document.expire_le)


def manques_de(enfant: Enfant, famille: Famille | None, jour: date, vaccins: list[Vaccin]) -> list[Manque]:
    """What is missing or expires in the child's file, the urgent first."""
    return manques(faits(enfant, famille, jour, vaccins), jour)
