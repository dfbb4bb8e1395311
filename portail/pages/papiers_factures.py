"""The papers of billing that a family opens: invoices, receipts, tax certificates. Agents who may, open them too."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from enfants.models import SuspensionAcces
from enfants.regles.annees import annee_scolaire
from facturation import attestations as fiscales
from facturation import documents
from facturation.comptes import avec_annulation
from facturation.models import AttestationFiscale, Facture, Reglement
from familles.pages import page_famille
from portail.outils.argent import euros
from portail.outils.fichiers import servir
from portail.outils.pdf import PdfIndisponible
from portail.pages import compte_presentation as presentation
from portail.pages.fiches import sans_pdf


@require_safe
def facture_pdf(request, uuid):
    """The document of an invoice, made on the spot when the worker has not yet.

    A parent whose access to a child is suspended gets a copy of its own, which tells of that child the sums alone.
    """
    est_agent = request.user.has_perm("facturation.view_facture")
    factures = Facture.objects.emises() if est_agent else Facture.objects.visibles_par(_adulte(request))
    facture = get_object_or_404(factures.select_related("avoir_de"), uuid=uuid)
    caches = set() if est_agent else facture.enfants_fermes_a(request.user.adulte, timezone.localdate())
    try:
        if caches:
            return _montrer(documents.imprimer(facture, caches=caches), f"facture-{facture.numero_complet}.pdf")
        return servir(documents.fabriquer_pdf(facture))
    except PdfIndisponible:
        return sans_pdf(request, *_retour(request))


@require_safe
def recu(request, uuid):
    """The receipt of a payment; of one that was taken back there is none."""
    reglements = avec_annulation(Reglement.objects.select_related("famille", "regie")).filter(annule=False)
    if not request.user.has_perm("facturation.view_reglement"):
        reglements = reglements.filter(famille=_adulte(request).famille_id)
    reglement = get_object_or_404(reglements, uuid=uuid)
    try:
        return _montrer(documents.imprimer_recu(reglement), f"recu-{reglement.pk}.pdf")
    except PdfIndisponible:
        return sans_pdf(request, *_retour(request))


@page_famille
@require_safe
def attestations(request):
    """What the household paid for the care of its young children, year by year."""
    aujourdhui = timezone.localdate()
    par_annee = {}
    for garde in fiscales.gardes(request.adulte):
        services = ", ".join(f"{nom}\u00a0: {euros(montant)}" for nom, montant in garde.par_service.items())
        par_annee.setdefault(garde.annee, []).append((garde.enfant, euros(garde.montant), services))
    contexte = {
        "annees": [(str(an), an < aujourdhui.year, str(an + 1), lignes) for an, lignes in par_annee.items()],
        "rail": presentation.rail(annee_scolaire(aujourdhui), "attestations"),
    }
    return render(request, "facturation/attestations.html", contexte)


@page_famille
@require_POST
def attester(request, annee, uuid):
    """The certificate of a year and a child, then its PDF."""
    try:
        attestation = fiscales.attester(request.adulte, uuid, annee, par=request.user)
    except fiscales.RienAAttester:
        raise Http404("Rien à attester") from None
    return redirect("attestation_pdf", attestation.code)


@require_safe
def attestation_pdf(request, code):
    """A certificate, as it was certified."""
    faites = AttestationFiscale.objects.all()
    if not request.user.has_perm("facturation.view_attestationfiscale"):
        adulte = _adulte(request)
        suspendus = SuspensionAcces.objects.en_vigueur(timezone.localdate()).filter(adulte=adulte)
        faites = faites.filter(famille=adulte.famille_id).exclude(enfant__in=suspendus.values("enfant"))
    attestation = get_object_or_404(faites, code=code)
    try:
        return _montrer(fiscales.imprimer(attestation), f"attestation-{attestation.annee}.pdf")
    except PdfIndisponible:
        return sans_pdf(request, *_retour(request))


def _adulte(request):
    adulte = request.user.adulte
    if adulte is None:
        raise Http404("Réservé aux familles, et aux agents qui en ont le droit")
    return adulte


def _retour(request):
    return ["releve"] if request.user.adulte else ["admin:index"]


def _montrer(pdf, nom):
    return HttpResponse(
        pdf,
        content_type="application/pdf",
        headers={"Content-Disposition": content_disposition_header(False, nom)},
    )
