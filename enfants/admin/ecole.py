"""Schools with their classes and animateurs; the tables that agents keep: vaccines, holidays."""

from django.contrib import admin
from django.db.models import Count, Q

from enfants.admin.offre import Gardee, Relue
from enfants.models import Affectation, Classe, Ecole, PeriodeVacances, Vaccin
from portail.outils.admin import EnMots, PortailAdmin
from portail.outils.periodes import PeriodeForm


class ClasseInline(EnMots, admin.TabularInline):
    model = Classe
    extra = 0
    fields = ["nom"]
    classes = ["serree"]


class AffectationInline(EnMots, admin.TabularInline):
    """Who reads the files of this school's children, health included."""

    model = Affectation
    extra = 0
    fields = ["animateur"]
    classes = ["serree"]
    verbose_name = "animateur"
    verbose_name_plural = "animateurs (ils lisent les dossiers et la santé des enfants de cette école)"

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("animateur")

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        champ = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "animateur":
            champ.queryset = champ.queryset.filter(is_active=True)
        return champ


@admin.register(Ecole)
class EcoleAdmin(Gardee, EnMots, PortailAdmin):
    au_lieu = "des enfants ou des services y sont rattachés, déplacez-les d'abord."
    list_display = ["nom", "telephone", "classes", "enfants"]
    search_fields = ["nom__unaccent"]
    fields = ["nom", "telephone"]
    inlines = [ClasseInline, AffectationInline]

    def est_utilise(self, objet):
        """A place for its pupils alone would take those of every school."""
        return super().est_utilise(objet) or objet.implantation_set.exists()

    def get_queryset(self, request):
        presents = Count("enfants", filter=Q(enfants__archive_le=None), distinct=True)
        return super().get_queryset(request).annotate(n_classes=Count("classes", distinct=True), n_enfants=presents)

    @admin.display(description="classes", ordering="n_classes")
    def classes(self, ecole):
        return ecole.n_classes

    @admin.display(description="enfants", ordering="n_enfants")
    def enfants(self, ecole):
        return ecole.n_enfants


@admin.register(Vaccin)
class VaccinAdmin(EnMots, PortailAdmin):
    """What the law asks: a new decree is a row more, or an end on a row."""

    list_display = ["nom", "ne_a_partir_de", "ne_avant", "obligatoire_du", "obligatoire_au", "propose", "ordre"]
    list_filter = ["actif"]
    fields = [
        ("nom", "code"),
        ("ne_a_partir_de", "ne_avant"),
        ("obligatoire_du", "obligatoire_au"),
        ("ordre", "actif"),
    ]

    @admin.display(description="proposé", ordering="actif")
    def propose(self, vaccin):
        return "oui" if vaccin.actif else "non"

    def get_readonly_fields(self, request, obj=None):
        """The children's dates are kept under the code."""
        lecture = super().get_readonly_fields(request, obj)
        return [*lecture, "code"] if obj else lecture

    def has_delete_permission(self, request, obj=None):
        """The children's dates would lose their name: a vaccine is no longer offered instead."""
        return False


@admin.register(PeriodeVacances)
class PeriodeVacancesAdmin(Relue, EnMots, PortailAdmin):
    form = PeriodeForm
    list_display = ["nom", "valable_du", "valable_au"]
    fields = ["nom", ("valable_du", "valable_au")]
    ordering = ["-valable_du"]
