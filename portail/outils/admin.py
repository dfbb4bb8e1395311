"""Pieces shared by the admin pages of the apps."""

from django.contrib import admin


class LectureSeule:
    """Shown, filtered, never typed into: what must be decided has its own page and action."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class PortailAdmin(admin.ModelAdmin):
    """A list is called by what it lists, and a large one is not counted twice."""

    list_per_page = 50
    show_full_result_count = False

    def changelist_view(self, request, extra_context=None):
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
        from django.db.models import Q

        mots = (self.value() or "").split()
        for mot in mots:
            ou = Q()
            for champ in self.champs:
                ou |= Q(**{f"{champ}__unaccent__icontains": mot})
            queryset = queryset.filter(ou)
        return queryset

    def choices(self, changelist):
        """The other filters, to keep when this one is sent."""
        autres = [
            (nom, valeur[-1] if isinstance(valeur, list) else valeur)
            for nom, valeur in changelist.get_filters_params().items()
            if nom != self.parameter_name
        ]
        yield {"autres": autres, "valeur": self.value() or "", "nom": self.parameter_name, "selected": False}
