from django.urls import path

from messagerie import views, views_courriels
from messagerie.boite import ENVOYES, SUPPRIMES

urlpatterns = [
    path("messagerie/", views.boite, name="messagerie"),
    path("messagerie/envoyes/", views.boite, {"dossier": ENVOYES}, name="messages_envoyes"),
    path("messagerie/supprimes/", views.boite, {"dossier": SUPPRIMES}, name="messages_supprimes"),
    path("messagerie/ranger/", views.ranger, name="ranger_messages"),
    path("messagerie/<uuid:uuid>/", views.lire, name="message"),
    path("messagerie/pieces/<uuid:uuid>/", views.piece_message, name="piece_message"),
    path("courriels/<str:jeton>/", views_courriels.desabonnement, name="desabonnement"),
]
