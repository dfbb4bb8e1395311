"""The week of all the children in one form; days repeated over weeks; a week copied."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone

from demandes import planning as demandes
from demandes import presentation
from demandes.types import MES_ENFANTS
from enfants import planning as enfants
from enfants.models import Enfant
from enfants.regles.planning import Etat, Geste, Offre
from enfants.reservations import Changement
from familles.pages import page_famille
from portail.outils.dates import JOURS
from portail.pages.planning.formulaires import CopierForm, RepeterForm
from portail.pages.planning.mois import jour_court, lire_jour, lire_uuid
from portail.pages.planning.recapitulatif import montrer

A_COCHER = {Etat.LIBRE, Etat.RESERVE, Etat.COMPLET, Etat.HORS_DELAI}


class CaseSemaine(NamedTuple):
    """A box of the week: ``nom`` is empty where there is nothing to tick."""

    iso: str
    etat: str
    mot: str
    phrase: str
    nom: str
    cochee: bool


class LigneSemaine(NamedTuple):
    service: Offre
    cases: list[CaseSemaine]
    formules: tuple
    nom_formule: str


@dataclass
class EnfantSemaine:
    enfant: Enfant
    lignes: list[LigneSemaine] = field(default_factory=list)
    sans_inscription: list[Offre] = field(default_factory=list)


@dataclass
class SemainePreparee:
    """All that the page of the week prints."""

    lundi: date
    jours: list[date]
    enfants: list[EnfantSemaine] = field(default_factory=list)

    @property
    def lignes(self):
        """The boxes, one after the other."""
        return [case for enfant in self.enfants for ligne in enfant.lignes for case in ligne.cases]

    @property
    def titre(self):
        return f"Semaine du {jour_court(self.lundi)}"

    @property
    def entetes(self):
        """(letter, number, whole name) of each column."""
        return [(JOURS[le.weekday()][0].upper(), le.day, jour_court(le)) for le in self.jours]


def charger_semaine(request, jour: str) -> SemainePreparee:
    """The week that holds a day, « 2026-11-23 », for every child, ready to print."""
    jours = enfants.semaine(lire_jour(jour))
    du_foyer = list(enfants.enfants_de(request.user))
    planning = demandes.ouvrir(request.famille, du_foyer, jours[0], jours[-1])
    page = SemainePreparee(jours[0], jours)
    for enfant in du_foyer:
        section = EnfantSemaine(enfant)
        for offre in planning.offres_de(enfant):
            if not any(planning.est_inscrit(enfant, offre, jour) for jour in jours):
                section.sans_inscription.append(offre)
                continue
            cellules = [planning.cellule(enfant, offre, jour) for jour in jours]
            if any(not cellule.contexte.ferme or cellule.contexte.marques.reservation for cellule in cellules):
                section.lignes.append(_ligne(offre, enfant, cellules))
        page.enfants.append(section)
    ouverts = {case.iso for case in page.lignes if case.etat != Etat.FERME}
    page.jours = [jour for jour in jours if jour.weekday() < 5 or jour.isoformat() in ouverts]
    isos = {jour.isoformat() for jour in page.jours}
    for section in page.enfants:
        section.lignes = [
            ligne._replace(cases=[case for case in ligne.cases if case.iso in isos]) for ligne in section.lignes
        ]
    return page


def _ligne(offre, enfant, cellules):
    cases, libre = [], False
    for cellule in cellules:
        case, gestes = cellule.case(), {possible.geste for possible in cellule.gestes()}
        a_cocher = gestes & {Geste.RESERVER, Geste.ANNULER, Geste.ATTENDRE} and case.etat in A_COCHER
        libre = libre or Geste.RESERVER in gestes
        cases.append(
            CaseSemaine(
                cellule.jour.isoformat(),
                case.etat.value,
                case.mot,
                case.phrase,
                f"{enfant.pk}.{offre.code}.{cellule.jour.isoformat()}" if a_cocher else "",
                Geste.ANNULER in gestes,
            )
        )
    return LigneSemaine(offre, cases, offre.formules if libre else (), f"f.{enfant.pk}.{offre.code}")


@page_famille
def semaine_courante(request):
    """This week; from Friday noon on, most of what can still be asked is in the next one."""
    maintenant = timezone.localtime()
    apres = maintenant.weekday() > 4 or (maintenant.weekday() == 4 and maintenant.hour >= 12)
    le = maintenant.date() + timedelta(days=3 if apres else 0)
    return redirect("semaine", le.isoformat())


@page_famille
def semaine(request, jour):
    """Tick the days wanted for all the children; what changes is told before it is sent."""
    if request.method == "POST":
        return montrer(request, _lire_semaine(request.POST), lire_jour(jour))
    page = charger_semaine(request, jour)
    contexte = {
        "page": page,
        "rail": presentation.rail(MES_ENFANTS, actif="semaine"),
        "precedente": (page.lundi - timedelta(days=7)).isoformat(),
        "suivante": (page.lundi + timedelta(days=7)).isoformat(),
        "copier": CopierForm(lundi=page.lundi),
        "fait": lire_uuid(request.GET.get("fait", "")),
    }
    return render(request, "portail/planning/semaine.html", contexte)


def _lire_semaine(donnees):
    """What differs between the boxes as they were shown and as they come back."""
    montrees = _lire_cases(donnees.getlist("montree"))
    cochees = _lire_cases(donnees.getlist("c"))
    changements = [Changement(*cle, Geste.RESERVER, _formule(donnees, cle)) for cle in cochees if cle not in montrees]
    return changements + [Changement(*cle, Geste.ANNULER) for cle in montrees if cle not in cochees]


def _lire_cases(valeurs):
    """{(child, service, day)} of « 12.restauration.2026-11-23 »; what is not one is left out."""
    cases = {}
    for valeur in valeurs:
        enfant, _, reste = valeur.partition(".")
        service, _, iso = reste.rpartition(".")
        try:
            le = date.fromisoformat(iso)
        except ValueError:
            continue
        if enfant.isdecimal() and len(enfant) < 19 and 2020 <= le.year < 2100 and "\x00" not in service:
            cases[int(enfant), service, le] = True
    return cases


def _formule(donnees, cle):
    choisie = donnees.get(f"f.{cle[0]}.{cle[1]}", "")
    return int(choisie) if choisie.isdecimal() and len(choisie) < 19 else None


# --- Repeated, copied ------------------------------------------------------------------------------------


@page_famille
def repeter(request):
    """Weekdays of several children, every week or one in two, until a day: closed days are left out, and told."""
    du_foyer = list(enfants.enfants_de(request.user))
    aujourdhui = timezone.localdate()
    planning = demandes.ouvrir(request.famille, du_foyer, aujourdhui, aujourdhui)
    offres = {offre.code: offre for enfant in du_foyer for offre in planning.offres_de(enfant)}
    form = RepeterForm(
        request.POST or None,
        enfants=du_foyer,
        offres=[offre for offre in planning.offres if offre.code in offres],
        aujourdhui=aujourdhui,
    )
    if request.method == "POST" and form.is_valid():
        changements = form.changements()
        proposes = {enfant.pk: {offre.code for offre in planning.offres_de(enfant)} for enfant in du_foyer}
        ouverts = [c for c in changements if c.service in proposes[c.enfant]]
        return montrer(request, _sans_fermes(request, du_foyer, ouverts))
    contexte = {"form": form, "rail": presentation.rail(MES_ENFANTS, actif="repeter")}
    return render(request, "portail/planning/repeter.html", contexte, status=422 if request.method == "POST" else 200)


def _sans_fermes(request, du_foyer, changements):
    """Without what is so already, nor the days when nothing is held: over a year, they would hide what matters.

    The number of closed days is told.
    """
    if not changements:
        return changements
    jours = [c.jour for c in changements]
    planning = demandes.ouvrir(request.famille, du_foyer, min(jours), max(jours))
    contextes = [
        (c, planning.cellule(planning.enfants[c.enfant], planning.offre(c.service), c.jour).contexte)
        for c in changements
    ]
    utiles = [(c, x) for c, x in contextes if bool(x.marques.reservation) == (c.geste == Geste.ANNULER)]
    gardes = [c for c, contexte in utiles if not contexte.ferme or c.geste == Geste.ANNULER]
    if sautes := len({c.jour for c, _ in utiles} - {c.jour for c in gardes}):
        mots = "1 jour fermé est laissé" if sautes == 1 else f"{sautes} jours fermés sont laissés"
        messages.info(request, f"{mots} de côté\u00a0: vacances, jours fériés, fermetures, jours de l'autre foyer.")
    return gardes


@page_famille
def copier(request, jour):
    """What a week holds, asked again for the weeks that follow."""
    lundi = enfants.semaine(lire_jour(jour))[0]
    form = CopierForm(request.POST or None, lundi=lundi)
    if request.method != "POST" or not form.is_valid():
        for erreur in [e for erreurs in form.errors.values() for e in erreurs]:
            messages.error(request, erreur)
        return redirect("semaine", lundi.isoformat())
    du_foyer = list(enfants.enfants_de(request.user))
    planning = demandes.ouvrir(request.famille, du_foyer, lundi, lundi + timedelta(days=6))
    modeles = [
        (enfant, offre, le, m.formule)
        for enfant in du_foyer
        for offre in planning.offres_de(enfant)
        for le in enfants.semaine(lundi)
        if (m := planning.cellule(enfant, offre, le).contexte.marques).reservation and m.famille == request.famille.pk
    ]
    semaines = (form.cleaned_data["jusqu_au"] - lundi).days // 7
    changements = [
        Changement(enfant.pk, offre.code, nouveau, Geste.RESERVER, formule)
        for n in range(1, semaines + 1)
        for enfant, offre, le, formule in modeles
        if (nouveau := le + timedelta(days=7 * n)) <= form.cleaned_data["jusqu_au"]
    ]
    if not modeles:
        messages.info(request, "Cette semaine ne porte aucune réservation à copier.")
        return redirect("semaine", lundi.isoformat())
    return montrer(request, _sans_fermes(request, du_foyer, changements), lundi)
