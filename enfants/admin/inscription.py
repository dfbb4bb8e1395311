"""The registrations of the year, and one action that books their habitual days."""

from itertools import groupby

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied

from enfants import inscriptions as actions
from enfants.models import Enfant, Inscription
from enfants.regles.annees import libelle
from enfants.regles.dates import enumerer
from familles.models import Famille
from portail.outils.admin import EnLecture, EnMots, LectureSeuleAdmin
from portail.outils.dates import JOURS


class FiltreJoursHabituels(admin.SimpleListFilter):
    """What is left to do once the registrations are in."""

    title = "jours habituels"
    parameter_name = "habituels"

    def lookups(self, request, model_admin):
        return [("a-reserver", "Pas encore réservés"), ("reserves", "Réservés"), ("aucun", "Aucun")]

    def queryset(self, request, queryset):
        avec = queryset.exclude(jours=[])
        return {
            "a-reserver": avec.filter(jours_reserves_le=None),
            "reserves": avec.filter(jours_reserves_le__isnull=False),
            "aucun": queryset.filter(jours=[]),
        }.get(self.value(), queryset)


class FiltreAnnee(admin.SimpleListFilter):
    title = "année scolaire"
    parameter_name = "annee"

    def lookups(self, request, model_admin):
        annees = Inscription.objects.order_by("-annee").values_list("annee", flat=True).distinct()
        return [(str(annee), libelle(annee)) for annee in annees]

    def queryset(self, request, queryset):
        annee = self.value() or ""
        return queryset.filter(annee=annee) if annee.isdecimal() and len(annee) < 5 else queryset


@admin.register(Inscription)
class InscriptionAdmin(EnMots, LectureSeuleAdmin):
    """Read only: a registration is asked by a demande, and changes by another."""

    list_display = ["enfant", "service", "annee_scolaire", "jours_habituels", "famille", "jours_reserves_le"]
    list_select_related = ["enfant", "service", "famille"]
    list_filter = [FiltreJoursHabituels, "service", ("enfant__ecole", admin.RelatedOnlyFieldListFilter), FiltreAnnee]
    search_fields = ["enfant__nom__unaccent", "enfant__prenom__unaccent"]
    ordering = ["enfant__nom", "enfant__prenom", "service__ordre", "pk"]
    fields = [
        ("enfant", "famille"),
        ("service", "annee_scolaire"),
        ("valable_du", "valable_au"),
        ("jours_habituels", "formule"),
        ("reglement", "reglement_accepte_le"),
        EnLecture(Inscription, "jours_reserves_le"),
    ]
    actions = ["reserver_les_jours"]

    @admin.display(description="année scolaire", ordering="annee")
    def annee_scolaire(self, inscription):
        return libelle(inscription.annee)

    @admin.display(description="jours habituels")
    def jours_habituels(self, inscription):
        return enumerer(JOURS[jour] for jour in inscription.jours) if inscription.jours else "–"

    def get_queryset(self, request):
        return super().get_queryset(request).filter(enfant__in=Enfant.objects.accessibles_a(request.user))

    def history_view(self, request, object_id, extra_context=None):
        """Refused as the other pages are, whether the registration is in the agent's list or not."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def has_reserver_permission(self, request):
        return request.user.has_perm("enfants.change_inscription")

    @admin.action(description="Réserver les jours habituels", permissions=["reserver"])
    def reserver_les_jours(self, request, queryset):
        """A transaction and a message for each household: what one cannot have keeps nothing from the next."""
        choisies = queryset.exclude(jours=[]).select_related("enfant", "service").order_by("famille", "pk")
        reserves = foyers = 0
        ecartes = {}
        for cle, siennes in groupby(choisies, key=lambda inscription: inscription.famille_id):
            bilans = actions.reserver_pour_le_foyer(Famille.objects.get(pk=cle), list(siennes), par=request.user)
            nombre = sum(len(bilan.reserves) for bilan in bilans)
            reserves, foyers = reserves + nombre, foyers + bool(nombre)
            for bilan in bilans:
                for raison, jours in bilan.ecartes.items():
                    ecartes.setdefault(raison, []).extend(jours)
        if not reserves:
            self.message_user(request, "Aucun jour à réserver dans cette sélection.", messages.WARNING)
        else:
            prevenus = "le foyer est prévenu" if foyers == 1 else f"{foyers} foyers sont prévenus"
            verbe = "réservés" if reserves > 1 else "réservé"
            self.message_user(request, f"{actions.compter(range(reserves))} {verbe}, {prevenus}.", messages.SUCCESS)
        if ecartes:
            detail = ", ".join(f"{raison}\u00a0: {actions.compter(jours)}" for raison, jours in sorted(ecartes.items()))
            self.message_user(request, f"Non réservés\u00a0: {detail}.", messages.INFO)
