"""The drafts of a month: what each household did, at the prices voted, as lines that anybody can check.

A lot of households is prepared in one transaction and some thirty statements, however many households: prepared
again, it gives the same drafts, and the lines that agents typed stay.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.utils import timezone

from enfants.models import Enfant, Service
from enfants.regles.dates import MOIS
from enfants.regles.presences import AFacturer, Code
from facturation.journees import Jour, lire
from facturation.models import Anomalie, Campagne, Facture, LigneFacture, Produit, Regie
from facturation.regles.grilles import Genre, Unite
from facturation.regles.lignes import dues_de, facturer_dues
from facturation.regles.partages import partager
from facturation.regles.tarifs import TarifInconnu
from facturation.tarification import GrilleDatee, Payeurs, grilles
from portail.outils.argent import euros
from portail.outils.copie import cellule, copier
from portail.outils.francais import de as de_francais
from portail.outils.memoire import sans_ramassage

SAUT = Decimal("1.5")  # a price that grows by more than half is looked at
JUSTIFIEES = (Code.ABSENT_JUSTIFIE, Code.ABSENCE_DECLAREE)


class Ligne(NamedTuple):
    """A line on its way to its invoice; ``jours`` is its annex, as JSON."""

    genre: str
    enfant: int | None
    service: int | None
    prenom: str
    libelle: str
    deliberation: str
    quantite: int
    prix: Decimal
    montant: Decimal
    jours: str
    part_garde: Decimal


@dataclass(frozen=True)
class Periode:
    """What a régie bills together.

    :param services: by key, in their order.
    :param gardes: service -> percent of it that is care, for taxes.
    """

    regie: Regie
    du: date
    au: date
    services: dict[int, Service]
    gardes: dict[int, Decimal]

    @classmethod
    def de(cls, regie: Regie, mois: date) -> "Periode":
        """:param mois: its first day."""
        au = (mois + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        produits = list(Produit.objects.filter(regie=regie).select_related("service").order_by("service__ordre", "pk"))
        return cls(
            regie,
            mois,
            au,
            {produit.service_id: produit.service for produit in produits},
            {produit.service_id: produit.part_garde for produit in produits},
        )


@transaction.atomic
def preparer(campagne: Campagne, de: int, a: int) -> int:
    """The drafts of the households of keys ``de`` to ``a``; returns how many have one.

    A household that has its invoice of the month, not cancelled, or a draft carried to the next, is left alone.
    """
    periode = Periode.de(campagne.regie, campagne.mois)
    lot = _Lot(campagne, periode, de, a)
    with sans_ramassage():
        lot.calculer()
        return lot.ecrire()


class _Lot:
    def __init__(self, campagne, periode, de, a):
        self.campagne, self.periode, self.bornes = campagne, periode, (de, a)
        self.lignes: dict[int, list[Ligne]] = defaultdict(list)
        self.anomalies, self.reports = [], {}
        self.faites = self._faites()
        self.fin = min(periode.au, timezone.localdate())  # a day to come is not wrong yet

    def _factures(self, **filtre):
        p = self.periode
        return Facture.objects.filter(
            regie=p.regie, famille__gte=self.bornes[0], famille__lte=self.bornes[1], **filtre
        ).order_by()

    def _faites(self):
        """Households whose month is billed, or carried over."""
        mois = self._factures(mois=self.periode.du, avoir_de=None)
        avoir = Facture.objects.filter(avoir_de=OuterRef("pk"))
        faites = mois.filter(Q(etat=Facture.Etat.EMISE) & ~Exists(avoir) | Q(reporte_le__isnull=False))
        return set(faites.values_list("famille", flat=True))

    # --- What is due ---

    def calculer(self):
        p = self.periode
        self.grilles = grilles(p.services, p.du, p.au)
        mois = lire(*self.bornes, p.services, p.du, p.au + self._debord())
        enfants = {enfant for _, enfant, _ in mois.jours}
        self.prenoms = dict(Enfant.objects.filter(pk__in=enfants).order_by().values_list("pk", "prenom"))
        self.payeurs = Payeurs({famille for famille, _, _ in mois.jours}, p.du, p.au)
        self.anciens = self._anciens_prix()
        self.sans_quotient = set()
        rangs = {service: rang for rang, service in enumerate(p.services)}
        for cle in sorted(mois.jours, key=lambda cle: (cle[1], rangs[cle[2]], cle[0])):
            self._un_service(cle, mois.jours[cle], mois.parts.get(cle[1]))
        self._reporter()

    def _debord(self):
        """A week that begins in the month ends after it."""
        toutes = (g.grille for valables in self.grilles.values() for g in valables)
        return timedelta(days=6 if any(g.semaine or g.unite == Unite.SEMAINE for g in toutes) else 0)

    def _un_service(self, cle, jours, parts):
        famille = cle[0]
        concernees = [f for f, part in parts if part] if parts else [famille]
        concernees = [f for f in concernees if self._est_du_lot(f)]
        if not concernees:
            return
        toutes = dues_de([jour.journee for jour in jours])
        dues = {j.jour for j in toutes if self.periode.du <= j.jour <= self.periode.au}
        lignes = self._facturer(cle, jours, toutes, dues)
        self._signaler(concernees[0], cle, jours, dues, lignes)
        for ligne in lignes:
            if not parts:
                self.lignes[famille].append(ligne)
                continue
            for (foyer, part), montant in zip(
                parts, partager(ligne.montant, [Decimal(p) for _, p in parts]), strict=True
            ):
                if self._est_du_lot(foyer) and montant:
                    libelle = f"{ligne.libelle}, part de {part}\u00a0%"[:250]
                    partie = ligne._replace(libelle=libelle, quantite=1, prix=montant, montant=montant)
                    self.lignes[foyer].append(partie)

    def _est_du_lot(self, famille):
        return self.bornes[0] <= famille <= self.bornes[1] and famille not in self.faites

    def _facturer(self, cle, jours, toutes, dues):
        famille, enfant, service = cle
        payeur, row = self.payeurs.payeur(*cle), self.periode.services[service]
        heures = {"debut": row.heure_debut, "fin": row.heure_fin}
        phrases = {jour.journee.jour: jour.phrase for jour in jours}
        resultat = []
        for grille, du, au in self._grilles_du_mois(service, dues):
            try:
                lignes = facturer_dues(grille.grille, payeur, toutes, du=du, au=au, **heures)
            except TarifInconnu as erreur:
                self._anomalie("SANS_PRIX", famille, enfant, service, None, str(erreur), facturee=False)
                continue
            if lignes and grille.grille.suit_le_quotient and not any(q.vaut(du) for q in payeur.quotients):
                self.sans_quotient.add(famille)
            resultat += [self._ligne(cle, ligne, grille, phrases) for ligne in lignes]
        return resultat

    def _grilles_du_mois(self, service, dues) -> Iterable[tuple[GrilleDatee, date, date]]:
        """The grids that are valid in the month, and from when to when they count; a forfait of the month has one."""
        p, valables = self.periode, self.grilles.get(service, [])
        if dues and valables and valables[0].grille.unite == Unite.MOIS:
            return [(valables[0], p.du, p.au)]
        return [(g, max(p.du, g.du), min(p.au, g.au or p.au)) for g in valables]

    def _ligne(self, cle, ligne, grille, phrases):
        _, enfant, service = cle
        annexe = []
        if ligne.genre != Genre.AIDE:
            annexe = [(jour.isoformat(), phrases[jour]) for jour in ligne.jours]
        return Ligne(
            ligne.genre.value,
            enfant,
            service,
            self.prenoms[enfant],
            ligne.libelle[:250],
            grille.deliberation[:60],
            ligne.quantite,
            ligne.prix,
            ligne.montant,
            json.dumps(annexe, ensure_ascii=False),
            self.periode.gardes[service],
        )

    # --- What an agent should look at ---

    def _signaler(self, famille, cle, jours, dues, lignes):
        _, enfant, service = cle
        p = self.periode
        for jour in jours:
            if jour.constat.code != Code.PRESENT_RESERVE and p.du <= jour.journee.jour <= self.fin:
                self._signaler_jour(famille, enfant, service, jour, jour.journee.jour in dues)
        valables = self.grilles.get(service, [])
        if not any(g.vaut(p.du) and g.vaut(p.au) for g in valables) and (
            sans_grille := {jour for jour in dues if not any(g.vaut(jour) for g in valables)}
        ):
            phrase = f"Aucune grille de tarifs ne vaut pour {len(sans_grille)} jour(s) à facturer."
            self._anomalie("SANS_PRIX", famille, enfant, service, min(sans_grille), phrase, facturee=False)
        prix = max((ligne.prix for ligne in lignes if ligne.genre == Genre.PRESTATION), default=None)
        ancien = self.anciens.get((famille, enfant, service))
        if prix is not None and ancien and prix > ancien * SAUT:
            phrase = f"Le prix passe de {euros(ancien)} à {euros(prix)} d'un mois à l'autre."
            self._anomalie("SAUT", famille, enfant, service, None, phrase, facturee=True)

    def _signaler_jour(self, famille, enfant, service, jour: Jour, est_due):
        if jour.journee.decision is not None:
            return
        code, genre, facturee = jour.constat.code, None, est_due
        if code == Code.PRESENT_SANS_RESERVATION:
            genre = "SANS_RESERVATION"
        elif code == Code.ABSENT_NON_JUSTIFIE:
            genre = "SANS_PRESENCE" if "pointé absent" in jour.phrase else "NON_POINTE"
        elif code == Code.ATTENDU:
            genre, facturee = "NON_POINTE", None
        elif jour.constat.a_facturer == AFacturer.A_DECIDER and code != Code.ANNULE_TARD and not jour.journee.carence:
            genre, facturee = "A_DECIDER", None
        if genre:
            self._anomalie(genre, famille, enfant, service, jour.journee.jour, jour.phrase, facturee=facturee)

    def _anomalie(self, genre, famille, enfant, service, jour, phrase, *, facturee):
        self.anomalies.append((genre, famille, enfant, service, jour, phrase[:600], facturee))

    def _anciens_prix(self):
        """(household, child, service) -> the highest price of the month before."""
        avant = (self.periode.du - timedelta(days=1)).replace(day=1)
        lignes = LigneFacture.objects.filter(
            facture__regie=self.periode.regie,
            facture__mois=avant,
            facture__etat=Facture.Etat.EMISE,
            facture__famille__gte=self.bornes[0],
            facture__famille__lte=self.bornes[1],
            facture__avoir=None,
            genre=Genre.PRESTATION,
        )
        cles = ("facture__famille", "enfant", "service")
        prix = lignes.order_by().values(*cles).annotate(prix=Max("prix"))
        return {tuple(p[cle] for cle in cles): p["prix"] for p in prix}

    # --- What was too small to be asked for ---

    def _reporter(self):
        """Invoices carried over so far join this one, where there is one, and in December where the régie says so."""
        de_ce_mois = Q(reporte_sur__mois=self.periode.du, reporte_sur__etat=Facture.Etat.BROUILLON)
        attendent = self._factures(reporte_le__isnull=False, mois__lt=self.periode.du).filter(
            Q(reporte_sur=None) | de_ce_mois & Q(reporte_sur__reporte_le=None) | Q(reporte_sur__avoir__isnull=False)
        )
        solde = self.periode.regie.solde_en_decembre and self.periode.du.month == 12
        for cle, famille, mois, total in attendent.order_by("mois", "pk").values_list("pk", "famille", "mois", "total"):
            if famille in self.faites or not (solde or famille in self.lignes):
                continue
            de_mois = de_francais(f"{MOIS[mois.month - 1]} {mois.year}")
            libelle = f"Report {de_mois}, facture trop petite pour être demandée seule"
            ligne = Ligne("REPORT", None, None, "", libelle, "", 1, total, total, "[]", Decimal(0))
            self.lignes[famille].append(ligne)
            self.reports[cle] = famille

    # --- Writing ---

    def ecrire(self):
        for famille in sorted(self.sans_quotient & set(self.lignes)):
            phrase = "Aucun quotient en vigueur\u00a0: le prix le plus haut est appliqué."
            self._anomalie("SANS_QUOTIENT", famille, None, None, None, phrase, facturee=True)
        familles = sorted(self.lignes)
        with connection.cursor() as curseur:
            self._effacer(curseur)
            brouillons = self._brouillons(curseur, familles)
            self._copier_lignes(brouillons)
            self._rattacher_reports(curseur, brouillons)
            self._totaliser(curseur)
        self._copier_anomalies()
        return len(brouillons)

    def _parametres(self):
        de, a = self.bornes
        return {"regie": self.periode.regie.pk, "mois": self.periode.du, "de": de, "a": a}

    def _effacer(self, curseur):
        """What the rules made of these drafts, and what was found wrong; a carried invoice waits again.

        The drafts are locked first: a line that an agent is typing is counted, or comes after.
        """
        curseur.execute(
            f"SELECT f.id FROM {FACTURE} f WHERE {DU_LOT} ORDER BY f.famille_id, f.id FOR UPDATE",  # noqa: S608
            self._parametres(),
        )
        curseur.execute(
            f"UPDATE {FACTURE} r SET reporte_sur_id = NULL FROM {FACTURE} f "  # noqa: S608
            f"WHERE r.reporte_sur_id = f.id AND {DU_LOT}",
            self._parametres(),
        )
        curseur.execute(
            f"DELETE FROM {LIGNE} l USING {FACTURE} f "  # noqa: S608
            f"WHERE l.facture_id = f.id AND l.genre <> 'MANUELLE' AND {DU_LOT}",
            self._parametres(),
        )
        Anomalie.objects.filter(
            campagne=self.campagne, famille__gte=self.bornes[0], famille__lte=self.bornes[1]
        ).delete()

    def _brouillons(self, curseur, familles):
        """Household -> its draft, the one that it has or a new one."""
        curseur.execute(
            f"INSERT INTO {FACTURE} (uuid, famille_id, regie_id, mois, etat, exercice, total, reference, debiteur,"  # noqa: S608
            " emetteur, motif, cree_le) SELECT gen_random_uuid(), f, %(regie)s, %(mois)s, 'BROUILLON', %(exercice)s, 0,"
            " '', '{}', '{}', '', %(maintenant)s FROM unnest(%(familles)s::bigint[]) f"
            " ON CONFLICT (famille_id, regie_id, mois) WHERE avoir_de_id IS NULL AND etat = 'BROUILLON'"
            " DO UPDATE SET exercice = EXCLUDED.exercice RETURNING famille_id, id",
            self._parametres() | {"familles": familles, "exercice": self.periode.du.year, "maintenant": timezone.now()},
        )
        return dict(curseur.fetchall())

    def _copier_lignes(self, brouillons):
        copier(
            LIGNE,
            ["facture_id", "rang", *COLONNES, "motif"],
            (
                "\t".join(cellule(v) for v in (brouillons[famille], rang, *ligne, ""))
                for famille, lignes in self.lignes.items()
                for rang, ligne in enumerate(lignes)
            ),
        )

    def _rattacher_reports(self, curseur, brouillons):
        if self.reports:
            cles, sur = zip(*((cle, brouillons[famille]) for cle, famille in self.reports.items()), strict=True)
            curseur.execute(
                f"UPDATE {FACTURE} f SET reporte_sur_id = v.sur "  # noqa: S608
                "FROM unnest(%s::bigint[], %s::bigint[]) v(id, sur) WHERE f.id = v.id",
                [list(cles), list(sur)],
            )

    def _totaliser(self, curseur):
        """Totals are sums of the lines; a draft without any goes."""
        curseur.execute(
            f"UPDATE {FACTURE} f SET total = t.total FROM (SELECT l.facture_id, sum(l.montant) AS total "  # noqa: S608
            f"FROM {LIGNE} l JOIN {FACTURE} f ON f.id = l.facture_id WHERE {DU_LOT} GROUP BY 1) t "
            "WHERE f.id = t.facture_id RETURNING f.famille_id, f.total",
            self._parametres(),
        )
        for famille, total in curseur.fetchall():
            if total < 0:
                phrase = f"Le total est de {euros(total)}\u00a0: une facture ne peut pas être négative."
                self._anomalie("NEGATIF", famille, None, None, None, phrase, facturee=False)
        curseur.execute(
            f"DELETE FROM {FACTURE} f WHERE {DU_LOT} "  # noqa: S608
            f"AND NOT EXISTS (SELECT 1 FROM {LIGNE} l WHERE l.facture_id = f.id)",
            self._parametres(),
        )

    def _copier_anomalies(self):
        copier(
            Anomalie._meta.db_table,
            ["campagne_id", "genre", "famille_id", "enfant_id", "service_id", "jour", "phrase", "facturee"],
            ("\t".join(cellule(v) for v in (self.campagne.pk, *anomalie)) for anomalie in self.anomalies),
        )


FACTURE, LIGNE = Facture._meta.db_table, LigneFacture._meta.db_table
COLONNES = [f"{nom}_id" if nom in ("enfant", "service") else nom for nom in Ligne._fields]
DU_LOT = (
    "f.regie_id = %(regie)s AND f.mois = %(mois)s AND f.etat = 'BROUILLON' AND f.avoir_de_id IS NULL "
    "AND f.reporte_le IS NULL AND f.famille_id BETWEEN %(de)s AND %(a)s"
)
