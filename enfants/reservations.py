"""What changes the days of a planning, on rows that are locked: children first, then places.

Kept by the household's own deadlines (``verifier``) or by an agent's decision (``imposer``); see design of the
demandes, which keep the trail of who asked what.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from enfants import offre as offres
from enfants.models import Attente, Enfant, MotifAbsence, Place, Reservation
from enfants.planning import Cellule, Planning, enfants_de, semaine
from enfants.regles import planning as regles
from enfants.regles.planning import Geste, Offre, Possibilite
from familles.models import Famille, Utilisateur

CHANGEMENTS_MAX = 3000  # of one submit: four services a day for a year is some 700 a child


@dataclass(frozen=True)
class Changement:
    """One day that a family wants otherwise: the browser sends this and nothing more.

    :param tardif: asked after the deadline; an agent who accepts keeps it on the booking.
    """

    enfant: int
    service: str  # code
    jour: date
    geste: str
    formule: int | None = None
    tardif: bool = False


@dataclass(frozen=True)
class Verdict:
    """What becomes of a change: done at once, to be decided by an agent, or impossible, and why.

    :param reservation: key of the one that is cancelled or declared absent.
    """

    changement: Changement
    cellule: Cellule | None = None
    possible: Possibilite | None = None
    raison: str = ""
    reservation: int | None = None

    @property
    def est_direct(self) -> bool:
        return self.possible is not None and self.possible.direct


def charger(
    utilisateur: Utilisateur, famille: Famille, changements: list[Changement], *, maintenant: datetime, en_attente=None
) -> Planning:
    """The planning around these changes, whole weeks, to tell what they would do; nothing is locked."""
    enfants = enfants_de(utilisateur, pk__in={c.enfant for c in changements}).order_by("pk")
    return _planning(famille, enfants, changements, maintenant, en_attente)


def verrouiller(
    utilisateur: Utilisateur, famille: Famille, changements: list[Changement], *, maintenant: datetime, en_attente=None
) -> Planning:
    """The same, the children and the days locked until the end of the transaction: what it tells stays true."""
    enfants, places = attendre_son_tour(utilisateur, changements)
    planning = _planning(famille, enfants, changements, maintenant, en_attente)
    planning.places = places
    return planning


def attendre_son_tour(
    utilisateur: Utilisateur, changements: list[Changement]
) -> tuple[list[Enfant], dict[tuple[int, int, date], Place]]:
    """Lock the children, then the days, in one order; what changes them twice calls this for all of them, before."""
    enfants = list(
        enfants_de(utilisateur, pk__in={c.enfant for c in changements})
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )
    return enfants, _verrouiller_places(enfants, changements)


def _verrouiller_places(enfants: list[Enfant], changements: list[Changement]) -> dict[tuple[int, int, date], Place]:
    """Every day that the changes may touch: a weekly forfait touches its whole week."""
    ecoles = {enfant.pk: enfant.ecole_id for enfant in enfants}
    par_code = {offre.code: offre for offre in offres.actuelle()}
    cles = set()
    for c in changements:
        offre = par_code.get(c.service)
        if c.enfant in ecoles and offre and (lieu := offre.lieu(ecoles[c.enfant])):
            jours = semaine(c.jour) if offre.forfait_semaine else [c.jour]
            cles |= {(offre.cle, lieu.site, jour) for jour in jours}
    return places_verrouillees(cles)


def places_verrouillees(cles: Iterable[tuple[int, int, date]]) -> dict[tuple[int, int, date], Place]:
    """The rows of these (service, site, day), made when missing, locked in one order whoever asks.

    Two parents after one place queue up here.
    """
    cles = sorted(set(cles))
    if not cles:
        return {}
    Place.objects.bulk_create(
        [Place(service_id=service, site_id=site, jour=jour) for service, site, jour in cles], ignore_conflicts=True
    )
    services, sites, jours = ({cle[n] for cle in cles} for n in range(3))
    places = Place.objects.filter(service__in=services, site__in=sites, jour__in=jours)
    voulues = set(cles)
    verrouillees = places.select_for_update(of=("self",), no_key=True).order_by("service_id", "site_id", "jour")
    return {cle: p for p in verrouillees if (cle := (p.service_id, p.site_id, p.jour)) in voulues}


def _planning(famille, enfants, changements, maintenant, en_attente):
    jours = [c.jour for c in changements] or [maintenant.date()]
    du, au = semaine(min(jours))[0], semaine(max(jours))[-1]
    return Planning(famille, enfants, du, au, maintenant=maintenant, en_attente=en_attente)


# --- What the rules say ----------------------------------------------------------------------------------


def verifier(planning: Planning, changements: list[Changement]) -> list[Verdict]:
    """What becomes of each change, in order: a place taken by the first is no longer there for the next.

    ``planning`` is changed as if the direct ones were done. Weeks below the minimum of a service are refused whole.
    """
    verdicts = [_verdict(planning, c) for c in _sans_doublons(_etendre(planning, changements))]
    return _au_moins(planning, verdicts)


def _sans_doublons(changements):
    """The last word on each cell."""
    return {(c.enfant, c.service, c.jour): c for c in changements}.values()


def _etendre(planning, changements):
    """A weekly forfait goes by whole weeks: one day asked or cancelled is all the open days of its week."""
    for c in changements:
        enfant, offre = planning.enfants.get(c.enfant), planning.offre(c.service)
        if enfant is None or offre is None or not offre.forfait_semaine or c.geste not in ("RESERVER", "ANNULER"):
            yield c
            continue
        tenus = {"RESERVER": _est_libre, "ANNULER": _est_reserve}[c.geste]
        jours = [jour for jour in semaine(c.jour) if tenus(planning.cellule(enfant, offre, jour))]
        for jour in jours if c.jour in jours else [c.jour]:
            yield Changement(c.enfant, c.service, jour, c.geste, c.formule)


def _est_libre(cellule):
    return not cellule.contexte.ferme and not cellule.contexte.marques.reservation


def _est_reserve(cellule):
    return bool(cellule.contexte.marques.reservation)


def _verdict(planning, c):
    enfant, offre = planning.enfants.get(c.enfant), planning.offre(c.service)
    if enfant is None or offre is None or not planning.du <= c.jour <= planning.au:
        return Verdict(c, raison="Ce jour ne se change pas.")
    cellule = planning.cellule(enfant, offre, c.jour)
    m, possible = cellule.contexte.marques, cellule.geste(c.geste)
    if c.geste == Geste.RESERVER and possible is None:
        possible = cellule.geste(Geste.ATTENDRE)  # the last place went between the page and the click
    if possible is None:
        return Verdict(c, cellule, raison=_pourquoi_pas(cellule, c.geste))
    if c.geste in (Geste.RESERVER, Geste.ATTENDRE) and not _formule_permise(offre, c.formule):
        return Verdict(c, cellule, raison="Choisissez une formule.")
    verdict = Verdict(c, cellule, possible, reservation=m.reservation)
    if possible.geste == Geste.RESERVER and possible.direct:
        planning.occuper(enfant, offre, c.jour)
    if verdict.est_direct and possible.geste in (Geste.RESERVER, Geste.ANNULER):
        reservee = possible.geste == Geste.RESERVER
        # « -1 »: there will be a row; its key is not known yet.
        planning.marquer(enfant, offre, c.jour, reservation=-1 if reservee else None, famille=planning.famille.pk)
    return verdict


def _pourquoi_pas(cellule, geste):
    """Why this change has no effect: most often the other parent was faster, or the page was old."""
    m = cellule.contexte.marques
    if geste in (Geste.RESERVER, Geste.ATTENDRE):
        if m.reservation:
            return "Déjà réservé."
        if m.attente:
            return "Une place est proposée pour ce jour." if m.offerte_jusqu_au else "Déjà sur la liste d'attente."
        if cellule.geste(Geste.RESERVER):
            return "Une place s'est libérée\u00a0: réservez ce jour."
    elif geste in (Geste.QUITTER, Geste.PRENDRE):
        return "Cette place n'est plus proposée." if m.attente else "Ce jour n'est plus sur la liste d'attente."
    elif not m.reservation and not m.demande:
        return "Aucune réservation ce jour-là."
    elif geste == Geste.REVENIR and not m.absence:
        return "Aucune absence déclarée ce jour-là."
    return regles.pourquoi_rien(cellule.contexte)


def _formule_permise(offre: Offre, formule: int | None) -> bool:
    return formule in {cle for cle, _ in offre.formules} if offre.formules else formule is None


def _au_moins(planning, verdicts):
    """Refuse the days of a holiday week that would hold fewer than the service's minimum, but an empty week."""
    demandes, semaines = defaultdict(set), {}
    for v in verdicts:
        if not v.possible or v.possible.geste not in (Geste.RESERVER, Geste.ANNULER):
            continue
        if v.possible.geste == Geste.RESERVER:
            demandes[_semaine_de(v)].add(v.changement.jour)
        if v.cellule.offre.minimum_semaine and planning.calendrier.vacances_du(v.changement.jour):
            semaines.setdefault(_semaine_de(v), v.cellule)
    trop_peu = {}
    for cle, cellule in semaines.items():
        enfant, offre, jours = cellule.enfant, cellule.offre, semaine(cellule.jour)
        nombre = len(demandes[cle].union(planning.jours_pris(enfant, offre, jours)))
        ouverts = sum(not planning.cellule(enfant, offre, jour).contexte.ferme for jour in jours)
        minimum = min(offre.minimum_semaine, ouverts)
        if 0 < nombre < minimum:
            trop_peu[cle] = minimum
    return [_refuser_si_trop_peu(v, trop_peu) for v in verdicts]


