"""Registrations to the services of a school year, and the reservations that their habitual days become.

Children are locked first, then their days, all at once: see enfants/reservations.py.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from enfants import offre as offres
from enfants.dossier import informations
from enfants.messages import prevenir
from enfants.models import Enfant, Inscription, Nature, Reglement, Service
from enfants.planning import Planning, avec_rattachement, semaine
from enfants.regles import planning as regles
from enfants.regles.annees import a_venir, annee_scolaire, bornes
from enfants.regles.dates import enumerer, jours_en_clair, periode
from enfants.regles.planning import Geste, Offre
from enfants.reservations import Changement, appliquer, imposer, places_verrouillees, verifier
from familles.actions import ecrire
from familles.models import Famille, Utilisateur
from messagerie.models import ServiceMairie
from portail.outils.francais import au_milieu

ETE = 7  # from July on a family comes for the year that opens
LISTES_MAX = 5  # days told one by one; beyond, their number


# --- What can be asked -----------------------------------------------------------------------------------


def annees_ouvertes(jour: date) -> list[int]:
    """School years a family may register for on ``jour``: the current one, from March on the next one too."""
    return sorted({annee_scolaire(jour), a_venir(jour)})


def annee_habituelle(jour: date) -> int:
    """The one it comes for, when it does not say."""
    return annees_ouvertes(jour)[-1 if ETE <= jour.month < 9 else 0]


def offres_pour(enfant: Enfant, annee: int) -> list[Offre]:
    """Services that need a registration, held for this child's school and age some day of the year."""
    du, au = bornes(annee)
    return [
        offre
        for offre in offres.actuelle()
        if offre.inscription
        and offre.lieu(enfant.ecole_id)
        and not (
            regles.hors_age(offre, enfant.date_naissance, du) and regles.hors_age(offre, enfant.date_naissance, au)
        )
    ]


def reglement_de(annee: int, jour: date) -> Reglement | None:
    """The rules of the year that a family accepts on ``jour``; for a year to come, those of its first day."""
    en_vigueur = Reglement.objects.filter(annee=annee, publie_le__lte=max(jour, bornes(annee)[0]))
    return en_vigueur.first()


def papiers_valides(enfant: Enfant, annee: int, jour: date) -> set[str]:
    """Natures of the papers on file, whoever gave them, that are good on ``jour`` and once the year has begun."""
    utile = max(jour, bornes(annee)[0])
    assurance = informations(enfant).assurance_fin
    valides = set()
    for nature, expire_le in enfant.documents.actuels().values_list("nature", "expire_le"):
        fin = expire_le or (assurance if nature == Nature.ASSURANCE else None)
        if fin is None or fin >= utile:
            valides.add(nature)
    return valides


def premier_jour(annee: int, jour: date) -> date:
    """A registration counts from ``jour``, or from 1 September of a year to come."""
    return max(jour, bornes(annee)[0])


def a_reserver(famille: Famille, enfant: Enfant) -> list[Inscription]:
    """Registrations of the household for this child that have habitual days, and days to come."""
    demain = timezone.localdate() + timedelta(days=1)
    lignes = Inscription.objects.filter(famille=famille, enfant=enfant, valable_au__gte=demain).exclude(jours=[])
    return list(lignes.select_related("famille", "service", "enfant").order_by("annee", "service__ordre", "pk"))


# --- Registering -----------------------------------------------------------------------------------------


@transaction.atomic
def inscrire(
    enfant: Enfant,
    famille: Famille,
    service: Service,
    annee: int,
    *,
    jours: list[int],
    formule: int | None = None,
    reglement: int | None = None,
    reglement_accepte_le: datetime | None = None,
    du: date | None = None,
) -> Inscription:
    """The child may come to the service for the school year; registering books nothing by itself.

    Registered already, its habitual days change; the days booked before stay booked.

    :param enfant: locked, with its famille.
    :param jours: habitual weekdays, 0 for Monday.
    :param formule: key of the habitual formule.
    :param reglement: key of the rules the family has accepted; None leaves what it had accepted.
    :param du: first day; None keeps it, or takes the usual one.
    """
    ligne = Inscription.objects.filter(enfant=enfant, famille=famille, service=service, annee=annee).first()
    valeurs = {"jours": sorted(jours), "formule_id": formule}
    if reglement is not None:
        valeurs |= {"reglement_id": reglement, "reglement_accepte_le": reglement_accepte_le}
    if ligne is None:
        return Inscription.objects.create(
            enfant=enfant,
            famille=famille,
            service=service,
            annee=annee,
            valable_du=du or premier_jour(annee, timezone.localdate()),
            valable_au=bornes(annee)[1],
            **valeurs,
        )
    if du is not None:
        valeurs["valable_du"] = du
    if ligne.jours != valeurs["jours"] or ligne.formule_id != formule:
        valeurs["jours_reserves_le"] = None  # the new ones are to be booked
    ecrire(ligne, valeurs)
    return ligne


