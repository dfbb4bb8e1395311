"""Where the invented children are looked after: the services of the base, a site for each school that was opened."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from math import ceil

from django.db.models import Count, F, Func, IntegerField, Value
from django.db.models.functions import Cast

from enfants import offre as offres
from enfants.models import Attente, Classe, Ecole, Fermeture, Implantation, Place, Reservation, Site
from enfants.regles import delais
from enfants.regles.annees import age, annee_scolaire, bornes
from enfants.regles.planning import Lieu, Offre, ferme_ce_jour
from portail.peuplement_enfants import ENFANTS_PAR_CLASSE

PLACES_MIN = 3


@dataclass(frozen=True)
class Usage:
    """How families use a service.

    :param inscrits: share of the children who are registered.
    :param habituel: chance that a weekday is one of the habitual days.
    :param places: places a day of a new site, by child of the school.
    :param pointage: which hour is noted on the sheet, ``arrivee`` or ``depart``, "" for none.
    """

    inscrits: float
    habituel: float
    places: float
    pointage: str = ""


USAGES = {
    "accueil-matin": Usage(0.25, 0.6, 0.125, "arrivee"),
    "restauration": Usage(0.85, 0.85, 0.75),
    "accueil-soir": Usage(0.40, 0.65, 0.22, "depart"),
    "alsh-mercredi": Usage(0.20, 0.9, 0.15),
    "alsh-vacances": Usage(0.15, 0.8, 0.06),
}


class Feuille:
    """A day of a service at a site: its row, made when the first child comes, and who has a place."""

    __slots__ = ("ages", "attentes", "est_passee", "jour", "lundi", "place", "pointee_le", "prises", "rang", "texte")

    def __init__(self, jour: date, aujourdhui: date, place: int | None):
        self.jour, self.texte, self.rang, self.place = jour, jour.isoformat(), jour.weekday(), place
        self.lundi = jour - timedelta(days=self.rang)
        self.est_passee = jour < aujourdhui
        self.pointee_le, self.prises, self.attentes, self.ages = "", 0, 0, []


@dataclass(frozen=True)
class Guichet:
    """A service at one of its sites, and its days by school year.

    :param heures: those that a sheet notes, as columns of Presence: arrival, departure.
    """

    offre: Offre
    lieu: Lieu
    usage: Usage
    calendrier: delais.Calendrier
    feuilles: dict[int, list[Feuille]]
    heures: list[tuple]

    def est_complet(self, feuille: Feuille, naissance: date) -> bool:
        """No place left for a child born on that day."""
        if self.lieu.tranches:
            return self.lieu.est_complet(feuille.ages, age(naissance, feuille.jour))
        return self.lieu.capacite is not None and feuille.prises >= self.lieu.capacite

    def occuper(self, feuille: Feuille, naissance: date) -> None:
        """One place less."""
        feuille.prises += 1
        if self.lieu.tranches:
            feuille.ages.append(age(naissance, feuille.jour))


class Services:
    """The services whose use is known (``USAGES``), with what the base holds of their days."""

    def __init__(self, copie, decor):
        """:param copie: holds the schools that were just opened, if any."""
        self.creer, self.decor = copie.creer, decor
        self.annees = [annee_scolaire(rentree) for rentree in decor.rentrees]
        self.du, self.au = bornes(self.annees[0])[0], bornes(self.annees[-1])[1]
        offres.oublier()
        self.calendrier = offres.calendrier(self.du, self.au)
        connues = [offre for offre in offres.actuelle() if offre.code in USAGES]
        self.offres = _ouvrir_des_lieux(copie, connues)
        fermetures = Fermeture.objects.filter(valable_du__lte=self.au, valable_au__gte=self.du)
        self.fermetures = list(fermetures.order_by("pk"))
        self._guichets: dict[tuple[int, int], Guichet] = {}
        self._ouverts: dict[tuple[int, int, int, int], list[Feuille]] = {}
        self._par_ecole: dict[int, list[Guichet]] = {}
        self._lire()

    def _lire(self):
        """Days on file, and how many children of each age have a place on them."""
        jours = {"jour__gte": self.du, "jour__lte": self.au, "service__in": [offre.cle for offre in self.offres]}
        lignes = Place.objects.filter(**jours).values_list("service_id", "site_id", "jour", "pk")
        self.places = {(service, site, jour): pk for service, site, jour, pk in lignes.order_by("pk")}
        self.ages = defaultdict(list)
        ans = Cast(
            Func(Value("year"), Func(F("jour"), F("enfant__date_naissance"), function="AGE"), function="DATE_PART"),
            IntegerField(),
        )
        for prises in (Reservation.objects.actives(), Attente.objects.ouvertes().filter(offerte_le__isnull=False)):
            par_age = prises.filter(**jours).order_by().annotate(ans=ans).values_list("place_id", "ans")
            for place, annees, nombre in par_age.annotate(n=Count("pk")).order_by("place_id", "ans"):
                self.ages[place] += [annees] * nombre

    def guichets(self, ecole: int) -> list[Guichet]:
        """Where the children of this school go, in the order of the services."""
        if ecole not in self._par_ecole:
            tenus = [(offre, lieu) for offre in self.offres if (lieu := offre.lieu(ecole))]
            self._par_ecole[ecole] = [self._guichet(offre, lieu) for offre, lieu in tenus]
        return self._par_ecole[ecole]

    def _guichet(self, offre, lieu):
        cle = offre.cle, lieu.site
        if cle not in self._guichets:
            usage = USAGES[offre.code]
            feuilles = {annee: self._feuilles(offre, lieu, annee) for annee in self.annees}
            calendrier = offres.pour(offre, self.calendrier)
            self._guichets[cle] = Guichet(offre, lieu, usage, calendrier, feuilles, _heures(offre, usage.pointage))
        return self._guichets[cle]

    def _feuilles(self, offre, lieu, annee):
        """The days of the year on which the service is held there."""
        premier, dernier = bornes(annee)
        feuilles = []
        for n in range((dernier - premier).days + 1):
            jour = premier + timedelta(days=n)
            if ferme_ce_jour(offre, jour, self.calendrier):
                continue
            feuille = Feuille(jour, self.decor.aujourdhui, self.places.get((offre.cle, lieu.site, jour)))
            feuille.ages = self.ages.pop(feuille.place, [])
            feuille.prises = len(feuille.ages)
            feuille.pointee_le = str(self.calendrier.instant(jour, offre.fin))
            feuilles.append(feuille)
        return feuilles

    def jours(self, guichet: Guichet, ecole: int, annee: int) -> list[Feuille]:
        """The days of the year on which the service is held for the children of this school, strikes left out."""
        cle = guichet.offre.cle, guichet.lieu.site, ecole, annee
        if cle not in self._ouverts:
            fermees = [
                (fermeture.valable_du, fermeture.valable_au)
                for fermeture in self.fermetures
                if fermeture.service_id in (None, guichet.offre.cle) and fermeture.ecole_id in (None, ecole)
            ]
            self._ouverts[cle] = [
                feuille
                for feuille in guichet.feuilles[annee]
                if not any(du <= feuille.jour <= au for du, au in fermees)
            ]
        return self._ouverts[cle]

    def place(self, guichet: Guichet, feuille: Feuille) -> int:
        """Key of the day's row; the sheets of the past are closed."""
        if feuille.place is None:
            close = {}
            if feuille.est_passee:
                close_le = self.calendrier.instant(feuille.jour, time(19))
                close = {"close_le": close_le, "close_par": self.decor.agents["enfance-jeunesse"]}
            lieu = {"service_id": guichet.offre.cle, "site_id": guichet.lieu.site}
            feuille.place = self.creer(Place, **lieu, jour=feuille.jour, **close).pk
        return feuille.place


