"""The week that a family usually books and has left empty: told once, before its first deadline.

The rules are those of the planning, cell by cell; all that they read is read at once for every household.
"""

from collections import defaultdict
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from enfants import offre as offres
from enfants.messages import prevenir
from enfants.models import (
    Attente,
    Enfant,
    ExceptionGarde,
    Fermeture,
    Inscription,
    RappelSemaine,
    Rattachement,
    Reservation,
    SuspensionAcces,
)
from enfants.planning import Planning, marques, semaine
from enfants.regles import planning as regles
from enfants.regles.dates import JOURS, en_clair
from enfants.regles.planning import Etat, Offre, jusqu_au
from familles.models import Famille
from messagerie.models import ServiceMairie
from portail.commune import Commune
from portail.outils.francais import au_milieu

AVANT = timedelta(hours=48)
SEMAINES = 12  # looked at ahead: the summer, and a deadline of the month before
PRIS = {Etat.DEMANDE, Etat.RESERVE, Etat.ABSENCE, Etat.ATTENTE, Etat.PRESENT, Etat.PRESENT_RESERVE, Etat.ABSENT}


@dataclass(frozen=True)
class Vide:
    """Nothing is booked of this service for this child; ``limite``: until when the first of its days may be."""

    enfant: Enfant
    offre: Offre
    lundi: date
    limite: datetime


def rappeler(*, maintenant: datetime, en_attente: Callable | None = None) -> int:
    """A household reads, once, that nothing is booked for a week of its habitual days whose first deadline is near.

    As many queries for two thousand households as for one, but for the messages. Once for a household and a week,
    however often it runs, and by two at once.

    :param maintenant: aware.
    :param en_attente: days of pending demandes, as ``Planning`` takes them.
    :returns: how many households were told.
    """
    a_prevenir = list(_a_prevenir(maintenant, en_attente))
    return sum(_prevenir(*foyer, maintenant=maintenant) for foyer in a_prevenir)


@transaction.atomic
def _prevenir(famille, lundi, vides, suspendus, *, maintenant):
    """The row and the message together; of two at once, the second waits for the row, and finds it."""
    _, nouveau = RappelSemaine.objects.get_or_create(famille=famille, lundi=lundi, defaults={"envoye_le": maintenant})
    if nouveau:
        _dire(famille, lundi, vides, suspendus)
    return nouveau


# --- Which weeks ------------------------------------------------------------------------------------------


def semaines_proches(maintenant: datetime) -> list[date]:
    """Mondays of the weeks that a deadline of some service reaches within AVANT, in order."""
    lundi = semaine(timezone.localdate(maintenant))[0]
    jours = [lundi + timedelta(days=n) for n in range(7 * SEMAINES)]
    general = offres.calendrier(jours[0], jours[-1])
    proches = set()
    for offre in offres.actuelle():
        calendrier = offres.pour(offre, general)
        for jour in jours:
            if not regles.ferme_ce_jour(offre, jour, general):
                limite = _limite(offre, jour, calendrier)
                if limite and timedelta(0) <= limite - maintenant <= AVANT:
                    proches.add(semaine(jour)[0])
    return sorted(proches)


def _limite(offre, jour, calendrier):
    contexte = regles.Contexte(offre, jour, calendrier, maintenant=None, famille=0)
    limite = contexte.limite("RESERVER")
    return limite and limite.astimezone(UTC)


# --- Which households -------------------------------------------------------------------------------------


def _a_prevenir(maintenant, en_attente):
    """``(household, Monday, empty services of its children, adults who may not see them)``."""
    lundis = semaines_proches(maintenant)
    if not lundis:
        return
    du, au = lundis[0], semaine(lundis[-1])[-1]
    inscriptions = _inscriptions(du, au)
    if not inscriptions:
        return
    foyers = _lire(inscriptions, du, au, maintenant, en_attente)
    deja = set(RappelSemaine.objects.filter(lundi__in=lundis).values_list("famille", "lundi"))
    suspendus = _suspendus(inscriptions, maintenant)
    par_foyer = defaultdict(list)
    for inscription in inscriptions:
        par_foyer[inscription.famille_id].append(inscription)
    for cle, siennes in par_foyer.items():
        par_semaine = defaultdict(list)
        for vide in foyers.vides(siennes, lundis):
            par_semaine[vide.lundi].append(vide)
        for lundi, vides in sorted(par_semaine.items()):
            if (cle, lundi) not in deja and min(_en_utc(v.limite) for v in vides) <= maintenant + AVANT:
                siens = {adulte for v in vides for adulte in suspendus[v.enfant.pk]}
                yield siennes[0].famille, lundi, vides, siens


