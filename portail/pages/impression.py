"""The invoices of a month for the printer, sorted by the families' names, a file a hundred."""

from datetime import date

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from enfants.regles.dates import MOIS
from facturation.documents import PAR_IMPRESSION, a_imprimer, imprimer_ensemble
from facturation.models import Facture, Regie
from portail.outils.pdf import PdfIndisponible

LISTES = 24  # months of a régie that the page offers
PAR_FICHIER = PAR_IMPRESSION


@require_safe
def imprimer_factures(request):
    """The months that were issued, the last first, and the files of each."""
    _autoriser(request)
    recto_verso = request.GET.get("recto-verso") == "oui"
    emises = Facture.objects.emises().order_by("-mois", "regie__ordre", "regie__nom", "regie")
    mois = emises.values("mois", "regie", "regie__nom").annotate(
        nombre=Count("pk"), faites=Count("pk", filter=Q(pdf__isnull=False))
    )
    contexte = {
        **admin.site.each_context(request),
        "title": "Imprimer les factures",
        "recto_verso": recto_verso,
        "lignes": [_ligne(ligne) for ligne in mois[:LISTES]],
        "par_fichier": PAR_FICHIER,
    }
    return render(request, "admin/facturation/imprimer.html", contexte)


def _ligne(ligne):
    debuts = range(0, ligne["nombre"], PAR_FICHIER)
    return {
        "quand": f"{MOIS[ligne['mois'].month - 1]} {ligne['mois'].year}",
        "mois": f"{ligne['mois']:%Y-%m}",
        "regie": ligne["regie"],
        "nom": ligne["regie__nom"],
        "nombre": ligne["nombre"],
        "restent": ligne["nombre"] - ligne["faites"],
        "fichiers": [
            (rang, _de_a(debut + 1, min(debut + PAR_FICHIER, ligne["nombre"]))) for rang, debut in enumerate(debuts, 1)
        ],
    }


def _de_a(premiere, derniere):
    return f"{premiere} à {derniere}" if premiere < derniere else str(premiere)


@require_safe
def fichier_factures(request, regie, mois, rang):
    """A hundred invoices of a month as one PDF."""
    _autoriser(request)
    regie = get_object_or_404(Regie, pk=regie)
    factures = a_imprimer(regie, _premier_du_mois(mois))[(rang - 1) * PAR_FICHIER : rang * PAR_FICHIER] if rang else []
    if not factures:
        raise Http404("Aucune facture à imprimer")
    try:
        pdf = imprimer_ensemble(factures, recto_verso=request.GET.get("recto-verso") == "oui")
    except PdfIndisponible as erreur:
        messages.error(request, str(erreur))
        return redirect("admin:imprimer_factures")
    nom = f"factures-{mois}-{slugify(regie.nom)}-{rang}.pdf"
    entetes = {"Content-Disposition": content_disposition_header(False, nom)}
    return HttpResponse(pdf, content_type="application/pdf", headers=entetes)


def _premier_du_mois(mois):
    try:
        return date.fromisoformat(f"{mois}-01")
    except ValueError:
        raise Http404("Mois inconnu") from None


def _autoriser(request):
    if not request.user.has_perm("facturation.view_facture"):
        raise PermissionDenied
