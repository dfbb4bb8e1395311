"""What children did over a month, household by household, as the rules of prices read it.

One query brings the days of thousands of households as arrays; ``enfants.regles.presences`` concludes on each.
Thousands of days are alike but for their date: what is concluded of one is remembered for the others of the lot.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q
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
from familles.models import Utilisateur

ABSENCE_LONGUE = timedelta(days=21)  # how far before the month an absence is looked for

# What was booked, with what was seen; of a day cancelled by somebody and booked by another, the booking alone.
RESERVES = """
SELECT r.famille_id, r.enfant_id, r.service_id, json_agg(json_build_array(
    r.jour, r.formule_id, r.tardive, r.reservee_le, r.annulee_le, r.annulee_par_id, r.motif_absence_id, r.absence_le,
    r.absence_justifiee, l.close_le IS NOT NULL, r.place_id,
    p.etat, p.arrivee, p.depart, p.pointee_le, p.pointee_par_id, p.correction) ORDER BY r.jour)
FROM (
    SELECT DISTINCT ON (enfant_id, service_id, jour, famille_id) *
    FROM {reservation} r
    WHERE (famille_id BETWEEN %(de)s AND %(a)s OR enfant_id = ANY(%(partages)s))
    AND service_id = ANY(%(services)s)
    AND (jour BETWEEN %(du)s AND %(au)s OR jour BETWEEN %(avant)s AND %(du)s AND EXISTS (
        SELECT 1 FROM {reservation} a WHERE a.enfant_id = r.enfant_id AND a.service_id = r.service_id
        AND a.jour BETWEEN %(du)s AND %(au)s AND a.motif_absence_id IS NOT NULL))
    AND (annulee_le IS NULL OR NOT EXISTS (
        SELECT 1 FROM {reservation} a WHERE a.enfant_id = r.enfant_id AND a.service_id = r.service_id
        AND a.jour = r.jour AND a.annulee_le IS NULL))
    ORDER BY enfant_id, service_id, jour, famille_id, annulee_le NULLS FIRST, reservee_le DESC, id DESC
) r
JOIN {place} l ON l.id = r.place_id
LEFT JOIN {presence} p ON p.enfant_id = r.enfant_id AND p.service_id = r.service_id AND p.jour = r.jour
WHERE r.annulee_le IS NULL OR p.etat IS DISTINCT FROM 'PRESENT'
GROUP BY 1, 2, 3
"""
# Who came without a booking that stands, of the children that these households have.
IMPREVUS = """
SELECT DISTINCT ON (p.id) p.enfant_id, p.service_id, p.jour, l.close_le IS NOT NULL, p.place_id,
    p.etat, p.arrivee, p.depart, p.pointee_le, p.pointee_par_id, p.correction,
    c.formule_id, c.tardive, c.reservee_le, c.annulee_le, c.annulee_par_id
FROM {presence} p
JOIN {place} l ON l.id = p.place_id
JOIN {rattachement} f ON f.enfant_id = p.enfant_id AND f.famille_id BETWEEN %(de)s AND %(a)s
    AND f.valable_du <= p.jour AND (f.valable_au IS NULL OR f.valable_au >= p.jour)
LEFT JOIN {reservation} c ON c.enfant_id = p.enfant_id AND c.service_id = p.service_id AND c.jour = p.jour
WHERE p.etat = 'PRESENT' AND p.service_id = ANY(%(services)s) AND p.jour BETWEEN %(du)s AND %(au)s
AND NOT EXISTS (SELECT 1 FROM {reservation} r WHERE r.enfant_id = p.enfant_id AND r.service_id = p.service_id
    AND r.jour = p.jour AND r.annulee_le IS NULL)
