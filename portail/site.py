"""The admin: where agents decide."""

from functools import update_wrapper

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView, redirect_to_login
from django.http import Http404
from django.shortcuts import redirect
from django.urls import path, reverse


class Propositions(AutocompleteJsonView):
    """Two families of one name: the page of the model may tell more than the name, by ``proposition``."""

    def serialize_result(self, obj, to_field_name):
        texte = getattr(self.model_admin, "proposition", str)(obj)
        return super().serialize_result(obj, to_field_name) | {"text": texte}


class SitePortail(admin.AdminSite):
    site_title = "Portail famille"
    index_title = "À traiter"
    site_url = None
    index_template = "admin/accueil.html"

    @property
    def site_header(self):
        from portail.commune import Commune

        return f"{Commune.actuelle().nom} – Portail famille"

    @login_not_required
    def login(self, request, extra_context=None):
        """One login page for all."""
        return redirect_to_login(request.GET.get("next", reverse("admin:index")))

    def logout(self, request, extra_context=None):
        """Back to the login page, as for parents."""
        return LogoutView.as_view()(request)

    def password_change(self, request, extra_context=None):
        """One page to change a password, with the rules told before."""
        return redirect("mot_de_passe")

    def autocomplete_view(self, request):
        return Propositions.as_view(admin_site=self)(request)

    def admin_view(self, view, cacheable=False):
        """A parent who tries an address of the admin learns nothing of it."""
        interieure = super().admin_view(view, cacheable)

        def gardee(request, *args, **kwargs):
            if request.user.is_authenticated and not self.has_permission(request):
                raise Http404("Page réservée aux agents")
            return interieure(request, *args, **kwargs)

        return update_wrapper(gardee, interieure)

    def get_urls(self):
        from portail.pages import fermeture, ouverture, presences, rentree, separation

        propres = [
            path("ouvrir-une-famille/", self.admin_view(ouverture.ouvrir_famille), name="ouvrir_famille"),
            path("separer/<int:pk>/", self.admin_view(separation.separer), name="separer"),
            path("rentree/", self.admin_view(rentree.rentree), name="rentree"),
            path("presences/", self.admin_view(presences.choisir), name="presences"),
            path(
                "presences/<slug:service>/<int:site>/<str:jour>/",
                self.admin_view(presences.feuille),
                name="feuille_presences",
            ),
            path("fermer/", self.admin_view(fermeture.fermer), name="fermer"),
        ]
        # « Voir sur le site » would tell the address of rows that the agent may not open.
        return propres + [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def index(self, request, extra_context=None):
        from portail.pages.bureau import compteurs

        return super().index(request, {"compteurs": compteurs(request.user), **(extra_context or {})})
