"""The admin: where agents decide."""

from functools import update_wrapper

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView, redirect_to_login
from django.http import Http404
from django.shortcuts import redirect
from django.urls import path, reverse

# The models of the children's app by what an agent does with them: (heading, models in their order).
GROUPES_ENFANTS = [
    ("Enfants", ["Enfant", "Inscription", "Reservation", "Attente", "Presence", "Garde"]),
    ("Services", ["Service", "Implantation", "Site", "RegleDelai", "MotifAbsence", "Reglement"]),
    ("Calendrier et écoles", ["Fermeture", "PeriodeVacances", "JourFerie", "Ecole", "Vaccin"]),
]


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

    def get_app_list(self, request, app_label=None):
        """Seventeen models under one name and in the alphabet's order would hide the three of every day."""
        liste = super().get_app_list(request, app_label)
        rang = next((n for n, app in enumerate(liste) if app["app_label"] == "enfants"), None)
        if rang is None or app_label:
            return liste
        return liste[:rang] + _grouper(liste[rang]) + liste[rang + 1 :]

    def get_urls(self):
        from portail.pages import (
            diffusion,
            ecrire_famille,
            fermeture,
            impression,
            mois_facture,
            ouverture,
            presences,
            rentree,
            separation,
            simuler,
        )
        from portail.pages.encaissement import adresses

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
            path("facturer/", self.admin_view(mois_facture.facturer), name="facturer"),
            path("facturer/<int:pk>/", self.admin_view(mois_facture.mois), name="mois_facture"),
            path("ecrire-a-une-famille/", self.admin_view(ecrire_famille.ecrire), name="ecrire_famille"),
            path("factures/imprimer/", self.admin_view(impression.imprimer_factures), name="imprimer_factures"),
            path(
                "factures/imprimer/<int:regie>/<str:mois>/<int:rang>.pdf",
                self.admin_view(impression.fichier_factures),
                name="fichier_factures",
            ),
            path("messages-groupes/", self.admin_view(diffusion.message_groupe), name="message_groupe"),
            path("messages-groupes/<int:pk>/", self.admin_view(diffusion.avancement), name="avancement_message"),
            path("simuler/", self.admin_view(simuler.simuler), name="simuler"),
        ]
        propres += adresses(self.admin_view)
        # « Voir sur le site » would tell the address of rows that the agent may not open.
        return propres + [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def index(self, request, extra_context=None):
        from portail.pages.bureau import compteurs

        return super().index(request, {"compteurs": compteurs(request.user), **(extra_context or {})})


def _grouper(app):
    """The app in several, by GROUPES_ENFANTS; a model that no group names stays in the first."""
    ranges = {nom for _, noms in GROUPES_ENFANTS for nom in noms}
    restent = [modele for modele in app["models"] if modele["object_name"] not in ranges]
    groupes = []
    for titre, noms in GROUPES_ENFANTS:
        modeles = [m for nom in noms for m in app["models"] if m["object_name"] == nom]
        modeles += [] if groupes else restent
        if modeles:
            groupes.append(app | {"name": titre, "models": modeles})
    return groupes
