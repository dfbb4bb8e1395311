from django.contrib import admin
from django_tasks_db.models import DBTaskResult

from messagerie.models import Fil
from portail import admin_publications  # noqa: F401, registers its pages
from portail.commune import Commune
from portail.outils.admin import PortailAdmin
from portail.pages.fils import FilAdmin

admin.site.unregister(DBTaskResult)  # the worker's own table: nothing for an agent
admin.site.register(Fil, FilAdmin)  # its page shows the family's file, which messagerie does not know


@admin.register(Commune)
class CommuneAdmin(PortailAdmin):
    fieldsets = [
        (None, {"fields": ["nom", "nom_portail", "logo", "couleur"]}),
        (
            "Coordonnées",
            {
                "fields": [
                    "adresse",
                    ("code_postal", "ville"),
                    "telephone",
                    "courriel",
                    "horaires",
                    "siret",
                    "signataire",
                ]
            },
        ),
        ("Messages", {"fields": ["message_bienvenue", "message_accueil"]}),
        ("Enfants", {"fields": ["zone", "age_depart_seul"]}),
        ("Encaissement", {"fields": ["encaisse", "tresorerie", "tresorerie_telephone"]}),
        ("Quotient familial", {"fields": ["quotient_abattement", "quotient_mois_fin"]}),
    ]

    def has_add_permission(self, request):
        return super().has_add_permission(request) and not Commune.objects.exists()

    def has_delete_permission(self, request, obj=None):
        return False
