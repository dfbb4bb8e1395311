"""The address by which a mail program stops the mails of an adult's messages."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import csrf_exempt

from familles.models import Responsable
from messagerie.courriels import adulte_du_lien, choisir
from messagerie.models import Preference


@login_not_required
@csrf_exempt  # RFC 8058: a mail program posts here by itself
def desabonnement(request, jeton):
    """Stop the mails of an adult's messages; opening the page alone changes nothing: mail programs open links."""
    cle = adulte_du_lien(jeton)
    if cle is None:
        raise Http404("Lien inconnu")
    adulte = get_object_or_404(Responsable, pk=cle)
    if request.method == "POST":
        choisir(adulte, Preference.Rythme.AUCUN)
    return render(request, "messagerie/desabonnement.html", {"fait": request.method == "POST"})
