"""The voted prices in the admin: typed on one page, read back in French, duplicated from a day; and who helps."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Case, F, Value, When
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from enfants.admin.offre import Gardee
from enfants.models import Enfant, Formule
from facturation import grilles
from facturation.admin.saisie_grille import (
    GrilleForm,
    MajorationForm,
    MajorationsFormSet,
    TarifForm,
    TarifsFormSet,
    utilisee,
)
from facturation.models import AideFamille, Grille, MajorationGrille, Tarif
from facturation.regles import tranches
from facturation.regles.grilles import Tranche
from portail.outils.admin import EnMots, FiltreTexte, PortailAdmin
from portail.outils.dates import jour as en_mots
from portail.outils.periodes import PeriodeForm


class TarifInline(EnMots, admin.StackedInline):
    model = Tarif
    form = TarifForm
    formset = TarifsFormSet
    fields = [
        ("public", "formule", "calcul"),
        "montant",
        "texte_tranches",
        ("taux", "plancher", "plafond"),
        ("supplement", "jours_semaine"),
    ]
    lectures = {"texte_tranches": "tranches_en_clair"}
    grille = None  # the inline lives as long as the request

    def get_extra(self, request, obj=None, **kwargs):
        """Enough to type a grid without a script; one more in a grid that is already long."""
        return 1 if obj else 2

    def get_formset(self, request, obj=None, **kwargs):
        self.grille = obj
        return super().get_formset(request, obj, **kwargs)

    def get_queryset(self, request):
        """Everybody's price first, then those of the formulas."""
        rangs = [When(public=public, then=Value(rang)) for rang, public in enumerate(Tarif.Public.values)]
        tarifs = super().get_queryset(request).select_related("formule").prefetch_related("tranches")
        return tarifs.order_by(F("formule__ordre").asc(nulls_first=True), "formule_id", Case(*rangs), "pk")

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        champ = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "formule":
            formules = Formule.objects.select_related("service").order_by("service__ordre", "ordre", "pk")
            champ.queryset = formules.filter(service=self.grille.service_id) if self.grille else formules
            champ.label_from_instance = lambda f: f.nom if self.grille else f"{f.service.nom_court}, {f.nom}"
            champ.empty_label = "toutes les autres"
            champ.help_text = ""
        return champ

    @admin.display(description="tranches")
    def tranches_en_clair(self, tarif):
        return tranches.ecrire(Tranche(t.au, t.montant) for t in tarif.tranches.all()) or "–"


class MajorationInline(EnMots, admin.TabularInline):
    model = MajorationGrille
    form = MajorationForm
    formset = MajorationsFormSet
    extra = 1
    fields = ["cause", "pourcent", "montant", "a_partir_de", "double_des", "minutes"]
    classes = ["serree"]


class DupliquerForm(forms.Form):
    """From when, and the deliberation that says so."""

    le = forms.DateField(
        label="À partir du",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="La grille d'aujourd'hui s'arrête la veille.",
        error_messages={"required": "Choisissez le premier jour.", "invalid": "Écrivez une date, 01/09/2027."},
    )
    deliberation = forms.CharField(
        label="Délibération",
        max_length=60,
        help_text="«\u00a02027-31\u00a0».",
        error_messages={"required": "Écrivez le numéro de la délibération."},
    )
    votee_le = forms.DateField(
        label="Votée le",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Choisissez le jour du vote.", "invalid": "Écrivez une date, 12/06/2027."},
    )


