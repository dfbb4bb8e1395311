"""The waiting lists: a place that is freed is offered to the first in line, for a time, then to the next."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from enfants import offre as offres
from enfants.messages import prevenir
from enfants.models import Attente, Place, Rattachement, Reservation
from enfants.regles.annees import age
from enfants.regles.attente import EnAttente, Tour, tour
from enfants.regles.dates import JOURS, en_clair
from enfants.regles.planning import Offre, avant, jusqu_au
from messagerie.models import ServiceMairie
from portail.commune import Commune

# Outcome of Tour -> how the wait ends.
ISSUES = {
    "perimees": Attente.Issue.PERIMEE,
    "reservees": Attente.Issue.RESERVEE,
    "parties": Attente.Issue.QUITTEE,
    "passees": Attente.Issue.PASSEE,
}


def offrir_les_places(maintenant: datetime) -> int:
    """The first in line reads that a place is theirs until an hour; who let it pass reads that it went on.

    Lists of a day that has started are closed. Safe at any time and twice at once: each day is a transaction of its
    own, its row locked as bookings do, and says nothing new when nothing has changed.

    :param maintenant: aware.
    :returns: how many places were offered.
    """
    places = Place.objects.filter(pk__in=Attente.objects.ouvertes().values("place")).order_by("jour", "pk")
    a_faire = [place for place, bilan in _tours(list(places), maintenant) if bilan]
    return sum(_ecrire(place.pk, maintenant) for place in a_faire)


@transaction.atomic
def _ecrire(cle, maintenant):
    """Lock the day, look again, write, tell."""
    place = Place.objects.select_for_update(of=("self",), no_key=True).get(pk=cle)
    ((_, bilan),) = _tours([place], maintenant)
    ouvertes = Attente.objects.ouvertes().filter(place=place)
    concernees = ouvertes.filter(pk__in=bilan.passees + bilan.offertes).select_related("enfant", "famille", "service")
    passees, offertes = (
        [attente for attente in concernees.order_by("inscrite_le", "pk") if attente.pk in cles]
        for cles in (bilan.passees, bilan.offertes)
    )
    for nom, issue in ISSUES.items():
        if cles := getattr(bilan, nom):
            ouvertes.filter(pk__in=cles).update(close_le=maintenant, issue=issue)
    if bilan.offertes:
        ouvertes.filter(pk__in=bilan.offertes).update(offerte_le=maintenant, expire_le=bilan.expire_le)
    for attente in passees:
        _dire_passee(attente)
    for attente in offertes:
        _dire_offerte(attente, bilan.expire_le)
    return len(offertes)


# --- Read ------------------------------------------------------------------------------------------------


def _tours(places: list[Place], maintenant) -> Iterable[tuple[Place, Tour]]:
    """What becomes of the lists of these days: three queries, however many days."""
    listes, pris = _listes(places), _ages_pris(places)
    par_cle = {offre.cle: offre for offre in offres.actuelle()}
    for place in places:
        offre = par_cle.get(place.service_id) or offres.offre(place.service)
        calendrier = offres.pour(offre, offres.calendrier(place.jour, place.jour))
        yield (
            place,
            tour(
                listes[place.pk],
                pris[place.pk],
                _lieu(offre, place) if offre.cle in par_cle else None,
                debut=calendrier.debut_du(place.jour),
                heures=offre.heures_offre,
                maintenant=maintenant,
            ),
        )


def _lieu(offre: Offre, place: Place):
    return next((lieu for lieu in offre.lieux if lieu.site == place.site_id), None)


def _listes(places):
    ici = Rattachement.objects.filter(enfant=OuterRef("enfant"), famille=OuterRef("famille"))
    present = Exists(
        ici.filter(Q(valable_au=None) | Q(valable_au__gte=OuterRef("jour")), valable_du__lte=OuterRef("jour"))
    )
    prise = Reservation.objects.actives().filter(
        enfant=OuterRef("enfant"), service=OuterRef("service"), jour=OuterRef("jour")
    )
    attentes = (
        Attente.objects.ouvertes()
        .filter(place__in=places)
        .select_related("enfant")
        .annotate(au_foyer=present, prise=Exists(prise))
        .order_by("inscrite_le", "pk")
    )
    listes = defaultdict(list)
    for attente in attentes:
        enfant, jour = attente.enfant, attente.jour
        archive = enfant.archive_le is not None and enfant.archive_le <= jour
        ans, parti = _age(enfant.date_naissance, jour), archive or not attente.au_foyer
        listes[attente.place_id].append(EnAttente(attente.pk, ans, attente.expire_le, attente.prise, parti))
    return listes


def _ages_pris(places):
    pris = defaultdict(list)
    reservations = Reservation.objects.actives().filter(place__in=places).order_by()
    for place, naissance, jour in reservations.values_list("place", "enfant__date_naissance", "jour"):
        pris[place].append(_age(naissance, jour))
    return pris


def _age(naissance, jour):
    return age(naissance, jour) if naissance else None


# --- Told ------------------------------------------------------------------------------------------------


def _dire_offerte(attente, expire_le):
    prenom, quoi, fin = attente.enfant.prenom, _quoi(attente), timezone.localtime(expire_le)
    _prevenir(
        attente,
        f"Une place s'est libérée pour {prenom}",
        f"Une place s'est libérée pour {prenom}\u00a0: {quoi}.",
        f"Elle lui est gardée {jusqu_au(fin)}. Prenez-la depuis son planning. "
        "Sans réponse d'ici là, elle sera proposée à la famille suivante.",
        lien_libelle="Prendre la place",
        modele="place_offerte",
        precisions={"avant": avant(fin), "jusqu_au": jusqu_au(fin)},
    )


def _dire_passee(attente):
    prenom, quoi = attente.enfant.prenom, _quoi(attente)
    _prevenir(
        attente,
        f"La place proposée à {prenom} n'a pas été prise",
        f"Vous n'avez pas répondu à temps pour {prenom}\u00a0: {quoi}.",
        "La place est proposée à la famille suivante, et cette attente est close. "
        "Vous pouvez rejoindre de nouveau la liste d'attente depuis le planning, tant que le délai le permet.",
        lien_libelle="Voir le planning",
    )


def _quoi(attente):
    return f"{attente.service.nom}, le {JOURS[attente.jour.weekday()]} {en_clair(attente.jour, annee=False)}"


def _prevenir(attente, sujet, *paragraphes, **message):
    service = ServiceMairie.de("enfance-jeunesse")
    signature = service.nom if service else Commune.actuelle().nom
    prevenir(
        attente.famille,
        [attente.enfant],
        sujet=sujet,
        corps="\n\n".join(["Bonjour,", *paragraphes, signature]),
        par=None,
        service=service,
        lien=reverse("planning_mois", args=[attente.enfant.uuid, f"{attente.jour:%Y-%m}"]),
        **message,
    )
