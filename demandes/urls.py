from django.urls import path

from demandes import views

urlpatterns = [
    path("mon-compte/<str:type>/", views.demander, name="demander"),
    path("demandes/", views.liste, name="demandes"),
    path("demandes/<uuid:uuid>/", views.detail, name="demande"),
    path("demandes/<uuid:uuid>/retirer/", views.retirer, name="retirer_demande"),
    path("demandes/pieces/<uuid:uuid>/", views.piece_jointe, name="piece_jointe"),
]
