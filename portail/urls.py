"""Addresses of the portal: a contract, see ARCHITECTURE.md."""

from django.contrib import admin
from django.urls import include, path

from portail.pages import accueil, mes_enfants, mon_compte

urlpatterns = [
    path("", accueil.accueil, name="accueil"),
    path("documents/", accueil.documents, name="documents"),
    path("contact/", accueil.contact, name="contact"),
    path("accessibilite/", accueil.accessibilite, name="accessibilite"),
    path("donnees-personnelles/", accueil.donnees_personnelles, name="donnees_personnelles"),
    path("theme.css", accueil.theme, name="theme"),
    path("logo/", accueil.logo, name="logo"),
    path("etat/", accueil.etat, name="etat"),
    path("mon-compte/", mon_compte.mon_compte, name="mon_compte"),
    path("mes-enfants/", mes_enfants.mes_enfants, name="mes_enfants"),
    path("mes-enfants/<uuid:uuid>/", mes_enfants.enfant, name="enfant"),
    path("releve/", mes_enfants.releve, name="releve"),
    path("", include("familles.urls")),
    path("", include("messagerie.urls")),
    path("", include("demandes.urls")),
    path("admin/", admin.site.urls),
]
