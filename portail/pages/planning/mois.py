"""The month of a child, and the page of one cell: its state, what may be done, until when."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from demandes import planning as demandes
from demandes import presentation
from demandes.textes_planning import compter
from demandes.types import MES_ENFANTS
from enfants import planning as enfants
from enfants.models import Enfant
from enfants.regles.planning import Etat, Geste, jusqu_au, pourquoi_rien
from enfants.reservations import Changement
from familles.pages import page_famille
from portail.outils.dates import JOURS, MOIS, jour
from portail.pages.planning.prix import prix_de_case

ANNEES = range(2020, 2100)
# What the legend explains, in the order a parent meets them.
LEGENDE = [
    (Etat.LIBRE, "libre"),
    (Etat.DEMANDE, "demandé, en attente de la mairie"),
    (Etat.RESERVE, "réservé"),
    (Etat.PRESENT, "présent sans réservation"),
    (Etat.PRESENT_RESERVE, "présent et réservé"),
    (Etat.ABSENCE, "absence déclarée"),
    (Etat.ABSENT, "réservé, pas venu"),
    (Etat.ATTENTE, "liste d'attente, avec le rang"),
    (Etat.COMPLET, "complet"),
    (Etat.HORS_DELAI, "trop tard"),
    (Etat.FERME, "fermé"),
]
PHRASES_TUES = {"vacances scolaires", "hors vacances"}  # said once for the day, not in each of its cells


class CaseImprimee(NamedTuple):
    """A cell as the template prints it; ``lien`` is empty where nothing can be done."""

    service: str
    nom: str
    etat: str
    mot: str
    phrase: str
    lien: str
    rang: int


class JourImprime(NamedTuple):
    """A day of the month: ``classe`` tells a week-end, a day behind, today."""

    iso: str
    lettre: str
    numero: int
    nom: str
    classe: str
    ferme: str
    cases: list[CaseImprimee]


@dataclass
class MoisPrepare:
    """All that the page of the month prints."""

    enfant: Enfant
    premier: date
    services: list = field(default_factory=list)  # Offre of each row
    sans_inscription: list = field(default_factory=list)
    jours: list[JourImprime] = field(default_factory=list)
    prochaine: str = ""
    en_cours: bool = False
    freres: list[Enfant] = field(default_factory=list)

    @property
    def lignes(self):
        """The cells, one after the other."""
        return [case for jour in self.jours for case in jour.cases]

    @property
    def titre(self):
        return f"{MOIS[self.premier.month - 1]} {self.premier.year}"


def charger_mois(request, uuid, mois: str, prefixe: str = "../") -> MoisPrepare:
    """The month of a child, ready to print.

    :param mois: « 2026-11 ».
    :param prefixe: what leads from the page to the addresses of its cells.
    """
    premier = lire_mois(mois)
    du_foyer = list(enfants.enfants_de(request.user))
    enfant = next((enfant for enfant in du_foyer if enfant.uuid == uuid), None)
    if enfant is None:
        raise Http404("Enfant d'un autre foyer")
    suivant = (premier + timedelta(days=32)).replace(day=1)
    planning = demandes.ouvrir(request.famille, [enfant], premier, suivant - timedelta(days=1))
    page = MoisPrepare(enfant, premier, freres=du_foyer)
    for offre in planning.offres_de(enfant):
        inscrit = any(planning.est_inscrit(enfant, offre, jour) for jour in _jours(premier, suivant))
        (page.services if inscrit else page.sans_inscription).append(offre)
    limites = []
    for le in _jours(premier, suivant):
        page.jours.append(_imprimer_jour(planning, enfant, page.services, le, prefixe, limites))
    if limites:
        limite, le, service, verbe = min(limites)
        page.prochaine = f"{service}, {_jour_du_mois(le)}\u00a0: {verbe} {jusqu_au(limite)}"
    page.en_cours = premier < timezone.localdate(planning.maintenant) < suivant
    return page


def _jour_du_mois(le):
    return f"{JOURS[le.weekday()]} {'1er' if le.day == 1 else le.day}"


def _jours(premier, suivant):
    return (premier + timedelta(days=n) for n in range((suivant - premier).days))


def _imprimer_jour(planning, enfant, services, le, prefixe, limites):
    iso, cases, raisons = le.isoformat(), [], set()
    for offre in services:
        cellule = planning.cellule(enfant, offre, le)
        case = cellule.case()
        ferme = case.etat == Etat.FERME
        if ferme:
            raisons.add(case.phrase)
        if case.limite:
            verbe = "à réserver" if case.etat == Etat.LIBRE else "annulable"
            limites.append((case.limite, le, offre.nom_court, verbe))
        passe = case.etat == Etat.HORS_DELAI and not case.phrase
        cases.append(
            CaseImprimee(
                offre.code,
                offre.nom_court,
                case.etat.value,
                case.mot,
                "" if case.phrase in PHRASES_TUES else case.phrase,
                "" if ferme or passe else f"{prefixe}{iso}/{offre.code}/",
                cellule.contexte.marques.rang,
            )
        )
    tout_ferme = all(case.etat == Etat.FERME for case in cases)
    aujourdhui = timezone.localdate(planning.maintenant)
    classes = {
        "we": le.weekday() > 4,
        "passe": le < aujourdhui,
        "aujourdhui": le == aujourdhui,
        "tout-ferme": tout_ferme,
    }
    return JourImprime(
        iso,
        JOURS[le.weekday()][0].upper(),
        le.day,
        _jour_du_mois(le),
        " ".join(classe for classe, vraie in classes.items() if vraie),
        next(iter(raisons)) if tout_ferme and len(raisons) == 1 else "",
        cases,
    )


def lire_mois(texte: str) -> date:
    """First day of « 2026-11 ».

    :raises Http404: anything else.
    """
    try:
        premier = date.fromisoformat(f"{texte}-01")
    except ValueError:
        raise Http404("Pas un mois") from None
    if len(texte) != 7 or premier.year not in ANNEES:
        raise Http404("Pas un mois")
    return premier


def lire_jour(texte: str) -> date:
    """The day « 2026-11-23 ».

    :raises Http404: anything else.
    """
    try:
        le = date.fromisoformat(texte)
    except ValueError:
        raise Http404("Pas un jour") from None
    if len(texte) != 10 or le.year not in ANNEES:
        raise Http404("Pas un jour")
    return le


@page_famille
def mois_courant(request, uuid):
    """The child's own page: this month."""
    return _page_mois(request, uuid, f"{timezone.localdate():%Y-%m}", "planning/")


