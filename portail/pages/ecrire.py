"""Écrire à la mairie, and « Nous contacter »: a question keeps in mind what it is about."""

import re
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from demandes.models import Demande
from demandes.types.base import TypeDemande
from enfants.messages import adultes_suspendus
from enfants.models import Enfant, SuspensionAcces
from facturation.avis import objet_de
from facturation.models import Facture, LigneFacture
from familles.models import Responsable
from familles.pages import page_famille
from messagerie import actions
from messagerie.actions import Objet
from messagerie.forms import EcrireForm
from messagerie.models import Fil, ServiceMairie
from portail.outils.dates import jour as en_mots

COMPTABILITE = "comptabilite"  # code of the service that answers about invoices
CLE = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Propos:
    """What a parent writes about.

    :param requete: what leads here again, « demande=<uuid> ».
    :param service: code of the service that knows about it.
    :param corps: what the text begins with.
    """

    requete: str
    objet: Objet
    sujet: str
    service: str
    enfants: list[Enfant] = field(default_factory=list)
    corps: str = ""


def lire_propos(request) -> Propos | None:
    """What ``?demande=``, ``?enfant=`` or ``?facture=`` names; None without, whatever else the address says.

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
    if cle := request.GET.get("facture"):
        factures = Facture.objects.visibles_par(request.user.adulte)
        facture = get_object_or_404(factures, uuid=_uuid_ou_404(cle))
        return _contester(request, facture) if "ligne" in request.GET else _question_sur(facture)
    return None


def _question_sur(facture):
    objet, enfants = objet_de(facture), Enfant.objects.filter(pk__in=facture.lignes.values("enfant")).order_by("pk")
    sujet = f"Question sur ma facture {facture.numero_complet}"
    return Propos(f"facture={facture.uuid}", objet, sujet, COMPTABILITE, list(enfants))


def _contester(request, facture):
    """A day of a line of this invoice, with what the line says of it.

    :raises Http404: the line is of another invoice, the day of another line, or the child of those that this adult
        may no longer see.
    """
    cle, iso = request.GET["ligne"], request.GET.get("jour", "")
    lignes = facture.lignes.select_related("enfant", "service")
    ligne: LigneFacture = get_object_or_404(lignes, pk=int(cle) if CLE.fullmatch(cle) else 0)
    phrase = next((phrase for jour, phrase in ligne.jours if jour == iso), None)
    if phrase is None or _est_cache(ligne.enfant_id, request.user.adulte):
        raise Http404("Jour inconnu")
    quand = en_mots(date.fromisoformat(iso))
    quoi = ", ".join(filter(None, [ligne.prenom, str(ligne.service or ligne.libelle)]))
    return Propos(
        f"facture={facture.uuid}&ligne={ligne.pk}&jour={iso}",
        objet_de(facture),
        f"Facture {facture.numero_complet}\u00a0: je conteste le {quand}",
        COMPTABILITE,
        [ligne.enfant] if ligne.enfant else [],
        f"Bonjour,\n\nSur la facture {facture.numero_complet}, je conteste le {quand} ({quoi}).\n"
        f"La facture dit\u00a0: «\u00a0{phrase}\u00a0»\n\nVoici pourquoi\u00a0:\n",
    )


def _uuid_ou_404(texte):
    try:
        return UUID(texte)
    except ValueError:
        raise Http404("Objet inconnu") from None


def _est_cache(enfant, adulte):
    suspensions = SuspensionAcces.objects.en_vigueur(timezone.localdate())
    return suspensions.filter(enfant=enfant, adulte=adulte).exists()


@page_famille
def ecrire(request):
    """A new thread; where one about the same thing goes on already, the parent writes in it."""
    propos, adulte = lire_propos(request), request.adulte
    autres = {autre.pk for autre in request.famille.adultes()} - {adulte.pk}
    seul = bool(propos and autres & adultes_suspendus(request.famille, propos.enfants))
    if request.method != "POST":
        # What is contested is written here: it joins the thread that goes on.
        if propos and not propos.corps and (fil := fil_ouvert(propos.objet, adulte, seul=seul)):
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
    service = ServiceMairie.objects.joignables().filter(code=propos.service).first()
    return {"sujet": propos.sujet, "service": service, "corps": propos.corps}


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
