"""Billing a month, from an agent's click to its end: by lots of households, killed and taken up again at will."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from enfants.models import Enfant, Service
from enfants.regles.dates import en_clair
from facturation.actions import ActionImpossible
from facturation.emission import emettre
from facturation.models import Campagne, Compteur, DecisionJour, Facture, LigneFacture, LotCampagne, Regie
from facturation.preparation import preparer
from facturation.taches import balayer_campagnes, balayer_documents, balayer_factures
from familles.models import Famille, Utilisateur

LOT = 2000  # households a transaction
WORKERS = 2  # that share the lots and the documents, where there are as many
Etape = Campagne.Etape
# An invoice that preparing again leaves alone: issued and not cancelled, or carried over.
CLOSE = Q(etat=Facture.Etat.EMISE, avoir=None) | Q(reporte_le__isnull=False)


def ouvrir(regie: Regie, mois: date) -> Campagne:
    """The campaign of this month of this régie, a new one if need be.

    :param mois: any day of it.
    """
    return Campagne.objects.get_or_create(regie=regie, mois=mois.replace(day=1))[0]


@transaction.atomic
def lancer_preparation(campagne: Campagne, *, par: Utilisateur) -> None:
    """The drafts of the month are made, or made again; the worker does it, the page shows how far it is.

    :raises ActionImpossible: it is running, or the month has not begun.
    """
    campagne = _a_l_arret(campagne)
    if campagne.mois > timezone.localdate():
        raise ActionImpossible("Ce mois n'a pas commencé.")
    _lancer(campagne, Etape.PREPARATION, par)


@transaction.atomic
def lancer_emission(campagne: Campagne, *, emise_le: date, echeance: date, par: Utilisateur) -> None:
    """The drafts become invoices, which never change again; the worker does it.

    :param emise_le: date of the invoices, not before the end of the month that they bill.
    :raises ActionImpossible: no drafts, a date that cannot be, or before that of an invoice numbered already.
    """
    campagne = _a_l_arret(campagne)
    fin = (campagne.mois + timedelta(days=31)).replace(day=1)
    if campagne.etape != Etape.PREPAREE:
        raise ActionImpossible("Préparez d'abord les brouillons.")
    if emise_le < fin or emise_le > timezone.localdate():
        raise ActionImpossible("Les factures se datent entre la fin du mois facturé et aujourd'hui.")
    if (derniere := _derniere_date(emise_le.year)) and emise_le < derniere:
        raise ActionImpossible(
            f"Des factures de {emise_le.year} sont déjà datées du {en_clair(derniere)}\u00a0: les numéros suivent "
            "l'ordre des dates. Choisissez ce jour-là, ou un jour plus tard."
        )
    if not emise_le <= echeance <= emise_le + timedelta(days=120):
        raise ActionImpossible("L'échéance suit la date des factures, de 120 jours au plus.")
    campagne.emise_le, campagne.echeance = emise_le, echeance
    _lancer(campagne, Etape.EMISSION, par)


def _derniere_date(exercice):
    """Of the last number given in the year, or of those that a month under way will give; all régies share them.

    The counter is locked: of two months launched at once, the second knows the date of the first.
    """
    Compteur.objects.get_or_create(exercice=exercice)
    Compteur.objects.select_for_update(of=("self",)).get(exercice=exercice)
    numerotees = Facture.objects.emises().filter(exercice=exercice).order_by("-numero")
    derniere = numerotees.values_list("emise_le", flat=True).first()
    en_cours = Campagne.objects.filter(etape=Etape.EMISSION, emise_le__year=exercice).aggregate(d=Max("emise_le"))["d"]
    return max((jour for jour in (derniere, en_cours) if jour), default=None)


def _a_l_arret(campagne):
    campagne = _verrouiller(campagne.pk)
    if campagne.est_en_cours:
        raise ActionImpossible("Cette facturation est en cours : attendez qu'elle finisse.")
    return campagne


def _verrouiller(cle):
    return Campagne.objects.select_for_update(of=("self",), no_key=True).select_related("regie").get(pk=cle)


def _lancer(campagne, etape, par):
    familles = list(Famille.objects.order_by("pk").values_list("pk", flat=True))
    campagne.etape, campagne.familles = etape, len(familles)
    campagne.lancee_par, campagne.lancee_le, campagne.finie_le = par, timezone.now(), None
    campagne.save()
    campagne.lots.all().delete()
    lots = [familles[debut : debut + LOT] for debut in range(0, len(familles), LOT)]
    LotCampagne.objects.bulk_create(
        LotCampagne(campagne=campagne, de=lot[0], a=lot[-1], familles=len(lot)) for lot in lots
    )
    for _ in range(WORKERS):
        balayer_campagnes.enqueue()


def poursuivre() -> int:
    """Take every running campaign to its end, lot after lot; returns how many households were treated."""
    traitees = 0
    for cle in Campagne.objects.filter(etape__in=[Etape.PREPARATION, Etape.EMISSION]).values_list("pk", flat=True):
        while faites := un_lot(cle):
            traitees += faites
    return traitees


@transaction.atomic
def un_lot(campagne: int) -> int:
    """The next lot of a campaign that nobody holds; returns how many households, 0 once none is left to take.

    Drafts are prepared by as many at once as there are workers: the row of the lot is locked. Killed, a worker
    leaves its lot to another. Invoices are issued by one at a time, so that their numbers follow the households.

    :param campagne: its key.
    """
    if Campagne.objects.get(pk=campagne).etape == Etape.EMISSION:
        _verrouiller(campagne)
    libres = LotCampagne.objects.select_for_update(of=("self",), skip_locked=True).filter(campagne=campagne, fait=False)
    lot = libres.order_by("de").first()
    if lot is None:
        _finir(campagne)
        return 0
    # The step is read again: it cannot change as long as a lot of it is held.
    row = Campagne.objects.select_related("regie").get(pk=campagne)
    faire = preparer if row.etape == Etape.PREPARATION else emettre
    faire(row, lot.de, lot.a)
    lot.fait = True
    lot.save(update_fields=["fait"])
    return lot.familles


def _finir(cle):
    """The step is over once every lot is done; of two workers, the last sees it."""
    campagne = _verrouiller(cle)
    if not campagne.est_en_cours or campagne.lots.filter(fait=False).exists():
        return
    campagne.etape = Etape.PREPAREE if campagne.etape == Etape.PREPARATION else Etape.EMISE
    campagne.finie_le = timezone.now()
    campagne.save(update_fields=["etape", "finie_le"])
    balayer_factures.enqueue()  # the families are told
    for _ in range(WORKERS):
        balayer_documents.enqueue()


@transaction.atomic
def decider_jours(
    campagne: Campagne,
    jours: Iterable[tuple[Enfant, Service, date]],
    *,
    facturer: bool,
    motif: str,
    par: Utilisateur,
) -> int:
    """An agent's word on some days, with the reason that the invoice prints; the drafts concerned are made again.

    :raises ActionImpossible: no reason, the campaign is running, or the day is billed already.
    """
    if not motif.strip():
        raise ActionImpossible("Donnez une raison\u00a0: elle est imprimée dans le détail de la facture.")
    campagne = _a_l_arret(campagne)
    familles, nombre = set(), 0
    closes = set(_du_mois(campagne).filter(CLOSE).values_list("famille", flat=True))
    for enfant, service, jour in jours:
        foyers = set(enfant.rattachements.order_by().values_list("famille", flat=True))
        du_jour = enfant.rattachements.filter(Q(valable_au=None) | Q(valable_au__gte=jour), valable_du__lte=jour)
        siens = set(du_jour.order_by().values_list("famille", flat=True))
        if siens and siens <= closes:
            raise ActionImpossible(
                f"La facture du mois est déjà faite pour {enfant.prenom}\u00a0: "
                "faites un avoir, préparez de nouveau, puis décidez."
            )
        DecisionJour.objects.update_or_create(
            enfant=enfant,
            service=service,
            jour=jour,
            defaults={"facturer": facturer, "motif": motif.strip(), "par": par, "le": timezone.now()},
        )
        familles |= foyers
        nombre += 1
    for famille in sorted(familles):
        preparer(campagne, famille, famille)
    return nombre


def _du_mois(campagne):
    return Facture.objects.filter(regie=campagne.regie, mois=campagne.mois, avoir_de=None).order_by()


# --- What an agent checks ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class TotalService:
    """What a service makes of the drafts of a month, or of its invoices."""

    libelle: str
    lignes: int
    montant: Decimal


@dataclass(frozen=True)
class Apercu:
    """A month before it is issued.

    :param reportees: drafts under the least amount of the régie.
    :param negatives: drafts below zero, which are not issued.
    """

    services: list[TotalService]
    factures: int
    total: Decimal
    plus_haute: Decimal
    reportees: int
    negatives: int
    anomalies: dict[str, int]


def apercu(campagne: Campagne) -> Apercu:
    """Totals of the drafts by service, and how many things should be looked at; four queries."""
    brouillons = Facture.objects.filter(
        regie=campagne.regie, mois=campagne.mois, etat=Facture.Etat.BROUILLON, avoir_de=None
    )
    lignes = LigneFacture.objects.filter(facture__in=brouillons.filter(reporte_le=None)).order_by()
    par_service = lignes.values("service__nom", "genre").annotate(n=Count("pk"), t=Sum("montant"))
    genres = dict(LigneFacture.GenreLigne.choices)
    totaux = brouillons.filter(reporte_le=None).aggregate(
        n=Count("pk"), t=Sum("total"), haute=Max("total"), negatives=Count("pk", filter=Q(total__lt=0))
    )
    return Apercu(
        services=[
            TotalService(f"{p['service__nom'] or 'Sans service'}, {genres[p['genre']].lower()}", p["n"], p["t"])
            for p in par_service.order_by("service__ordre", "service", "genre")
        ],
        factures=totaux["n"],
        total=totaux["t"] or Decimal(0),
        plus_haute=totaux["haute"] or Decimal(0),
        reportees=brouillons.filter(reporte_le__isnull=False).count(),
        negatives=totaux["negatives"],
        anomalies=dict(campagne.anomalies.order_by().values("genre").annotate(n=Count("pk")).values_list("genre", "n")),
    )
