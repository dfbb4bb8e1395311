"""A parent reads a child's file again for the new year, and confirms it in one click when nothing changed."""

from collections import namedtuple

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from demandes import presentation
from demandes.models import Demande
from demandes.types import MES_ENFANTS, TypeDemande, types_de
from demandes.types.enfants import EtatCivil
from enfants import rentree as actions
from enfants.dossier import faits, manques_de, vaccins_actifs
from enfants.models import ConfirmationDossier, Enfant, Nature
from enfants.regles.annees import a_venir, libelle
from familles.models import Famille
from familles.pages import page_famille
from portail.outils.dates import jour, quand

Fiche = namedtuple("Fiche", "titre icone lignes lien")
PAPIERS_ATTENDUS = (Nature.VACCINS, Nature.ASSURANCE)  # told when missing; the others only when they are there


def confirmations_demandees(famille: Famille):
    """What this household was asked to confirm; a year that has gone by is no longer asked for."""
    return ConfirmationDossier.objects.filter(famille=famille, annee__gte=a_venir(timezone.localdate()))


@page_famille
def confirmer(request, uuid):
    """The whole file on one page, « Modifier » beside each part, one button when all is right."""
    enfants = Enfant.objects.visibles_par(request.user).select_related("informations", "sante", "classe")
    enfant = get_object_or_404(enfants, uuid=uuid)
    demandee = confirmations_demandees(request.famille).filter(enfant=enfant).select_related("confirmee_par").first()
    if demandee is None:
        raise Http404("Aucune confirmation demandée à ce foyer")
    if request.method == "POST":
        actions.confirmer(enfant, request.famille, demandee.annee, par=request.user)
        messages.success(request, _merci(request, enfant, demandee.annee))
        return redirect("dossier_enfant", enfant.uuid)
    demandes = Demande.objects.visibles_par(request.adulte).en_attente().filter(enfant=enfant)
    contexte = {
        "enfant": enfant,
        "annee": libelle(demandee.annee),
        "demandee": demandee,
        "confirmee": demandee.confirmee_le and f"{demandee.confirmee_par}, {quand(demandee.confirmee_le)}",
        "en_attente": [(demande.titre, demande.get_absolute_url()) for demande in demandes.select_related("enfant")],
        **_dossier(request.famille, enfant),
    }
    return render(request, "portail/confirmer.html", contexte)


def _merci(request, enfant, annee):
    restent = confirmations_demandees(request.famille).filter(confirmee_le=None).values("enfant")
    prenoms = [frere.prenom for frere in Enfant.objects.visibles_par(request.user).filter(pk__in=restent)]
    suite = f" Il reste à confirmer\u00a0: {', '.join(prenoms)}." if prenoms else ""
    return f"Merci, le dossier {enfant.de_prenom} est confirmé pour {libelle(annee)}.{suite}"


# --- The file --------------------------------------------------------------------------------------------


def _dossier(famille, enfant):
    """A sheet for each kind of demande about a child: what it would change is what it shows."""
    vaccins, aujourdhui = vaccins_actifs(), timezone.localdate()
    feuilles = [genre for genre in types_de(MES_ENFANTS) if genre.par_enfant and not genre.par_objet]
    genres = {genre.code: genre for genre in feuilles}
    papiers = faits(enfant, famille, aujourdhui, vaccins).documents
    manques = manques_de(enfant, famille, aujourdhui, vaccins)
    return {
        "fiches": [_fiche(genre, famille, enfant, papiers, aujourdhui) for genre in genres.values()],
        "manques": [(manque.phrase, genres[manque.type].url(enfant)) for manque in manques],
    }


def _fiche(genre: type[TypeDemande], famille, enfant, papiers, aujourdhui):
    """What the child's page shows of it, told whole, then the papers it asks for."""
    lignes = presentation.fiche(genre, famille, enfant)
    if genre is EtatCivil:
        lignes.append(("Classe", str(enfant.classe or "")))
    for nature in genre.natures:
        if nature in papiers or nature in PAPIERS_ATTENDUS:
            lignes.append((nature.label, _papier(nature, papiers, aujourdhui)))
    return Fiche(genre.libelle, genre.icone, lignes, genre.url(enfant))


def _papier(nature, papiers, aujourdhui):
    if nature not in papiers:
        return "Pas encore fourni"
    if (fin := papiers[nature]) is None:
        return "Fourni"
    etat = "valable jusqu'au" if fin >= aujourdhui else "expiré depuis le"
    return f"Fourni, {etat} {jour(fin, semaine=False)}"
