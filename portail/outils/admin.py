"""Pieces shared by the admin pages of the apps."""

from django.contrib import admin
from django.core.exceptions import SuspiciousOperation
from django.db.models import Q


class LectureSeule:
    """Shown, filtered, never typed into: what must be decided has its own page and action."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


# What Django's list filters add to the name of their field.
SUITES_DES_FILTRES = ("", "__exact", "__id__exact", "__isnull", "__isempty", "__gte", "__lt")


class PortailAdmin(admin.ModelAdmin):
    """A list is called by what it lists, and a large one is not counted twice."""

    list_per_page = 50
    show_full_result_count = False

    def lookup_allowed(self, lookup, value, request=None):
        """Only what the list's own filters ask: a free lookup would read any column, hashes included."""
        propres = {filtre.parameter_name for filtre in self.list_filter if isinstance(filtre, type)}
        champs = [f if isinstance(f, str) else f[0] for f in self.list_filter if not isinstance(f, type)]
        return lookup in propres or any(lookup == champ + suite for champ in champs for suite in SUITES_DES_FILTRES)

    def changelist_view(self, request, extra_context=None):
        if not all(cle.isdecimal() for cle in request.POST.getlist("_selected_action")):
            raise SuspiciousOperation("Sélection illisible")
        titre = str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": titre, **(extra_context or {})})


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
