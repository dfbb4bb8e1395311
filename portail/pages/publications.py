"""Infos./Documents: what the commune publishes, its files, and the portal's own notice."""

from itertools import groupby
from typing import NamedTuple

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from demandes.presentation import Icone
from enfants.regles.annees import a_venir, libelle
from portail import notice as notices
from portail.outils.dates import jour as en_mots
from portail.outils.fichiers import servir
from portail.outils.pdf import PdfIndisponible
from portail.pages.fiches import sans_pdf
from portail.publications import Actualite, Document

ACTUALITES_PAR_PAGE = 20


class Ligne(NamedTuple):
    """A paper or a link as its list prints it; ``piece`` is None for a link."""

    titre: str
    description: str
    url: str
    piece: object


class Breve(NamedTuple):
    cle: int
    titre: str
    date: str
    html: str


def documents(request):
    """What the family may read: the notice, the papers of each school year, the links, all the news."""
    aujourdhui = timezone.localdate()
    publies = list(_publies(request.user, aujourdhui).exclude(genre=Document.Genre.FORMULAIRE))
    actualites = Actualite.objects.en_cours(aujourdhui).visibles_par(request.user)
    page = Paginator(actualites, ACTUALITES_PAR_PAGE).get_page(request.GET.get("page"))
    contexte = {
        "rail": _rail("documents"),
        "annee": libelle(a_venir(aujourdhui)),
        "annees": _par_annee(d for d in publies if d.genre == Document.Genre.DOCUMENT),
        "liens": [_ligne(d) for d in publies if d.genre == Document.Genre.LIEN],
        "actualites": [Breve(a.pk, a.titre, en_mots(a.publie_du), a.html) for a in page],
        "page": page,
    }
    return render(request, "portail/documents.html", contexte)


def formulaires(request):
    """Papers to download, fill and bring back."""
    publies = _publies(request.user, timezone.localdate()).filter(genre=Document.Genre.FORMULAIRE)
    contexte = {
        "rail": _rail("formulaires"),
        "annee": libelle(a_venir(timezone.localdate())),
        "annees": _par_annee(publies),
    }
    return render(request, "portail/formulaires.html", contexte)


@login_not_required
def fichier(request, uuid):
    """The file of a document: for whom it is meant, for anybody where it is public.

    Who is not logged in is sent to log in, whether the document exists or not.
    """
    en_ligne = Document.objects.en_cours(timezone.localdate()).select_related("fichier").filter(uuid=uuid)
    public = en_ligne.filter(public=True, fichier__isnull=False).first()
    if public is not None:
        return servir(public.fichier)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if request.user.mot_de_passe_provisoire:
        return redirect("mot_de_passe")
    # Who publishes opens what is not online yet.
    tous = Document.objects.select_related("fichier").filter(uuid=uuid)
    visibles = tous if request.user.has_perm("portail.view_document") else en_ligne
    document = visibles.visibles_par(request.user).first()
    if document is None or document.piece is None:
        raise Http404("Document inconnu, ou pas pour ce foyer")
    return servir(document.fichier)


@require_safe
def notice(request):
    """The portal's notice for parents, under the commune's letterhead."""
    try:
        pdf = notices.imprimer()
    except PdfIndisponible:
        return sans_pdf(request, "documents")
    nom = content_disposition_header(False, "notice-portail-famille.pdf")
    return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": nom})


def _publies(utilisateur, aujourdhui):
    """Without what leads nowhere: neither a link nor a file."""
    publies = Document.objects.en_cours(aujourdhui).visibles_par(utilisateur).select_related("fichier")
    return publies.filter(Q(genre=Document.Genre.LIEN) | Q(fichier__isnull=False))


def _rail(actif):
    return [
        Icone("Infos./Documents", reverse("documents"), "document", actif == "documents"),
        Icone("Formulaires", reverse("formulaires"), "formulaire", actif == "formulaires"),
        Icone("Nous contacter", reverse("contact"), "contact", False),
    ]


def _ligne(document) -> Ligne:
    return Ligne(document.titre, document.description, document.adresse, document.piece)


def _par_annee(documents) -> list[tuple[str, list[Ligne]]]:
    """(« 2026-2027 », its papers), the newest year first; those of no year, good all the time, before."""
    ranges = sorted(documents, key=lambda d: (d.annee is not None, -(d.annee or 0), d.ordre, d.titre, d.pk))
    return [(annee, [_ligne(d) for d in groupe]) for annee, groupe in groupby(ranges, key=lambda d: d.annee_texte)]
