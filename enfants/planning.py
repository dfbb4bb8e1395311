"""The planning of some children over some days: every mark of it, read in one query, and what each cell may become.

The pages print it, ``enfants/reservations.py`` enforces it on rows it has locked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_

from django.db import models
from django.db.models import (
    CharField,
    Count,
    DateField,
    DateTimeField,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from enfants import offre as offres
from enfants.garde import regle
from enfants.models import (
    Attente,
    Enfant,
    ExceptionGarde,
    Fermeture,
    Inscription,
    Place,
    Presence,
    Rattachement,
    Reservation,
    SuspensionAcces,
)
from enfants.regles import garde as regles_garde
from enfants.regles import planning as regles
from enfants.regles.annees import age
from enfants.regles.planning import Contexte, Marques, Offre
from familles.models import Famille

# One union reads every kind of mark: these columns, in this order, NULL where a kind has nothing to say.
COLONNES = {
    "genre": CharField(),
    "cle": models.BigIntegerField(),
    "enfant": models.BigIntegerField(),
    "service": models.BigIntegerField(),
    "ecole": models.BigIntegerField(),
    "site": models.BigIntegerField(),
    "famille": models.BigIntegerField(),
    "formule": models.BigIntegerField(),
    "jour": DateField(),
    "au": DateField(),
    "texte": CharField(),
    "nombre": IntegerField(),
    "instant": DateTimeField(),
}


def marques(queryset, genre: str, **colonnes):
    """Rows of ``queryset`` as marks of the planning, to join to the others; see COLONNES.

    :param colonnes: column -> field or expression; what is left out is NULL.
    """
    valeurs = {
        f"m_{nom}": Cast(Value(genre) if nom == "genre" else colonnes.get(nom, Value(None)), champ)
        for nom, champ in COLONNES.items()
    }
    return queryset.order_by().annotate(**valeurs).values_list(*valeurs)


def enfants_de(utilisateur, **filtres):
    """Children that this adult may see, with their custody and the days they belong to its household."""
    return avec_rattachement(Enfant.objects.visibles_par(utilisateur).filter(**filtres), utilisateur.adulte.famille_id)


def avec_rattachement(enfants, famille_id):
    """These children as ``Planning`` reads them, for this household: an agent books for whom a parent may not see."""
    ici = Rattachement.objects.filter(enfant=OuterRef("pk"), famille=famille_id)
    return enfants.select_related("ecole", "garde").annotate(
        rattache_du=Subquery(ici.order_by("valable_du").values("valable_du")[:1]),
        rattache_au=Subquery(ici.order_by("-valable_du").values("valable_au")[:1]),
    )


@dataclass(frozen=True)
class Cellule:
    """One cell with all that decides of it."""

    enfant: Enfant
    contexte: Contexte

    @property
    def offre(self) -> Offre:
        return self.contexte.offre

    @property
    def jour(self) -> date:
        return self.contexte.jour

    def case(self) -> regles.Case:
        return regles.case(self.contexte)

    def gestes(self) -> list[regles.Possibilite]:
        return regles.gestes(self.contexte)

    def geste(self, geste: str) -> regles.Possibilite | None:
        return next((possible for possible in self.gestes() if possible.geste == geste), None)


class Planning:
    """What one household may do with the days of its children.

    :param enfants: of ``enfants_de``.
    :param du, au: first and last day read, both included; the cells of other days are not known.
    :param en_attente: (children's keys, first day, last day) -> days of pending demandes, as ``marques``: an app
        that this one does not know keeps them.
    :param lues: the marks, where they have been read for many households at once: no query is made.
    """

    def __init__(
        self,
        famille: Famille,
        enfants: Iterable[Enfant],
        du: date,
        au: date,
        *,
        maintenant: datetime,
        en_attente: Callable | None = None,
        lues: Iterable[tuple] | None = None,
    ):
        self.famille, self.du, self.au, self.maintenant = famille, du, au, maintenant
        self.enfants = {enfant.pk: enfant for enfant in enfants}
        self.offres = offres.actuelle()
        self.calendrier = offres.calendrier(du, au)
        self.calendriers = {offre.cle: offres.pour(offre, self.calendrier) for offre in self.offres}
        self.public = "residents" if famille.est_residente else "autres"
        self.gardes = {
            enfant.pk: regle(enfant.garde, []) for enfant in self.enfants.values() if getattr(enfant, "garde", None)
        }
        # The bridge of the Ascension follows the weeks of custody: it is not a holiday that parents halve.
        self.entieres = [periode for periode in self.calendrier.vacances if (periode[1] - periode[0]).days >= 5]
        self.places: dict[tuple[int, int, date], Place] = {}  # locked days, see enfants/reservations.py
        self._marques: dict[tuple[int, int, date], Marques] = defaultdict(Marques)
        self._closes: set[tuple[int, int, date]] = set()
        self._fermetures: list[tuple] = []
        self._inscriptions: dict[tuple[int, int], list[tuple[date, date, str]]] = defaultdict(list)
        self._ages: dict[tuple[int, int, date], list] = defaultdict(list)
        self._en_file: dict[tuple[int, int, date], list] = defaultdict(list)
        self._fermes: dict[tuple[int, date], str] = {}
        self.suspendus: set[int] = set()  # adults of the household who may not see one of these children
        for ligne in self._lire(en_attente) if lues is None else lues:
            self._ranger(*ligne)

    # --- Read ---

    def _lire(self, en_attente):
        """Every mark, in one union."""
        lignes = [*self._marques_des_enfants(), *self._marques_des_services(), *self._marques_du_foyer()]
        if en_attente is not None:
            lignes.append(en_attente(list(self.enfants), self.du, self.au))
        lignes += self._ages_a_compter()
        return lignes[0].union(*lignes[1:], all=True)

    def _marques_des_enfants(self):
        """What is booked, seen and waited for; the reservations come first, they name the columns of the union."""
        ici = Q(jour__gte=self.du, jour__lte=self.au, enfant__in=list(self.enfants))
        ou = {"enfant": F("enfant_id"), "service": F("service_id"), "jour": F("jour")}
        attentes = Attente.objects.ouvertes().filter(ici, famille=self.famille)
        return [
            marques(
                Reservation.objects.actives().filter(ici),
                "reservation",
                cle=F("pk"),
                famille=F("famille_id"),
                formule=F("formule_id"),
                texte=Coalesce(F("motif_absence__libelle"), Value("")),
                **ou,
            ),
            marques(Presence.objects.filter(ici), "presence", texte=F("etat"), **ou),
            marques(
                attentes,
                "attente",
                cle=F("pk"),
                formule=F("formule_id"),
                nombre=_rang(),
                instant=F("expire_le"),
                **ou,
            ),
        ]

    def _marques_des_services(self):
        """Sheets that are closed, days on which a service is not held."""
        sites = {lieu.site for offre in self.offres for lieu in offre.lieux}
        closes = Place.objects.filter(jour__gte=self.du, jour__lte=self.au, site__in=sites, close_le__isnull=False)
        fermetures = Fermeture.objects.filter(valable_du__lte=self.au, valable_au__gte=self.du)
        return [
            marques(closes, "feuille", service=F("service_id"), site=F("site_id"), jour=F("jour")),
            marques(
                fermetures,
                "fermeture",
                service=F("service_id"),
                ecole=F("ecole_id"),
                jour=F("valable_du"),
                au=F("valable_au"),
                texte=F("motif"),
            ),
        ]

    def _marques_du_foyer(self):
        """Registrations, days of custody agreed otherwise, adults who may not see one of these children."""
        cles, periode = list(self.enfants), Q(valable_du__lte=self.au, valable_au__gte=self.du)
        du_au = {"jour": F("valable_du"), "au": F("valable_au")}
        inscriptions = Inscription.objects.filter(periode, enfant__in=cles, famille=self.famille)
        suspensions = SuspensionAcces.objects.en_vigueur(timezone.localdate(self.maintenant))
        suspensions = suspensions.filter(enfant__in=cles, adulte__famille=self.famille)
        lignes = [
            marques(
                inscriptions,
                "inscription",
                enfant=F("enfant_id"),
                service=F("service_id"),
                texte=Func(F("jours"), Value(""), function="array_to_string", output_field=CharField()),
                **du_au,
            ),
            marques(suspensions, "suspension", cle=F("adulte_id")),
        ]
        if self.gardes:
            exceptions = ExceptionGarde.objects.filter(periode, garde__enfant__in=cles)
            foyer = {"enfant": F("garde__enfant_id"), "famille": F("foyer_id")}
            lignes.append(marques(exceptions, "exception", **foyer, **du_au))
        return lignes

    def _ranger(self, genre, cle, enfant, service, ecole, site, famille, formule, jour, au, texte, nombre, instant):
        if genre == "feuille":
            self._closes.add((service, site, jour))
        elif genre == "fermeture":
            self._fermetures.append((service, ecole, jour, au, texte))
        elif genre == "exception":
            self.gardes[enfant] = replace(
                self.gardes[enfant], exceptions=(*self.gardes[enfant].exceptions, (jour, au, famille))
            )
        elif genre == "suspension":
            self.suspendus.add(cle)
        elif genre == "inscription":
            self._inscriptions[enfant, service].append((jour, au, texte))
        elif genre in ("prise", "file"):
            tenus = self._ages if genre == "prise" else self._en_file
            tenus[service, site, jour] += [cle] * nombre
        else:
            m = self._marques[enfant, service, jour]
            if genre == "reservation":
                m.reservation, m.famille, m.formule, m.absence = cle, famille, formule, texte
            elif genre == "presence":
                m.presence = texte
            elif genre == "attente":
                m.attente, m.rang, m.formule = cle, nombre, formule
                # Read in UTC; the words of the cell name the hour of the commune.
                m.offerte_jusqu_au = timezone.localtime(instant) if instant else None
            else:
                m.demande = texte

    def _ages_a_compter(self):
        """Marks of how many children of each age (``cle``) have a place or are offered one, and how many are in line.

        Only where places are counted, where these children go, from today on: a place of yesterday is nobody's. Ages
        are read, a join more, only where some have places of their own.
        """
        if self.au < timezone.localdate(self.maintenant):
            return []
        lieux = [(offre, offre.lieu(enfant.ecole_id)) for enfant in self.enfants.values() for offre in self.offres]
        limites = {(offre.cle, lieu.site): lieu for offre, lieu in lieux if lieu and lieu.est_limite}
        attentes = Attente.objects.ouvertes()
        return [
            self._compter(lignes, genre, cles, avec_ages)
            for avec_ages in (False, True)
            if (cles := [cle for cle, lieu in limites.items() if bool(lieu.tranches) is avec_ages])
            for lignes, genre in (
                (Reservation.objects.actives(), "prise"),
                (attentes.filter(offerte_le__isnull=False), "prise"),
                (attentes.filter(offerte_le=None), "file"),
            )
        ]

    def _compter(self, lignes, genre, cles, avec_ages):
        """How many of these rows, by day and age, at these (service, site)."""
        debut = max(self.du, timezone.localdate(self.maintenant))
        age_ce_jour = Func(F("jour"), F("enfant__date_naissance"), function="AGE")
        ages = Func(Value("year"), age_ce_jour, function="DATE_PART") if avec_ages else Value(None)
        ici = reduce(or_, (Q(place__service=service, place__site=site) for service, site in cles))
        return marques(
            lignes.filter(ici, place__jour__gte=debut, place__jour__lte=self.au)
            .order_by()
            .annotate(ans=Cast(ages, IntegerField()))
            .values("place__service_id", "place__site_id", "place__jour", "ans")
            .annotate(n=Count("pk")),
            genre,
            cle=F("ans"),
            service=F("place__service_id"),
            site=F("place__site_id"),
            jour=F("place__jour"),
            nombre=F("n"),
        )

    # --- Cells ---

    def offre(self, code: str) -> Offre | None:
        return next((offre for offre in self.offres if offre.code == code), None)

    def offres_de(self, enfant: Enfant) -> list[Offre]:
        """Services held for this child's school and age, some day of the planning."""
        return [
            offre
            for offre in self.offres
            if offre.lieu(enfant.ecole_id)
            and not (
                regles.hors_age(offre, enfant.date_naissance, self.du)
                and regles.hors_age(offre, enfant.date_naissance, self.au)
            )
        ]

    def cellule(self, enfant: Enfant, offre: Offre, jour: date) -> Cellule:
        lieu, m = offre.lieu(enfant.ecole_id), self._marques.get((enfant.pk, offre.cle, jour)) or Marques()
        return Cellule(
            enfant,
            Contexte(
                offre=offre,
                jour=jour,
                calendrier=self.calendriers[offre.cle],
                maintenant=self.maintenant,
                famille=self.famille.pk,
                ferme=self._pourquoi_ferme(enfant, offre, lieu, jour),
                inscrit=self.est_inscrit(enfant, offre, jour),
                complet=self._est_complet(enfant, offre, lieu, jour),
                feuille_close=lieu is not None and (offre.cle, lieu.site, jour) in self._closes,
                public=self.public,
                marques=m,
            ),
        )

    def est_inscrit(self, enfant: Enfant, offre: Offre, jour: date) -> bool:
        """True when no registration is needed, or one covers ``jour``."""
        if not offre.inscription:
            return True
        return any(du <= jour <= au for du, au, _ in self._inscriptions.get((enfant.pk, offre.cle), ()))

    def est_habituel(self, enfant: Enfant, offre: Offre, jour: date) -> bool:
        """Is it one of the days on which the household said that this child usually comes; any, where it said none?"""
        return any(
            du <= jour <= au and (not jours or str(jour.weekday()) in jours)
            for du, au, jours in self._inscriptions.get((enfant.pk, offre.cle), ())
        )

    def _est_complet(self, enfant, offre, lieu, jour):
        if lieu is None or not lieu.est_limite:
            return False
        ans = age(enfant.date_naissance, jour) if enfant.date_naissance else None
        cle = (offre.cle, lieu.site, jour)
        prises = self._ages.get(cle, ())
        if lieu.est_complet(prises, ans):
            return True
        # A place that is free is first for who waits for one already: a newcomer joins the line.
        return any(not lieu.est_complet(prises, attend) for attend in self._en_file.get(cle, ()))

    def _pourquoi_ferme(self, enfant, offre, lieu, jour):
        if lieu is None:
            return "pas de service pour son école"
        if (offre.cle, jour) not in self._fermes:
            self._fermes[offre.cle, jour] = regles.ferme_ce_jour(offre, jour, self.calendrier)
        if raison := self._fermes[offre.cle, jour]:
            return raison
        for service, ecole, du, au, motif in self._fermetures:
            if du <= jour <= au and service in (None, offre.cle) and ecole in (None, enfant.ecole_id):
                return motif
        if regles.hors_age(offre, enfant.date_naissance, jour):
            return "hors de l'âge du service"
        if not (enfant.rattache_du <= jour and (enfant.rattache_au is None or jour <= enfant.rattache_au)):
            return "n'est pas dans votre foyer ce jour-là"
        if enfant.archive_le and jour >= enfant.archive_le:
            return "a quitté les services"
        return "" if self.est_chez_nous(enfant, jour) else "chez son autre parent"

    def est_chez_nous(self, enfant: Enfant, jour: date) -> bool:
        """Does the custody give this day to the household?"""
        garde = self.gardes.get(enfant.pk)
        return garde is None or self.famille.pk in regles_garde.foyers_du(garde, jour, self.entieres)

    def reserves(self, enfant: Enfant, jour: date) -> list[Offre]:
        """What the household has booked for the child, but for what it told absent, in the order of the hours."""
        tenus = []
        for offre in self.offres:
            m = self._marques.get((enfant.pk, offre.cle, jour))
            if m and m.reservation and m.famille == self.famille.pk and not m.absence:
                tenus.append(offre)
        return sorted(tenus, key=lambda offre: offre.debut)

    # --- What a change in progress does ---

    def marquer(self, enfant: Enfant, offre: Offre, jour: date, **valeurs) -> None:
        """The cell is seen with these marks from now on: the next change of the same submit reads them."""
        m = self._marques[enfant.pk, offre.cle, jour]
        for nom, valeur in valeurs.items():
            setattr(m, nom, valeur)

    def occuper(self, enfant: Enfant, offre: Offre, jour: date) -> None:
        """One place less, for the next change of the same submit."""
        lieu = offre.lieu(enfant.ecole_id)
        ans = age(enfant.date_naissance, jour) if enfant.date_naissance else None
        self._ages[offre.cle, lieu.site, jour].append(ans)

    def jours_pris(self, enfant: Enfant, offre: Offre, jours: Iterable[date]) -> list[date]:
        """Those of ``jours`` that are booked, declared absences included, or asked of an agent."""
        return [
            jour
            for jour in jours
            if (m := self._marques.get((enfant.pk, offre.cle, jour))) and (m.reservation or m.demande == "RESERVER")
        ]


def semaine(jour: date) -> list[date]:
    """Monday to Sunday of the week of ``jour``."""
    lundi = jour - timedelta(days=jour.weekday())
    return [lundi + timedelta(days=n) for n in range(7)]


def _rang():
    """Place in the line of a day: how many came before, and one."""
    avant = Q(inscrite_le__lt=OuterRef("inscrite_le")) | Q(inscrite_le=OuterRef("inscrite_le"), pk__lt=OuterRef("pk"))
    devant = Attente.objects.ouvertes().filter(avant, place=OuterRef("place")).order_by().values("place")
    return Coalesce(Subquery(devant.annotate(n=Count("pk")).values("n")), Value(0)) + 1
