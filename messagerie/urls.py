from django.urls import path

from messagerie import views

urlpatterns = [
    path("messagerie/", views.boite, name="messagerie"),
    path("messagerie/<uuid:uuid>/", views.lire, name="message"),
]
