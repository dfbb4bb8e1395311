"""Mandates and lots of direct debits, read only: they are made, revoked and collected by their own pages."""

from django.contrib import admin
from django.utils import timezone

from facturation.admin.filtres import FiltreRegie
from facturation.models import LotPrelevement, Mandat
from familles.champs import masquer_iban
from portail.outils.admin import EnMots, LectureSeuleAdmin


class FiltreMandat(admin.SimpleListFilter):
    title = "mandat"
    parameter_name = "mandat"

    def lookups(self, request, model_admin):
        return [("cours", "En cours"), ("revoques", "Révoqués")]

    def queryset(self, request, queryset):
        if self.value() in ("cours", "revoques"):
            return queryset.filter(revoque_le__isnull=self.value() == "cours")
        return queryset


@admin.register(Mandat)
class MandatAdmin(EnMots, LectureSeuleAdmin):
    list_display = ["rum", "famille", "regie", "titulaire", "compte", "signe_le", "revoque_le"]
    list_select_related = ["famille", "regie"]
    list_filter = [FiltreMandat, FiltreRegie]
    search_fields = ["rum", "titulaire__unaccent", "famille__nom__unaccent"]
    fields = ["rum", "famille_lisible", "regie", "titulaire", "compte", "bic", "signe_le", "revoque_le"]
    readonly_fields = ["famille_lisible", "compte"]
    change_form_template = "admin/facturation/mandat/change_form.html"

    @admin.display(description="famille")
    def famille_lisible(self, mandat):
        return str(mandat.famille)

    @admin.display(description="IBAN")
    def compte(self, mandat):
        return masquer_iban(mandat.iban)


@admin.register(LotPrelevement)
class LotPrelevementAdmin(EnMots, LectureSeuleAdmin):
    list_display = ["identifiant", "regie", "le", "suite"]
    list_select_related = ["regie"]
    list_filter = [FiltreRegie]
    search_fields = ["identifiant"]
    fields = [("identifiant", "regie"), ("le", "suite")]
    readonly_fields = ["suite"]
    change_list_template = "admin/facturation/lotprelevement/change_list.html"
    change_form_template = "admin/facturation/lotprelevement/change_form.html"

    @admin.display(description="suite")
    def suite(self, lot):
        if lot.execute_le:
            return f"Encaissé le {timezone.localtime(lot.execute_le):%d/%m/%Y}"
        if lot.fichier_le:
            return f"Fichier fait le {timezone.localtime(lot.fichier_le):%d/%m/%Y}"
        return "À porter à la banque"