@page_famille
def mois(request, uuid, mois):
    return _page_mois(request, uuid, mois, "../")


def _page_mois(request, uuid, mois, prefixe):
    page = charger_mois(request, uuid, mois, prefixe)
    premier = page.premier
    precedent, suivant = premier - timedelta(days=1), premier + timedelta(days=32)
    contexte = {
        "page": page,
        "enfant": page.enfant,
        "rail": presentation.rail(MES_ENFANTS, page.enfant, actif="planning"),
        "precedent": f"{precedent:%Y-%m}" if precedent.year in ANNEES else "",
        "suivant": f"{suivant:%Y-%m}" if suivant.year in ANNEES else "",
        "ce_mois": mois,
        "legende": LEGENDE,
        "semaine": max(premier, timezone.localdate()).isoformat(),
        "fait": lire_uuid(request.GET.get("fait", "")),
    }
    return render(request, "portail/planning/mois.html", contexte)


def lire_uuid(texte: str) -> UUID | None:
    """The demande that has just been made, whose undoing the page offers."""
    try:
        return UUID(texte)
    except ValueError:
        return None


# --- One cell --------------------------------------------------------------------------------------------


@page_famille
def case(request, uuid, jour, service):
    """The menu of a cell: what may be done, each with its sentence until when; POST does it."""
    le = lire_jour(jour)
    enfant = get_object_or_404(enfants.enfants_de(request.user), uuid=uuid)
    planning = demandes.ouvrir(request.famille, [enfant], *_semaine(le))
    offre = planning.offre(service)
    if offre is None or offre.lieu(enfant.ecole_id) is None:
        raise Http404("Service inconnu pour cet enfant")
    cellule = planning.cellule(enfant, offre, le)
    if request.method == "POST":
        return _faire(request, enfant, offre, le)
    return _page_case(request, cellule)


def _semaine(le):
    jours = enfants.semaine(le)
    return jours[0], jours[-1]


