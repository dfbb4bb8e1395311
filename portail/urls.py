"""Addresses of the portal: a contract, see ARCHITECTURE.md."""

from django.contrib import admin
from django.urls import include, path

from portail.pages import abonnement, accueil, confirmation, ecrire, fiches, mes_enfants, mon_compte, publications
from portail.pages.planning import absence, mois, recapitulatif, semaine

urlpatterns = [
    path("", accueil.accueil, name="accueil"),
    path("documents/", publications.documents, name="documents"),
    path("documents/formulaires/", publications.formulaires, name="formulaires"),
    path("documents/notice.pdf", publications.notice, name="notice"),
    path("documents/<uuid:uuid>/", publications.fichier, name="document_publie"),
    path("contact/", ecrire.contact, name="contact"),
    path("accessibilite/", accueil.accessibilite, name="accessibilite"),
    path("donnees-personnelles/", accueil.donnees_personnelles, name="donnees_personnelles"),
    path("theme.css", accueil.theme, name="theme"),
    path("logo/", accueil.logo, name="logo"),
    path("etat/", accueil.etat, name="etat"),
    path("mon-compte/", mon_compte.mon_compte, name="mon_compte"),
    path("mon-compte/courriels/", mon_compte.mes_courriels, name="mes_courriels"),
    path("mes-enfants/", mes_enfants.mes_enfants, name="mes_enfants"),
    path("mes-enfants/abonnement/", abonnement.abonnement, name="abonnement"),
    path("mes-enfants/abonnement/supprimer/", abonnement.supprimer, name="supprimer_abonnement"),
    path("calendrier/<str:jeton>.ics", abonnement.calendrier, name="calendrier"),
    path("mes-enfants/<uuid:uuid>/", mois.mois_courant, name="enfant"),
    path("mes-enfants/<uuid:uuid>/dossier/", mes_enfants.enfant, name="dossier_enfant"),
    path("mes-enfants/<uuid:uuid>/planning/<str:mois>/", mois.mois, name="planning_mois"),
    path("mes-enfants/<uuid:uuid>/planning/<str:jour>/<slug:service>/", mois.case, name="planning_case"),
    path("mes-enfants/semaine/", semaine.semaine_courante, name="semaine_courante"),
    path("mes-enfants/semaine/<str:jour>/", semaine.semaine, name="semaine"),
    path("mes-enfants/semaine/<str:jour>/copier/", semaine.copier, name="copier_semaine"),
    path("mes-enfants/repeter/", semaine.repeter, name="repeter"),
    path("mes-enfants/recapitulatif/", recapitulatif.recapitulatif, name="recapitulatif"),
    path("mes-enfants/malade/", absence.malade, name="malade"),
    path("mes-enfants/absence/", absence.absence, name="absence"),
    path("demandes/<uuid:uuid>/defaire/", mois.defaire, name="defaire_demande"),
    path("mes-enfants/<uuid:uuid>/garde/", mes_enfants.garde, name="garde"),
    path("mes-enfants/<uuid:uuid>/consultations/", mes_enfants.consultations, name="consultations"),
    path("mes-enfants/documents/<uuid:uuid>/", mes_enfants.document_enfant, name="document_enfant"),
    path("documents/fiche-inscription.pdf", fiches.fiche_vierge, name="fiche_vierge"),
    path("mes-enfants/<uuid:uuid>/fiche-inscription.pdf", fiches.fiche_inscription, name="fiche_inscription"),
    path("mes-enfants/<uuid:uuid>/confirmer/", confirmation.confirmer, name="confirmer_dossier"),
    path("releve/", mes_enfants.releve, name="releve"),
    path("messagerie/nouveau/", ecrire.ecrire, name="ecrire"),
    path("", include("familles.urls")),
    path("", include("messagerie.urls")),
    path("", include("demandes.urls")),
    path("admin/", admin.site.urls),
]
