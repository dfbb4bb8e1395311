"""Messages, services and the outbox in the admin."""

from django.contrib import admin, messages
from django.utils import timezone

from messagerie.models import Courriel, Fil, Message, ServiceMairie
from messagerie.taches import reveiller
from portail.outils.admin import FiltreTexte, LectureSeule, LectureSeuleAdmin, PortailAdmin


@admin.register(ServiceMairie)
class ServiceMairieAdmin(PortailAdmin):
    list_display = fields = ["nom", "code", "courriel", "rythme"]


class MessageInline(LectureSeule, admin.StackedInline):
    model = Message
    extra = 0
    fields = ["corps", "auteur", "envoye_le"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("auteur")


class FiltreFamille(FiltreTexte):
    title = "famille"
    parameter_name = "famille"
    champs = ("famille__nom",)


@admin.register(Fil)
class FilAdmin(LectureSeuleAdmin):
    list_display = ["sujet", "famille", "service", "dernier_le"]
    list_filter = ["service", FiltreFamille]
    list_select_related = ["famille", "service"]
    search_fields = ["sujet__unaccent", "famille__nom__unaccent"]
    fields = ["sujet", "famille", "destinataire", "service", "dernier_le"]
    inlines = [MessageInline]


@admin.register(Courriel)
class CourrielAdmin(LectureSeuleAdmin):
    """What left, what failed and why; never the text, which may hold a link that opens an account."""

    list_display = ["objet", "destinataire", "cree_le", "envoye_le", "tentatives", "erreur"]
    list_filter = [
        ("envoye_le", admin.EmptyFieldListFilter),
        ("abandonne_le", admin.EmptyFieldListFilter),
        "cree_le",
    ]
    search_fields = ["destinataire", "objet"]
    fields = [
        "objet",
        "destinataire",
        "cree_le",
        "envoye_le",
        "tentatives",
        "prochain_essai_le",
        "abandonne_le",
        "erreur",
    ]
    actions = ["reessayer"]

    @admin.action(description="Réessayer d'envoyer", permissions=["view"])
    def reessayer(self, request, queryset):
        repris = queryset.filter(envoye_le=None).update(
            abandonne_le=None, tentatives=0, prochain_essai_le=timezone.now()
        )
        reveiller()
        self.message_user(request, f"Courriels remis à l'envoi : {repris}.", messages.SUCCESS)
