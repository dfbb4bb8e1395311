"""Invoices, payments and slips, read only: money moves by the pages of portail/pages/encaissement."""

from django.contrib import admin

from facturation.admin.colonnes import DES_ADULTES, DesFactures
from facturation.admin.filtres import FiltreEtat, FiltreMois, FiltreMoisRecu, FiltreRegie
from facturation.comptes import avec_annulation
from facturation.models import Facture, Reglement, Remise
from facturation.pieces import adresse_pdf
from portail.outils.admin import EnMots, LectureSeuleAdmin
from portail.outils.argent import euros


@admin.register(Facture)
class FactureAdmin(DesFactures):
    list_display = ["numero_lisible", "qui", "regie", "mois_lisible", "total_lisible", "reste_lisible", "etat_lisible"]
    list_filter = [FiltreMois, FiltreRegie, FiltreEtat]
    search_fields = [*DES_ADULTES, "reference", "=numero"]
    search_help_text = "Nom de la famille ou d'un adulte, numéro ou référence de paiement."
    fields = [
        ("numero_lisible", "etat_lisible"),
        ("qui", "regie"),
        ("mois_lisible", "reference"),
        ("emise_le", "echeance"),
        ("total_lisible", "reste_lisible"),
        ("role_lisible", "motif"),
    ]
    readonly_fields = ["numero_lisible", "etat_lisible", "qui", "mois_lisible", "total_lisible", "reste_lisible"]
    readonly_fields += ["role_lisible"]
    change_form_template = "admin/facturation/facture/change_form.html"

    @admin.display(description="reste dû", ordering="reste")
    def reste_lisible(self, facture):
        return euros(facture.reste) if facture.numero else "–"

    def change_view(self, request, object_id, form_url="", extra_context=None):
        facture = self.get_object(request, object_id)
        contexte = {} if facture is None else self._autour(facture)
        return super().change_view(request, object_id, form_url, {**contexte, **(extra_context or {})})

    @staticmethod
    def _autour(facture):
        return {
            "lignes": list(facture.lignes.order_by("rang")),
            "pdf": adresse_pdf(facture),
            "peut_avoir": facture.etat == Facture.Etat.EMISE and not facture.est_avoir and not facture.annulee,
            "peut_lignes": facture.etat == Facture.Etat.BROUILLON and not facture.est_reportee,
        }


@admin.register(Reglement)
class ReglementAdmin(EnMots, LectureSeuleAdmin):
    list_display = ["recu_le", "famille", "regie", "moyen", "montant_lisible", "reference", "remise", "suite"]
    list_select_related = ["famille", "regie", "remise"]
    list_filter = [FiltreMoisRecu, FiltreRegie, "moyen"]
    search_fields = [*DES_ADULTES, "reference"]
    search_help_text = "Nom de la famille ou d'un adulte, n° de chèque ou référence."
    fields = [("recu_le", "suite"), ("famille_lisible", "regie"), ("moyen", "montant_lisible"), ("reference", "remise")]
    readonly_fields = ["montant_lisible", "suite", "famille_lisible"]
    change_list_template = "admin/facturation/reglement/change_list.html"

    def get_queryset(self, request):
        return avec_annulation(super().get_queryset(request))

    @admin.display(description="famille")
    def famille_lisible(self, reglement):
        return str(reglement.famille)

    @admin.display(description="montant", ordering="montant")
    def montant_lisible(self, reglement):
        return euros(reglement.montant)

    @admin.display(description="suite")
    def suite(self, reglement):
        return "Annulé" if reglement.annule else "Encaissé"


@admin.register(Remise)
class RemiseAdmin(EnMots, LectureSeuleAdmin):
    list_display = ["numero", "regie_lisible", "le"]
    list_select_related = ["regie"]
    list_filter = [FiltreRegie]
    search_fields = ["=numero", "regie__nom__unaccent"]
    fields = ["numero", "regie", "le"]
    lectures = {"regie": "regie_lisible"}
    change_form_template = "admin/facturation/remise/change_form.html"

    @admin.display(description="régie", ordering="regie__nom")
    def regie_lisible(self, remise):
        return remise.regie.nom
