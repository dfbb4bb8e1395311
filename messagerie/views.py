"""Boîte de réception: the three boxes, what is done with several threads at once, the thread and its answer."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from familles.pages import page_famille
from messagerie import actions
from messagerie.boite import BOITES, MOTS_MAX, RECUS, charger_boite
from messagerie.fil import charger_fil
from messagerie.forms import ReponseForm
from messagerie.models import Diffusion, Fil, PieceMessage
from portail.outils.fichiers import servir


@page_famille
def boite(request, dossier=RECUS):
    """One of the three boxes; ``?q=`` searches it."""
    page = charger_boite(request, dossier)
    request.non_lus = page.non_lus
    contexte = {"boite": page, "page": page.page, "parametres": urlencode({"q": page.mots}) if page.mots else ""}
    return render(request, "messagerie/boite.html", contexte)


# --- Several threads at once -----------------------------------------------------------------------------

FAITS = {
    "supprimer": (
        "L'échange est supprimé. Vous le retrouvez dans « Supprimés ».",
        "{} échanges sont supprimés. Vous les retrouvez dans « Supprimés ».",
    ),
    "restaurer": ("L'échange est restauré.", "{} échanges sont restaurés."),
    "non_lu": ("L'échange est marqué comme non lu.", "{} échanges sont marqués comme non lus."),
}


@page_famille
@require_POST
def ranger(request):
    """Delete, restore, mark as unread the threads that are ticked, of this adult's box alone."""
    geste, retour = request.POST.get("geste"), _retour(request.POST)
    if geste not in FAITS:
        raise Http404("Geste inconnu")
    uuids = _uuids(request.POST.getlist("fil"))
    if not uuids:
        messages.info(request, "Cochez d'abord un échange dans la liste.")
        return redirect(retour)
    fils = list(Fil.objects.visibles_par(request.adulte).filter(uuid__in=uuids).order_by("pk"))
    if not fils:
        raise Http404("Échanges d'une autre boîte")
    if geste == "non_lu":
        for fil in fils:
            actions.marquer_non_lu(fil, request.adulte)
    else:
        getattr(actions, geste)(fils, request.adulte)
    un, plusieurs = FAITS[geste]
    messages.success(request, un if len(fils) == 1 else plusieurs.format(len(fils)))
    return redirect(retour)


def _uuids(textes):
    """What is not an identifier is nobody's."""
    trouves = set()
    for texte in textes:
        try:
            trouves.add(UUID(texte))
        except ValueError:
            continue
    return trouves


def _retour(donnees):
    """The box, the words and the page where the threads were ticked."""
    boite = BOITES.get(donnees.get("boite"), BOITES[RECUS])
    gardes = {nom: donnees.get(nom, "")[:MOTS_MAX] for nom in ("q", "page")}
    requete = urlencode({nom: valeur for nom, valeur in gardes.items() if valeur and "\x00" not in valeur})
    return reverse(boite.route) + (f"?{requete}" if requete else "")


# --- A thread --------------------------------------------------------------------------------------------


@page_famille
def lire(request, uuid):
    """The thread, read from now on; a POST answers in it."""
    fil = get_object_or_404(Fil.objects.visibles_par(request.adulte).select_related("service"), uuid=uuid)
    if request.method != "POST":
        return _montrer(request, fil, ReponseForm())
    form = ReponseForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            message = actions.repondre(fil, adulte=request.adulte, **form.message())
        except actions.EnvoiImpossible as erreur:
            form.add_error(None, str(erreur))
        else:
            messages.success(request, "Votre réponse est envoyée.")
            return redirect(message.fil)
    return _montrer(request, fil, form, status=422)


def _montrer(request, fil, form, status=200):
    contexte = {**charger_fil(fil, request.adulte), "form": form}
    if not _est_precharge(request):
        actions.marquer_lu(fil, request.adulte)
    return render(request, "messagerie/lire.html", contexte, status=status)


def _est_precharge(request):
    """Nobody has the page before their eyes yet: a browser fetches it ahead, a tool asks for its headers."""
    voulu = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return request.method == "HEAD" or "prefetch" in voulu


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
