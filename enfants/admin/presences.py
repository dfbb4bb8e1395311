"""The presences, to read: what happened each day, in a sentence; they are marked on the sheet of the day."""

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.dateparse import parse_date

from enfants.feuilles import constats
from enfants.models import Presence
from familles.historique import noms_des_comptes
from portail.outils import historique
from portail.outils.admin import EnLecture, FiltreTexte, LectureSeuleAdmin


class ListeConstats(ChangeList):
    def get_results(self, request):
        """The constats of the page, in three queries."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        phrases = constats(self.result_list, agent=request.user)
        for presence in self.result_list:
            presence.constat = phrases[presence.pk]


class FiltreEnfant(FiltreTexte):
    title = "enfant"
    parameter_name = "enfant"
    champs = ("enfant__nom", "enfant__prenom")


class FiltreJour(FiltreTexte):
    title = "jour"
    parameter_name = "jour"
    template = "admin/filtre_jour.html"

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        try:
            jour = parse_date(self.value())
        except ValueError:
            jour = None
        return queryset.filter(jour=jour) if jour else queryset.none()


@admin.register(Presence)
class PresenceAdmin(LectureSeuleAdmin):
    list_display = ["jour", "enfant", "ou", "constat"]
    list_filter = [FiltreJour, "service", "place__site", FiltreEnfant]
    list_select_related = ["service", "place__site", "enfant", "pointee_par"]
    ordering = ["-jour", "service__ordre", "enfant__nom", "enfant__prenom", "pk"]
    fields = ["jour", "en_service", "site", "de_l_enfant", "constat", EnLecture(Presence, "correction")]

    def get_queryset(self, request):
        presences = super().get_queryset(request).accessibles_a(request.user)
        return presences.select_related("service", "place__site", "enfant", "pointee_par")

    def get_changelist(self, request, **kwargs):
        return ListeConstats

    @admin.display(description="où", ordering="service__ordre")
    def ou(self, presence):
        return f"{presence.service.nom_court}, {presence.place.site.nom}"

    @admin.display(description="site")
    def site(self, presence):
        return presence.place.site.nom

    @admin.display(description="service")
    def en_service(self, presence):
        return str(presence.service)

    @admin.display(description="enfant")
    def de_l_enfant(self, presence):
        return str(presence.enfant)

    @admin.display(description="ce qui s'est passé")
    def constat(self, presence):
        return presence.constat.phrase

    def get_object(self, request, object_id, from_field=None):
        presence = super().get_object(request, object_id, from_field)
        if presence is not None:
            presence.constat = constats([presence], agent=request.user)[presence.pk]
        return presence

    def history_view(self, request, object_id, extra_context=None):
        """Who changed the mark, before and after, from the database's own record."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        cle = int(object_id) if object_id.isdecimal() and len(object_id) < 19 else 0
        presence = get_object_or_404(self.get_queryset(request), pk=cle)
        # Not « pk »: of a record, that is its own key.
        suivi = historique.Suivi(Presence, historique.Q(id=presence.pk))
        contexte = {
            **self.admin_site.each_context(request),
            "title": f"Historique – {presence}",
            "dossier": presence,
            "retour": reverse("admin:enfants_presence_change", args=[presence.pk]),
            "changements": historique.changements([suivi], noms_des_comptes),
        }
        return render(request, "admin/historique.html", contexte)
