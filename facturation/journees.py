"""What children did over a month, household by household, as the rules of prices read it.

One query brings the days of thousands of households, the facts of each as one text; ``enfants.regles.presences``
concludes on them. Thousands of days are alike but for their date: what was concluded of a text is remembered.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from enfants.feuilles import Lecteur
from enfants.garde import regle
from enfants.models import (
    Attente,
    Garde,
    MotifAbsence,
    PeriodeVacances,
    Place,
    Presence,
    Rattachement,
    Reservation,
    Service,
)
from enfants.regles import garde as regles_garde
from enfants.regles.presences import Code, Constat, conclure
from facturation.models import DecisionJour
from facturation.regles.grilles import Carence, Journee
from familles.models import Famille, Utilisateur

ABSENCE_LONGUE = timedelta(days=21)  # how far before the month an absence is looked for

# All that the conclusion on a day depends on but its service and a cancelling: thousands of days have the same text.
# Instants are told by their day where no hour is read; a mark of the same day by its hour alone.
FAITS = """
format('%%s|%%s|%%s|%%s|%%s|%%s|%%s|%%s|%%s|%%s|%%s|%%s',
    r.tardive, (r.reservee_le AT TIME ZONE %(zone)s)::date,
    r.motif_absence_id, (r.absence_le AT TIME ZONE %(zone)s)::date, r.absence_justifiee,
    l.close_le IS NOT NULL, p.etat, p.arrivee, p.depart,
    CASE WHEN (p.pointee_le AT TIME ZONE %(zone)s)::date = p.jour
        THEN to_char(p.pointee_le AT TIME ZONE %(zone)s, 'HH24:MI')
        ELSE to_char(p.pointee_le AT TIME ZONE %(zone)s, 'YYYY-MM-DD HH24:MI') END,
    p.pointee_par_id, p.correction)
"""
# What was booked by households or for children, with what was seen; of a day cancelled by somebody and booked by
# another, the booking alone. LATERAL and OFFSET keep PostgreSQL to the indexes: it would rather read the presences of
# all the families, once they are a hundred thousand.
RESERVES = """
SELECT DISTINCT ON (r.famille_id, r.enfant_id, r.service_id, r.jour)
    r.famille_id, r.enfant_id, r.service_id, r.jour, r.formule_id, r.place_id, r.annulee_le, r.annulee_par_id,
    r.motif_absence_id, {faits}
FROM unnest(%(cles)s::bigint[]) AS c(id)
CROSS JOIN LATERAL (
    SELECT * FROM {reservation} WHERE {de_qui} = c.id AND jour BETWEEN %(du)s AND %(au)s OFFSET 0
) r
JOIN {place} l ON l.id = r.place_id
LEFT JOIN LATERAL (
    SELECT * FROM {presence} WHERE enfant_id = r.enfant_id AND service_id = r.service_id AND jour = r.jour OFFSET 0
) p ON true
WHERE r.service_id = ANY(%(services)s)
AND (r.annulee_le IS NULL OR p.etat IS DISTINCT FROM 'PRESENT' AND NOT EXISTS (
    SELECT 1 FROM {reservation} a WHERE a.enfant_id = r.enfant_id AND a.service_id = r.service_id
    AND a.jour = r.jour AND a.annulee_le IS NULL))
ORDER BY 1, 2, 3, 4, r.reservee_le DESC, r.id DESC
"""
# No row is asked for twice, and the cores are taken by the other workers.
REGLAGES = "SET LOCAL enable_memoize = off; SET LOCAL max_parallel_workers_per_gather = 0"
# Who came without a booking that stands, of the children that these households have, with the last one cancelled; of
# those that they share, on any day of the month: the other household may have been alone to have the child that day.
IMPREVUS = """
SELECT DISTINCT ON (p.id) NULL, p.enfant_id, p.service_id, p.jour, r.formule_id, p.place_id, r.annulee_le,
    r.annulee_par_id, NULL, {faits}
FROM {presence} p
JOIN {place} l ON l.id = p.place_id
JOIN {rattachement} f ON f.enfant_id = p.enfant_id AND {desquels}
    AND f.valable_du <= p.jour AND (f.valable_au IS NULL OR f.valable_au >= p.jour)