def _heures(offre, pointage):
    """A dozen of arrivals, or of departures, while the service is open."""
    if not pointage:
        return [(None, None)]
    debut, fin = (datetime.combine(date.min, heure) for heure in (offre.debut, offre.fin))
    pas = (fin - debut) / 12
    heures = [(debut + n * pas).strftime("%H:%M") for n in range(1, 12)]
    return [(heure, None) if pointage == "arrivee" else (None, heure) for heure in heures]


def _ouvrir_des_lieux(copie, connues):
    """The services, held also on a site of each school that was just opened, where places are counted or missing."""
    effectifs = defaultdict(int)
    for classe in copie.lignes.get(Classe, []):
        effectifs[classe.ecole] += ENFANTS_PAR_CLASSE
    lieux, sites = defaultdict(list), {}
    for offre in connues:
        for ecole in copie.lignes.get(Ecole, []):
            tenu = offre.lieu(ecole.pk)
            if tenu is not None and not tenu.est_limite:
                continue
            if ecole not in sites:
                sites[ecole] = copie.creer(
                    Site, nom=f"Maison de l'enfance, {ecole.nom}"[:80], telephone=ecole.telephone
                )
            lieux[offre.cle].append(_implanter(copie, offre, sites[ecole], ecole, effectifs[ecole]))
    return [replace(offre, lieux=(*offre.lieux, *lieux[offre.cle])) for offre in connues]


def _implanter(copie, offre, site, ecole, effectif):
    places = max(PLACES_MIN, ceil(effectif * USAGES[offre.code].places))
    implantation = copie.creer(Implantation, service_id=offre.cle, site=site, capacite=places)
    copie.creer(Implantation.ecoles.through, implantation=implantation, ecole=ecole)
    return Lieu(site.pk, site.nom, frozenset([ecole.pk]), places)