def _inscriptions(du, au):
    lignes = Inscription.objects.filter(valable_du__lte=au, valable_au__gte=du)
    lignes = lignes.exclude(jours=[]).filter(Q(enfant__archive_le=None) | Q(enfant__archive_le__gt=du))
    return list(lignes.select_related("famille", "enfant__garde").order_by("famille", "enfant", "service__ordre", "pk"))


def _suspendus(inscriptions, maintenant):
    enfants = {inscription.enfant_id for inscription in inscriptions}
    suspensions = SuspensionAcces.objects.en_vigueur(timezone.localdate(maintenant)).filter(enfant__in=enfants)
    par_enfant = defaultdict(set)
    for enfant, adulte in suspensions.values_list("enfant", "adulte"):
        par_enfant[enfant].add(adulte)
    return par_enfant


def _lire(inscriptions, du, au, maintenant, en_attente):
    """All that the cells of these weeks depend on, in two queries."""
    enfants = sorted({inscription.enfant_id for inscription in inscriptions})
    rattachements = defaultdict(list)
    lignes = Rattachement.objects.filter(enfant__in=enfants).order_by("valable_du")
    for enfant, famille, debut, fin in lignes.values_list("enfant", "famille", "valable_du", "valable_au"):
        rattachements[enfant, famille].append((debut, fin))
    foyers = _Foyers(du, au, maintenant, rattachements)
    premieres, *suite = _marques(inscriptions, enfants, du, au)
    if en_attente is not None:
        suite.append(en_attente(enfants, du, au))
    for ligne in premieres.union(*suite, all=True):
        foyers.garder(ligne)
    return foyers


def _marques(inscriptions, enfants, du, au):
    """As ``Planning`` reads them, of every household: what is of one only names it."""
    periode = Q(valable_du__lte=au, valable_au__gte=du)
    du_au = {"jour": F("valable_du"), "au": F("valable_au")}
    services = {inscription.service_id for inscription in inscriptions}
    ici = Q(enfant__in=enfants, service__in=services, jour__gte=du, jour__lte=au)
    ou = {"enfant": F("enfant_id"), "service": F("service_id"), "famille": F("famille_id")}
    return [
        marques(Reservation.objects.actives().filter(ici), "reservation", cle=F("pk"), jour=F("jour"), **ou),
        marques(Attente.objects.ouvertes().filter(ici), "attente", cle=F("pk"), jour=F("jour"), **ou),
        marques(Inscription.objects.filter(periode, enfant__in=enfants), "inscription", **ou, **du_au),
        marques(
            Fermeture.objects.filter(periode),
            "fermeture",
            service=F("service_id"),
            ecole=F("ecole_id"),
            texte=F("motif"),
            **du_au,
        ),
        marques(
            ExceptionGarde.objects.filter(periode, garde__enfant__in=enfants),
            "exception",
            enfant=F("garde__enfant_id"),
            famille=F("foyer_id"),
            **du_au,
        ),
    ]


