from django.urls import path

from demandes import views, views_inscriptions

urlpatterns = [
    path("mon-compte/<str:type>/", views.demander, name="demander"),
    path("mes-enfants/ajouter/", views.ajouter_enfant, name="ajouter_enfant"),
    path("mes-enfants/<uuid:uuid>/inscriptions/", views_inscriptions.inscriptions, name="inscriptions"),
    path("mes-enfants/<uuid:uuid>/inscriptions/jours/", views_inscriptions.jours_habituels, name="jours_habituels"),
    path("mes-enfants/<uuid:uuid>/<slug:type>/", views.demander_enfant, name="demander_enfant"),
    path("demandes/", views.liste, name="demandes"),
    path("demandes/<uuid:uuid>/", views.detail, name="demande"),
    path("demandes/<uuid:uuid>/retirer/", views.retirer, name="retirer_demande"),
    path("demandes/<uuid:uuid>/justificatif/", views.joindre_justificatif, name="joindre_justificatif"),
    path("demandes/pieces/<uuid:uuid>/", views.piece_jointe, name="piece_jointe"),
]
