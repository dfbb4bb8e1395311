"""What a cell of the planning is, and what a family may do from it: a service, a child, a day, an instant.

The page prints what ``case`` says, the server enforces what ``gestes`` lists: both read the same rules. Words that
name an instant are the commune's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import cached_property

from enfants.regles import delais
from enfants.regles.annees import age
from enfants.regles.dates import JOURS, MOIS

AUCUNE = {"type": "aucune"}


class Etat(StrEnum):
    LIBRE = "libre"
    DEMANDE = "demande"
    RESERVE = "reserve"
    PRESENT = "present"
    PRESENT_RESERVE = "present-reserve"
    ABSENT = "absent"
    ABSENCE = "absence"
    ATTENTE = "attente"
    FERME = "ferme"
    COMPLET = "complet"
    HORS_DELAI = "hors-delai"


MOTS = {
    Etat.LIBRE: "Libre",
    Etat.DEMANDE: "Demandé",
    Etat.RESERVE: "Réservé",
    Etat.PRESENT: "Présent",
    Etat.PRESENT_RESERVE: "Présent et réservé",
    Etat.ABSENT: "Absent",
    Etat.ABSENCE: "Absence déclarée",
    Etat.ATTENTE: "Liste d'attente",
    Etat.FERME: "Fermé",
    Etat.COMPLET: "Complet",
    Etat.HORS_DELAI: "Trop tard",
}


class Geste(StrEnum):
    RESERVER = "RESERVER"
    ANNULER = "ANNULER"
    ABSENCE = "ABSENCE"
    REVENIR = "REVENIR"  # takes a declared absence back
    ATTENDRE = "ATTENDRE"  # joins the waiting list
    QUITTER = "QUITTER"  # leaves it
    PRENDRE = "PRENDRE"  # takes the place that is offered


LIBELLES = {
    Geste.RESERVER: "Demande de réservation",
    Geste.ANNULER: "Annuler la réservation",
    Geste.ABSENCE: "Déclarer une absence",
    Geste.REVENIR: "Annuler l'absence",
    Geste.ATTENDRE: "Rejoindre la liste d'attente",
    Geste.QUITTER: "Quitter la liste d'attente",
    Geste.PRENDRE: "Prendre la place",
}


@dataclass(frozen=True)
class Lieu:
    """Where a service is held: its site, the schools it takes (all when empty), its places a day.

    :param tranches: (first age, last age, places) of the ages that have places of their own.
    """

    site: int
    nom: str
    ecoles: frozenset[int]
    capacite: int | None
    tranches: tuple[tuple[int, int, int], ...] = ()

    @property
    def est_limite(self) -> bool:
        return self.capacite is not None or bool(self.tranches)

    def est_complet(self, ages: Sequence[int | None], age_enfant: int | None) -> bool:
        """No place left for a child of this age (years), beside those of ``ages``; an unknown age fills no slice."""
        if self.capacite is not None and len(ages) >= self.capacite:
            return True
        if age_enfant is None:
            return False
        return any(
            sum(autre is not None and debut <= autre <= fin for autre in ages) >= places
            for debut, fin, places in self.tranches
            if debut <= age_enfant <= fin
        )


@dataclass(frozen=True)
class RegleDatee:
    usage: str
    regle: dict
    du: date
    au: date | None


@dataclass(frozen=True)
class Offre:
    """A service as the rules read it."""

    cle: int
    code: str
    nom: str
    nom_court: str
    couleur: str
    ordre: int
    jours: frozenset[int]
    periode: str
    debut: time
    fin: time
    age_min: int | None
    age_max: int | None
    validation: str
    inscription: bool
    note_retard: str
    minimum_semaine: int | None
    forfait_semaine: bool
    heures_offre: int
    formules: tuple[tuple[int, str], ...]
    lieux: tuple[Lieu, ...]
    regles: tuple[RegleDatee, ...]
    pieces: tuple[str, ...] = ()  # natures of the papers that a registration asks for

    def regle(self, usage: str, jour: date) -> dict:
        """The rule in force for ``jour``: without one, until the service starts; cancelling follows reserving."""
        for regle in self.regles:
            if regle.usage == usage and regle.du <= jour and (regle.au is None or jour <= regle.au):
                return regle.regle
        return self.regle("RESERVER", jour) if usage == "ANNULER" else AUCUNE

    def lieu(self, ecole: int | None) -> Lieu | None:
        """Where a child of this school goes: a place for its school before one for all; None when nowhere."""
        for lieu in self.lieux:
            if ecole in lieu.ecoles:
                return lieu
        return next((lieu for lieu in self.lieux if not lieu.ecoles), None)

    def formule(self, cle: int | None) -> str:
        return dict(self.formules).get(cle, "")


@dataclass
class Marques:
    """What is on file for one child, service and day."""

    reservation: int | None = None  # its key
    famille: int | None = None  # household that booked
    formule: int | None = None
    absence: str = ""  # reason of the declared absence
    presence: str = ""  # PRESENT or ABSENT
    attente: int | None = None
    rang: int = 0
    offerte_jusqu_au: datetime | None = None
    demande: str = ""  # geste of a pending demande


@dataclass(frozen=True)
class Contexte:
    """What decides of a cell beside its marks.

    :param ferme: why nothing is held for this child on that day, "" when something is.
    :param calendrier: the commune's, as the deadlines of this service read it.
    :param public: ``residents`` or ``autres``, for the day a rule opens.
    """

    offre: Offre
    jour: date
    calendrier: delais.Calendrier
    maintenant: datetime
    famille: int
    ferme: str = ""
    inscrit: bool = True
    complet: bool = False
    feuille_close: bool = False
    public: str = "residents"
    marques: Marques = field(default_factory=Marques)

    @cached_property
    def a_commence(self) -> bool:
        return self.maintenant >= self.calendrier.debut_du(self.jour).astimezone(UTC)

    def limite(self, usage: str) -> datetime | None:
        return delais.limite(self.offre.regle(usage, self.jour), self.jour, self.calendrier)

    def permis(self, usage: str) -> bool:
        return delais.permis(self.offre.regle(usage, self.jour), self.jour, self.calendrier, self.maintenant)

    @cached_property
    def pas_encore(self) -> datetime | None:
        """When booking opens, None once it has."""
        regle = self.offre.regle("RESERVER", self.jour)
        debut = delais.ouverture(regle, self.jour, self.calendrier, self.public)
        return debut if debut and self.maintenant < debut.astimezone(UTC) else None


@dataclass(frozen=True)
class Case:
    """A cell: its state, the word for it, the sentence beside it, the instant this sentence names if it is to come."""

    etat: Etat
    mot: str
    phrase: str = ""
    limite: datetime | None = None


@dataclass(frozen=True)
class Possibilite:
    """Something the family may do from a cell.

    :param jusqu_au: last instant, None when there is none.
    :param direct: applied at once; otherwise an agent decides.
    :param tardif: after the deadline, at the price of ``note_retard``.
    """

    geste: Geste
    phrase: str = ""
    jusqu_au: datetime | None = None
    direct: bool = True
    tardif: bool = False

    @property
    def libelle(self) -> str:
        return LIBELLES[self.geste]


# --- The cell --------------------------------------------------------------------------------------------


def case(c: Contexte) -> Case:
    """State of the cell at this instant, and until when it can still change; « reserve » stays so past its deadline."""
    m = c.marques
    if m.reservation or m.presence:
        return _case_tenue(c, m)
    if m.demande:
        return Case(Etat.DEMANDE, MOTS[Etat.DEMANDE], "en attente de la mairie")
    if m.attente:
        return _case_en_attente(m)
    if c.ferme:
        return Case(Etat.FERME, MOTS[Etat.FERME], c.ferme)
    if not c.inscrit:
        return Case(Etat.FERME, MOTS[Etat.FERME], "inscription à faire")
    if not c.permis("RESERVER"):
        limite = c.limite("RESERVER")
        if limite is None:
            return Case(Etat.FERME, MOTS[Etat.FERME], "pas de réservation ce jour-là")
        if c.a_commence:
            return Case(Etat.HORS_DELAI, "Passé", "")
        return Case(Etat.HORS_DELAI, MOTS[Etat.HORS_DELAI], f"délai passé {depuis(limite)}")
    if c.pas_encore:
        return Case(Etat.FERME, "Pas encore ouvert", f"à partir {du(c.pas_encore)}")
    if c.complet:
        return Case(Etat.COMPLET, MOTS[Etat.COMPLET], "liste d'attente possible")
    limite = c.limite("RESERVER")
    return Case(Etat.LIBRE, MOTS[Etat.LIBRE], jusqu_au(limite), limite)


def _case_tenue(c, m):
    """Booked, or seen without being booked."""
    formule = c.offre.formule(m.formule)
    mot = f"{MOTS[Etat.RESERVE]}, {formule.lower()}" if formule else MOTS[Etat.RESERVE]
    if m.presence == "PRESENT":
        etat = Etat.PRESENT_RESERVE if m.reservation else Etat.PRESENT
        return Case(etat, MOTS[etat])
    if m.reservation and m.famille != c.famille:  # nor whether the child is ill: each household tells its own days
        return Case(Etat.RESERVE, mot, "par l'autre foyer")
    if m.demande:
        quoi = {"ABSENCE": "absence", "ANNULER": "annulation"}.get(m.demande, "demande")
        return Case(Etat.DEMANDE, MOTS[Etat.DEMANDE], f"{quoi} en attente de la mairie")
    if m.absence:
        return Case(Etat.ABSENCE, MOTS[Etat.ABSENCE], m.absence)
    if m.presence == "ABSENT" or c.feuille_close:
        return Case(Etat.ABSENT, MOTS[Etat.ABSENT], "réservé, pas venu") if m.reservation else _vide(c)
    if c.permis("ANNULER"):
        limite = c.limite("ANNULER")
        return Case(Etat.RESERVE, mot, f"annulable {jusqu_au(limite)}", limite)
    return Case(Etat.RESERVE, mot, "" if c.a_commence else _plus_annulable(c))


def _plus_annulable(c):
    limite = c.limite("ANNULER")
    return f"ne s'annule plus {depuis(limite)}" if limite else "ne s'annule pas en ligne"


def _vide(c):
    """Seen absent without having been booked: nothing happened."""
    return case(replace(c, marques=replace(c.marques, presence="")))


def _case_en_attente(m):
    if m.offerte_jusqu_au:
        return Case(Etat.ATTENTE, "Place proposée", f"à prendre {jusqu_au(m.offerte_jusqu_au)}")
    rang = "1er" if m.rang == 1 else f"{m.rang}e"
    return Case(Etat.ATTENTE, MOTS[Etat.ATTENTE], f"{rang} de la liste")


# --- What may be done ------------------------------------------------------------------------------------


def gestes(c: Contexte) -> list[Possibilite]:
    """What the family may do from the cell, in the order of the menu; empty when nothing."""
    m = c.marques
    if m.presence or m.demande or (m.reservation and m.famille != c.famille):
        return []
    if m.reservation:
        return _gestes_reserve(c, m)
    if m.attente:
        prendre = [Possibilite(Geste.PRENDRE, jusqu_au(m.offerte_jusqu_au), m.offerte_jusqu_au)]
        tenu = c.inscrit and not c.ferme and not c.a_commence  # the child may have left since it joined the line
        offerte = tenu and m.offerte_jusqu_au and c.maintenant <= m.offerte_jusqu_au
        return [*(prendre if offerte else []), Possibilite(Geste.QUITTER)]
    if c.ferme or not c.inscrit or c.pas_encore or c.a_commence:
        return []
    return _gestes_libre(c)


def _gestes_libre(c):
    limite = c.limite("RESERVER")
    if limite is None:
        return []
    if c.permis("RESERVER"):
        if c.complet:
            return [Possibilite(Geste.ATTENDRE, jusqu_au(limite), limite)]
        return [Possibilite(Geste.RESERVER, jusqu_au(limite), limite, direct=c.offre.validation != "AGENT")]
    if c.offre.validation == "AUTOMATIQUE":
        return []
    if c.complet:
        return []
    suite = f"\u00a0: {c.offre.note_retard}" if c.offre.note_retard else "."
    phrase = f"Demande tardive, la mairie décide{suite}"
    return [Possibilite(Geste.RESERVER, phrase, c.calendrier.debut_du(c.jour), direct=False, tardif=True)]


def _gestes_reserve(c, m):
    if c.feuille_close:
        return []
    absence = c.limite("ABSENCE")
    if m.absence:
        return [Possibilite(Geste.REVENIR, jusqu_au(absence), absence)] if c.permis("ABSENCE") else []
    possibles = []
    if c.permis("ABSENCE"):
        possibles.append(Possibilite(Geste.ABSENCE, jusqu_au(absence), absence))
    if c.permis("ANNULER"):
        annuler = c.limite("ANNULER")
        possibles.append(Possibilite(Geste.ANNULER, jusqu_au(annuler), annuler))
    return possibles


def pourquoi_rien(c: Contexte) -> str:
    """Why the menu of a cell is empty, and what is still possible, in one sentence."""
    m = c.marques
    if m.reservation and m.famille != c.famille:
        return "Réservé par l'autre foyer\u00a0: lui seul peut changer ce jour."
    if m.demande:
        return "Une demande attend déjà une réponse pour ce jour."
    if m.presence or c.feuille_close:
        return "La journée est pointée\u00a0: contactez la mairie si quelque chose n'est pas juste."
    if m.reservation:
        limite = None if m.absence or c.permis("ANNULER") else c.limite("ANNULER")
        if limite is None:
            return "Cette réservation ne se change plus en ligne."
        return f"Le délai d'annulation est passé {depuis(limite)}."
    if c.ferme:
        return f"Fermé\u00a0: {c.ferme}."
    if not c.inscrit:
        return "Inscrivez d'abord l'enfant à ce service pour l'année scolaire."
    if c.a_commence:
        return "Ce jour est passé."
    if c.pas_encore:
        return f"Les réservations de ce jour ouvrent {le(c.pas_encore)}."
    limite = c.limite("RESERVER")
    if limite is None:
        return "Ce service ne se réserve pas ce jour-là."
    if c.complet:
        return "Il n'y a plus de place, et le délai est passé."
    return f"Le délai est passé {depuis(limite)}. {delais.phrase(c.offre.regle('RESERVER', c.jour))}"


# --- Why closed ------------------------------------------------------------------------------------------


def ferme_ce_jour(offre: Offre, jour: date, calendrier: delais.Calendrier) -> str:
    """Why the service is not held on ``jour``, whoever the child; "" when it is."""
    if jour in calendrier.feries:
        return "jour férié"
    en_vacances = calendrier.vacances_du(jour) is not None
    if en_vacances and offre.periode == "SCOLAIRE":
        return "vacances scolaires"
    if not en_vacances and offre.periode == "VACANCES":
        return "hors vacances"
    if jour.weekday() not in offre.jours:
        return f"pas de service le {JOURS[jour.weekday()]}"
    return ""


def hors_age(offre: Offre, naissance: date | None, jour: date) -> bool:
    """Is a child born on ``naissance`` too young or too old on that day? Never, when the birth date is unknown."""
    if naissance is None or (offre.age_min is None and offre.age_max is None):
        return False
    ans = age(naissance, jour)
    return (offre.age_min is not None and ans < offre.age_min) or (offre.age_max is not None and ans > offre.age_max)


# --- Instants in words -----------------------------------------------------------------------------------


def _instant(instant: datetime) -> str:
    heure = f"{instant.hour}\u00a0h" + (f"\u00a0{instant.minute:02}" if instant.minute else "")
    numero = "1er" if instant.day == 1 else instant.day
    return f"{JOURS[instant.weekday()]} {numero} {MOIS[instant.month - 1]} à {heure}"


def jusqu_au(limite: datetime | None) -> str:
    """« jusqu'au mardi 24 novembre à 12 h »."""
    return f"jusqu'au {_instant(limite)}" if limite else ""


def avant(instant: datetime) -> str:
    """« avant jeudi 26 novembre à 10 h »."""
    return f"avant {_instant(instant)}"


def depuis(limite: datetime) -> str:
    """« depuis le mardi 24 novembre à 12 h »."""
    return f"depuis le {_instant(limite)}"


def du(instant: datetime) -> str:
    return f"du {_instant(instant)}"


def le(instant: datetime) -> str:
    return f"le {_instant(instant)}"
