"""Error pages that need more than a sentence."""

from urllib.parse import urlsplit

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import requires_csrf_token

from demandes.types import TYPES

SECRETS = {"password", "ancien", "new_password1", "new_password2"}
PAS_DES_VALEURS = {"csrfmiddlewaretoken", "next"} | SECRETS


@requires_csrf_token
def page_expiree(request, reason="") -> HttpResponse:
    """The page stood open too long (CSRF token or session gone): what was typed can be sent again.

    Values are only given back to a form of this very site: a form forged elsewhere gets the sentence alone.
    Passwords and files are never given back.
    """
    champs = []
    if _vient_d_ici(request) and not SECRETS & set(request.POST):
        champs = [(nom, valeur) for nom, liste in request.POST.lists() for valeur in liste]
        champs = [(nom, valeur) for nom, valeur in champs if nom not in PAS_DES_VALEURS]
    genre = TYPES.get(request.path.strip("/").rpartition("/")[2])
    libelles = genre.libelles() if genre else {}
    contexte = {
        "champs": champs,
        "apercu": [(libelles.get(nom, _libelle(nom)), valeur) for nom, valeur in champs if valeur and _libelle(nom)],
        "action": request.get_full_path(),
        "connecte": request.user.is_authenticated,
        "fichiers_perdus": bool(request.FILES),
    }
    reponse = render(request, "portail/page_expiree.html", contexte, status=403)
    reponse.headers["Cache-Control"] = "no-store"
    return reponse


def _libelle(nom):
    """« Prenom » of « personnes-0-prenom »; none for what only the machine reads."""
    dernier = nom.rpartition("-")[2]
    return "" if dernier.isupper() or dernier == "cle" else dernier.replace("_", " ").capitalize()


def _vient_d_ici(request):
    origine = request.headers.get("Origin") or request.headers.get("Referer") or ""
    try:
        return urlsplit(origine).netloc == request.get_host()
    except ValueError:
        return False