# --- Habitual days ---------------------------------------------------------------------------------------


@dataclass
class Bilan:
    """What became of the habitual days of one registration.

    :param ecartes: why -> days that are not booked.
    """

    inscription: Inscription
    reserves: list[date] = field(default_factory=list)
    ecartes: dict[str, list[date]] = field(default_factory=dict)

    def ecarter(self, jour: date, raison: str) -> None:
        self.ecartes.setdefault(raison, []).append(jour)

    @property
    def nom(self) -> str:
        """« Léa, restauration scolaire »."""
        service = self.inscription.service.nom
        return f"{self.inscription.enfant.prenom}, {au_milieu(service)}"

    @property
    def resultat(self) -> str:
        """« 58 jours, du 24 novembre 2026 au 2 juillet 2027 »."""
        if not self.reserves:
            return "aucun jour"
        return f"{compter(self.reserves)}, {periode(min(self.reserves), max(self.reserves))}"

    @property
    def sans_effet(self) -> str:
        """« vacances scolaires (12 jours), complet (lundi 7 décembre) », "" when every day was booked."""
        return ", ".join(f"{raison} ({detail(jours)})" for raison, jours in self.ecartes.items())

    @property
    def phrase(self) -> str:
        """« Léa, restauration scolaire, jours réservés : 58 jours, du… Non réservés : complet (1 jour). »"""
        suite = f" Non réservés\u00a0: {self.sans_effet}." if self.ecartes else ""
        return f"{self.nom}, jours réservés\u00a0: {self.resultat}.{suite}"


def compter(jours: Iterable[date]) -> str:
    """« 1 jour », « 12 jours »."""
    nombre = len(list(jours))
    return f"{nombre} jour{'s' if nombre > 1 else ''}"


def detail(jours: list[date]) -> str:
    """« lundi 7 et jeudi 10 décembre », « 12 jours » where they are many."""
    return jours_en_clair(jours) if len(jours) <= LISTES_MAX else compter(jours)


def prevoir_jours_habituels(
    inscriptions: list[Inscription], *, par: Utilisateur, en_attente: Callable | None = None
) -> list[Bilan]:
    """What « Réserver les jours habituels » would do now; nothing is written.

    :param inscriptions: of one household.
    """
    famille = inscriptions[0].famille
    return _Reservation(famille, inscriptions, par, None, en_attente).prevoir()


@transaction.atomic
def reserver_jours_habituels(
    inscription: Inscription, *, par: Utilisateur, a_partir_du: date | None = None, en_attente: Callable | None = None
) -> Bilan:
    """The habitual weekdays of the registration are booked from tomorrow to its last day; tells what is not and why.

    Closed days, those of the other household, full ones and those booked already are left. An agent books whatever
    the deadline; a parent, what the deadlines of the service allow. Asked again, it books what has become free.

    :param par: an adult of the household or an agent.
    :param a_partir_du: first day, tomorrow at the earliest.
    :param en_attente: days of pending demandes, as ``Planning`` takes them: they are left too.
    """
    Enfant.objects.select_for_update(of=("self",), no_key=True).get(pk=inscription.enfant_id)
    relue = _relire([inscription.pk])
    (bilan,) = _Reservation(relue[0].famille, relue, par, a_partir_du, en_attente).faire()
    return bilan


@transaction.atomic
def reserver_pour_le_foyer(
    famille: Famille, inscriptions: list[Inscription], *, par: Utilisateur, en_attente: Callable | None = None
) -> list[Bilan]:
    """The habitual days of several registrations of a household are booked together; its inbox tells which, once.

    A parent who has just done it gets no mail; what an agent does is mailed as any message.

    :param inscriptions: of this household, of one or several children.
    """
    enfants = {inscription.enfant_id for inscription in inscriptions}
    list(
        Enfant.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=enfants).order_by("pk")
    )  # as Planning wants them: two clicks queue up here
    relues = _relire([inscription.pk for inscription in inscriptions])
    bilans = _Reservation(famille, relues, par, None, en_attente).faire()
    if any(bilan.reserves for bilan in bilans):
        _raconter(famille, bilans, par)
    return bilans


def _relire(cles):
    """The registrations as they are now that their children are locked."""
    lignes = Inscription.objects.select_for_update(of=("self",)).filter(pk__in=cles)
    return list(lignes.select_related("famille", "service", "enfant").order_by("annee", "service__ordre", "pk"))


def _raconter(famille, bilans, par):
    enfants = {bilan.inscription.enfant_id: bilan.inscription.enfant for bilan in bilans}
    prenoms = enumerer(dict.fromkeys(enfant.prenom for enfant in enfants.values()))
    nombre = compter(jour for bilan in bilans for jour in bilan.reserves)
    service = ServiceMairie.de("enfance-jeunesse")
    prevenir(
        famille,
        list(enfants.values()),
        sujet=f"Jours habituels de {prenoms}\u00a0: {nombre}",
        corps="\n\n".join(["Bonjour,", *(bilan.phrase for bilan in bilans), *([service.nom] if service else [])]),
        par=par if par.adulte is None else None,
        service=service,
        courriel=par.adulte is None,
    )


