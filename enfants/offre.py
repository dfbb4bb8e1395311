"""What the commune offers and the calendar it is held on, read from the tables once a minute."""

from dataclasses import replace
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache

from enfants.calendrier import charger
from enfants.models import Service
from enfants.models.service import CLE_OFFRE
from enfants.regles import delais
from enfants.regles.annees import annee_scolaire, bornes
from enfants.regles.planning import Lieu, Offre, RegleDatee

DUREE_CACHE = 60  # seconds: a rule an agent has changed is in force everywhere a minute later
CLE_CALENDRIER = "enfants.calendrier"


def actuelle() -> tuple[Offre, ...]:
    """The services proposed to families, in their order."""
    return cache.get_or_set(CLE_OFFRE, _lire, DUREE_CACHE)


def nom(code: str) -> str:
    """Name of a service, whether it is still proposed or no longer is."""
    propose = next((offre.nom for offre in actuelle() if offre.code == code), "")
    return propose or Service.objects.filter(code=code).values_list("nom", flat=True).first() or code


def oublier() -> None:
    """After an agent changed a service, its places, its deadlines or the calendar: this process reads them anew."""
    cache.delete(CLE_OFFRE)
    cache.delete(CLE_CALENDRIER)


def _lire():
    services = Service.objects.filter(actif=True).prefetch_related(
        "formules", "regles", "implantations__site", "implantations__ecoles", "implantations__tranches"
    )
    return tuple(offre(service) for service in services)


def offre(service: Service) -> Offre:
    """One service as the rules read it."""
    return Offre(
        cle=service.pk,
        code=service.code,
        nom=service.nom,
        nom_court=service.nom_court,
        couleur=service.couleur,
        ordre=service.ordre,
        jours=frozenset(service.jours),
        periode=service.periode,
        debut=service.heure_debut,
        fin=service.heure_fin,
        age_min=service.age_min,
        age_max=service.age_max,
        validation=service.validation,
        inscription=service.inscription_requise,
        note_retard=service.note_retard,
        minimum_semaine=service.minimum_semaine,
        forfait_semaine=service.forfait_semaine,
        heures_offre=service.heures_offre,
        formules=tuple((formule.pk, formule.nom) for formule in service.formules.all()),
        lieux=tuple(
            Lieu(
                implantation.site_id,
                implantation.site.nom,
                frozenset(ecole.pk for ecole in implantation.ecoles.all()),
                implantation.capacite,
                tuple((t.age_min, t.age_max, t.capacite) for t in implantation.tranches.all()),
            )
            for implantation in service.implantations.all()
        ),
        pieces=tuple(service.pieces_requises),
        regles=tuple(RegleDatee(r.usage, r.regle, r.valable_du, r.valable_au) for r in service.regles.all()),
    )


def calendrier(du: date, au: date) -> delais.Calendrier:
    """Holidays and public holidays around these days, as far back as a deadline may look.

    ``jours_service`` and ``debut`` are those of no service yet: see ``pour``.
    """
    debut = bornes(annee_scolaire(du - timedelta(days=delais.RECUL)))[0]
    fin = bornes(annee_scolaire(au))[1]
    connus = cache.get(CLE_CALENDRIER)
    if connus is None or connus[0] > debut or connus[1] < fin:
        connus = (debut, fin, charger(debut, fin))
        cache.set(CLE_CALENDRIER, connus, DUREE_CACHE)
    vacances, feries = connus[2]
    return delais.Calendrier(ZoneInfo(settings.TIME_ZONE), frozenset(), time(0), vacances, feries)


def pour(offre: Offre, calendrier: delais.Calendrier) -> delais.Calendrier:
    """The calendar as the deadlines of this service read it."""
    return replace(calendrier, jours_service=offre.jours, debut=offre.debut)
