"""Addresses of the payment on line, and of its simulator."""

from django.urls import include, path

from facturation import views_paiement as views
from facturation import views_simulateur as simulateur

urlpatterns = [
    path("factures/<uuid:uuid>/payer/", views.payer, name="payer_facture"),
    path("paiement/<uuid:uuid>/", views.paiement, name="paiement"),
    path("paiement/retour/<uuid:uuid>/", views.retour, name="retour_payfip"),
    path("paiement/avis/<str:jeton>/", views.avis, name="avis_payfip"),
    path(
        "demo/payfip/",
        include(
            [
                path("", simulateur.sommaire, name="simulateur"),
                path("paiement.web", simulateur.redirection, name="simulateur_redirection"),
                path("paiementws.web", simulateur.service, name="simulateur_service"),
                path("accueilportail.web", simulateur.saisie, name="simulateur_saisie"),
                path("services/securite", simulateur.soap, name="simulateur_soap"),
                path("resultat/", simulateur.resultat, name="simulateur_resultat"),
                path("avis/", simulateur.avis, name="simulateur_avis"),
            ]
        ),
    ),
]
