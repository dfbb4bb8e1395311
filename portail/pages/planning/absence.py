"""Days told absent: one from its cell, or all of a sick child until its return."""

from datetime import timedelta

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone

from demandes import planning as demandes
from demandes import presentation
from demandes.pieces import PiecesForm
from demandes.textes_planning import par_enfant
from demandes.types import MES_ENFANTS
from enfants import planning as enfants
from enfants.models import MotifAbsence
from enfants.regles.planning import Geste, jusqu_au
from enfants.reservations import Changement
from familles.pages import page_famille
from portail.pages.planning.formulaires import MotifForm, QuandForm
from portail.pages.planning.mois import annoncer


@page_famille
def malade(request):
    """« Mon enfant est malade »: which children, until when."""
    du_foyer = list(enfants.enfants_de(request.user))
    aujourdhui = timezone.localdate()
    choisi = request.GET.get("enfant", "")
    initial = {
        "enfants": [str(enfant.pk) for enfant in du_foyer if str(enfant.pk) == choisi or len(du_foyer) == 1],
        "du": aujourdhui,
        "retour": aujourdhui + timedelta(days=1),
    }
    return _demander_quand(request, QuandForm(initial=initial, enfants=du_foyer, offres=[]), maladie=True)


def _demander_quand(request, form, *, maladie, status=200):
    contexte = {
        "form": form,
        "maladie": maladie,
        "rail": presentation.rail(MES_ENFANTS, actif="malade"),
        "titre": "Mon enfant est malade" if maladie else "Déclarer une absence",
    }
    return render(request, "portail/planning/quand.html", contexte, status=status)


@page_famille
def absence(request):
    """Which booked days it concerns, what stays due, the reason and its proof; POST declares."""
    donnees = request.POST if request.method == "POST" else request.GET
    maladie = bool(donnees.get("maladie"))
    du_foyer = list(enfants.enfants_de(request.user))
    planning = demandes.ouvrir(request.famille, du_foyer, timezone.localdate(), timezone.localdate())
    quand = QuandForm(donnees or None, enfants=du_foyer, offres=planning.offres)
    if not quand.is_valid():
        if not donnees:
            return redirect("malade")
        return _demander_quand(request, quand, maladie=maladie, status=422)
    annulables, absents = _trier(request, quand.cleaned_data, maladie)
    if not annulables and not absents:
        messages.info(request, "Aucune réservation à changer sur ces jours\u00a0: il n'y a rien à déclarer.")
        return redirect("semaine", quand.cleaned_data["du"].isoformat())
    motif = MotifForm(request.POST if request.method == "POST" else None, initial=_initial(maladie))
    pieces = PiecesForm(request.POST or None, request.FILES or None if request.method == "POST" else None)
    if request.method == "POST" and _est_complet(motif, pieces, absents):
        return _declarer(request, annulables, absents, motif, pieces)
    return _page(request, quand, annulables, absents, motif, pieces, maladie)


def _initial(maladie):
    habituel = MotifAbsence.objects.filter(actif=True, maladie=True).first() if maladie else None
    return {"motif": habituel.code if habituel else ""}


def _trier(request, quand, maladie):
    """(cells that can still be cancelled for nothing, cells to tell absent) among the booked ones of the period.

    Only « Mon enfant est malade » cancels: who declares an absence from a cell has seen both words.
    """
    choisis = list(enfants.enfants_de(request.user, pk__in=[int(cle) for cle in quand["enfants"]]))
    du, au = quand["du"], quand["retour"] - timedelta(days=1)
    planning = demandes.ouvrir(request.famille, choisis, du, au)
    annulables, absents = [], []
    for enfant in choisis:
        for offre in planning.offres_de(enfant):
            if quand["service"] not in ("", offre.code):
                continue
            for n in range((au - du).days + 1):
                cellule = planning.cellule(enfant, offre, du + timedelta(days=n))
                if maladie and cellule.geste(Geste.ANNULER):
                    annulables.append(cellule)
                elif cellule.geste(Geste.ABSENCE):
                    absents.append(cellule)
    return annulables, absents


def _est_complet(motif, pieces, absents):
    """Both forms hold; a reason that needs a proof has one, or its promise."""
    if not pieces.is_valid() & motif.is_valid():
        return False
    choisi = motif.cleaned_data["motif"]
    if absents and choisi.justificatif and not pieces.cleaned_data["pieces"] and not motif.cleaned_data["plus_tard"]:
        motif.add_error("plus_tard", "Joignez le justificatif, ou cochez que vous le déposerez plus tard.")
        return False
    return True


def _declarer(request, annulables, absents, motif, pieces):
    d = motif.cleaned_data
    annuler, declarer = (
        [Changement(c.enfant.pk, c.offre.code, c.jour, geste) for c in cellules]
        for cellules, geste in ((annulables, Geste.ANNULER), (absents, Geste.ABSENCE))
    )
    bilans = demandes.annuler_et_declarer(
        request.famille, annuler, declarer, par=request.user, motif=d["motif"], mot=d["mot"], pieces=pieces.ranger()
    )
    for bilan in bilans:
        annoncer(request, bilan)
    premiere = (annulables + absents)[0]
    return redirect("planning_mois", premiere.enfant.uuid, f"{premiere.jour:%Y-%m}")


def _page(request, quand, annulables, absents, motif, pieces, maladie):
    cellules = annulables + absents
    debut = min((c.contexte.calendrier.debut_du(c.jour) for c in absents), default=None)
    contexte = {
        "rail": presentation.rail(MES_ENFANTS, actif="malade" if maladie else ""),
        "titre": "Mon enfant est malade" if maladie else "Déclarer une absence",
        "champs": [
            (champ.html_name, valeur)
            for champ in (quand["enfants"], quand["du"], quand["retour"], quand["service"])
            for valeur in (champ.value() if isinstance(champ.value(), list) else [champ.value()])
        ],
        "maladie": maladie,
        "annulables": _lignes(annulables),
        "absents": _lignes(absents),
        "motifs": [(m, _avant(m, debut)) for m in motif.fields["motif"].queryset],
        "choisi": motif["motif"].value(),
        "motif": motif,
        "pieces": pieces,
        "nombre": len(cellules),
    }
    return render(request, "portail/planning/absence.html", contexte, status=422 if request.method == "POST" else 200)


def _lignes(cellules):
    """« Léa, restauration scolaire : lundi 23 novembre », a line for each child and service."""
    return par_enfant(_Fait(c) for c in cellules)


class _Fait:
    """A cell as the texts of the planning read one."""

    def __init__(self, cellule):
        self.cellule, self.changement = cellule, cellule


def _avant(motif, debut):
    """Until when the proof of this reason is awaited."""
    if not motif.justificatif or debut is None:
        return ""
    return jusqu_au(max(debut, timezone.localtime()) + timedelta(hours=motif.heures_justificatif))
