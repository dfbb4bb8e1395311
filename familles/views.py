"""Ways in and out: login, logout, password, forgotten password, confirmation of an address."""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.views import LoginView
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlsafe_base64_decode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from familles import acces, actions
from familles.forms import ConnexionForm, MotDePasseForm, NouveauMotDePasseForm, OubliForm
from familles.mots_de_passe import longueur_minimale, regles
from familles.taches import reveiller
from portail.outils.demonstration import comptes_de_demonstration

SESSION_JETON = "jeton_mot_de_passe"


@method_decorator(login_not_required, name="dispatch")
class Connexion(LoginView):
    template_name = "familles/connexion.html"
    authentication_form = ConnexionForm
    redirect_authenticated_user = True

    def get_redirect_url(self):
        """Where ``next`` leads, but for pages that are none: this one, and the agents' for a parent."""
        suite = super().get_redirect_url()
        chemin = urlsplit(suite).path
        ailleurs = chemin.startswith(reverse("admin:index")) and not self.request.user.is_staff
        return "" if chemin == self.request.path or ailleurs else suite

    def get_default_redirect_url(self):
        return reverse("admin:index" if self.request.user.is_staff else "accueil")

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | comptes_de_demonstration(settings.MODE_DEMO)


def _contexte_mot_de_passe(utilisateur, form, **autres):
    return {
        "form": form,
        "regles": regles(utilisateur),
        "longueur_min": longueur_minimale(utilisateur),
        **autres,
    }


@sensitive_post_parameters()
def mot_de_passe(request):
    """The padlock; also where a first login is sent, without asking the paper's password twice."""
    premiere = request.user.mot_de_passe_provisoire
    data = request.POST or None
    if premiere:
        form = NouveauMotDePasseForm(request.user, data)
    else:
        form = MotDePasseForm(request.user, data, request=request)
    if request.method == "POST" and form.is_valid():
        acces.choisir_mot_de_passe(request.user, form.cleaned_data["new_password1"])
        update_session_auth_hash(request, request.user)
        messages.success(request, "Votre nouveau mot de passe est enregistré.")
        return redirect("admin:index" if request.user.is_staff else "accueil")
    contexte = _contexte_mot_de_passe(request.user, form, premiere_connexion=premiere)
    return render(request, "familles/mot_de_passe.html", contexte)


@login_not_required
@never_cache
def mot_de_passe_oublie(request):
    form = OubliForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        acces.signaler_oubli(form.cleaned_data["saisie"])
        reveiller()
        return redirect("mot_de_passe_oublie_envoye")
    return render(request, "familles/oublie.html", {"form": form})


@login_not_required
def mot_de_passe_oublie_envoye(request):
    return render(request, "familles/oublie_envoye.html")


@login_not_required
@never_cache
@sensitive_post_parameters()
def mot_de_passe_reinitialiser(request, uid, jeton):
    """The link of a mail. The token moves into the session at once: addresses end up in logs and histories."""
    if jeton != "choisir":
        request.session[SESSION_JETON] = jeton
        return redirect("mot_de_passe_reinitialiser", uid, "choisir")
    utilisateur = _compte_du_lien(uid)
    valide = utilisateur is not None and default_token_generator.check_token(
        utilisateur, request.session.get(SESSION_JETON, "")
    )
    if not valide:
        return render(request, "familles/reinitialiser.html", {"lien_valide": False}, status=410)
    form = NouveauMotDePasseForm(utilisateur, request.POST or None)
    if request.method == "POST" and form.is_valid():
        acces.choisir_mot_de_passe(utilisateur, form.cleaned_data["new_password1"])
        del request.session[SESSION_JETON]
        messages.success(request, "Votre mot de passe est enregistré. Connectez-vous avec lui.")
        return redirect("connexion")
    contexte = _contexte_mot_de_passe(utilisateur, form, lien_valide=True, identifiant=utilisateur.identifiant)
    return render(request, "familles/reinitialiser.html", contexte)


def _compte_du_lien(uid):
    try:
        return get_user_model().objects.filter(pk=int(urlsafe_base64_decode(uid)), is_active=True).first()
    except (ValueError, OverflowError):
        return None


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def confirmer_courriel(request, jeton):
    """Confirm a new address by a button: mail scanners follow links, they press nothing."""
    try:
        if request.method == "POST":
            actions.confirmer_courriel(jeton)
            messages.success(request, "Votre nouvelle adresse e-mail est enregistrée.")
            return redirect("connexion")
        courriel = actions.courriel_a_confirmer(jeton)
    except actions.LienInvalide:
        return render(request, "familles/confirmer_courriel.html", {"lien_valide": False}, status=410)
    return render(request, "familles/confirmer_courriel.html", {"lien_valide": True, "courriel": courriel})
