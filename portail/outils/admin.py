"""Pieces shared by the admin pages of the apps."""

from dataclasses import dataclass

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import display_for_field, flatten_fieldsets
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import SuspiciousOperation
from django.db.models import DateField, Model, Q
from django.utils.text import capfirst


class LectureSeule:
    """Shown, filtered, never typed into: what must be decided has its own page and action."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@dataclass(frozen=True)
class EnLecture:
    """A field as a read-only column in words: no icon « True », no link to a row that the reader may not open."""

    modele: type[Model]
    nom: str
    do_not_call_in_templates = True  # its name is printed in the class of the column

    def __str__(self):
        return self.nom

    @property
    def __name__(self):
        return self.nom

    @property
    def short_description(self):
        return self.modele._meta.get_field(self.nom).verbose_name

    def __call__(self, objet):
        valeur = getattr(objet, self.nom)
        if isinstance(valeur, bool):
            return "oui" if valeur else "non"
        if valeur in (None, ""):
            return "–"
        return str(display_for_field(valeur, self.modele._meta.get_field(self.nom), "–"))


class EnMots:
    """For who may look and not touch, the fields in words; for who may, plain choices and dates.

    To put before ModelAdmin or an inline.

    ``lectures``: field of the form -> method that shows it, where the column is not to be read as it is.
    """

    lectures: dict[str, str] = {}
    # The browser's own calendar: Django's warns of the server's hour under each date.
    formfield_overrides = {DateField: {"widget": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}}

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return fieldsets
        return [(titre, {**options, "fields": self._en_lecture(options["fields"])}) for titre, options in fieldsets]

    def get_readonly_fields(self, request, obj=None):
        if self.has_change_permission(request, obj):
            return super().get_readonly_fields(request, obj)
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def _en_lecture(self, noms):
        colonnes = {champ.name for champ in self.opts.concrete_fields}
        return [
            self._en_lecture(nom)
            if isinstance(nom, tuple | list)
            else self.lectures.get(nom) or (EnLecture(self.model, nom) if nom in colonnes else nom)
            for nom in noms
        ]

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        """No pencil nor plus beside a choice: those rows have their own page."""
        champ = super().formfield_for_dbfield(db_field, request, **kwargs)
        if champ and isinstance(champ.widget, RelatedFieldWidgetWrapper):
            champ.widget = champ.widget.widget
        return champ


# What Django's list filters add to the name of their field.
SUITES_DES_FILTRES = ("", "__exact", "__id__exact", "__isnull", "__isempty", "__gte", "__lt")


class PortailAdmin(admin.ModelAdmin):
    """A list is called by what it lists, and a large one is not counted twice."""

    list_per_page = 50
    show_full_result_count = False
    view_on_site = False  # the family's pages are not for agents

    def lookup_allowed(self, lookup, value, request=None):
        """Only what the list's own filters ask: a free lookup would read any column, hashes included."""
        propres = {filtre.parameter_name for filtre in self.list_filter if isinstance(filtre, type)}
        champs = [f if isinstance(f, str) else f[0] for f in self.list_filter if not isinstance(f, type)]
        return lookup in propres or any(lookup == champ + suite for champ in champs for suite in SUITES_DES_FILTRES)

    def changelist_view(self, request, extra_context=None):
        if not all(cle.isdecimal() and len(cle) < 19 for cle in request.POST.getlist("_selected_action")):
            raise SuspiciousOperation("Sélection illisible")
        titre = str(capfirst(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": titre, **(extra_context or {})})

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        """« École du Bourg » rather than « Modification de école »."""
        titre = f"Ajouter\u00a0: {self.opts.verbose_name}" if obj is None else str(self.model.objects.get(pk=obj.pk))
        context |= {"title": titre, "subtitle": None}
        return super().render_change_form(request, context, add, change, form_url, obj)


class LectureSeuleAdmin(LectureSeule, PortailAdmin):
    pass


class FiltreTexte(admin.SimpleListFilter):
    """A filter one types into: a list of two thousand families is no filter."""

    template = "admin/filtre_texte.html"
    champs: tuple[str, ...] = ()

    def lookups(self, request, model_admin):
        return [("", "")]  # without a choice Django would hide the filter

    def queryset(self, request, queryset):
        tous = Q()
        for mot in (self.value() or "").split()[:5]:
            ou = Q()
            for champ in self.champs:
                ou |= Q(**{f"{champ}__unaccent__icontains": mot})
            tous &= ou
        return queryset.filter(tous)  # one filter, one join, whatever the number of words

    def choices(self, changelist):
        """The other filters, to keep when this one is sent."""
        autres = [
            (nom, valeur[-1] if isinstance(valeur, list) else valeur)
            for nom, valeur in changelist.get_filters_params().items()
            if nom != self.parameter_name
        ]
        yield {"autres": autres, "valeur": self.value() or "", "nom": self.parameter_name, "selected": False}
