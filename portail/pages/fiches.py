"""The registration form of a child as a PDF, blank or filled."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from enfants import fiches
from enfants.models import Enfant
from familles.pages import page_famille
from portail.outils.pdf import PdfIndisponible


@require_safe
def fiche_vierge(request):
    """The blank form, the same for all who are logged in."""
    try:
        pdf = fiches.imprimer_vierge(jour=timezone.localdate())
    except PdfIndisponible:
        return sans_pdf(request, "documents")
    return _montrer(pdf, "")


@page_famille
@require_safe
def fiche_inscription(request, uuid):
    """The form filled with what this household knows of its child."""
    dossiers = Enfant.objects.visibles_par(request.user).select_related("ecole", "classe", "sante", "informations")
    enfant = get_object_or_404(dossiers, uuid=uuid)
    try:
        pdf = fiches.imprimer_inscription(enfant, request.famille, jour=timezone.localdate())
    except PdfIndisponible:
        return sans_pdf(request, "enfant", enfant.uuid)
    return _montrer(pdf, slugify(enfant.prenom))


def _montrer(pdf, suite):
    nom = "-".join(filter(None, ["fiche-inscription", suite]))
    return HttpResponse(
        pdf,
        content_type="application/pdf",
        headers={"Content-Disposition": content_disposition_header(False, f"{nom}.pdf")},
    )


def sans_pdf(request, *retour):
    """Back to the page the family came from, as the agents are: the portal works on, papers aside."""
    messages.error(request, "Les PDF ne sont pas disponibles pour le moment.")
    return redirect(*retour)