def _page_case(request, cellule, *, erreur="", status=200):
    enfant, offre, le = cellule.enfant, cellule.offre, cellule.jour
    # What costs nothing comes before the absence, whose service may stay due.
    gestes = sorted(cellule.gestes(), key=lambda possible: possible.geste == Geste.ABSENCE)
    case, pourquoi = cellule.case(), "" if gestes else pourquoi_rien(cellule.contexte)
    if case.phrase and case.phrase in pourquoi:
        pourquoi = ""
    prix = prix_de_case(request.famille, cellule)
    dite = any(possible.phrase and possible.phrase in case.phrase for possible in gestes)
    contexte = {
        "enfant": enfant,
        "offre": offre,
        "titre": f"{offre.nom}, {jour_court(le)}",
        "case": case,
        # Said once: beside the state, or with the button that it limits.
        "phrase": "" if dite else case.phrase,
        "gestes": gestes,
        "formules": prix.formules if prix else (),
        "prix": prix,
        "pourquoi_rien": pourquoi,
        "demande": _demande_en_attente(request, cellule) if cellule.contexte.marques.demande else None,
        "lien_absence": f"{reverse('absence')}?enfants={enfant.pk}&du={le}&retour={le + timedelta(days=1)}"
        f"&service={offre.code}",
        "retour": reverse("planning_mois", args=[enfant.uuid, f"{le:%Y-%m}"]),
        "rail": presentation.rail(MES_ENFANTS, enfant, actif="planning"),
        "erreur": erreur,
        # The script of the month shows the menu over the grid: it needs the card alone.
        "base": "portail/planning/_seul.html" if request.headers.get("X-Portail-Fragment") else "base.html",
    }
    return render(request, "portail/planning/case.html", contexte, status=status)


def jour_court(le: date) -> str:
    """« jeudi 26 novembre »."""
    return jour(le).rsplit(" ", 1)[0]


def _demande_en_attente(request, cellule):
    """The pending demande of this cell, where it is the household's own."""
    return demandes.demande_du_jour(request.adulte, cellule.enfant, cellule.offre.cle, cellule.jour)


def _faire(request, enfant, offre, le):
    geste, formule = request.POST.get("geste", ""), request.POST.get("formule", "")
    formule = int(formule) if formule.isdecimal() and len(formule) < 19 else None
    retour = reverse("planning_mois", args=[enfant.uuid, f"{le:%Y-%m}"])
    if geste not in list(Geste) or geste == Geste.ABSENCE:  # an absence has its own page: it needs a reason
        messages.error(request, "Choisissez ce que vous voulez faire de ce jour.")
        return redirect(retour)
    bilan = demandes.changer(request.famille, [Changement(enfant.pk, offre.code, le, geste, formule)], par=request.user)
    annoncer(request, bilan)
    return redirect(f"{retour}?fait={bilan.demande.uuid}" if bilan.demande else retour)


def annoncer(request, bilan) -> None:
    """Say in one message what a submit has done, and why the rest was not."""
    if bilan.faits:
        messages.success(request, f"{compter(v.possible.geste for v in bilan.faits)}.")
    if bilan.a_decider:
        nombre = compter([], (v.possible.geste for v in bilan.a_decider))
        messages.info(request, f"{nombre}, en attente de la mairie. La réponse arrivera dans votre boîte de réception.")
    for raison in dict.fromkeys(v.raison for v in bilan.impossibles):
        jours = [v for v in bilan.impossibles if v.raison == raison]
        messages.warning(request, f"Sans effet pour {quels_jours(jours)}. {raison}")


def quels_jours(verdicts) -> str:
    """« jeudi 26 novembre », « 3 jours »."""
    jours = sorted({v.changement.jour for v in verdicts})
    return f"le {jour_court(jours[0])}" if len(jours) == 1 else f"{len(jours)} jours"


@page_famille
def defaire(request, uuid):
    """Take one's last change back, as far as the deadlines of now allow."""
    demande = demandes.demande_visible(request.adulte, uuid)
    if demande is None:
        raise Http404("Demande d'un autre foyer")
    if request.method != "POST":
        return redirect(demande)
    changements = demandes.a_defaire(demande)
    if not changements:
        messages.info(request, "Il n'y a rien à annuler dans cette demande.")
        return redirect(demande)
    bilan = demandes.changer(request.famille, changements, par=request.user)
    annoncer(request, bilan)
    return redirect("semaine", changements[0].jour.isoformat())
