from django.urls import path

from messagerie import views, views_courriels

urlpatterns = [
    path("messagerie/", views.boite, name="messagerie"),
    path("messagerie/<uuid:uuid>/", views.lire, name="message"),
    path("messagerie/pieces/<uuid:uuid>/", views.piece_message, name="piece_message"),
    path("mon-compte/courriels/", views_courriels.mes_courriels, name="mes_courriels"),
    path("courriels/<str:jeton>/", views_courriels.desabonnement, name="desabonnement"),
]