LEFT JOIN {reservation} r ON r.enfant_id = p.enfant_id AND r.service_id = p.service_id AND r.jour = p.jour
WHERE p.etat = 'PRESENT' AND p.service_id = ANY(%(services)s) AND p.jour BETWEEN %(du)s AND %(au)s
AND NOT EXISTS (SELECT 1 FROM {reservation} a WHERE a.enfant_id = p.enfant_id AND a.service_id = p.service_id
    AND a.jour = p.jour AND a.annulee_le IS NULL)
ORDER BY p.id, r.reservee_le DESC, r.id DESC
"""
DES_FOYERS, DES_PARTAGES = "f.famille_id BETWEEN %(de)s AND %(a)s", "f.enfant_id = ANY(%(partages)s)"
TABLES = {
    "reservation": Reservation._meta.db_table,
    "presence": Presence._meta.db_table,
    "place": Place._meta.db_table,
    "rattachement": Rattachement._meta.db_table,
}
PIECES = TABLES | {"faits": FAITS.strip()}


class Reserve(NamedTuple):
    """A booking, with the names of its row."""

    jour: date
    tardive: bool
    reservee_le: datetime
    annulee_le: datetime | None
    annulee_par: Utilisateur | None
    motif_absence: MotifAbsence | None
    absence_le: datetime | None
    absence_justifiee: bool


class Vu(NamedTuple):
    """A presence, with the names of its row."""

    etat: str
    arrivee: time | None
    depart: time | None
    pointee_le: datetime
    pointee_par: Utilisateur
    correction: str


class _Faits(NamedTuple):
    """The text of ``FAITS``, cut."""

    tardive: str
    reservee_le: str
    motif: str
    absence_le: str
    justifiee: str
    close: str
    etat: str
    arrivee: str
    depart: str
    pointee_le: str
    pointee_par: str
    correction: str


class _Conclu(NamedTuple):
    """What was concluded of these facts."""

    constat: Constat
    arrivee: time | None
    depart: time | None
    carence: Carence | None


class Jour(NamedTuple):
    """A day as prices read it, with what happened and the sentence that tells it."""

    journee: Journee
    phrase: str
    constat: Constat


@dataclass
class Mois:
    """The days of some households, and how the invoices of a child are shared.

    :param jours: (household that booked, child, service) -> its days, each once, in order.
    :param parts: child -> ((household, percent), (household, percent)), of those that share the invoices.
    """

    jours: dict[tuple[int, int, int], list[Jour]] = field(default_factory=dict)
    parts: dict[int, tuple] = field(default_factory=dict)


def lire(de: int, a: int, services: dict[int, Service], du: date, au: date) -> Mois:
    """What the households of keys ``de`` to ``a`` booked and did.

    Days around the month are there too, where an absence began before it or where a week ends after it: the rules
    bill those of the month.

    :param services: by key, those that are billed together.
    :param du, au: first and last day of the month; six days more where a week is billed as a whole.
    """
    gardes = _gardes(de, a, du, au)
    mois = Mois(parts={e: parts for e, (_, parts) in gardes.items() if parts})
    with connection.cursor() as curseur:
        reserves, ajoutes, imprevus = _rows(curseur, (de, a), services, mois.parts, du, au)
    lecture = _Lecture(services, du, au)
    lecture.preparer([*reserves, *ajoutes, *imprevus], de, a)
    for cle, rows in groupby(reserves, itemgetter(0, 1, 2)):
        mois.jours[cle] = [lecture.jour(row) for row in rows]
    _ajouter(mois, lecture, ((row[:3], row) for row in ajoutes))
    if imprevus:
        foyer, trouves = _FoyerDuJour(imprevus, gardes), []
        for row in imprevus:
            _, enfant, service, jour, *_ = row
            famille = foyer.de(enfant, jour)
            if famille is not None and (de <= famille <= a or enfant in mois.parts):
                trouves.append(((famille, enfant, service), row))
        _ajouter(mois, lecture, trouves)
    return mois


def _rows(curseur, bornes, services, parts, du, au):
    """What the households booked, in order; what goes with it; who came without a booking."""
    de, a = bornes
    familles = list(Famille.objects.filter(pk__gte=de, pk__lte=a).order_by("pk").values_list("pk", flat=True))
    parametres = {"services": list(services), "zone": timezone.get_current_timezone_name()}

    def lues(de_qui, cles, du, au):
        curseur.execute(RESERVES.format(**PIECES, de_qui=de_qui), parametres | {"cles": list(cles), "du": du, "au": au})
        return curseur.fetchall()

    curseur.execute(REGLAGES)
    reserves, ajoutes = lues("famille_id", familles, du, au), []
    if parts:  # what another household booked for a child that they share
        ajoutes += [row for row in lues("enfant_id", parts, du, au) if not de <= row[0] <= a]
    if absents := {row[:3] for row in (*reserves, *ajoutes) if row[8] is not None}:
        avant = lues("enfant_id", {enfant for _, enfant, _ in absents}, du - ABSENCE_LONGUE, du - timedelta(days=1))
        ajoutes += [row for row in avant if row[:3] in absents]
    parametres |= {"de": de, "a": a, "du": du, "au": au, "partages": list(parts)}
    imprevus = {}
    for desquels in (DES_FOYERS, DES_PARTAGES) if parts else (DES_FOYERS,):
        curseur.execute(IMPREVUS.format(**PIECES, desquels=desquels), parametres)
        imprevus |= {row[1:4]: row for row in curseur.fetchall()}
    return reserves, ajoutes, list(imprevus.values())


def _ajouter(mois, lecture, rows):
    """:param rows: each with the key of its days."""
    touches = set()
    for cle, row in rows:
        mois.jours.setdefault(cle, []).append(lecture.jour(row))
        touches.add(cle)
    for cle in touches:
        mois.jours[cle].sort(key=lambda j: j.journee.jour)


def _gardes(de, a, du, au):
    """Child of two households -> (rule of its custody, parts of the invoices or None).

    A household that the child has left before the month shares nothing of it.
    """
    foyers = Garde.objects.filter(
        Q(premier_foyer__gte=de, premier_foyer__lte=a) | Q(second_foyer__gte=de, second_foyer__lte=a)
    )
    gardes = list(foyers.order_by("enfant_id").prefetch_related("exceptions"))
    liens = Rattachement.objects.filter(enfant__in=[garde.enfant_id for garde in gardes], valable_du__lte=au)
    liens = liens.filter(Q(valable_au=None) | Q(valable_au__gte=du)).order_by()
    la = set(liens.values_list("enfant", "famille"))
    resultat = {}
    for garde in gardes:
        parts, deux = None, (garde.premier_foyer_id, garde.second_foyer_id)
        if garde.mode == Garde.Mode.PARTS and all((garde.enfant_id, foyer) in la for foyer in deux):
            parts = tuple(zip(deux, (garde.part, 100 - garde.part), strict=True))
        resultat[garde.enfant_id] = (regle(garde), parts)
    return resultat


class _FoyerDuJour:
    """Which household has a child that came without a booking."""

    def __init__(self, imprevus, gardes):
        self.gardes, self.liens, self.vacances = gardes, defaultdict(list), []
        enfants = {row[1] for row in imprevus}
        liens = Rattachement.objects.filter(enfant__in=enfants).order_by("enfant", "famille")
        for enfant, *lien in liens.values_list("enfant", "famille", "valable_du", "valable_au"):
            self.liens[enfant].append(lien)
        if enfants & set(gardes):
            periodes = PeriodeVacances.objects.exclude(nom__istartswith="pont").order_by("valable_du")
            self.vacances = list(periodes.values_list("valable_du", "valable_au"))

    def de(self, enfant, jour):
        foyers = [famille for famille, du, au in self.liens[enfant] if du <= jour and (au is None or jour <= au)]
        if enfant in self.gardes:
            siens = regles_garde.foyers_du(self.gardes[enfant][0], jour, self.vacances)
            foyers = [famille for famille in siens if famille in foyers]
        return foyers[0] if foyers else None


class _Lecture:
    """Rows into days."""

    def __init__(self, services, du, au):
        self.services, self.du, self.au = services, du, au
        self.motifs = {motif.pk: motif for motif in MotifAbsence.objects.order_by("pk")}
        self.lecteur = Lecteur([du, au], avec_raisons=False)
        self.zone = timezone.get_current_timezone()
        self.connus = {}

    def preparer(self, rows, de, a):
        """What the rows name by key: people, decisions, places taken again."""
        self.lus = {texte: _Faits(*texte.split("|", 11)) for texte in {row[-1] for row in rows}}
        cles = {int(faits.pointee_par) for faits in self.lus.values() if faits.pointee_par}
        cles |= {row[7] for row in rows if row[7] is not None}
        self.comptes = Utilisateur.objects.in_bulk(cles)
        annulees = {row[5] for row in rows if row[6] is not None}
        self.reprises = self._reprises(annulees) if annulees else {}
        decisions = DecisionJour.objects.filter(
            enfant__rattachements__famille__gte=de,
            enfant__rattachements__famille__lte=a,
            service__in=self.services,
            jour__range=(self.du - ABSENCE_LONGUE, self.au),
        )
        self.decisions = {(d.enfant_id, d.service_id, d.jour): d for d in decisions.order_by("pk")}

    def _reprises(self, places):
        """Place -> when another child took a place that was freed, the last time."""
        prises = Attente.objects.filter(place__in=places, issue=Attente.Issue.RESERVEE).order_by("close_le")
        return dict(prises.values_list("place", "close_le"))

    def jour(self, row) -> Jour:
        """:param row: of RESERVES or IMPREVUS."""
        _, enfant, service, jour, formule, place, annulee_le, annulee_par, _, texte = row
        if annulee_le is not None:  # was it in time? The day itself tells
            conclu = self._conclure(service, jour, texte, annulee_le, self.comptes[annulee_par])
        else:
            conclu = self.connus.get((service, texte))
            if conclu is None:
                conclu = self.connus[service, texte] = self._conclure(service, jour, texte, None, None)
        constat, arrivee, depart, carence = conclu
        decision, phrase = self.decisions.get((enfant, service, jour)), constat.phrase
        if decision is not None:
            phrase = f"{phrase} Décision\u00a0: {decision.motif.rstrip('.')}."
        journee = Journee(  # by position: it counts, tens of thousands of times
            jour,
            constat.code,
            constat.a_facturer,
            formule,
            constat.tardif,
            constat.minutes_de_retard,
            arrivee,
            depart,
            decision.facturer if decision is not None else None,
            carence,
            constat.code == Code.ANNULE_TARD and self._est_reprise(place, annulee_le),
        )
        return Jour(journee, phrase, constat)

    def _est_reprise(self, place, annulee_le):
        reprise = self.reprises.get(place)
        return reprise is not None and reprise > annulee_le

    def _conclure(self, service, jour, texte, annulee_le, annulee_par):
        faits, service = self.lus[texte], self.services[service]
        motif = self.motifs[int(faits.motif)] if faits.motif else None
        reserve = vu = None
        if faits.reservee_le:
            reserve = Reserve(
                jour,
                faits.tardive == "t",
                self._instant(faits.reservee_le),
                annulee_le,
                annulee_par,
                motif,
                self._instant(faits.absence_le) if faits.absence_le else None,
                faits.justifiee == "t",
            )
        heures = (_heure(faits.arrivee), _heure(faits.depart))
        if faits.etat:
            par = self.comptes[int(faits.pointee_par)]
            vu = Vu(faits.etat, *heures, self._pointee_le(faits, jour), par, faits.correction)
        constat = conclure(self.lecteur.faits(service, jour, reserve, vu, False, faits.close == "t"))
        return _Conclu(constat, *heures, _carence(motif, constat))

    def _pointee_le(self, faits, jour):
        meme_jour = len(faits.pointee_le) == len("12:05")
        return self._instant(f"{jour} {faits.pointee_le}" if meme_jour else faits.pointee_le)

    def _instant(self, texte):
        return datetime.fromisoformat(texte).replace(tzinfo=self.zone)


def _heure(texte):
    return time.fromisoformat(texte) if texte else None


def _carence(motif, constat):
    if motif is None or motif.jours_dus is None:
        return None
    if constat.code not in (Code.ABSENT_JUSTIFIE, Code.ABSENCE_DECLAREE):
        return None
    return Carence(motif.jours_dus, motif.remise_des)
