"""Paying an invoice on line: the button, the way back, and the door by which PayFiP tells."""

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from facturation import paiements
from facturation.actions import ActionImpossible
from facturation.comptes import avec_annulation
from facturation.models import Facture, Reglement, TentativePaiement
from facturation.regles.payfip import Moyen
from familles.pages import page_famille
from portail.outils.argent import euros
from portail.outils.dates import quand

AVIS_MAX = 8 * 1024  # bytes: a notice holds a dozen short fields


@page_famille
@require_POST
def payer(request, uuid):
    """The family leaves for PayFiP, once the attempt is written."""
    facture = get_object_or_404(Facture.objects.visibles_par(request.adulte), uuid=uuid)
    try:
        return redirect(paiements.partir(paiements.commencer(facture, par=request.user)))
    except ActionImpossible as erreur:
        contexte = {"facture": facture, "phrase": str(erreur)}
        return render(request, "facturation/paiement_impossible.html", contexte, status=422)


@page_famille
def paiement(request, uuid):
    """What became of a payment; as long as PayFiP has not said, the web service is asked."""
    siennes = TentativePaiement.objects.filter(facture__in=Facture.objects.visibles_par(request.adulte))
    siennes = siennes.select_related("facture__regie", "reglement")
    tentative = get_object_or_404(siennes, uuid=uuid)
    if tentative.issue == TentativePaiement.Issue.INCONNU and paiements.verifier(tentative):
        tentative = siennes.get(pk=tentative.pk)
    return render(request, "facturation/paiement.html", {"tentative": tentative, **_en_clair(tentative)})


def _en_clair(tentative):
    facture = paiements.lisibles(Facture.objects.filter(pk=tentative.facture_id)).get()
    moyen = {Moyen.CARTE: "carte bancaire", Moyen.PRELEVEMENT: "prélèvement"}.get(tentative.moyen, "")
    lignes = [("Facture", facture.numero_complet), ("Montant", euros(tentative.montant)), ("Moyen", moyen)]
    lignes += [("N° d'autorisation", tentative.autorisation)]
    if tentative.conclue_le:
        lignes.append(("Date", quand(tentative.conclue_le)))
    return {
        "facture": facture,
        "code": _code(tentative, facture),
        "lignes": [(libelle, valeur) for libelle, valeur in lignes if valeur],
        "commence": quand(tentative.cree_le),
        "reste_a_payer": paiements.moyen_de_payer(facture, timezone.localdate()).est_actif,
    }


def _code(tentative, facture):
    """What the page says: PayFiP's word, unless the bank took the money back since, or there never was any."""
    if tentative.issue != TentativePaiement.Issue.PAYE:
        return tentative.issue
    if facture.regie.est_titre:
        return "REJETE" if tentative.rapprochee_le else "ANNONCE"  # of a titre, only a rejection is noted
    if tentative.reglement is None:
        return "ESSAI"
    reprise = avec_annulation(Reglement.objects.filter(pk=tentative.reglement_id)).get().annule
    return "REJETE" if reprise else "PAYE"


@csrf_exempt
@login_not_required
def retour(request, uuid):
    """PayFiP sends the family back here, without its session where it is by POST: the page itself is next."""
    return redirect("paiement", uuid)


@csrf_exempt
@login_not_required
def avis(request, jeton):
    """What PayFiP, or anybody, says of a payment. The answer never tells what was made of it."""
    champs = _champs(request)
    paiements.recevoir_avis(jeton, {nom: champs.get(nom, "") for nom in champs})
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")


def _champs(request):
    """The fields of a notice; none where no notice would be like that.

    The body of a form is read here: PayFiP's are ASCII, whatever encoding they claim, and Django wants UTF-8.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > AVIS_MAX:
        return {}
    try:
        if request.content_type == "multipart/form-data":
            return request.POST
        return QueryDict(request.body, encoding="latin-1") or request.GET
    except (SuspiciousOperation, BadRequest, MultiPartParserError):
        return {}