def _semaine_de(v):
    """Child, service and Monday of a change."""
    return v.cellule.enfant.pk, v.cellule.offre.cle, semaine(v.changement.jour)[0]


def _refuser_si_trop_peu(v, trop_peu):
    if v.cellule is None or v.possible is None:
        return v
    minimum = trop_peu.get(_semaine_de(v))
    if minimum is None:
        return v
    return Verdict(v.changement, v.cellule, raison=f"{minimum} jours au moins par semaine de vacances.")


# --- What an agent decides -------------------------------------------------------------------------------


def imposer(planning: Planning, changements: list[Changement]) -> list[Verdict]:
    """The same for an agent who accepts: deadlines no longer count, closed days and full ones still do."""
    verdicts = []
    for c in changements:
        enfant, offre = planning.enfants.get(c.enfant), planning.offre(c.service)
        if enfant is None or offre is None:
            verdicts.append(Verdict(c, raison="L'enfant ou le service n'est plus proposé."))
            continue
        cellule = planning.cellule(enfant, offre, c.jour)
        m, raison = cellule.contexte.marques, _empeche(cellule, c)
        if raison:
            verdicts.append(Verdict(c, cellule, raison=raison))
            continue
        if c.geste == Geste.RESERVER:
            planning.occuper(enfant, offre, c.jour)
        possible = Possibilite(Geste(c.geste), tardif=c.tardif)
        verdicts.append(Verdict(c, cellule, possible, reservation=m.reservation))
    return verdicts