@admin.register(Grille)
class GrilleAdmin(Gardee, EnMots, PortailAdmin):
    form = GrilleForm
    inlines = [TarifInline, MajorationInline]
    list_display = ["service", "valable_du", "valable_au", "deliberation", "unite"]
    list_filter = ["service"]
    list_select_related = ["service"]
    search_fields = ["service__nom__unaccent", "deliberation"]
    au_lieu = "des factures émises comptent ces prix. Donnez-lui plutôt une fin."
    fieldsets = [
        (None, {"fields": ["service", ("deliberation", "votee_le"), ("valable_du", "valable_au")]}),
        (
            "Ce qui se paie",
            {
                "fields": ["unite", ("mot", "mots"), ("minutes", "tolerance"), "rangs"],
                "description": "«\u00a0Une unité\u00a0» et «\u00a0plusieurs\u00a0» sont les mots de la facture. "
                "Les minutes ne servent qu'à un prix à la durée.",
            },
        ),
    ]
    lectures = {"rangs": "rangs_en_clair"}
    change_form_template = "admin/facturation/grille/change_form.html"
    change_list_template = "admin/facturation/grille/change_list.html"

    @admin.display(description="remise selon le rang de l'enfant (%)")
    def rangs_en_clair(self, grille):
        return ", ".join(f"{rang:f}".rstrip("0").rstrip(".") for rang in grille.rangs) or "–"

    def est_utilise(self, objet):
        return grilles.dernier_jour_facture(objet) is not None

    def get_readonly_fields(self, request, obj=None):
        """A grid of another service is another grid: formulas belong to theirs."""
        lecture = super().get_readonly_fields(request, obj)
        return [*lecture, "service"] if obj else lecture

    def get_urls(self):
        voie = path(
            "<path:object_id>/dupliquer/",
            self.admin_site.admin_view(self.dupliquer),
            name="facturation_grille_dupliquer",
        )
        return [voie, *super().get_urls()]

    # --- Written

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Two agents who change a grid queue up, then check."""
        cle = unquote(object_id) if object_id else ""
        if request.method != "POST" or not cle.isdecimal() or len(cle) > 18:
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            grilles.verrouiller(int(cle))
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_formset(self, request, form, formset, change):
        """Prices are written with their brackets."""
        super().save_formset(request, form, formset, change)
        if formset.model is not Tarif:
            return
        for ligne in formset.forms:
            if ligne not in formset.deleted_forms and ligne.has_changed():
                grilles.ecrire_tranches(ligne.instance, ligne.tranches_lues)

    def dupliquer(self, request, object_id):
        """« Dupliquer cette grille à partir du … »: its prices go on until they are edited."""
        grille = self.get_object(request, unquote(object_id))
        if grille is None:
            raise Http404("Grille inconnue")
        if not (self.has_add_permission(request) and self.has_change_permission(request, grille)):
            raise PermissionDenied
        form = DupliquerForm(request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            try:
                nouvelle = grilles.dupliquer(grille, **form.cleaned_data)
            except grilles.GrilleUtilisee as erreur:
                form.add_error("le", str(erreur))
            else:
                fin = en_mots(form.cleaned_data["le"] - grilles.UN_JOUR, semaine=False)
                phrase = (
                    f"Grille dupliquée\u00a0: l'ancienne vaut jusqu'au {fin}. Changez maintenant les prix de celle-ci."
                )
                self.message_user(request, phrase, messages.SUCCESS)
                return redirect("admin:facturation_grille_change", nouvelle.pk)
        contexte = {
            **self.admin_site.each_context(request),
            "title": f"Dupliquer\u00a0: {grille}",
            "form": form,
            "grille": grille,
            "lecture": grilles.lire(grille),
        }
        return render(
            request, "admin/facturation/grille/dupliquer.html", contexte, status=422 if form.is_bound else 200
        )

    # --- Read back

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= {"lecture": None, "utilisee": ""}
        if obj is not None:
            obj = Grille.objects.select_related("service").get(pk=obj.pk)  # as it is on file, not as it was typed
            context |= {"lecture": grilles.lire(obj), "utilisee": utilisee(obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)


# --- Who helps -------------------------------------------------------------------------------------------


class AideForm(PeriodeForm):
    """The child is one of the family's; without a family, none may be chosen yet."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "enfant" not in self.fields:
            return
        cle = str(self.data.get("famille", "") if self.is_bound else self.initial.get("famille", ""))
        if self.instance.pk:
            cle = str(self.instance.famille_id)
        famille = int(cle) if cle.isascii() and cle.isdecimal() and len(cle) < 19 else None
        siens = Enfant.objects.filter(rattachements__famille=famille).distinct() if famille else Enfant.objects.none()
        self.fields["enfant"].queryset = siens.order_by("date_naissance", "pk")
        self.fields["enfant"].label_from_instance = lambda enfant: enfant.prenom
        self.fields["enfant"].empty_label = "tous les enfants"
        self.fields["enfant"].error_messages["invalid_choice"] = "Choisissez un enfant de cette famille."
        if not famille:
            self.fields["enfant"].help_text = "Enregistrez d'abord la famille pour choisir l'un de ses enfants."
        self.fields["service"].empty_label = "tous les services"


class FiltreFamille(FiltreTexte):
    title = "famille"
    parameter_name = "famille"
    champs = ("famille__nom",)


class FiltreEnCours(admin.SimpleListFilter):
    title = "validité"
    parameter_name = "validite"

    def lookups(self, request, model_admin):
        return [("en-cours", "En cours")]

    def queryset(self, request, queryset):
        return queryset.en_vigueur(timezone.localdate()) if self.value() else queryset


@admin.register(AideFamille)
class AideFamilleAdmin(Gardee, EnMots, PortailAdmin):
    form = AideForm
    list_display = ["famille", "organisme", "combien", "pour", "valable_du", "valable_au"]
    list_filter = [FiltreFamille, FiltreEnCours]
    list_select_related = ["famille", "enfant", "service"]
    search_fields = ["famille__nom__unaccent", "organisme__unaccent"]
    autocomplete_fields = ["famille"]
    au_lieu = "des factures émises la comptent. Donnez-lui plutôt une fin."
    fieldsets = [
        (None, {"fields": ["famille", "organisme", ("enfant", "service")]}),
        (
            "Combien",
            {
                "fields": [("montant", "pourcent"), "plafond"],
                "description": "Un montant par unité (un repas, une journée), ou une part de ce qui reste à payer.",
            },
        ),
        ("Quand", {"fields": [("valable_du", "valable_au")]}),
    ]

    def est_utilise(self, objet):
        return grilles.aide_facturee(objet)

    def get_readonly_fields(self, request, obj=None):
        lecture = super().get_readonly_fields(request, obj)
        return [*lecture, "famille"] if obj else lecture

    @admin.display(description="aide")
    def combien(self, aide):
        return grilles.dire_aide(aide)

    @admin.display(description="pour")
    def pour(self, aide):
        qui = aide.enfant.prenom if aide.enfant else "tous les enfants"
        return f"{qui}, {aide.service.nom if aide.service else 'tous les services'}"
