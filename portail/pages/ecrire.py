"""Écrire à la mairie, and « Nous contacter »: a question keeps in mind what it is about."""

from dataclasses import dataclass, field
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from demandes.models import Demande
from demandes.types.base import TypeDemande
from enfants.messages import adultes_suspendus
from enfants.models import Enfant
from familles.models import Responsable
from familles.pages import page_famille
from messagerie import actions
from messagerie.actions import Objet
from messagerie.forms import EcrireForm
from messagerie.models import Fil, ServiceMairie


@dataclass(frozen=True)
class Propos:
    """What a parent writes about.

    :param requete: what leads here again, « demande=<uuid> ».
    :param service: code of the service that knows about it.
    """

    requete: str
    objet: Objet
    sujet: str
    service: str
    enfants: list[Enfant] = field(default_factory=list)


def lire_propos(request) -> Propos | None:
    """What ``?demande=`` or ``?enfant=`` names; None without, whatever else the address says.

    :raises Http404: unknown, of another family, or of a child that this adult may no longer see.
    """
    if cle := request.GET.get("demande"):
        demandes = Demande.objects.visibles_par(request.user.adulte).select_related("enfant")
        demande = get_object_or_404(demandes, uuid=_uuid_ou_404(cle))
        sujet = f"Question sur ma demande «\u00a0{demande.titre}\u00a0»"
        enfants = demande.enfants_concernes()
        return Propos(f"demande={demande.uuid}", demande.objet_du_fil, sujet, demande.genre.service, enfants)
    if cle := request.GET.get("enfant"):
        enfant = get_object_or_404(Enfant.objects.visibles_par(request.user), uuid=_uuid_ou_404(cle))
        objet = Objet(
            f"enfant/{enfant.uuid}", enfant.prenom, reverse("dossier_enfant", args=[enfant.uuid]), un_seul_fil=False
        )
        sujet = f"Question au sujet {enfant.de_prenom}"
        return Propos(f"enfant={enfant.uuid}", objet, sujet, TypeDemande.service, [enfant])
    return None


def _uuid_ou_404(texte):
    try:
        return UUID(texte)
    except ValueError:
        raise Http404("Objet inconnu") from None


@page_famille
def ecrire(request):
    """A new thread; where one about the same thing goes on already, the parent writes in it."""
    propos, adulte = lire_propos(request), request.adulte
    autres = {autre.pk for autre in request.famille.adultes()} - {adulte.pk}
    seul = bool(propos and autres & adultes_suspendus(request.famille, propos.enfants))
    if request.method != "POST":
        if propos and (fil := fil_ouvert(propos.objet, adulte, seul=seul)):
            return redirect(f"{fil.get_absolute_url()}#repondre")
        return _montrer(request, EcrireForm(initial=_initial(propos), a_deux=bool(autres)), propos, seul)
    form = EcrireForm(request.POST, request.FILES, a_deux=bool(autres))
    if form.is_valid():
        try:
            message = _envoyer(form, adulte, propos, seul)
        except actions.EnvoiImpossible as erreur:
            form.add_error(None, str(erreur))
        else:
            messages.success(request, "Votre message est envoyé. La réponse arrivera dans votre boîte de réception.")
            return redirect(message.fil)
    return _montrer(request, form, propos, seul, status=422)


def _envoyer(form, adulte, propos, seul):
    return actions.ecrire(
        adulte,
        service=form.cleaned_data.get("service"),
        sujet=form.cleaned_data["sujet"],
        prive=seul or form.cleaned_data.get("prive", False),
        objet=propos.objet if propos else None,
        **form.message(),
    )


def _montrer(request, form, propos, seul, status=200):
    contexte = {"form": form, "propos": propos, "seul": seul}
    return render(request, "messagerie/ecrire.html", contexte, status=status)


def _initial(propos):
    if propos is None:
        return {}
    return {"sujet": propos.sujet, "service": ServiceMairie.objects.joignables().filter(code=propos.service).first()}


def fil_ouvert(objet: Objet, adulte: Responsable, *, seul: bool) -> Fil | None:
    """The thread in which this adult goes on writing about it, the last one; None where a new one begins.

    :param seul: the other adult of the household must not read it.
    """
    fils = Fil.objects.visibles_par(adulte).filter(contexte=objet.cle)
    if seul:
        fils = fils.filter(destinataire=adulte)
    if not objet.un_seul_fil:
        fils = fils.en_attente()
    return fils.order_by("-dernier_le", "-pk").first()


@login_not_required
def contact(request):
    """Phone and hours for everybody; a parent may also write, about what the page before showed."""
    contexte = {"ecrire": "", "propos": None}
    if request.user.is_authenticated and request.user.adulte is not None:
        try:
            contexte["propos"] = propos = lire_propos(request)
        except Http404:  # an error page leads here too: nothing is told of what it was about
            propos = None
        contexte["ecrire"] = reverse("ecrire") + (f"?{propos.requete}" if propos else "")
    return render(request, "portail/contact.html", contexte)
