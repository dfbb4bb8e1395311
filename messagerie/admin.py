"""Messages, services and the outbox in the admin."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.utils import timezone

from messagerie.models import Courriel, Diffusion, ReponseType, ServiceMairie
from messagerie.taches import reveiller
from portail.outils.admin import EnMots, LectureSeule, LectureSeuleAdmin, PortailAdmin


@admin.register(ServiceMairie)
class ServiceMairieAdmin(PortailAdmin):
    list_display = ["nom", "courriel", "rythme", "recoit_messages"]
    fields = ["nom", "code", "courriel", "rythme", ("recoit_messages", "ordre"), "agents"]
    filter_horizontal = ["agents"]


@admin.register(ReponseType)
class ReponseTypeAdmin(EnMots, PortailAdmin):
    list_display = ["libelle", "service", "texte"]
    fields = ["service", "libelle", "texte"]
    list_filter = ["service"]
    list_select_related = ["service"]


@admin.register(Diffusion)
class DiffusionAdmin(LectureSeule, PortailAdmin):
    """What was sent to many; its pages, where one is written and followed, are the project's."""

    list_display = ["sujet", "selection", "par", "cree_le", "avancement"]
    list_select_related = ["par"]
    search_fields = ["sujet__unaccent", "selection__unaccent"]

    def get_queryset(self, request):
        return super().get_queryset(request).avec_avancement()

    def has_add_permission(self, request):
        return admin.ModelAdmin.has_add_permission(self, request)

    @admin.display(description="remis")
    def avancement(self, diffusion):
        fait = f"{diffusion.remis} sur {diffusion.total}"
        return f"{fait}, arrêté" if diffusion.arretee_le and diffusion.remis < diffusion.total else fait

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        return redirect("admin:message_groupe")

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        diffusion = self.get_object(request, object_id)
        if diffusion is None:
            raise Http404("Message inconnu")
        return redirect("admin:avancement_message", diffusion.pk)


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
