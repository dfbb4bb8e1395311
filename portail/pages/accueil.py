"""Accueil, contact and the small public pages."""

from collections import namedtuple

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from demandes.models import Demande
from demandes.presentation import Icone, lignes
from enfants import offre
from enfants.models import Enfant
from enfants.regles.annees import a_venir, libelle
from familles.pages import page_famille
from portail.commune import Commune

CarteEnfant = namedtuple("CarteEnfant", "prenom de_prenom nom url fiche_url")


def accueil(request):
    """Agents go to their desk; parents see what is new."""
    return redirect("admin:index") if request.user.is_staff else _accueil_famille(request)


@page_famille
def _accueil_famille(request):
    contexte = {
        "rail": [
            Icone("Mot de passe", reverse("mot_de_passe"), "cadenas", False),
            Icone("Infos./Documents", reverse("documents"), "document", False),
            Icone("Fiche d'inscription", reverse("fiche_vierge"), "fiche", False),
            Icone("Nous contacter", reverse("contact"), "contact", False),
        ],
        "enfants": cartes(Enfant.objects.visibles_par(request.user)),
        "en_attente": lignes(Demande.objects.visibles_par(request.adulte).en_attente().select_related("enfant")),
    }
    return render(request, "portail/accueil.html", contexte)


def cartes(enfants) -> list[CarteEnfant]:
    """Each child with its page and, beside its name, its pre-filled form."""
    return [
        CarteEnfant(
            e.prenom, e.de_prenom, e.nom, reverse("enfant", args=[e.uuid]), reverse("fiche_inscription", args=[e.uuid])
        )
        for e in enfants
    ]


def documents(request):
    return render(request, "portail/documents.html", {"annee": libelle(a_venir(timezone.localdate()))})


@login_not_required
def contact(request):
    return render(request, "portail/contact.html")


@login_not_required
def accessibilite(request):
    return render(request, "portail/accessibilite.html")


@login_not_required
def donnees_personnelles(request):
    return render(request, "portail/donnees_personnelles.html")


@login_not_required
@require_safe
@cache_control(public=True, max_age=300)
def theme(request):
    """The colours of the commune and of its services as CSS variables: the policy allows no inline style."""
    variables = "".join(f"--{nom}:{valeur};" for nom, valeur in Commune.actuelle().teintes.items())
    services = "".join(
        f'[data-ligne="{service.code}"]{{--service:{service.couleur}}}\n' for service in offre.actuelle()
    )
    return HttpResponse(f":root{{{variables}}}\n{services}", content_type="text/css; charset=utf-8")


@login_not_required
@require_safe
@cache_control(public=True, max_age=300)
def logo(request):
    """The commune's logo, the only uploaded file that anybody may see."""
    from django.http import FileResponse, Http404

    commune = Commune.actuelle()
    if not commune.logo:
        raise Http404("Pas de logo")
    return FileResponse(commune.logo.open("rb"))


@login_not_required
@require_safe
def etat(request):
    """Liveness for a load balancer: the web worker answers and reaches the database."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")
