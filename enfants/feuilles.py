"""The sheet of a service, a site and a day: who is expected, who was seen; and what happened, in a sentence."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from enfants import offre as offres
from enfants.models import Attente, Enfant, Implantation, Place, Presence, Reservation, Service
from enfants.regles import delais
from enfants.regles import presences as regles
from familles.models import Utilisateur

A_CONFIRMER = "à confirmer par la mairie"  # an absence that an agent has not accepted yet
SANS_PLACE = (Attente.Issue.RESERVEE, Attente.Issue.QUITTEE)


@dataclass
class Ligne:
    """A child on the sheet.

    :param absence: why it is said to be away, "" when it is expected.
    """

    enfant: Enfant
    reservation: Reservation | None = None
    presence: Presence | None = None
    absence: str = ""

    @property
    def est_attendu(self) -> bool:
        return self.reservation is not None and not self.absence


@dataclass
class Feuille:
    """What an agent may see of a day.

    :param place: None as long as nobody booked nor was seen.
    :param ailleurs: children expected and not marked yet, of schools where the agent does not work.
    """

    implantation: Implantation
    jour: date
    place: Place | None
    lignes: list[Ligne] = field(default_factory=list)
    ailleurs: int = 0

    @property
    def est_close(self) -> bool:
        return self.place is not None and self.place.close_le is not None

    @property
    def derniere(self) -> Presence | None:
        """The last mark: who saved it and when."""
        presences = [ligne.presence for ligne in self.lignes if ligne.presence]
        return max(presences, key=lambda p: (p.pointee_le, p.pk), default=None)

    @property
    def version(self) -> str:
        """Changes each time somebody saves a mark."""
        return version(ligne.presence for ligne in self.lignes if ligne.presence)

    def ajouter(self, enfants: Iterable[Enfant]) -> None:
        """Children who came without a booking join the list."""
        connus = {ligne.enfant.pk for ligne in self.lignes}
        self.lignes += [Ligne(enfant) for enfant in enfants if enfant.pk not in connus]
        self.lignes.sort(key=_rang)

    def a_pointer(self) -> list[Ligne]:
        return [ligne for ligne in self.lignes if ligne.est_attendu and ligne.presence is None]


def version(presences: Iterable[Presence]) -> str:
    """The instant of the last mark, "" when there is none."""
    instants = [presence.pointee_le for presence in presences]
    return max(instants).isoformat() if instants else ""


def implantations(agent: Utilisateur) -> QuerySet:
    """Where the services are held that this agent may mark: the places of its schools, all of them with the right."""
    lieux = Implantation.objects.select_related("service", "site").order_by("service__ordre", "service", "site__nom")
    if agent.has_perm("enfants.voir_partout_enfant"):
        return lieux
    siennes = agent.affectations.values("ecole")
    ouverts_a_tous = ~Q(pk__in=Implantation.ecoles.through.objects.values("implantation"))
    servies = Implantation.ecoles.through.objects.filter(ecole__in=siennes).values("implantation")
    return lieux.filter(Q(pk__in=servies) | ouverts_a_tous) if agent.affectations.exists() else lieux.none()


def enfants_servis(agent: Utilisateur, implantation: Implantation, jour: date) -> QuerySet:
    """Children of the schools of this place whom the agent may see, and who may come without a booking."""
    enfants = Enfant.objects.accessibles_a(agent).non_partis(jour).select_related("classe", "ecole")
    ecoles = [ecole.pk for ecole in implantation.ecoles.all()]
    return enfants.filter(ecole__in=ecoles) if ecoles else enfants.filter(ecole__isnull=False)


def chercher(agent: Utilisateur, implantation: Implantation, jour: date, texte: str, *, au_plus: int) -> list[Enfant]:
    """Children whose first and last names hold every word of ``texte``, accents or not."""
    enfants = enfants_servis(agent, implantation, jour)
    for mot in texte.replace("\x00", "").split()[:5]:
        enfants = enfants.filter(Q(prenom__unaccent__icontains=mot) | Q(nom__unaccent__icontains=mot))
    return list(enfants[:au_plus])


def lire(agent: Utilisateur, implantation: Implantation, jour: date, *, annonces: Callable | None = None) -> Feuille:
    """The sheet as this agent may see it, in the order of the classes; few queries, however many children.

    :param annonces: (children's keys, service, day) -> keys of those whose absence waits for an agent: an app that
        this one does not know keeps them.
    """
    service, site = implantation.service, implantation.site
    place = Place.objects.select_related("close_par").filter(service=service, site=site, jour=jour).first()
    feuille, lignes = Feuille(implantation, jour, place), {}
    if place is not None:
        visibles = Enfant.objects.accessibles_a(agent)
        reservations = Reservation.objects.actives().filter(place=place, enfant__in=visibles)
        for r in reservations.select_related("enfant__classe", "enfant__ecole", "formule", "motif_absence"):
            absence = r.motif_absence.libelle if r.motif_absence else ""
            lignes[r.enfant_id] = Ligne(r.enfant, reservation=r, absence=absence)
        presences = Presence.objects.filter(place=place, enfant__in=visibles)
        for p in presences.select_related("enfant__classe", "enfant__ecole", "pointee_par"):
            p.service, p.place = service, place
            lignes.setdefault(p.enfant_id, Ligne(p.enfant)).presence = p
        feuille.ailleurs = attendus_ailleurs(agent, place)
    for cle in annonces(list(lignes), service.pk, jour) if annonces and lignes else ():
        if lignes[cle].reservation and not lignes[cle].absence:
            lignes[cle].absence = A_CONFIRMER
    feuille.lignes = sorted(lignes.values(), key=_rang)
    return feuille


def a_pointer(agent: Utilisateur, jour: date) -> int:
    """Children expected that day, all services, whom this agent may see and nobody has marked yet."""
    vus = Presence.objects.filter(jour=jour, service=OuterRef("service"), enfant=OuterRef("enfant"))
    attendus = Reservation.objects.actives().filter(jour=jour, motif_absence=None).exclude(Exists(vus))
    return attendus.filter(enfant__in=Enfant.objects.accessibles_a(agent)).count()


def comptes(agent: Utilisateur, jour: date) -> dict[tuple[int, int], tuple[int, int, int]]:
    """(service, site) -> children booked, said to be away, marked; of those whom this agent may see."""
    visibles, totaux = Enfant.objects.accessibles_a(agent), {}
    reservations = Reservation.objects.actives().filter(jour=jour, enfant__in=visibles).order_by()
    lignes = reservations.values_list("service", "place__site").annotate(Count("pk"), Count("motif_absence"))
    for service, site, attendus, absents in lignes:
        totaux[service, site] = (attendus, absents, 0)
    presences = Presence.objects.filter(jour=jour, enfant__in=visibles).order_by()
    for service, site, vus in presences.values_list("service", "place__site").annotate(Count("pk")):
        totaux[service, site] = (*totaux.get((service, site), (0, 0))[:2], vus)
    return totaux


def attendus_ailleurs(agent: Utilisateur, place: Place) -> int:
    """Children expected there and not marked yet, whom this agent may not see."""
    if agent.has_perm("enfants.voir_partout_enfant"):
        return 0
    return _sans_mot(place).exclude(enfant__in=Enfant.objects.accessibles_a(agent)).count()


def non_pointes(place: Place, annoncees: Iterable[int] = ()) -> list[Enfant]:
    """Children booked there, said to be away by nobody, and not marked yet.

    :param annoncees: children whose absence waits for an agent.
    """
    reservations = _sans_mot(place).exclude(enfant__in=list(annoncees)).select_related("enfant")
    return [r.enfant for r in reservations.order_by("enfant__nom", "enfant__prenom", "enfant")]


def _sans_mot(place):
    vus = Presence.objects.filter(service=place.service_id, jour=place.jour).values("enfant")
    return Reservation.objects.actives().filter(place=place, motif_absence=None).exclude(enfant__in=vus)


def _rang(ligne):
    e = ligne.enfant
    return (str(e.ecole or "~"), str(e.classe or "~"), e.nom, e.prenom, e.pk)


# --- What happened ---------------------------------------------------------------------------------------


def constats(presences: Iterable[Presence], *, agent: Utilisateur) -> dict[int, regles.Constat]:
    """Key of each presence -> what happened that day; three queries, however many.

    :param presences: with their service, place and ``pointee_par``.
    :param agent: who reads: why a child was away is for those alone who read its health.
    """
    presences = list(presences)
    jours, enfants = {p.jour for p in presences}, {p.enfant_id for p in presences}
    services = {p.service_id for p in presences}
    filtre = {"jour__in": jours, "enfant__in": enfants, "service__in": services}
    reservations = {}
    lues = Reservation.objects.filter(**filtre).select_related("motif_absence", "annulee_par")
    for r in lues.order_by("reservee_le", "pk"):  # the last word, and the one that stands before those cancelled
        cle = (r.enfant_id, r.service_id, r.jour)
        if cle not in reservations or reservations[cle].annulee_le is not None:
            reservations[cle] = r
    attentes = Attente.objects.filter(**filtre).exclude(issue__in=SANS_PLACE).order_by()
    en_liste = set(attentes.values_list("enfant", "service", "jour"))
    lecteur = Lecteur(jours, avec_raisons=agent.has_perm("enfants.view_sante"))
    return {
        p.pk: regles.conclure(
            lecteur.faits(p.service, p.jour, reservations.get(cle), p, cle in en_liste, p.place.close_le is not None)
        )
        for p in presences
        if (cle := (p.enfant_id, p.service_id, p.jour))
    }


class Lecteur:
    """Rows as the rules read them.

    :param jours: on which they are.
    :param avec_raisons: who reads may know why a child was away.
    """

    def __init__(self, jours: Iterable[date], *, avec_raisons: bool):
        self.jours, self.avec_raisons = jours, avec_raisons
        self._offres = self._calendrier = None

    def faits(self, service: Service, jour: date, reservation, presence, en_liste: bool, close: bool) -> regles.Faits:
        """What is known of a child's day; ``reservation`` and ``presence`` have the attributes of their rows."""
        return regles.Faits(
            jour=jour,
            fin=service.heure_fin,
            reserve=self._reserve(service, reservation) if reservation else None,
            absence=self._absence(reservation) if reservation and reservation.motif_absence else None,
            vu=_vu(presence) if presence else None,
            en_liste=en_liste,
            feuille_close=close,
        )

    def _absence(self, r):
        motif = r.motif_absence
        if r.absence_justifiee:
            preuve = regles.Preuve.RECUE
        else:
            preuve = regles.Preuve.ATTENDUE if motif.justificatif else regles.Preuve.INUTILE
        libelle = motif.libelle if self.avec_raisons else ""
        return regles.Absence(libelle, timezone.localtime(r.absence_le), preuve, motif.consequence)

    def _reserve(self, service, r):
        le = timezone.localtime(r.reservee_le)
        if r.annulee_le is None:
            return regles.Reserve(le, r.tardive)
        return regles.Reserve(
            le,
            r.tardive,
            annulee_le=timezone.localtime(r.annulee_le),
            annulee_par=str(r.annulee_par),
            annulee_a_temps=self._a_temps(service, r.jour, r.annulee_le),
            par_la_mairie=r.annulee_par.is_staff,
        )

    def _a_temps(self, service, jour, instant: datetime):
        """By the deadline of the service, which is known as long as the service is offered."""
        if self._offres is None:
            self._offres = {offre.cle: offre for offre in offres.actuelle()}
        offre = self._offres.get(service.pk)
        if offre is None:
            return True
        if self._calendrier is None:
            self._calendrier = offres.calendrier(min(self.jours), max(self.jours))
        return delais.permis(offre.regle("ANNULER", jour), jour, offres.pour(offre, self._calendrier), instant)


def _vu(p):
    return regles.Vu(
        present=p.etat == Presence.Etat.PRESENT,
        le=timezone.localtime(p.pointee_le),
        par=str(p.pointee_par),
        arrivee=p.arrivee,
        depart=p.depart,
        correction=p.correction,
    )
