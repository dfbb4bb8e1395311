"""A service open every day, without registration nor deadline: what the tests of any date may book."""

from datetime import date, time, timedelta

from django.utils import timezone

from enfants import offre
from enfants.models import Enfant, Implantation, JourFerie, Service, Site
from enfants.reservations import Changement
from familles.models import Utilisateur

CODE = "essai"


def ouvrir(capacite=None, tranches=(), **colonnes) -> Service:
    """From 8 to 18 h, on one site for all schools.

    :param tranches: (first age, last age, places).
    """
    service = Service.objects.create(
        code=CODE,
        nom="Atelier d'essai",
        nom_court="Essai",
        jours=list(range(7)),
        periode=Service.Periode.TOUTE,
        heure_debut=time(8),
        heure_fin=time(18),
        inscription_requise=False,
        **colonnes,
    )
    site = Site.objects.create(nom="Site d'essai")
    lieu = Implantation.objects.create(service=service, site=site, capacite=capacite)
    for age_min, age_max, places in tranches:
        lieu.tranches.create(age_min=age_min, age_max=age_max, capacite=places)
    offre.oublier()
    return service


def jour_ouvert(dans=10) -> date:
    """The first day, so many from now, that is no public holiday."""
    feries, jour = set(JourFerie.objects.values_list("jour", flat=True)), timezone.localdate() + timedelta(days=dans)
    while jour in feries:
        jour += timedelta(days=1)
    return jour


def demander(identifiant, prenom, jour, geste="RESERVER"):
    """What this parent asks for this child, by the action of the pages."""
    from demandes.planning import changer

    compte = Utilisateur.objects.get(identifiant=identifiant)
    enfant = Enfant.objects.get(prenom=prenom)
    return changer(compte.adulte.famille, [Changement(enfant.pk, CODE, jour, geste)], par=compte)
