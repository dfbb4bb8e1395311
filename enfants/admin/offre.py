"""What the commune offers, as agents keep it; what families booked or wait for, to look at."""

from datetime import datetime, timedelta
from itertools import pairwise

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import DateField, TimeField
from django.db.models.deletion import PROTECT
from django.forms.models import BaseInlineFormSet
from django.utils import timezone

from enfants import offre
from enfants.models import (
    Attente,
    Formule,
    Implantation,
    JourFerie,
    MotifAbsence,
    Reglement,
    Reservation,
    Service,
    Site,
    TrancheAge,
)
from enfants.models.enfant import Garde
from enfants.models.sante import Nature
from enfants.regles.dates import enumerer
from portail.outils.admin import EnMots, FiltreTexte, LectureSeuleAdmin, PortailAdmin
from portail.outils.dates import JOURS


class Relue:
    """What enfants/offre.py keeps in memory is read anew once the page has written it."""

    def changeform_view(self, request, *args, **kwargs):
        return self._relire(request, super().changeform_view(request, *args, **kwargs))

    def delete_view(self, request, *args, **kwargs):
        return self._relire(request, super().delete_view(request, *args, **kwargs))

    def changelist_view(self, request, *args, **kwargs):
        return self._relire(request, super().changelist_view(request, *args, **kwargs))

    @staticmethod
    def _relire(request, reponse):
        if request.method == "POST":
            offre.oublier()
        return reponse


class Gardee:
    """What the families' rows lead to is not deleted: the page says what to do instead."""

    au_lieu = ""

    def est_utilise(self, objet) -> bool:
        """Do rows that must stay lead to this one?"""
        liens = objet._meta.get_fields(include_hidden=True)
        return any(
            lien.related_model._base_manager.filter(**{lien.field.name: objet}).exists()
            for lien in liens
            if lien.auto_created and not lien.concrete and getattr(lien, "on_delete", None) is PROTECT
        )

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and (obj is None or not self.est_utilise(obj))

    def get_deleted_objects(self, objs, request):
        if utilises := [objet for objet in objs if self.est_utilise(objet)]:
            return [], {}, set(), [f"{objet}\u00a0: {self.au_lieu}" for objet in utilises]
        return super().get_deleted_objects(objs, request)


def jours_en_mots(jours) -> str:
    """« lundi, mardi et jeudi »."""
    return enumerer(JOURS[jour] for jour in sorted(jours)) if jours else "–"


# --- Services --------------------------------------------------------------------------------------------


class FormuleInline(EnMots, admin.TabularInline):
    model = Formule
    extra = 0
    fields = ["nom", "ordre"]
    classes = ["serree"]


