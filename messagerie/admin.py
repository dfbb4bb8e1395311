"""Messages, services and the outbox in the admin."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect
from django.utils import timezone

from messagerie.models import Courriel, Diffusion, ReponseType, ServiceMairie
from messagerie.pannes import raison
from messagerie.taches import reveiller
from portail.outils.admin import EnMots, LectureSeule, LectureSeuleAdmin, PortailAdmin
from portail.outils.dates import quand


@admin.register(ServiceMairie)
class ServiceMairieAdmin(PortailAdmin):
    list_display = ["nom", "courriel", "rythme", "recoit_messages"]
    fields = ["nom", "code", "courriel", "rythme", ("recoit_messages", "ordre"), "agents"]

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        return super().formfield_for_manytomany(db_field, request, widget=forms.CheckboxSelectMultiple, **kwargs)


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


class FiltreEnvoi(admin.SimpleListFilter):
    title = "envoi"
    parameter_name = "envoi"
    en_attente = Q(envoye_le=None, abandonne_le=None)
    etats = {
        "attente": ("En attente", en_attente),
        "echec": ("En attente après un échec", en_attente & Q(tentatives__gt=0)),
        "abandonnes": ("Abandonnés", Q(abandonne_le__isnull=False)),
        "partis": ("Partis", Q(envoye_le__isnull=False)),
    }

    def lookups(self, request, model_admin):
        return [(cle, libelle) for cle, (libelle, _) in self.etats.items()]

    def queryset(self, request, queryset):
        return queryset.filter(self.etats[self.value()][1]) if self.value() in self.etats else queryset


@admin.register(Courriel)
class CourrielAdmin(LectureSeuleAdmin):
    """What left, what failed and why; never the text, which may hold a link that opens an account."""

    list_display = ["destinataire", "objet", "envoi", "raison"]
    list_filter = [FiltreEnvoi, "cree_le"]
    search_fields = ["destinataire", "objet"]
    fields = [
        "objet",
        "destinataire",
        "cree_le",
        "envoi",
        "tentatives",
        "raison",
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

    @admin.display(description="envoi", ordering="envoye_le")
    def envoi(self, courriel):
        if courriel.envoye_le:
            return f"parti {quand(courriel.envoye_le)}"
        if courriel.abandonne_le:
            return f"abandonné {quand(courriel.abandonne_le)}"
        return f"prochain essai {quand(courriel.prochain_essai_le)}" if courriel.tentatives else "en attente"

    @admin.display(description="raison de l'échec")
    def raison(self, courriel):
        return raison(courriel.erreur) or "–"