class _Foyers:
    """The plannings of many households, made from marks read at once."""

    GENRE, ENFANT, FAMILLE = 0, 2, 6  # places in the row of a mark

    def __init__(self, du, au, maintenant, rattachements):
        self.du, self.au, self.maintenant, self.rattachements = du, au, maintenant, rattachements
        self.communes, self.par_enfant = [], defaultdict(list)

    def garder(self, ligne):
        if ligne[self.GENRE] == "fermeture":
            self.communes.append(ligne)
        else:
            self.par_enfant[ligne[self.ENFANT]].append(ligne)

    def vides(self, inscriptions, lundis):
        """The empty services of a household, each in the next week that can still be booked."""
        enfants = {}
        for inscription in inscriptions:
            if inscription.enfant_id not in enfants and (enfant := self._enfant(inscription)):
                enfants[enfant.pk] = enfant
        planning = self._planning(inscriptions[0].famille, enfants)
        offres_connues = {offre.cle: offre for offre in planning.offres}
        habituels = defaultdict(set)  # two school years may share a week
        for inscription in inscriptions:
            habituels[inscription.enfant_id, inscription.service_id].update(inscription.jours)
        for (cle, service), jours in habituels.items():
            if cle in enfants and service in offres_connues:
                vide = _premiere_vide(planning, enfants[cle], offres_connues[service], jours, lundis)
                if vide is not None:
                    yield vide

    def _enfant(self, inscription):
        """The child as ``Planning`` reads it for this household; None when it has left it."""
        periodes = self.rattachements.get((inscription.enfant_id, inscription.famille_id))
        if not periodes:
            return None
        enfant = copy(inscription.enfant)  # of another household too, for other days
        enfant.rattache_du, enfant.rattache_au = periodes[0][0], periodes[-1][1]
        return enfant

    def _planning(self, famille: Famille, enfants):
        lues = [
            ligne
            for cle in enfants
            for ligne in self.par_enfant[cle]
            if ligne[self.GENRE] not in ("inscription", "attente") or ligne[self.FAMILLE] == famille.pk
            if ligne[self.GENRE] != "exception" or getattr(enfants[cle], "garde", None)
        ]
        return Planning(
            famille, enfants.values(), self.du, self.au, maintenant=self.maintenant, lues=[*self.communes, *lues]
        )


def _premiere_vide(planning, enfant, offre, habituels, lundis):
    """The first of these weeks that is still whole, and in which nothing is booked; None without."""
    for lundi in lundis:
        cases = {jour: planning.cellule(enfant, offre, jour).case() for jour in semaine(lundi)}
        siennes = [case for jour, case in cases.items() if jour.weekday() in habituels]
        libres = [case.limite for case in siennes if case.etat == Etat.LIBRE]
        entamee = any(case.etat == Etat.HORS_DELAI for case in siennes)
        if libres and not entamee and not any(case.etat in PRIS for case in cases.values()):
            return Vide(enfant, offre, lundi, min(libres, key=_en_utc))
    return None


def _en_utc(instant):
    """To compare: between two instants of one zone, Python compares what the clocks show."""
    return instant.astimezone(UTC)


# --- Told -------------------------------------------------------------------------------------------------


def _dire(famille, lundi, vides, suspendus):
    service = ServiceMairie.de("enfance-jeunesse")
    quand = f"{JOURS[lundi.weekday()]} {en_clair(lundi, annee=False)}"
    lignes = [f"{v.enfant.prenom}, {au_milieu(v.offre.nom)}\u00a0: {jusqu_au(v.limite)}" for v in vides]
    prevenir(
        famille,
        list({v.enfant.pk: v.enfant for v in vides}.values()),
        suspendus=suspendus,
        sujet=f"Rien n'est réservé pour la semaine du {quand}",
        corps="\n\n".join(
            [
                "Bonjour,",
                f"Rien n'est réservé sur vos jours habituels pour la semaine du {quand}. "
                "Vous pouvez encore réserver\u00a0:",
                "\n".join(lignes),
                "Si vous n'avez besoin de rien cette semaine-là, vous n'avez rien à faire.",
                service.nom if service else Commune.actuelle().nom,
            ]
        ),
        par=None,
        service=service,
        lien=reverse("semaine", args=[lundi.isoformat()]),
        lien_libelle="Réserver la semaine",
        modele="semaine_vide",
        precisions={
            "semaine": quand,
            "lundi": lundi.isoformat(),
            "jusqu_au": jusqu_au(min((v.limite for v in vides), key=_en_utc)),
        },
    )
