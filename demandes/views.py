"""The pages of the demandes for the families: ask, follow, edit, withdraw."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from demandes import actions, justificatifs, planning, presentation
from demandes.models import Demande, PieceJointe
from demandes.pieces import PiecesForm, PreuveForm
from demandes.types import MES_ENFANTS, MON_COMPTE, RUBRIQUES, TYPES, types_de
from demandes.types.enfants import AjoutEnfant
from enfants.models import Enfant
from familles.pages import page_famille
from messagerie.models import Fil, ServiceMairie
from portail.outils.fichiers import servir

DEMANDES_PAR_PAGE = 20
RECENTES = timedelta(days=31)


@page_famille
def demander(request, type):
    """One of the five requests of « Mon compte »."""
    return _demander(request, _genre(type, MON_COMPTE))


@page_famille
def demander_enfant(request, uuid, type):
    """One of the requests about a child."""
    genre = _genre(type, MES_ENFANTS)
    if not genre.par_enfant or genre.par_objet:
        raise Http404("Type de demande inconnu")
    enfants = Enfant.objects.visibles_par(request.user).select_related("informations", "sante")
    return _demander(request, genre, enfant=get_object_or_404(enfants, uuid=uuid))


@page_famille
def ajouter_enfant(request):
    """A child who will soon come to the services; ``?demande=`` edits one that waits."""
    pendante = None
    if cle := request.GET.get("demande", ""):
        pendantes = Demande.objects.visibles_par(request.adulte).en_attente().filter(type=AjoutEnfant.code)
        pendante = get_object_or_404(pendantes, uuid=_uuid_ou_404(cle))
    return _demander(request, AjoutEnfant, pendante=pendante)


def _genre(type_, rubrique):
    genre = TYPES.get(type_)
    if genre is None or genre.rubrique != rubrique:
        raise Http404("Type de demande inconnu")
    return genre


def _uuid_ou_404(texte):
    try:
        return UUID(texte)
    except ValueError:
        raise Http404("Demande inconnue") from None


def _demander(request, genre, *, enfant=None, pendante=None):
    pendante = pendante or actions.en_cours(genre, request.famille, enfant)
    post = request.method == "POST"
    form = actions.formulaire(
        genre,
        request.famille,
        enfant,
        demandeur=request.user,
        pendante=pendante,
        data=request.POST if post else None,
    )
    pieces = PiecesForm(
        request.POST if post else None,
        request.FILES if post else None,
        deja=pendante.pieces.all() if pendante else (),
        natures=genre.natures,
    )
    if post and form.is_valid() & pieces.is_valid():
        return _deposer(request, genre, form, pieces, enfant, pendante)
    contexte = {
        "genre": genre,
        "enfant": enfant,
        "form": form,
        "pieces": pieces,
        "pendante": pendante,
        "rail": presentation.rail(genre.rubrique, enfant, actif=genre.code),
        "retour": _retour(genre, enfant),
    }
    return render(request, "demandes/demander.html", contexte, status=422 if post else 200)


def _retour(genre, enfant):
    if enfant is not None:
        return reverse("dossier_enfant", args=[enfant.uuid])
    return reverse("mon_compte" if genre.rubrique == MON_COMPTE else "mes_enfants")


def _deposer(request, genre, form, pieces, enfant, pendante):
    try:
        demande = actions.deposer(
            genre,
            request.famille,
            form,
            par=request.user,
            enfant=enfant,
            pieces=pieces.ranger(),
            sans_pieces=pieces.cleaned_data["retirer"],
            pendante=pendante,
        )
    except actions.RienADemander:
        messages.info(request, "Rien n'a changé : aucune demande n'a été envoyée.")
        return redirect(genre.url(enfant))
    except actions.TropDePieces:
        messages.error(request, "L'autre adulte du foyer vient de joindre des pièces : retirez-en avant d'en ajouter.")
        return redirect(genre.url(enfant))
    except actions.TropDeDemandes:
        messages.error(request, "Plusieurs demandes attendent déjà : modifiez l'une d'elles, ou attendez la réponse.")
        return redirect("demandes")
    if demande.modifiee_le:
        messages.success(request, "Votre demande est modifiée. La mairie lira cette version.")
    else:
        messages.success(request, "Votre demande est envoyée à la mairie. Vous pouvez la modifier en attendant.")
    return redirect(demande)


@dataclass(frozen=True)
class Liste:
    """All that the list of demandes prints."""

    page: Page
    lignes: list[presentation.Ligne]
    filtres: list[tuple]
    toutes: bool
    rubrique: str
    type: str
    parametres: str


def charger_liste(request) -> Liste:
    """Less than a month, whatever the answer, unless ``?periode=toutes``; of one rubrique, of one kind."""
    toutes = request.GET.get("periode") == "toutes"
    rubrique, type_ = (
        valeur if (valeur := request.GET.get(nom, "")) in connues else ""
        for nom, connues in (("rubrique", RUBRIQUES), ("type", TYPES))
    )
    demandes = Demande.objects.visibles_par(request.adulte)
    if not toutes:
        demandes = demandes.deposees_depuis(timezone.now() - RECENTES)
    par_type = dict(demandes.order_by().values_list("type").annotate(Count("pk")))
    codes = [genre.code for genre in types_de(rubrique)] if rubrique else list(TYPES)
    if type_:
        codes = [code for code in codes if code == type_]
    if rubrique or type_:
        demandes = demandes.filter(type__in=codes)
    paginator = Paginator(demandes.select_related("enfant", "traitee_par"), DEMANDES_PAR_PAGE)
    paginator.count = sum(par_type.get(code, 0) for code in codes)  # known: no query to count again
    page = paginator.get_page(request.GET.get("page"))
    return Liste(
        page=page,
        lignes=presentation.lignes_suivies(list(page)),
        filtres=_filtres(par_type, rubrique, type_, toutes),
        toutes=toutes,
        rubrique=rubrique,
        type=type_,
        parametres=_sans_page(request.GET),
    )


@page_famille
def liste(request):
    """Liste des demandes: each with its trail, older ones one click away."""
    return render(request, "demandes/liste.html", vars(charger_liste(request)))


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
    demandes = Demande.objects.visibles_par(request.adulte).select_related("deposee_par", "traitee_par", "enfant")
    demande = get_object_or_404(demandes, uuid=uuid)
    demande.famille = request.famille
    return _detail(request, demande)


def _detail(request, demande, preuve=None):
    """:param preuve: the form of the proof, sent and refused."""
    # The child may have left the household since: its answer stays, its file does not open.
    enfant = (
        Enfant.objects.visibles_par(request.user).filter(pk=demande.enfant_id).first() if demande.enfant_id else None
    )
    perdu = bool(demande.enfant_id) and enfant is None
    attendu = justificatifs.attendu(demande)
    contexte = {
        "demande": demande,
        "genre": demande.genre,
        "echeance": justificatifs.echeance(attendu) if attendu else "",
        "preuve": preuve or (PreuveForm(deja=demande.pieces.all()) if attendu else None),
        "service": ServiceMairie.de(demande.genre.service),
        "etapes": presentation.etapes(demande),
        "lignes": actions.comparer(demande, pour_agent=False, sans_maintenant=perdu),
        "sans_maintenant": perdu,
        "jours": presentation.jours(demande),
        "justificatif": presentation.justificatif(demande),
        "peut_defaire": bool(planning.a_defaire(demande)),
        "pieces": list(demande.pieces.all()),
        "rail": presentation.rail(demande.genre.rubrique, enfant, actif=demande.type),
        "lien_formulaire": _lien_formulaire(demande, enfant),
        "fils": presentation.echanges(demande, Fil.objects.visibles_par(request.adulte)),
        "ecrire": presentation.ecrire_a_propos(demande),
    }
    return render(request, "demandes/detail.html", contexte, status=422 if preuve else 200)


@page_famille
@require_POST
def joindre_justificatif(request, uuid):
    """The proof of an absence, sent after the absence itself."""
    demande = get_object_or_404(Demande.objects.visibles_par(request.adulte), uuid=uuid)
    demande.famille = request.famille
    form = PreuveForm({}, request.FILES, deja=demande.pieces.all())
    if justificatifs.attendu(demande) and not form.is_valid():
        return _detail(request, demande, preuve=form)
    try:
        justificatifs.joindre(demande, form.ranger() if form.is_valid() else [], par=request.user)
        messages.success(request, "Votre justificatif est joint. La mairie le lira avant de répondre.")
    except actions.DemandeDejaTraitee as erreur:
        messages.warning(request, str(erreur))
    except justificatifs.PlusRienAttendu:
        messages.info(request, "Cette demande n'attend pas de justificatif.")
    except actions.TropDePieces:
        messages.error(request, "L'autre adulte du foyer vient de joindre des pièces : elles suffisent.")
    return redirect(demande)


def _lien_formulaire(demande, enfant):
    """Where the same is asked again, or this pending demande edited; "" when the child has left the household."""
    genre = demande.genre
    if genre.par_enfant and enfant is None:
        return ""
    if genre.au_planning:
        return "" if demande.est_en_attente else genre.url(enfant)
    suite = f"?demande={demande.uuid}" if genre.plusieurs and demande.est_en_attente else genre.suite
    return genre.url(enfant) + suite


@page_famille
@require_POST
def retirer(request, uuid):
    demande = get_object_or_404(Demande.objects.visibles_par(request.adulte), uuid=uuid)
    try:
        actions.retirer(demande, par=request.user)
        messages.success(request, "Votre demande est retirée. Votre dossier n'a pas changé.")
    except actions.DemandeDejaTraitee as erreur:
        messages.warning(request, str(erreur))
    return redirect(demande)


def piece_jointe(request, uuid):
    """The paper, for the family that sent it and for the agents who decide."""
    piece = get_object_or_404(PieceJointe.objects.select_related("demande", "demande__enfant"), uuid=uuid)
    adulte, demande = request.user.adulte, piece.demande
    if adulte is not None:
        if not Demande.objects.visibles_par(adulte).filter(pk=demande.pk).exists():
            raise Http404("Pièce d'une autre famille")
        return servir(piece)
    if not actions.peut_lire(request.user, demande):
        raise Http404("Pièce réservée aux agents qui décident")
    actions.noter_lecture(demande, par=request.user, page="Pièce jointe à une demande")
    return servir(piece)
