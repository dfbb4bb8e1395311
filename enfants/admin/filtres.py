"""Filters of the children's list."""

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from enfants.models import Classe, ConfirmationDossier, Enfant
from enfants.regles.annees import a_venir, libelle

CLASSES_MAX = 20  # beyond, the classes of a school show once it is chosen


class FiltreClasse(admin.SimpleListFilter):
    """The classes of the chosen school; all of them in a small commune."""

    title = "classe"
    parameter_name = "classe"

    def lookups(self, request, model_admin):
        enfants = model_admin.get_queryset(request).presents()
        classes = Classe.objects.filter(enfants__in=enfants).select_related("ecole").distinct()
        ecole, classe = request.GET.get("ecole__id__exact", ""), request.GET.get("classe", "")
        if ecole.isdecimal() and len(ecole) < 10:
            classes = classes.filter(ecole=ecole)
        elif classe.isdecimal() and len(classe) < 10:
            classes = classes.filter(ecole__classes=classe)
        elif len(classes := list(classes)) > CLASSES_MAX:
            return []
        return [(str(classe.pk), f"{classe.nom} – {classe.ecole}") for classe in classes]

    def queryset(self, request, queryset):
        classe = self.value() or ""
        return queryset.filter(classe=classe) if classe.isdecimal() and len(classe) < 19 else queryset


class _OuiNon(admin.SimpleListFilter):
    """Who is among ``concernes``, and who is not."""

    oui, non = "Oui", "Non"

    def lookups(self, request, model_admin):
        return [("oui", self.oui), ("non", self.non)]

    def concernes(self):
        raise NotImplementedError

    def queryset(self, request, queryset):
        if self.value() == "oui":
            return queryset.filter(pk__in=self.concernes().values("pk"))
        if self.value() == "non":
            return queryset.exclude(pk__in=self.concernes().values("pk"))
        return queryset


class FiltrePai(_OuiNon):
    title = "PAI"
    parameter_name = "pai"

    def concernes(self):
        return Enfant.objects.filter(a_pai=True)


class FiltrePapiers(_OuiNon):
    title = "papiers"
    parameter_name = "papiers"
    oui, non = "Manquants ou périmés", "Complets"

    def concernes(self):
        return Enfant.objects.avec_papiers_manquants(timezone.localdate())


class FiltreConfirmation(_OuiNon):
    """Confirmed for the school year: by every household that was asked."""

    parameter_name = "confirme"
    oui, non = "Confirmé", "Non confirmé"

    @property
    def title(self):
        return f"dossier {libelle(a_venir(timezone.localdate()))}"

    def concernes(self):
        demandees = ConfirmationDossier.objects.filter(enfant=OuterRef("pk"), annee=a_venir(timezone.localdate()))
        return Enfant.objects.filter(
            Exists(demandees.filter(confirmee_le__isnull=False)), ~Exists(demandees.filter(confirmee_le=None))
        )


class FiltreArchives(admin.SimpleListFilter):
    """Who has left is hidden, as from the families; who leaves in summer is there until then."""

    title = "présence"
    parameter_name = "presence"

    def lookups(self, request, model_admin):
        return [("partis", "Partis"), ("tous", "Tous")]

    def queryset(self, request, queryset):
        partis = Q(archive_le__lte=timezone.localdate())
        if self.value() == "partis":
            return queryset.filter(partis)
        return queryset if self.value() == "tous" else queryset.filter(~partis | Q(archive_le=None))

    def choices(self, changelist):
        sans_choix, *autres = super().choices(changelist)
        yield {**sans_choix, "display": "Présents"}
        yield from autres
