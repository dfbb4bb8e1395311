from django.contrib import admin

from enfants.models import Enfant, Rattachement
from portail.outils.admin import LectureSeule, PortailAdmin


class RattachementInline(LectureSeule, admin.TabularInline):
    model = Rattachement
    extra = 0
    fields = ["famille", "valable_du", "valable_au"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("famille")


@admin.register(Enfant)
class EnfantAdmin(PortailAdmin):
    list_display = ["nom", "prenom", "date_naissance"]
    search_fields = ["nom__unaccent", "prenom__unaccent"]
    search_help_text = "Nom ou prénom, avec ou sans accents."
    fields = ["prenom", "nom", "date_naissance"]
    inlines = [RattachementInline]

    def has_add_permission(self, request):
        """A child comes with its family, or by the family's own request."""
        return False

    def has_delete_permission(self, request, obj=None):
        return False
