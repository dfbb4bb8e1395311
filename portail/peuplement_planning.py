"""The bookings of the invented families: children registered, days reserved, who came, who waits for a place.

Hundreds of thousands of rows: they are made of plain values, see ``Copie.grande_table``.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from enfants.garde import regle
from enfants.models import Attente, Enfant, Garde, Inscription, Presence, Reglement, Reservation
from enfants.regles import garde as regles_garde
from enfants.regles.annees import bornes, niveau_habituel
from enfants.regles.delais import permis
from enfants.regles.planning import Geste, hors_age
from familles.models import Utilisateur
from portail import peuplement_tirages as tirer
from portail.peuplement_envois import Envois
from portail.peuplement_services import Feuille, Guichet, Services

A_L_AVANCE = 21  # days that a family books which does not book the whole year
ATTENTES_MAX = 3  # children who wait for a place of one day
# Chances of a habitual day: of the past, seen without being booked, cancelled, absent; then of the days to come.
INATTENDU, ANNULE, ABSENT = 0.01, 0.02, 0.02
ANNULE_APRES, ABSENT_APRES = 0.015, 0.01
ENTIERES = 5  # days from which holidays are halved: not the bridge of the Ascension, see enfants/planning.py
SANS_ABSENCE = (None, None, False)


@dataclass
class Envoi:
    """A submit of the planning: when it was, and its days where a demande is to tell them."""

    le: datetime
    verdicts: list | None = None
    texte: str = ""

    def __post_init__(self):
        self.texte = str(self.le)


@dataclass
class Carnet:
    """A child whom a household has registered to a service for a school year.

    :param annee: the submit of the whole year, None for who books some weeks ahead.
    """

    foyer: Any  # Foyer of portail/peuplement_foyer.py
    enfant: Enfant
    guichet: Guichet
    jours: list[int]
    formule: int | None
    par: Utilisateur
    annee: Envoi | None


@dataclass
class Suites:
    """What a household may still do in the days to come: ``(carnet, day)``."""

    envois: dict[date, Envoi] = field(default_factory=dict)  # by week that is booked
    libres: list[tuple[Carnet, Feuille]] = field(default_factory=list)
    reserves: list[tuple[Carnet, Feuille]] = field(default_factory=list)


class Agenda:
    """Books the households one after the other, on the services of the base: who comes first has the place."""

    def __init__(self, copie, decor):
        """:param copie: holds the schools that were just opened: each gets a site of its own."""
        self.creer, self.decor, self.aujourdhui = copie.creer, decor, decor.aujourdhui
        self.services, self.envois = Services(copie, decor), Envois(copie, decor)
        reglements = Reglement.objects.order_by("annee", "publie_le", "pk")
        self.reglements = {reglement.annee: reglement for reglement in reglements}  # the last of each year
        self.vacances = [p for p in self.services.calendrier.vacances if (p[1] - p[0]).days >= ENTIERES]
        self.separe = None  # household whose children's custody the next one tells
        self.pointe_par = decor.agents["enfance-jeunesse"].pk
        self.reservation = copie.grande_table(
            Reservation,
            "enfant_id famille_id service_id jour place_id formule_id tardive reservee_le reservee_par_id annulee_le "
            "annulee_par_id annulation motif_absence_id absence_le absence_justifiee",
        )
        self.presence = copie.grande_table(
            Presence,
            "enfant_id service_id jour place_id etat arrivee depart "
            "pointee_le pointee_par_id correction famille_prevenue_le",
        )

    def remplir(self, foyer, *, dernier: bool) -> None:
        """The household's year; that of separated parents waits for the other household, unless it is the last."""
        separe, self.separe = self.separe, None
        if separe is not None:
            self._planifier(separe)
        if foyer.est_separe and not dernier:
            self.separe = foyer
        else:
            self._planifier(foyer)

    def _planifier(self, foyer):
        suites = Suites()
        a_l_annee = foyer.hasard.random() < 0.8
        for enfant in foyer.enfants:
            if enfant.ecole_id is None:
                continue
            siens = self._jours_de_garde(foyer.gardes.get(enfant.pk), foyer.famille.pk)
            for annee in self.services.annees:
                if niveau_habituel(enfant.date_naissance, annee):
                    self._inscrire(foyer, enfant, annee, siens, suites, a_l_annee=a_l_annee)
        for _, envoi in sorted(suites.envois.items()):
            if envoi.verdicts:
                parent = foyer.adultes[0].utilisateur
                self.envois.reserver(foyer, envoi.verdicts, par=parent, depot=envoi.le)
        self._demander(foyer, suites)

    def _jours_de_garde(self, garde: Garde | None, famille: int) -> set[date] | None:
        """Days that a household books of a child of two; the first one, where both have every day. None: all."""
        if garde is None:
            return None
        jours = regles_garde.calendrier(regle(garde, []), self.services.du, self.services.au, self.vacances)
        return {jour for jour, foyers in jours.items() if foyers[0] == famille}

    # --- Registered ---

    def _inscrire(self, foyer, enfant, annee, siens, suites, *, a_l_annee):
        h, (du, au) = foyer.hasard, bornes(annee)
        for guichet in self.services.guichets(enfant.ecole_id):
            offre, usage = guichet.offre, guichet.usage
            if h.random() >= usage.inscrits or all(hors_age(offre, enfant.date_naissance, jour) for jour in (du, au)):
                continue
            carnet = self._carnet(foyer, enfant, guichet, annee, a_l_annee)
            jours = [
                feuille
                for feuille in self.services.jours(guichet, enfant.ecole_id, annee)
                if siens is None or feuille.jour in siens
            ]
            if offre.age_min is not None or offre.age_max is not None:
                jours = [feuille for feuille in jours if not hors_age(offre, enfant.date_naissance, feuille.jour)]
            remplir = self._vacances if offre.periode == "VACANCES" else self._annee
            remplir(carnet, jours, suites)

    def _carnet(self, foyer, enfant, guichet, annee, a_l_annee):
        h, (du, au), ouverts = foyer.hasard, bornes(annee), sorted(guichet.offre.jours)
        jours = [jour for jour in ouverts if h.random() < guichet.usage.habituel] or [h.choice(ouverts)]
        formules = guichet.offre.formules
        formule = h.choice(formules)[0] if formules else None
        le, reglement = foyer.instant(du - timedelta(days=h.randint(3, 50))), self.reglements.get(annee)
        self.creer(
            Inscription,
            uuid=tirer.uuid(h),
            enfant=enfant,
            famille=foyer.famille,
            service_id=guichet.offre.cle,
            annee=annee,
            jours=jours,
            formule_id=formule,
            reglement=reglement,
            reglement_accepte_le=le if reglement else None,
            valable_du=du,
            valable_au=au,
            jours_reserves_le=le if a_l_annee else None,
        )
        parent = h.choice(foyer.adultes).utilisateur
        return Carnet(foyer, enfant, guichet, jours, formule, parent, Envoi(le) if a_l_annee else None)

    # --- Booked ---

    def _annee(self, carnet, feuilles, suites):
        """The habitual days, of the whole year or of some weeks ahead."""
        horizon = self.aujourdhui + timedelta(days=A_L_AVANCE)
        proche = self.aujourdhui + timedelta(days=4)
        for feuille in feuilles:
            if carnet.annee is None and feuille.jour > horizon:
                break
            if feuille.rang in carnet.jours:
                self._noter(carnet, feuille, carnet.annee or self._envoi(carnet, feuille, suites), suites)
            elif self.aujourdhui < feuille.jour <= proche:
                suites.libres.append((carnet, feuille))

    def _envoi(self, carnet, feuille, suites):
        """The submit in which the household has booked this week, of all its children; the last ones are told."""
        lundi = feuille.lundi
        if lundi not in suites.envois:
            h, hier = carnet.foyer.hasard, self.decor.hier
            le = carnet.foyer.instant(min(hier, lundi - timedelta(days=h.randint(5, 18))))
            racontes = [] if lundi > hier - timedelta(days=7) else None
            suites.envois[lundi] = Envoi(le, racontes)
        return suites.envois[lundi]

    def _vacances(self, carnet, feuilles, suites):
        """Some weeks of holidays, at least as many days of each as the service asks."""
        h, semaines = carnet.foyer.hasard, defaultdict(list)
        for feuille in feuilles:
            semaines[feuille.lundi].append(feuille)
        naissance = carnet.enfant.date_naissance
        for semaine in semaines.values():
            if h.random() >= 0.45:
                continue
            voulus = [
                feuille
                for feuille in semaine
                if feuille.rang in carnet.jours and not carnet.guichet.est_complet(feuille, naissance)
            ]
            if len(voulus) < min(carnet.guichet.offre.minimum_semaine or 1, len(semaine)) or not voulus:
                continue
            debut = carnet.guichet.calendrier.vacances_du(voulus[0].jour)[0]
            depot = min(self.decor.hier, debut - timedelta(days=h.randint(25, 50)))
            if carnet.annee is None and depot == self.decor.hier:
                self._demander_la_semaine(carnet, voulus)
                continue
            envoi = carnet.annee or Envoi(carnet.foyer.instant(depot))
            for feuille in voulus:
                self._noter(carnet, feuille, envoi, suites)

    def _noter(self, carnet, feuille, envoi, suites):
        """A habitual day: booked and what came of it, or no place left."""
        guichet, naissance = carnet.guichet, carnet.enfant.date_naissance
        if guichet.est_complet(feuille, naissance):
            self._attendre(carnet, feuille, envoi)
            return
        x = carnet.foyer.hasard.random()
        if guichet.offre.minimum_semaine:  # a day less would leave too few of the week
            x = max(x, INATTENDU + ANNULE)
        if feuille.est_passee:
            self._passer(carnet, feuille, envoi, x)
        elif x < ANNULE_APRES and not guichet.offre.minimum_semaine:
            self._reserver(carnet, feuille, envoi, annulee=True)
        else:
            self._prevoir(carnet, feuille, envoi, x < ANNULE_APRES + ABSENT_APRES, suites)

    def _passer(self, carnet, feuille, envoi, x):
        """A day that is over."""
        guichet = carnet.guichet
        if INATTENDU <= x < INATTENDU + ANNULE:
            self._reserver(carnet, feuille, envoi, annulee=True)
            return
        guichet.occuper(feuille, carnet.enfant.date_naissance)
        absent = INATTENDU <= x < INATTENDU + ANNULE + ABSENT
        if x >= INATTENDU:
            dite = absent and self.envois.motifs and carnet.foyer.hasard.random() < 0.5
            absence = self._absence(carnet, feuille) if dite else SANS_ABSENCE
            self._reserver(carnet, feuille, envoi, absence=absence)
        self.presence(
            carnet.enfant.pk,
            guichet.offre.cle,
            feuille.texte,
            self.services.place(guichet, feuille),
            "ABSENT" if absent else "PRESENT",
            *((None, None) if absent else carnet.foyer.hasard.choice(guichet.heures)),
            feuille.pointee_le,
            self.pointe_par,
            "",
            None,
        )

    def _prevoir(self, carnet, feuille, envoi, absent, suites):
        """A day to come, or today."""
        carnet.guichet.occuper(feuille, carnet.enfant.date_naissance)
        proche = self.aujourdhui < feuille.jour <= self.aujourdhui + timedelta(days=10)
        if absent and proche and self.envois.motifs:
            depot = max(carnet.foyer.instant(self.decor.hier), envoi.le + timedelta(minutes=9))
            self._reserver(carnet, feuille, envoi, absence=self._absence(carnet, feuille, depot=depot))
            return
        self._reserver(carnet, feuille, envoi)
        if proche:
            suites.reserves.append((carnet, feuille))
        if envoi.verdicts is not None:
            verdict = self.envois.verdict(
                carnet.enfant, carnet.guichet, feuille, Geste.RESERVER, formule=carnet.formule
            )
            envoi.verdicts.append(verdict)

    def _absence(self, carnet, feuille, **depot):
        return self.envois.absence(carnet.foyer, carnet.enfant, carnet.guichet, feuille, par=carnet.par, **depot)

    def _reserver(self, carnet, feuille, envoi, *, annulee=False, absence=SANS_ABSENCE):
        par = carnet.par.pk
        self.reservation(
            carnet.enfant.pk,
            carnet.foyer.famille.pk,
            carnet.guichet.offre.cle,
            feuille.texte,
            self.services.place(carnet.guichet, feuille),
            carnet.formule,
            False,
            envoi.texte,
            par,
            *((self._annulation(carnet, feuille, envoi), par) if annulee else (None, None)),
            "",
            *absence,
        )

    def _annulation(self, carnet, feuille, envoi):
        """Some days before, once it was booked."""
        avant = min(self.decor.hier, feuille.jour - timedelta(days=3)) - timedelta(
            days=carnet.foyer.hasard.randrange(5)
        )
        return str(max(carnet.foyer.instant(avant), envoi.le + timedelta(minutes=9)))

    def _attendre(self, carnet, feuille, envoi):
        """No place left: some wait for one."""
        h, trop_tot = carnet.foyer.hasard, feuille.jour <= self.aujourdhui + timedelta(days=2)
        if trop_tot or feuille.attentes >= ATTENTES_MAX or h.random() >= 0.3:
            return
        feuille.attentes += 1
        self.creer(
            Attente,
            uuid=tirer.uuid(h),
            enfant=carnet.enfant,
            famille=carnet.foyer.famille,
            service_id=carnet.guichet.offre.cle,
            jour=feuille.jour,
            place_id=self.services.place(carnet.guichet, feuille),
            formule_id=carnet.formule,
            inscrite_le=envoi.le,
            inscrite_par=carnet.par,
        )

    # --- What waits for an agent ---

    def _demander(self, foyer, suites):
        """Now and then, a day asked too late, or an absence that needs a proof."""
        h, depot = foyer.hasard, foyer.instant(self.decor.hier)
        tardifs = [(carnet, feuille) for carnet, feuille in suites.libres if self._est_tardif(carnet, feuille, depot)]
        if tardifs and h.random() < 0.06:
            self._reclamer(*h.choice(tardifs), depot)
        if suites.reserves and h.random() < 0.03:
            carnet, feuille = h.choice(suites.reserves)
            sujet = (foyer, carnet.enfant, carnet.guichet, feuille)
            self.envois.absence_a_prouver(*sujet, par=carnet.par, depot=depot)

    def _est_tardif(self, carnet, feuille, depot):
        guichet = carnet.guichet
        if guichet.offre.validation != "RETARD" or guichet.est_complet(feuille, carnet.enfant.date_naissance):
            return False
        regle = guichet.offre.regle("RESERVER", feuille.jour)
        return not permis(regle, feuille.jour, guichet.calendrier, depot)

    def _reclamer(self, carnet, feuille, depot):
        """The place is kept until the agent answers."""
        carnet.guichet.occuper(feuille, carnet.enfant.date_naissance)
        verdict = self.envois.verdict(
            carnet.enfant, carnet.guichet, feuille, Geste.RESERVER, formule=carnet.formule, attend=True, tardif=True
        )
        self.envois.demander(carnet.foyer, [verdict], par=carnet.par, depot=depot)

    def _demander_la_semaine(self, carnet, feuilles):
        """A week of holidays that an agent must accept, asked in time; or not asked yet."""
        h, guichet = carnet.foyer.hasard, carnet.guichet
        depot = carnet.foyer.instant(self.decor.hier - timedelta(days=h.randrange(5)))
        regle = guichet.offre.regle("RESERVER", feuilles[0].jour)
        if h.random() >= 0.15 or not permis(regle, feuilles[0].jour, guichet.calendrier, depot):
            return
        verdicts = []
        for feuille in feuilles:
            guichet.occuper(feuille, carnet.enfant.date_naissance)
            sujet = (carnet.enfant, guichet, feuille, Geste.RESERVER)
            verdicts.append(self.envois.verdict(*sujet, formule=carnet.formule, attend=True))
        self.envois.demander(carnet.foyer, verdicts, par=carnet.par, depot=depot)
