"""The pages of the demandes for the families: ask, follow, edit, withdraw."""

from datetime import timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from demandes import actions, presentation
from demandes.models import Demande, PieceJointe
from demandes.pieces import PiecesForm
from demandes.types import RUBRIQUES, TYPES, types_de
from familles.pages import page_famille
from messagerie.models import ServiceMairie
from portail.outils.fichiers import ranger, servir

DEMANDES_PAR_PAGE = 20
RECENTES = timedelta(days=31)


@page_famille
def demander(request, type):
    """One of the five requests of « Mon compte »."""
    genre = TYPES.get(type)
    if genre is None:
        raise Http404("Type de demande inconnu")
    pendante = actions.en_cours(genre, request.famille)
    post = request.method == "POST"
    form = actions.formulaire(
        genre,
        request.famille,
        demandeur=request.user,
        pendante=pendante,
        data=request.POST if post else None,
    )
    pieces = PiecesForm(
        request.POST if post else None,
        request.FILES if post else None,
        deja=pendante.pieces.all() if pendante else (),
    )
    if post and form.is_valid() & pieces.is_valid():
        return _deposer(request, genre, form, pieces)
    contexte = {
        "genre": genre,
        "form": form,
        "pieces": pieces,
        "pendante": pendante,
        "rail": presentation.rail(genre.rubrique, actif=genre.code),
    }
    return render(request, "demandes/demander.html", contexte, status=422 if post else 200)


def _deposer(request, genre, form, pieces):
    try:
        demande = actions.deposer(
            genre,
            request.famille,
            form,
            par=request.user,
            pieces=[ranger(*piece) for piece in pieces.cleaned_data["pieces"]],
            sans_pieces=pieces.cleaned_data["retirer"],
        )
    except actions.RienADemander:
        messages.info(request, "Rien n'a changé : aucune demande n'a été envoyée.")
        return redirect("demander", genre.code)
    except actions.TropDePieces:
        messages.error(request, "L'autre adulte du foyer vient de joindre des pièces : retirez-en avant d'en ajouter.")
        return redirect("demander", genre.code)
    if demande.modifiee_le:
        messages.success(request, "Votre demande est modifiée. La mairie lira cette version.")
    else:
        messages.success(request, "Votre demande est envoyée à la mairie. Vous pouvez la modifier en attendant.")
    return redirect(demande)


@page_famille
def liste(request):
    """Liste des demandes: less than a month, whatever the answer; older ones one click away."""
    demandes = Demande.objects.filter(famille=request.famille)
    toutes = request.GET.get("periode") == "toutes"
    if not toutes:
        demandes = demandes.deposees_depuis(timezone.now() - RECENTES)
    par_type = dict(demandes.order_by().values_list("type").annotate(Count("pk")))
    rubrique = request.GET.get("rubrique")
    rubrique = rubrique if rubrique in RUBRIQUES else ""
    type_ = request.GET.get("type")
    type_ = type_ if type_ in TYPES else ""
    if rubrique:
        demandes = demandes.de_la_rubrique(rubrique)
    if type_:
        demandes = demandes.filter(type=type_)
    page = Paginator(demandes, DEMANDES_PAR_PAGE).get_page(request.GET.get("page"))
    contexte = {
        "page": page,
        "lignes": presentation.lignes(page),
        "filtres": _filtres(par_type, rubrique, type_, toutes),
        "toutes": toutes,
        "rubrique": rubrique,
        "type": type_,
        "parametres": _sans_page(request.GET),
    }
    return render(request, "demandes/liste.html", contexte)


def _sans_page(parametres):
    """The query string of the other pages of the same list."""
    autres = parametres.copy()
    autres.pop("page", None)
    return autres.urlencode()


def _filtres(par_type, rubrique, type_, toutes):
    """``(label, count, query string, active)`` of the links above the list."""
    suite = "&periode=toutes" if toutes else ""
    filtres = [("Toutes", sum(par_type.values()), suite.lstrip("&"), not rubrique and not type_)]
    for code, libelle in RUBRIQUES.items():
        compte = sum(par_type.get(genre.code, 0) for genre in types_de(code))
        filtres.append((libelle, compte, f"rubrique={code}{suite}", rubrique == code and not type_))
    for genre in types_de(rubrique) if rubrique else ():
        requete = f"rubrique={rubrique}&type={genre.code}{suite}"
        filtres.append((genre.libelle, par_type.get(genre.code, 0), requete, type_ == genre.code))
    return filtres


@page_famille
def detail(request, uuid):
    demandes = Demande.objects.select_related("deposee_par", "traitee_par", "famille")
    demande = get_object_or_404(demandes, famille=request.famille, uuid=uuid)
    demande.famille = request.famille
    contexte = {
        "demande": demande,
        "genre": demande.genre,
        "service": ServiceMairie.objects.filter(code=demande.genre.service).first(),
        "etapes": presentation.etapes(demande),
        "lignes": actions.comparer(demande, pour_agent=False),
        "pieces": list(demande.pieces.all()),
        "rail": presentation.rail(demande.genre.rubrique, actif=demande.type),
    }
    return render(request, "demandes/detail.html", contexte)


@page_famille
@require_POST
def retirer(request, uuid):
    demande = get_object_or_404(Demande, famille=request.famille, uuid=uuid)
    try:
        actions.retirer(demande, par=request.user)
        messages.success(request, "Votre demande est retirée. Votre dossier n'a pas changé.")
    except actions.DemandeDejaTraitee as erreur:
        messages.warning(request, str(erreur))
    return redirect(demande)


def piece_jointe(request, uuid):
    """The paper, for the family that sent it and for the agents who decide."""
    piece = get_object_or_404(PieceJointe.objects.select_related("demande"), uuid=uuid)
    adulte = request.user.adulte
    de_la_famille = adulte is not None and piece.demande.famille_id == adulte.famille_id
    if not de_la_famille and not request.user.has_perm("demandes.traiter_demande"):
        raise Http404("Pièce d'une autre famille")
    return servir(piece)
