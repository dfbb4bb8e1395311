from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import path

from familles import views

urlpatterns = [
    path("connexion/", views.Connexion.as_view(), name="connexion"),
    path("deconnexion/", login_not_required(LogoutView.as_view()), name="deconnexion"),
    path("mot-de-passe/", views.mot_de_passe, name="mot_de_passe"),
    path("mot-de-passe/oublie/", views.mot_de_passe_oublie, name="mot_de_passe_oublie"),
    path("mot-de-passe/oublie/envoye/", views.mot_de_passe_oublie_envoye, name="mot_de_passe_oublie_envoye"),
    path(
        "mot-de-passe/nouveau/<str:uid>/<str:jeton>/",
        views.mot_de_passe_reinitialiser,
        name="mot_de_passe_reinitialiser",
    ),
    path("adresse-e-mail/<str:jeton>/", views.confirmer_courriel, name="confirmer_courriel"),
]
