"""Boîte de réception: the list and the reading page."""

from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render

from familles.pages import page_famille
from messagerie.actions import marquer_lu
from messagerie.models import Fil
from portail.outils.dates import quand

FILS_PAR_PAGE = 20


@page_famille
def boite(request):
    fils = Fil.objects.visibles_par(request.adulte).avec_non_lus(request.adulte).select_related("service")
    page = Paginator(fils, FILS_PAR_PAGE).get_page(request.GET.get("page"))
    for fil in page:
        fil.quand = quand(fil.dernier_le)
        fil.expediteur = fil.service.nom if fil.service else "La mairie"
    return render(request, "messagerie/boite.html", {"page": page})


@page_famille
def lire(request, uuid):
    fils = Fil.objects.visibles_par(request.adulte).select_related("service")
    fil = get_object_or_404(fils, uuid=uuid)
    messages_du_fil = list(fil.messages.select_related("auteur"))
    marquer_lu(fil, request.adulte)
    for message in messages_du_fil:
        message.quand = quand(message.envoye_le)
        message.de = (fil.service.nom if fil.service else "La mairie") if message.de_la_mairie else "Vous"
    return render(request, "messagerie/lire.html", {"fil": fil, "messages_du_fil": messages_du_fil})
