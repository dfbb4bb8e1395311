"""What every request passes through: readable input, login, idle sessions, first password, no caching."""

import re
import time

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.shortcuts import redirect, render

from portail.pages.erreurs import page_expiree

CLE_VU = "vu_le"
PRECISION_VU = 60  # seconds: the stamp is written once a minute at most
SESSION_LISIBLE = re.compile("[a-z0-9]*")
AVIS = "/paiement/avis/"  # its encoding is PayFiP's business, its body is read by its view
# Whoever asks: no look at the session, no cookie.
SANS_PERSONNE = {"theme", "logo", "etat", "calendrier", "avis_payfip"}
SANS_MOT_DE_PASSE_CHOISI = {"mot_de_passe", "deconnexion"}


def entree_lisible(get_response):
    """Refuse what no browser sends by itself: NUL in an address, a body beyond any use of the portal."""
    sans_piece = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    avec_pieces = sans_piece + (settings.NOMBRE_MAX_PIECES + 1) * settings.TAILLE_MAX_PIECE

    def filtrer(request):
        if not SESSION_LISIBLE.fullmatch(request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return render(request, "400.html", status=400)
        charset = request.content_params.get("charset", "utf-8").lower()
        if charset != "utf-8" and not request.path_info.startswith(AVIS):
            return render(request, "400.html", status=400)
        corps_max = avec_pieces if settings.SESSION_COOKIE_NAME in request.COOKIES else sans_piece
        if int(request.META.get("CONTENT_LENGTH") or 0) > corps_max:
            return render(request, "413.html", status=413)
        return get_response(request)

    return filtrer


class ConnexionObligatoire(LoginRequiredMiddleware):
    """Deny by default; close idle sessions; send a first password to be replaced; nothing kept by browsers."""

    def __call__(self, request):
        reponse = self.get_response(request)
        if request.session.accessed and request.user.is_authenticated:
            reponse.headers["Cache-Control"] = "no-store"
        return reponse

    def process_view(self, request, view_func, view_args, view_kwargs):
        publique = not getattr(view_func, "login_required", True)
        if publique and request.resolver_match.url_name in SANS_PERSONNE:
            return None
        if request.user.is_authenticated and _est_inactive(request):
            minutes = _inactivite_permise(request.user) // 60
            logout(request)
            messages.info(request, f"Votre session s'est fermée après {minutes} minutes sans activité.")
        if publique:
            return None
        if not request.user.is_authenticated:
            return self.handle_no_permission(request, view_func)
        if request.user.mot_de_passe_provisoire and request.resolver_match.url_name not in SANS_MOT_DE_PASSE_CHOISI:
            return redirect("mot_de_passe")
        return None

    def handle_no_permission(self, request, view_func):
        """A form that was filled is not lost: it waits on the page until its author is back."""
        if request.method == "POST":
            return page_expiree(request)
        return super().handle_no_permission(request, view_func)


def _inactivite_permise(utilisateur):
    return settings.SESSION_INACTIVITE_AGENT if utilisateur.is_staff else settings.SESSION_INACTIVITE_FAMILLE


def _est_inactive(request):
    maintenant = int(time.time())
    vu = request.session.get(CLE_VU)
    if vu is not None and maintenant - vu > _inactivite_permise(request.user):
        return True
    if vu is None or maintenant - vu >= PRECISION_VU:
        request.session[CLE_VU] = maintenant
    return False