class _Reservation:
    """Habitual days of some registrations of one household, sorted into booked and left.

    One planning holds all of them, whatever the number of days, and their places are locked in one order.
    """

    def __init__(self, famille, inscriptions, par, a_partir_du, en_attente):
        self.famille, self.inscriptions, self.par, self.en_attente = famille, inscriptions, par, en_attente
        self.maintenant = timezone.now()
        demain = timezone.localdate(self.maintenant) + timedelta(days=1)
        self.du = max(demain, a_partir_du or demain)
        self.bilans = {inscription.pk: Bilan(inscription) for inscription in inscriptions}
        self.planning = self._ouvrir()

    def _ouvrir(self):
        """Whole weeks, which a weekly forfait books and a minimum counts."""
        cles = {inscription.enfant_id for inscription in self.inscriptions}
        enfants = avec_rattachement(Enfant.objects.filter(pk__in=cles), self.famille.pk).order_by("pk")
        du = min(max(self.du, inscription.valable_du) for inscription in self.inscriptions)
        au = max(du, *(inscription.valable_au for inscription in self.inscriptions))
        return Planning(
            self.famille,
            [enfant for enfant in enfants if enfant.rattache_du],
            semaine(du)[0],
            semaine(au)[-1],
            maintenant=self.maintenant,
            en_attente=self.en_attente,
        )

    def prevoir(self):
        return self._juger(self._voulus())[0]

    def faire(self):
        voulus = self._voulus()
        places = places_verrouillees(self._cles(voulus))
        self.planning = self._ouvrir()  # anew: what went before the lock shows
        self.planning.places = places
        bilans, verdicts = self._juger(voulus)
        appliquer(self.planning, verdicts, par=self.par)
        cles = [inscription.pk for inscription in self.inscriptions]
        Inscription.objects.filter(pk__in=cles).update(jours_reserves_le=self.maintenant)
        return bilans

    def _voulus(self):
        """The days to book; those that cannot be are told at once, and their places left alone."""
        voulus = []
        for inscription in self.inscriptions:
            enfant = self.planning.enfants.get(inscription.enfant_id)
            offre = self.planning.offre(inscription.service.code)
            if enfant is None or offre is None:
                continue
            jour = max(self.du, inscription.valable_du)
            while jour <= inscription.valable_au:
                if jour.weekday() in inscription.jours:
                    contexte = self.planning.cellule(enfant, offre, jour).contexte
                    if raison := _ecarte(contexte):
                        self.bilans[inscription.pk].ecarter(jour, raison)
                    else:
                        voulus.append(Changement(enfant.pk, offre.code, jour, Geste.RESERVER, inscription.formule_id))
                jour += timedelta(days=1)
        return voulus

    def _cles(self, voulus):
        for c in voulus:
            enfant, offre = self.planning.enfants[c.enfant], self.planning.offre(c.service)
            for jour in semaine(c.jour) if offre.forfait_semaine else [c.jour]:
                yield offre.cle, offre.lieu(enfant.ecole_id).site, jour

    def _juger(self, voulus):
        """The reports, and the verdicts to write."""
        agent = self.par.adulte is None
        verdicts = imposer(self.planning, voulus) if agent else verifier(self.planning, voulus)
        directs = []
        for v in verdicts:
            bilan = self._bilan(v.changement)
            if v.est_direct and v.possible.geste == Geste.RESERVER:
                directs.append(v)
                if bilan:
                    bilan.reserves.append(v.changement.jour)
            elif bilan:
                bilan.ecarter(v.changement.jour, _raison(v))
        return list(self.bilans.values()), directs

    def _bilan(self, c):
        for inscription in self.inscriptions:
            sienne = inscription.enfant_id == c.enfant and inscription.service.code == c.service
            if sienne and inscription.valable_du <= c.jour <= inscription.valable_au:
                return self.bilans[inscription.pk]
        return None


def _ecarte(contexte):
    """Why nobody books this habitual day, "" when it may be."""
    m = contexte.marques
    if m.reservation:
        return "déjà réservé" if m.famille == contexte.famille else "réservé par l'autre foyer"
    if contexte.ferme:
        return contexte.ferme
    if m.demande:
        return "une demande attend déjà une réponse"
    if m.attente:
        return "en liste d'attente"
    return "complet" if contexte.complet else ""


def _raison(verdict):
    """Why the rules leave this day, in a few words."""
    possible = verdict.possible
    if possible is None:
        return verdict.raison.rstrip(".")
    if possible.geste == Geste.ATTENDRE:
        return "complet"
    return "délai passé" if possible.tardif else "la mairie décide jour par jour\u00a0: demandez-les sur le planning"