ORDER BY p.id, c.reservee_le DESC, c.id DESC
"""
TABLES = {
    "reservation": Reservation._meta.db_table,
    "presence": Presence._meta.db_table,
    "place": Place._meta.db_table,
    "rattachement": Rattachement._meta.db_table,
}


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
    lecture = _Lecture(services, du, au)
    bornes = {"de": de, "a": a, "services": list(services), "partages": list(mois.parts), "du": du, "au": au}
    with connection.cursor() as curseur:
        curseur.execute(RESERVES.format(**TABLES), bornes | {"avant": du - ABSENCE_LONGUE})
        reserves = curseur.fetchall()
        curseur.execute(IMPREVUS.format(**TABLES), bornes)
        imprevus = curseur.fetchall()
    lecture.preparer(reserves, imprevus, de, a)
    for famille, enfant, service, jours in reserves:
        mois.jours[famille, enfant, service] = [lecture.reserve(enfant, services[service], row) for row in jours]
    if imprevus:
        _ajouter_imprevus(mois, lecture, imprevus, services, _FoyerDuJour(imprevus, gardes), (de, a))
    return mois


def _ajouter_imprevus(mois, lecture, imprevus, services, foyer, bornes):
    touches = set()
    for enfant, service, jour, *row in imprevus:
        famille = foyer.de(enfant, jour)
        if famille is None or not (bornes[0] <= famille <= bornes[1] or enfant in mois.parts):
            continue
        cle = (famille, enfant, service)
        mois.jours.setdefault(cle, []).append(lecture.imprevu(enfant, services[service], jour, row))
        touches.add(cle)
    for cle in touches:
        mois.jours[cle].sort(key=lambda j: j.journee.jour)


def _gardes(de, a, du, au):
    """Child of two households -> (rule of its custody, parts of the invoices or None).

    A household that the child has left before the month shares nothing of it.
    """
    liens = Rattachement.objects.filter(Q(valable_au=None) | Q(valable_au__gte=du), valable_du__lte=au)
    liens = liens.filter(enfant=OuterRef("enfant"))
    foyers = Garde.objects.filter(
        Q(premier_foyer__gte=de, premier_foyer__lte=a) | Q(second_foyer__gte=de, second_foyer__lte=a)
    )
    resultat = {}
    foyers = foyers.annotate(
        a_deux=Exists(liens.filter(famille=OuterRef("premier_foyer")))
        & Exists(liens.filter(famille=OuterRef("second_foyer")))
    )
    for garde in foyers.order_by("enfant").prefetch_related("exceptions"):
        parts = None
        if garde.mode == Garde.Mode.PARTS and garde.a_deux:
            parts = ((garde.premier_foyer_id, garde.part), (garde.second_foyer_id, 100 - garde.part))
        resultat[garde.enfant_id] = (regle(garde), parts)
    return resultat


class _FoyerDuJour:
    """Which household has a child that came without a booking."""

    def __init__(self, imprevus, gardes):
        self.gardes, self.liens, self.vacances = gardes, defaultdict(list), []
        enfants = {row[0] for row in imprevus}
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
        self.connus, self.instants, self.dates, self.jours, self.heures = {}, {}, {}, {}, {}

    def preparer(self, reserves, imprevus, de, a):
        """What the rows name by key: people, decisions, places taken again."""
        rows = [row for _, _, _, jours in reserves for row in jours]
        cles = {row[5] for row in rows} | {row[15] for row in rows}
        cles |= {row[9] for row in imprevus} | {row[15] for row in imprevus}
        self.comptes = Utilisateur.objects.in_bulk([cle for cle in cles if cle is not None])
        annulees = {row[10] for row in rows if row[4] is not None}
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

    def reserve(self, enfant, service, row):
        jour = self._jour(row[0])
        if row[4] is None and row[6] is None:  # nothing but booked, and seen perhaps
            vu_le = row[14]
            cle = (service.pk, row[2], self._date(row[3]), row[9], *row[11:14], row[15], row[16])
            cle += (vu_le[11:16],) if vu_le is not None and vu_le[:10] == row[0] else (row[0], vu_le)
            connu = self.connus.get(cle)
            if connu is None:
                connu = self.connus[cle] = self._conclure(service, jour, self._reserve(jour, row), row[11:], row[9])
        else:
            connu = self._conclure(service, jour, self._reserve(jour, row), row[11:], row[9])
        return self._en_jour(enfant, service, jour, connu, row)

    def imprevu(self, enfant, service, jour, row):
        """:param row: of IMPREVUS, after the day."""
        close, place, *vu = row[:8]
        formule, tardive, reservee_le, annulee_le, annulee_par = row[8:]
        reserve = None
        if annulee_le is not None:
            reserve = Reserve(jour, tardive, reservee_le, annulee_le, self.comptes[annulee_par], None, None, False)
        constat = self._conclure(service, jour, reserve, vu, close)
        return self._en_jour(enfant, service, jour, constat, [None, formule, *[None] * 8, place, *vu])

    def _conclure(self, service, jour, reserve, vu, close):
        presence = None
        if vu[0] is not None:
            etat, arrivee, depart, pointee_le, par, correction = vu
            heures = (self._heure(arrivee), self._heure(depart))
            presence = Vu(etat, *heures, self._instant(pointee_le), self.comptes[par], correction)
        return conclure(self.lecteur.faits(service, jour, reserve, presence, False, close))

    def _reserve(self, jour, row):
        _, _, tardive, reservee_le, annulee_le, annulee_par, motif, absence_le, justifiee = row[:9]
        return Reserve(
            jour,
            tardive,
            self._instant(reservee_le),
            self._instant(annulee_le),
            self.comptes.get(annulee_par),
            self.motifs.get(motif),
            self._instant(absence_le),
            justifiee,
        )

    def _en_jour(self, enfant, service, jour, constat, row):
        decision = self.decisions.get((enfant, service.pk, jour))
        phrase = constat.phrase
        if decision is not None:
            phrase = f"{phrase} Décision\u00a0: {decision.motif.rstrip('.')}."
        journee = Journee(  # by position: it counts, tens of thousands of times
            jour,
            constat.code,
            constat.a_facturer,
            row[1],
            constat.tardif,
            constat.minutes_de_retard,
            self._heure(row[12]),
            self._heure(row[13]),
            decision.facturer if decision is not None else None,
            self._carence(row[6], constat) if row[6] is not None else None,
            row[4] is not None and constat.code == Code.ANNULE_TARD and self._est_reprise(row),
        )
        return Jour(journee, phrase, constat)

    def _carence(self, motif, constat):
        motif = self.motifs[motif]
        if motif.jours_dus is None or constat.code not in (Code.ABSENT_JUSTIFIE, Code.ABSENCE_DECLAREE):
            return None
        return Carence(motif.jours_dus, motif.remise_des)

    def _est_reprise(self, row):
        reprise = self.reprises.get(row[10])
        return reprise is not None and reprise > self._instant(row[4])

    # --- Text of JSON ---

    def _jour(self, texte):
        jour = self.jours.get(texte)
        if jour is None:
            jour = self.jours[texte] = date.fromisoformat(texte)
        return jour

    def _heure(self, texte):
        if texte is None or isinstance(texte, time):
            return texte
        heure = self.heures.get(texte)
        if heure is None:
            heure = self.heures[texte] = time.fromisoformat(texte)
        return heure

    def _date(self, texte):
        """Its day in the commune, of which there are few."""
        jour = self.dates.get(texte)
        if jour is None:
            jour = self.dates[texte] = timezone.localdate(self._instant(texte))
        return jour

    def _instant(self, texte):
        if texte is None or isinstance(texte, datetime):
            return texte
        instant = self.instants.get(texte)
        if instant is None:
            instant = self.instants[texte] = datetime.fromisoformat(texte)
        return instant
