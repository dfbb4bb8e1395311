"""Mes enfants and Relevé de compte: what these tabs can show already."""

from collections import namedtuple

from django.shortcuts import get_object_or_404, render

from enfants.models import Enfant
from familles.pages import page_famille
from portail.outils.dates import jour
from portail.pages.accueil import cartes

FicheEnfant = namedtuple("FicheEnfant", "titre lignes")


@page_famille
def mes_enfants(request):
    return render(request, "portail/mes_enfants.html", {"enfants": cartes(Enfant.objects.visibles_par(request.user))})


@page_famille
def enfant(request, uuid):
    enfant = get_object_or_404(Enfant.objects.visibles_par(request.user), uuid=uuid)
    naissance = jour(enfant.date_naissance, semaine=False) if enfant.date_naissance else ""
    lignes = [("Prénom", enfant.prenom), ("Nom", enfant.nom), ("Date de naissance", naissance)]
    return render(request, "portail/enfant.html", {"enfant": enfant, "lignes": lignes})


@page_famille
def releve(request):
    return render(request, "portail/releve.html")
