"""Boîte de réception: the list and the reading page."""

from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, render

from familles.pages import page_famille
from messagerie.actions import marquer_lu
from messagerie.models import Diffusion, Fil, PieceMessage
from portail.outils.dates import quand
from portail.outils.fichiers import servir

FILS_PAR_PAGE = 20


@page_famille
def boite(request):
    fils = Fil.objects.recus_par(request.adulte).avec_non_lus(request.adulte).select_related("service")
    page = Paginator(fils, FILS_PAR_PAGE).get_page(request.GET.get("page"))
    for fil in page:
        fil.quand = quand(fil.dernier_le)
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


def piece_message(request, uuid):
    """The paper, for the adults who may read its thread and for the agents of its service."""
    piece = get_object_or_404(PieceMessage, uuid=uuid)
    adulte = request.user.adulte
    if adulte is not None:
        fils = Fil.objects.visibles_par(adulte)
    elif request.user.has_perm("messagerie.view_fil"):
        fils = Fil.objects.ouverts_a(request.user)
    else:
        raise Http404("Pièce réservée")
    if piece.diffusion_id:
        ecrite_par_l_agent = adulte is None and Diffusion.objects.filter(pk=piece.diffusion_id, par=request.user)
        permise = fils.filter(diffusion=piece.diffusion_id).exists() or bool(ecrite_par_l_agent)
    else:
        permise = fils.filter(messages=piece.message_id).exists()
    if not permise:
        raise Http404("Pièce d'un autre échange")
    return servir(piece)
