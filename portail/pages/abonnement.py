"""« Suivre dans mon agenda »: the address that an adult gives to its own calendar, and what is read there."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from demandes import presentation
from demandes.types import MES_ENFANTS
from enfants import abonnement as abonnements
from enfants.models import AbonnementCalendrier
from familles.pages import page_famille
from portail.outils.dates import quand
from portail.outils.liens import absolu


@page_famille
def abonnement(request):
    """Whether the adult has an address; a POST makes one, shown on this answer and never again."""
    adresse = ""
    if request.method == "POST":
        adresse = absolu(reverse("calendrier", args=[abonnements.creer(request.adulte)]))
    actuel = AbonnementCalendrier.objects.filter(adulte=request.adulte).first()
    contexte = {
        "rail": presentation.rail(MES_ENFANTS),
        "adresse": adresse,
        "cree": quand(actuel.cree_le) if actuel else "",
        "lu": quand(actuel.lu_le) if actuel and actuel.lu_le else "",
    }
    return render(request, "portail/abonnement.html", contexte)


@page_famille
@require_POST
def supprimer(request):
    if abonnements.supprimer(request.adulte):
        messages.success(request, "L'adresse est supprimée\u00a0: votre agenda ne recevra plus rien.")
    else:
        messages.info(request, "Vous n'aviez pas d'adresse d'agenda.")
    return redirect("abonnement")


@login_not_required
@require_safe
def calendrier(request, jeton):
    """Read by an agenda, without login: who holds the address reads."""
    trouve = abonnements.trouver(jeton)
    if trouve is None:
        raise Http404("Adresse d'agenda inconnue")
    contenu = abonnements.lire(trouve, maintenant=timezone.now())
    entetes = {"Cache-Control": "private, max-age=300", "Content-Disposition": 'inline; filename="portail-famille.ics"'}
    return HttpResponse(contenu, content_type="text/calendar; charset=utf-8", headers=entetes)