class ServiceForm(forms.ModelForm):
    jours = forms.TypedMultipleChoiceField(
        label="Jours de la semaine",
        choices=Garde.Jour.choices,
        coerce=int,
        required=False,  # the model says it in its words
        widget=forms.CheckboxSelectMultiple,
    )
    pieces_requises = forms.MultipleChoiceField(
        label="Pièces demandées à l'inscription",
        choices=Nature.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        widgets = {"couleur": forms.ColorInput}


@admin.register(Service)
class ServiceAdmin(Relue, Gardee, EnMots, PortailAdmin):
    form = ServiceForm
    formfield_overrides = {
        DateField: EnMots.formfield_overrides[DateField],
        TimeField: {"widget": forms.TimeInput(attrs={"type": "time"}, format="%H:%M")},
    }
    list_display = ["nom", "semaine", "periode", "validation", "propose"]
    list_filter = ["actif", "periode"]
    search_fields = ["nom__unaccent"]
    fieldsets = [
        ("Le service", {"fields": [("nom", "nom_court"), ("code", "couleur"), ("ordre", "actif")]}),
        ("Quand", {"fields": ["jours", "periode", ("heure_debut", "heure_fin")]}),
        ("Pour qui", {"fields": [("age_min", "age_max"), "inscription_requise", "pieces_requises"]}),
        (
            "Réserver",
            {"fields": ["validation", "note_retard", ("minimum_semaine", "forfait_semaine"), "heures_offre"]},
        ),
    ]
    lectures = {"jours": "semaine", "pieces_requises": "pieces"}
    inlines = [FormuleInline]
    actions = ["ne_plus_proposer"]
    au_lieu = "des familles l'ont réservé ou s'y sont inscrites. Choisissez plutôt «\u00a0Ne plus proposer\u00a0»."

    @admin.display(description="jours de la semaine")
    def semaine(self, service):
        return jours_en_mots(service.jours)

    @admin.display(description="pièces demandées à l'inscription")
    def pieces(self, service):
        return enumerer(Nature(nature).label for nature in service.pieces_requises) if service.pieces_requises else "–"

    @admin.display(description="proposé", ordering="actif")
    def propose(self, service):
        return "oui" if service.actif else "non"

    def get_readonly_fields(self, request, obj=None):
        """Addresses and exports are kept under the code."""
        lecture = super().get_readonly_fields(request, obj)
        return [*lecture, "code"] if obj else lecture

    @admin.action(description="Ne plus proposer aux familles", permissions=["change"])
    def ne_plus_proposer(self, request, queryset):
        nombre = queryset.filter(actif=True).update(actif=False)
        phrase = f"{nombre} services ne sont plus proposés." if nombre > 1 else "Le service n'est plus proposé."
        self.message_user(request, phrase if nombre else "Ces services n'étaient déjà plus proposés.", messages.SUCCESS)


# --- Places ----------------------------------------------------------------------------------------------


@admin.register(Site)
class SiteAdmin(Relue, Gardee, EnMots, PortailAdmin):
    list_display = fields = ["nom", "telephone"]
    search_fields = ["nom__unaccent"]
    au_lieu = "un service y est tenu, ou l'a été."


class ImplantationForm(forms.ModelForm):
    def clean(self):
        """Where a child goes must leave no doubt: a school goes to one site, and so do those that are not listed."""
        donnees = super().clean()
        service = donnees.get("service") or self.instance.service_id
        if service is None or "ecoles" not in donnees:
            return donnees
        autres = Implantation.objects.filter(service=service).exclude(pk=self.instance.pk).select_related("site")
        ecoles = list(donnees["ecoles"])
        for ecole in ecoles:
            if autre := autres.filter(ecoles=ecole).first():
                self.add_error("ecoles", f"Les enfants de «\u00a0{ecole}\u00a0» vont déjà ici\u00a0: {autre.site}.")
        if not ecoles and (autre := autres.filter(ecoles=None).first()):
            self.add_error("ecoles", f"Les enfants de toutes les écoles vont déjà ici\u00a0: {autre.site}.")
        return donnees


class TranchesFormSet(BaseInlineFormSet):
    def clean(self):
        super().clean()
        lignes = [form.cleaned_data for form in self.forms if form not in self.deleted_forms and form.is_valid()]
        ages = sorted((ligne["age_min"], ligne["age_max"]) for ligne in lignes if "age_max" in ligne)
        for (_, fin), (debut, _) in pairwise(ages):
            if debut <= fin:
                raise forms.ValidationError("Deux lignes comptent les enfants du même âge.")


class TrancheInline(EnMots, admin.TabularInline):
    model = TrancheAge
    formset = TranchesFormSet
    extra = 0
    fields = ["age_min", "age_max", "capacite"]
    classes = ["serree"]


@admin.register(Implantation)
class ImplantationAdmin(Relue, Gardee, EnMots, PortailAdmin):
    form = ImplantationForm
    list_display = ["service", "site", "pour", "places"]
    list_display_links = ["service", "site"]
    list_filter = ["service", "site"]
    list_select_related = ["service", "site"]
    search_fields = ["service__nom__unaccent", "site__nom__unaccent"]
    ordering = ["service__ordre", "service__nom", "site__nom"]
    fields = [("service", "site"), "ecoles", "capacite"]
    inlines = [TrancheInline]
    au_lieu = "des enfants y ont une place ces prochains jours."

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("ecoles", "tranches")

    @admin.display(description="écoles")
    def pour(self, implantation):
        return ", ".join(str(ecole) for ecole in implantation.ecoles.all()) or "Toutes"

    @admin.display(description="places par jour", ordering="capacite")
    def places(self, implantation):
        total = "illimitées" if implantation.capacite is None else str(implantation.capacite)
        tranches = [f"{t.capacite} de {t.age_min} à {t.age_max} ans" for t in implantation.tranches.all()]
        return f"{total}, dont {enumerer(tranches)}" if tranches else total

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        return super().formfield_for_manytomany(db_field, request, widget=forms.CheckboxSelectMultiple, **kwargs)

    def get_readonly_fields(self, request, obj=None):
        """The days already booked are of this service, at this site."""
        lecture = super().get_readonly_fields(request, obj)
        return [*lecture, "service", "site"] if obj else lecture

    def est_utilise(self, objet):
        a_venir = Reservation.objects.actives().filter(jour__gte=timezone.localdate())
        return a_venir.filter(place__service=objet.service_id, place__site=objet.site_id).exists()


# --- Tables of words and days ----------------------------------------------------------------------------


@admin.register(MotifAbsence)
class MotifAbsenceAdmin(EnMots, PortailAdmin):
    list_display = ["libelle", "a_justifier", "consequence", "propose"]
    list_filter = ["actif"]
    fields = [
        ("libelle", "code"),
        ("justificatif", "heures_justificatif"),
        "consequence",
        "maladie",
        ("ordre", "actif"),
    ]

    @admin.display(description="justificatif", ordering="justificatif")
    def a_justifier(self, motif):
        return f"sous {motif.heures_justificatif} heures" if motif.justificatif else "–"

    @admin.display(description="proposée", ordering="actif")
    def propose(self, motif):
        return "oui" if motif.actif else "non"

    def get_readonly_fields(self, request, obj=None):
        """Pending absences are kept under the code."""
        lecture = super().get_readonly_fields(request, obj)
        return [*lecture, "code"] if obj else lecture

    def has_delete_permission(self, request, obj=None):
        """The absences told would lose their reason: it is no longer offered instead."""
        return False


@admin.register(Reglement)
class ReglementAdmin(Gardee, EnMots, PortailAdmin):
    """What a family has accepted stays as it read it."""

    list_display = ["annees", "version", "publie_le"]
    list_display_links = ["annees", "version"]
    fieldsets = [(None, {"fields": [("annee", "version"), "publie_le", "texte"]})]
    au_lieu = "des familles l'ont accepté. Ajoutez une nouvelle version."

    @admin.display(description="année scolaire", ordering="annee")
    def annees(self, reglement):
        return f"{reglement.annee}-{reglement.annee + 1}"

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and (obj is None or not self.est_utilise(obj))

    def get_fieldsets(self, request, obj=None):
        groupes = super().get_fieldsets(request, obj)
        if obj is None or not self.est_utilise(obj):
            return groupes
        phrase = "Des familles ont accepté ce règlement\u00a0: il ne change plus. Ajoutez une nouvelle version."
        return [(titre, {**options, "description": phrase}) for titre, options in groupes]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """A family that accepts it meanwhile waits for the new words, or came first."""
        cle = unquote(object_id) if object_id else ""
        if request.method != "POST" or not (cle.isdecimal() and len(cle) < 19):
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            Reglement.objects.select_for_update().filter(pk=cle).first()
            return super().changeform_view(request, object_id, form_url, extra_context)


@admin.register(JourFerie)
class JourFerieAdmin(Relue, EnMots, PortailAdmin):
    """Filled by ``manage.py calendrier``, then the agents' to correct."""

    list_display = fields = ["jour", "nom"]
    search_fields = ["nom__unaccent"]
    ordering = ["-jour"]


# --- What families booked, and wait for ------------------------------------------------------------------


class FiltreMoment(admin.SimpleListFilter):
    """From today on: the past is for who asks for it."""

    title = "jour"
    parameter_name = "moment"

    def lookups(self, request, model_admin):
        return [
            ("aujourdhui", "Aujourd'hui"),
            ("demain", "Demain"),
            ("semaine", "Sept prochains jours"),
            ("passes", "Jours passés"),
            ("tous", "Tous"),
        ]

    def queryset(self, request, queryset):
        if FiltreJour.parameter_name in request.GET:
            return queryset  # a day that was typed may be any
        jour = timezone.localdate()
        if self.value() == "aujourdhui":
            return queryset.filter(jour=jour)
        if self.value() == "demain":
            return queryset.filter(jour=jour + timedelta(days=1))
        if self.value() == "semaine":
            return queryset.filter(jour__range=(jour, jour + timedelta(days=6)))
        if self.value() == "passes":
            return queryset.filter(jour__lt=jour)
        return queryset if self.value() == "tous" else queryset.filter(jour__gte=jour)

    def choices(self, changelist):
        sans_choix, *autres = super().choices(changelist)
        yield {**sans_choix, "display": "À partir d'aujourd'hui"}
        yield from autres


class FiltreJour(FiltreTexte):
    """One day, chosen or typed: « 26/11/2026 »."""

    title = "jour précis"
    parameter_name = "jour"
    template = "admin/filtre_jour.html"

    def queryset(self, request, queryset):
        texte = (self.value() or "").strip()
        for forme in ("%d/%m/%Y", "%Y-%m-%d"):
            try:
                return queryset.filter(jour=datetime.strptime(texte, forme).date())  # noqa: DTZ007
            except ValueError:
                continue
        return queryset.none() if texte else queryset


class _FiltreEtat(admin.SimpleListFilter):
    """The first state is what the list shows when none is chosen."""

    title = "état"
    parameter_name = "etat"
    etats: tuple[tuple[str, str, dict], ...] = ()

    def lookups(self, request, model_admin):
        return [*((code, libelle) for code, libelle, _ in self.etats[1:]), ("toutes", "Toutes")]

    def queryset(self, request, queryset):
        if self.value() == "toutes":
            return queryset
        filtres = {code: filtre for code, _, filtre in self.etats}
        return queryset.filter(**filtres.get(self.value(), self.etats[0][2]))

    def choices(self, changelist):
        sans_choix, *autres = super().choices(changelist)
        yield {**sans_choix, "display": self.etats[0][1]}
        yield from autres


class EtatReservation(_FiltreEtat):
    etats = (
        ("actives", "Réservées", {"annulee_le": None}),
        ("absences", "Absence déclarée", {"annulee_le": None, "absence_le__isnull": False}),
        ("tardives", "Demandées après le délai", {"annulee_le": None, "tardive": True}),
        ("annulees", "Annulées", {"annulee_le__isnull": False}),
    )


class EtatAttente(_FiltreEtat):
    etats = (
        ("ouvertes", "En attente", {"close_le": None}),
        ("offertes", "Place proposée", {"close_le": None, "offerte_le__isnull": False}),
        ("closes", "Closes", {"close_le__isnull": False}),
    )


class _ParJour(EnMots, LectureSeuleAdmin):
    list_display_links = ["jour", "enfant"]
    list_select_related = ["enfant", "famille", "service", "place__site"]
    search_fields = ["enfant__nom__unaccent", "enfant__prenom__unaccent"]
    search_help_text = "Nom ou prénom de l'enfant, avec ou sans accents."

    @admin.display(description="lieu", ordering="place__site__nom")
    def lieu(self, ligne):
        return str(ligne.place.site)


@admin.register(Reservation)
class ReservationAdmin(_ParJour):
    """Without the reasons of absences: an illness is not everybody's business."""

    list_display = ["jour", "service", "enfant", "famille", "lieu", "etat"]
    list_filter = [FiltreMoment, FiltreJour, EtatReservation, "service", "enfant__ecole"]
    fields = [
        ("jour", "service", "formule"),
        ("enfant", "famille", "lieu"),
        ("etat", "tardive"),
        ("reservee_le", "reservee_par"),
        ("annulee_le", "annulee_par", "annulation"),
        "absence_le",
    ]

    @admin.display(description="état")
    def etat(self, reservation):
        if reservation.annulee_le:
            return "annulée"
        return "absence déclarée" if reservation.absence_le else "réservée"


@admin.register(Attente)
class AttenteAdmin(_ParJour):
    list_display = ["jour", "service", "enfant", "famille", "lieu", "inscrite_le", "etat"]
    list_filter = [FiltreMoment, FiltreJour, EtatAttente, "service", "enfant__ecole"]
    fields = [
        ("jour", "service", "formule"),
        ("enfant", "famille", "lieu"),
        "etat",
        ("inscrite_le", "inscrite_par"),
        ("offerte_le", "expire_le"),
        ("close_le", "issue"),
    ]

    @admin.display(description="état")
    def etat(self, attente):
        if attente.close_le:
            return attente.get_issue_display().lower()
        return "place proposée" if attente.offerte_le else "en attente"
