"""A closure: a service is not held on some days, everywhere or for one school, and everyone concerned is told."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from enfants import offre as offres
from enfants.models import Attente, Fermeture, Presence, Reservation, SuspensionAcces
from enfants.regles import planning as regles
from enfants.regles.dates import jours_en_clair, periode
from enfants.reservations import places_verrouillees
from familles.models import Responsable, Utilisateur
from messagerie.actions import Envoi, diffuser
from messagerie.models import ServiceMairie
from portail.commune import Commune
from portail.outils.francais import au_milieu

JOURS_MAX = 366  # of one closure: beyond, the service is no longer offered


class FermetureImpossible(Exception):
    """Nothing was written; the text says why, to the agent who tried."""


@dataclass(frozen=True)
class Jour:
    """A day that a child loses: booked, or waited for."""

    cle: int
    famille: int
    enfant: int
    prenom: str
    service: str
    jour: date


@dataclass(frozen=True)
class Prevision:
    """Whom a closure touches, in numbers, and what they will read."""

    reservations: int
    par_jour: list[tuple[date, int]]
    enfants: int
    foyers: int
    attentes: int
    exemple: tuple[str, str] | None  # subject and text of a household's message


def prevoir(fermeture: Fermeture) -> Prevision:
    """What ``fermer`` would cancel now; nothing is written.

    :param fermeture: not saved.
    """
    return _compter(fermeture, _reserves(fermeture), _attendus(fermeture))


def _compter(fermeture, reserves, attendus):
    tous = reserves + attendus
    foyers = {jour.famille for jour in tous}
    exemple = None
    if tous:
        # The household that loses most: no message is longer than the one shown.
        famille = max(Counter(jour.famille for jour in tous).items(), key=lambda paire: (paire[1], -paire[0]))[0]
        exemple = composer(
            fermeture, *([j for j in jours if j.famille == famille] for jours in (reserves, attendus)), _signature()
        )
    return Prevision(
        reservations=len(reserves),
        par_jour=sorted(Counter(jour.jour for jour in reserves).items()),
        enfants=len({jour.enfant for jour in tous}),
        foyers=len(foyers),
        attentes=len(attendus),
        exemple=exemple,
    )


@transaction.atomic
def fermer(fermeture: Fermeture, *, par: Utilisateur) -> Prevision:
    """The days are closed, what was booked is cancelled, waiting lists end, and each household reads what it loses.

    A child already seen present that day keeps its reservation. A booking in progress is either seen here and
    cancelled, or finds the closure: both lock the days. Pending demandes are another app's, see
    demandes/fermetures.py.

    :param fermeture: valid, not saved.
    :raises FermetureImpossible: the days are past, or a colleague has just closed the same ones.
    """
    if fermeture.valable_du < timezone.localdate():
        raise FermetureImpossible("Un jour passé ne se ferme plus.")
    places_verrouillees(_journees(fermeture))
    memes = Fermeture.objects.filter(service=fermeture.service, ecole=fermeture.ecole)
    if memes.filter(valable_du=fermeture.valable_du, valable_au=fermeture.valable_au).exists():
        raise FermetureImpossible("Ces jours sont déjà fermés. Rien n'a été envoyé une seconde fois.")
    fermeture.save()
    reserves, attendus = _reserves(fermeture), _attendus(fermeture)
    maintenant = timezone.now()
    Reservation.objects.actives().filter(pk__in=[jour.cle for jour in reserves]).update(
        annulee_le=maintenant, annulee_par=par, annulation=fermeture.motif
    )
    Attente.objects.ouvertes().filter(pk__in=[jour.cle for jour in attendus]).update(
        close_le=maintenant, issue=Attente.Issue.FERMEE
    )
    diffuser(_envois(fermeture, reserves, attendus), par=par, service=ServiceMairie.de("enfance-jeunesse"))
    return _compter(fermeture, reserves, attendus)


# --- What it touches -------------------------------------------------------------------------------------


def _concernes(lignes, fermeture):
    """Rows of the closed days. Through their places: the days of a service are few, the reservations many."""
    du_au = {"place__jour__gte": fermeture.valable_du, "place__jour__lte": fermeture.valable_au}
    concernes = lignes.filter(**du_au)
    if fermeture.service_id:
        concernes = concernes.filter(place__service=fermeture.service_id)
    if fermeture.ecole_id:
        concernes = concernes.filter(enfant__ecole=fermeture.ecole_id)
    return concernes


def _lire(lignes, fermeture):
    colonnes = ("pk", "famille_id", "enfant_id", "enfant__prenom", "service__nom", "jour")
    dans_l_ordre = _concernes(lignes, fermeture).order_by("enfant__prenom", "enfant", "service__ordre", "jour", "pk")
    return [Jour(*ligne) for ligne in dans_l_ordre.values_list(*colonnes)]


def _reserves(fermeture):
    vus = Presence.objects.filter(
        enfant=OuterRef("enfant"), service=OuterRef("service"), jour=OuterRef("jour"), etat=Presence.Etat.PRESENT
    )
    return _lire(Reservation.objects.actives().exclude(Exists(vus)), fermeture)


def _attendus(fermeture):
    return _lire(Attente.objects.ouvertes(), fermeture)


def _journees(fermeture):
    """(service, site, day) that a booking of these days would lock, beside those where something is on file."""
    calendrier = offres.calendrier(fermeture.valable_du, fermeture.valable_au)
    nombre = (fermeture.valable_au - fermeture.valable_du).days + 1
    jours = [fermeture.valable_du + timedelta(days=n) for n in range(nombre)]
    cles = set()
    for offre in offres.actuelle():
        if fermeture.service_id in (None, offre.cle):
            lieux = [offre.lieu(fermeture.ecole_id)] if fermeture.ecole_id else offre.lieux
            tenus = [jour for jour in jours if not regles.ferme_ce_jour(offre, jour, calendrier)]
            cles |= {(offre.cle, lieu.site, jour) for lieu in lieux if lieu for jour in tenus}
    for lignes in (Reservation.objects.actives(), Attente.objects.ouvertes()):
        deja = _concernes(lignes, fermeture).order_by()
        cles |= set(deja.values_list("place__service_id", "place__site_id", "place__jour").distinct())
    return cles


# --- What is told ----------------------------------------------------------------------------------------


def composer(fermeture: Fermeture, reserves: list[Jour], attendus: list[Jour], signature: str = "") -> tuple[str, str]:
    """Subject and text that one household reads: whose days, which, why, and that nothing is due."""
    quand = periode(fermeture.valable_du, fermeture.valable_au)
    quoi = fermeture.service.nom if fermeture.service_id else "Services périscolaires"
    blocs = ["Bonjour,", f"{quoi}\u00a0: fermé {quand}.\nRaison\u00a0: {fermeture.motif}"]
    if reserves:
        blocs.append("\n".join(["Réservations annulées\u00a0:", *_lignes(reserves)]))
        blocs.append("Rien ne vous sera compté pour ces jours.")
    if attendus:
        blocs.append("\n".join(["Listes d'attente closes\u00a0:", *_lignes(attendus)]))
    blocs.append(signature or _signature())
    return f"{quoi}\u00a0: fermeture {quand}", "\n\n".join(blocs)


def _signature():
    service = ServiceMairie.de("enfance-jeunesse")
    return service.nom if service else Commune.actuelle().nom


def _lignes(jours):
    """« Léa, restauration scolaire : lundi 23 et jeudi 26 novembre »."""
    par_enfant = defaultdict(list)
    for jour in jours:
        par_enfant[jour.enfant, jour.prenom, jour.service].append(jour.jour)
    return [
        f"{prenom}, {au_milieu(service)}\u00a0: {jours_en_clair(tenus)}"
        for (_, prenom, service), tenus in par_enfant.items()
    ]


def _envois(fermeture, reserves, attendus):
    """A message a household; where an adult may no longer see one of the children, one for each of the others."""
    par_foyer = defaultdict(lambda: ([], []))
    for rang, jours in enumerate((reserves, attendus)):
        for jour in jours:
            par_foyer[jour.famille][rang].append(jour)
    lecteurs, signature = _lecteurs(par_foyer), _signature()
    for famille, (siens, ses_attentes) in sorted(par_foyer.items()):
        sujet, corps = composer(fermeture, siens, ses_attentes, signature)
        premier = min(jour.jour for jour in siens + ses_attentes)
        lien = reverse("semaine", args=[premier.isoformat()])
        for destinataire in lecteurs.get(famille, [None]):
            yield Envoi(famille, sujet, corps, destinataire, lien, "Voir le planning")


def _lecteurs(par_foyer):
    """Household -> the adults who may read, only for the households where one may not."""
    enfants = {(f, jour.enfant) for f, listes in par_foyer.items() for jours in listes for jour in jours}
    suspensions = SuspensionAcces.objects.en_vigueur(timezone.localdate()).filter(
        enfant__in={enfant for _, enfant in enfants}, adulte__famille__in=list(par_foyer)
    )
    suspendus = defaultdict(set)
    for famille, enfant, adulte in suspensions.values_list("adulte__famille", "enfant", "adulte").order_by():
        if (famille, enfant) in enfants:
            suspendus[famille].add(adulte)
    lecteurs = {famille: [] for famille in suspendus}
    for famille, adulte in (
        Responsable.objects.filter(famille__in=lecteurs).order_by("rang").values_list("famille", "pk")
    ):
        if adulte not in suspendus[famille]:
            lecteurs[famille].append(adulte)
    return lecteurs
