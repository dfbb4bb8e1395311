"""Closures: listed and read here, made on a page that tells whom they touch (portail/pages/fermeture.py)."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect

from enfants.models import Fermeture
from portail.outils.admin import EnMots, PortailAdmin

ROUVERT = "Les réservations annulées par la fermeture ne reviennent pas\u00a0: les familles réservent de nouveau."
JOURS = ["service", "ecole", "valable_du", "valable_au"]


@admin.register(Fermeture)
class FermetureAdmin(EnMots, PortailAdmin):
    list_display = ["motif", "pour", "valable_du", "valable_au"]
    list_filter = ["service", "ecole"]
    list_select_related = ["service", "ecole"]
    search_fields = ["motif__unaccent"]
    fields = ["service", "ecole", ("valable_du", "valable_au"), "motif"]

    @admin.display(description="fermé", ordering="service")
    def pour(self, fermeture):
        service = str(fermeture.service) if fermeture.service_id else "tous les services"
        return f"{service}, {fermeture.ecole if fermeture.ecole_id else 'toutes les écoles'}"

    def get_readonly_fields(self, request, obj=None):
        """Other days are another closure: families have been told of these."""
        lecture = super().get_readonly_fields(request, obj)
        return JOURS if self.has_change_permission(request, obj) else lecture

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        return redirect("admin:fermer")

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        self.message_user(request, f"Les jours sont rouverts. {ROUVERT}", messages.WARNING)

    def delete_queryset(self, request, queryset):
        super().delete_queryset(request, queryset)
        self.message_user(request, f"Les jours sont rouverts. {ROUVERT}", messages.WARNING)