def _empeche(cellule, c):
    """Why an agent cannot accept this change, "" when it can."""
    contexte, m = cellule.contexte, cellule.contexte.marques
    if c.geste == Geste.RESERVER:
        if m.reservation:
            return "déjà réservé"
        if contexte.ferme:
            return contexte.ferme
        if not contexte.inscrit:
            return "l'enfant n'est pas inscrit à ce service"
        return "complet" if contexte.complet else ""
    if not m.reservation or m.famille != contexte.famille:
        return "la réservation n'existe plus"
    return "l'enfant a été pointé présent" if c.geste == Geste.ABSENCE and m.presence == "PRESENT" else ""


# --- Written ---------------------------------------------------------------------------------------------


def appliquer(
    planning: Planning,
    verdicts: list[Verdict],
    *,
    par: Utilisateur,
    motif: MotifAbsence | None = None,
    justifiee: bool = False,
) -> None:
    """The cells change: booked, cancelled, declared absent, on the waiting list. Few queries, however many days.

    :param planning: of ``verrouiller``: children and places are locked.
    :param verdicts: those with a ``possible`` are written, the others left.
    :param motif: reason of the absences among them.
    :param justifiee: the proof has been seen.
    """
    maintenant, gestes = planning.maintenant, {}
    for v in verdicts:
        if v.possible:
            gestes.setdefault(v.possible.geste, []).append(v)
    if venues := gestes.get(Geste.RESERVER, []) + gestes.get(Geste.PRENDRE, []):
        Reservation.objects.bulk_create(
            Reservation(**_colonnes(planning, v), tardive=v.possible.tardif, reservee_le=maintenant, reservee_par=par)
            for v in venues
        )
    if en_liste := gestes.get(Geste.ATTENDRE):
        Attente.objects.bulk_create(
            Attente(**_colonnes(planning, v), inscrite_le=maintenant, inscrite_par=par) for v in en_liste
        )
    for geste, colonnes in {
        Geste.ANNULER: {"annulee_le": maintenant, "annulee_par": par},
        Geste.ABSENCE: {"motif_absence": motif, "absence_le": maintenant, "absence_justifiee": justifiee},
        Geste.REVENIR: {"motif_absence": None, "absence_le": None, "absence_justifiee": False},
    }.items():
        if changees := gestes.get(geste):
            Reservation.objects.filter(pk__in=[v.reservation for v in changees]).update(**colonnes)
    for geste, issue in ((Geste.QUITTER, Attente.Issue.QUITTEE), (Geste.PRENDRE, Attente.Issue.RESERVEE)):
        if finies := gestes.get(geste):
            cles = [v.cellule.contexte.marques.attente for v in finies]
            Attente.objects.ouvertes().filter(pk__in=cles).update(close_le=maintenant, issue=issue)


def _colonnes(planning, v):
    enfant, offre, jour = v.cellule.enfant, v.cellule.offre, v.changement.jour
    attente = v.possible.geste == Geste.PRENDRE
    return {
        "enfant": enfant,
        "famille": planning.famille,
        "service_id": offre.cle,
        "jour": jour,
        "place": planning.places[offre.cle, offre.lieu(enfant.ecole_id).site, jour],
        "formule_id": v.cellule.contexte.marques.formule if attente else v.changement.formule,
    }
