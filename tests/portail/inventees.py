"""Invented families, in the base or without it: for test_peupler.py and test_peupler_enfants.py."""

from datetime import date
from io import StringIO
from itertools import count
from random import Random

from django.core.management import call_command

from enfants.models import Ecole, Enfant, Niveau, Vaccin
from enfants.regles.vaccins import TABLE_2025
from familles.models import Famille, Utilisateur
from messagerie.models import ServiceMairie
from portail import peuplement
from portail.commune import Commune
from portail.peuplement_foyer import Decor, Foyer

JOUR = date(2025, 11, 24)  # the families of most tests are as of this day, whatever the clock says


def inventer(familles, *, annees=1, graine=42):
    """What ``peupler`` added."""
    return peuplement.peupler(familles, annees=annees, graine=graine, aujourdhui=JOUR)


def commander(**options):
    """What the command printed."""
    sortie = StringIO()
    call_command("peupler", stdout=sortie, **options)
    return sortie.getvalue().replace("\u202f", " ")


def inventes():
    return Utilisateur.objects.filter(identifiant__startswith="famille0").order_by("identifiant")


def familles_inventees():
    return Famille.objects.filter(pk__in=inventes().values("responsable__famille")).order_by("pk")


def enfants_inventes():
    return Enfant.objects.filter(rattachements__famille__in=familles_inventees()).distinct().order_by("pk")


# --- Any day of the year, without the database -----------------------------------------------------------


class SansBase:
    """Takes rows as ``Copie`` does, and keeps them."""

    def __init__(self):
        self.numeros, self.lignes = count(1), []

    def creer(self, modele, **valeurs):
        return self.ajouter(modele(**valeurs))

    def ajouter(self, objet):
        objet.pk = next(self.numeros)
        self.lignes.append(objet)
        return objet

    def toutes(self, modele):
        return [ligne for ligne in self.lignes if isinstance(ligne, modele)]


JOURS = [
    date(2026, 8, 31),
    date(2026, 9, 1),
    date(2026, 11, 22),
    date(2027, 1, 1),
    date(2027, 7, 15),
    date(2028, 2, 29),
]


def raconter(jour, annees):
    """Rows of sixty families as of that day."""
    agent = Utilisateur(pk=900_001, identifiant="agent", is_staff=True)
    services = {code: ServiceMairie(pk=900_001, code=code, nom=code) for code in peuplement.AGENTS}
    agents = dict.fromkeys(peuplement.AGENTS, agent)
    ecole, vaccins = Ecole(pk=900_001, nom="École"), [Vaccin(**vars(obligation)) for obligation in TABLE_2025]
    places = {niveau: [(ecole, None)] for niveau in Niveau.values}
    decor = Decor(Commune(nom="Ici"), agents, services, [], "secret", jour, annees, places, vaccins)
    lignes, foyer = SansBase(), None
    for numero in range(1, 61):
        foyer = Foyer(decor, lignes, Random(f"42/{numero}"), numero).inventer(foyer)
    return lignes
