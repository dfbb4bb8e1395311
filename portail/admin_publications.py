"""News and documents in the admin: written, seen before they are saved, online from a day to a day."""

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import DateField, ManyToManyField, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from enfants.regles.annees import annee_scolaire, libelle
from portail.outils.admin import EnMots, PortailAdmin
from portail.outils.fichiers import controler
from portail.outils.texte_riche import rendre
from portail.publications import Actualite, Document, coherence, noter_la_cible, remplacer_fichier, retirer_fichier

AIDE = mark_safe(
    "**gras**, *italique*. Une ligne vide sépare deux paragraphes. Trois exemples\u00a0:"
    '<span class="exemples">La cantine est <b>fermée jeudi</b>\u00a0: <code>La cantine est **fermée jeudi**</code><br>'
    "Une liste\u00a0: <code>- lundi</code>, puis à la ligne <code>- mardi</code><br>"
    "Un lien\u00a0: <code>[Le menu de la semaine](https://www.exemple.fr/menu)</code></span>"
)
ETATS = {"en_ligne": "en ligne", "a_venir": "à venir", "passee": "passée"}


class FiltreEtat(admin.SimpleListFilter):
    title = "état"
    parameter_name = "etat"

    def lookups(self, request, model_admin):
        return ETATS.items()

    def queryset(self, request, queryset):
        aujourdhui = timezone.localdate()
        filtres = {
            "en_ligne": Q(publie_du__lte=aujourdhui) & (Q(publie_au=None) | Q(publie_au__gte=aujourdhui)),
            "a_venir": Q(publie_du__gt=aujourdhui),
            "passee": Q(publie_au__lt=aujourdhui),
        }
        return queryset.filter(filtres.get(self.value(), Q()))


LARGE = forms.TextInput(attrs={"size": 60})


class PublicationForm(forms.ModelForm):
    def clean(self):
        donnees = super().clean()
        du, au = donnees.get("publie_du"), donnees.get("publie_au")
        if du and au and au < du:
            self.add_error("publie_au", "La fin vient avant le début.")
        return donnees


class PublicationAdmin(EnMots, PortailAdmin):
    """Dates, audience and state, which news and documents share."""

    formfield_overrides = {
        DateField: EnMots.formfield_overrides[DateField],
        ManyToManyField: {"widget": forms.CheckboxSelectMultiple},
    }
    list_filter = [FiltreEtat, "ecoles", "services"]
    search_fields = ["titre__unaccent"]
    quand_et_qui = [
        ("Quand", {"fields": [("publie_du", "publie_au")]}),
        (
            "Pour qui",
            {
                "fields": ["ecoles", "services"],
                "description": "Sans choix, toutes les familles lisent. Sinon, celles dont un enfant va à l'une des "
                "écoles, ou est inscrit ou a été réservé à l'un des services.",
            },
        ),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("ecoles", "services")

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        noter_la_cible(form.instance)

    @admin.display(description="état")
    def etat(self, publication):
        return publication.etat(timezone.localdate())

    @admin.display(description="pour qui")
    def pour_qui(self, publication):
        cibles = [*publication.ecoles.all(), *publication.services.all()]
        if cibles:
            return ", ".join(map(str, cibles))
        return "personne\u00a0: l'école ou le service a été supprimé" if publication.ciblee else "toutes les familles"


# --- News ------------------------------------------------------------------------------------------------


class ActualiteForm(PublicationForm):
    apercu = False  # « Aperçu »: read and shown, not saved; see ActualiteAdmin.get_form

    class Meta:
        widgets = {"titre": LARGE, "corps": forms.Textarea(attrs={"rows": 12, "cols": 80})}
        help_texts = {"corps": AIDE}

    def is_valid(self):
        return super().is_valid() and not self.apercu


@admin.register(Actualite)
class ActualiteAdmin(PublicationAdmin):
    form = ActualiteForm
    list_display = ["titre", "etat", "publie_du", "publie_au", "pour_qui", "en_premier"]
    fieldsets = [("L'actualité", {"fields": ["titre", "corps", "epinglee"]}), *PublicationAdmin.quand_et_qui]
    change_form_template = "admin/portail/actualite/change_form.html"

    @admin.display(description="toujours en premier", ordering="epinglee")
    def en_premier(self, actualite):
        return "oui" if actualite.epinglee else "non"

    def get_form(self, request, obj=None, **kwargs):
        form = super().get_form(request, obj, **kwargs)
        form.apercu = "_apercu" in request.POST
        return form

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        form = context["adminform"].form
        montre = obj if not form.is_bound else None
        corps = montre.corps if montre else getattr(form, "cleaned_data", {}).get("corps", "")
        titre = montre.titre if montre else getattr(form, "cleaned_data", {}).get("titre", "")
        peut_essayer = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        context |= {"apercu": rendre(corps) if corps else "", "apercu_titre": titre, "peut_essayer": peut_essayer}
        return super().render_change_form(request, context, add, change, form_url, obj)


# --- Documents -------------------------------------------------------------------------------------------


class FichierField(forms.FileField):
    """One file, read and checked as the papers of the families are."""

    widget = forms.FileInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png"})

    def clean(self, data, initial=None):
        return controler(data) if data else None


class DocumentForm(PublicationForm):
    annee = forms.TypedChoiceField(label="Année scolaire", required=False, coerce=int, empty_value=None)
    fichier = FichierField(
        label="Fichier",
        required=False,
        help_text=f"PDF, ou image JPEG ou PNG, {settings.TAILLE_MAX_PIECE // (1024 * 1024)} Mo au plus. "
        "Un nouveau fichier remplace l'ancien.",
    )

    class Meta:
        widgets = {"titre": LARGE, "description": LARGE, "lien": LARGE}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "annee" in self.fields:
            cette_annee = annee_scolaire(timezone.localdate())
            annees = {cette_annee - 1, cette_annee, cette_annee + 1, self.instance.annee} - {None}
            choix = [(annee, libelle(annee)) for annee in sorted(annees, reverse=True)]
            self.fields["annee"].choices = [("", "Toutes les années"), *choix]

    @cached_property
    def a_deja_un_fichier(self):
        return self.instance.pk is not None and self.instance.piece is not None

    def clean(self):
        donnees = super().clean()
        genre = donnees.get("genre")
        if genre and "fichier" in donnees and "lien" in donnees:
            garde = self.a_deja_un_fichier and genre != Document.Genre.LIEN
            fautes = coherence(genre, donnees["lien"], a_un_fichier=bool(donnees["fichier"]) or garde)
            for nom, phrase in fautes.items():
                self.add_error(nom, ValidationError(phrase))
        return donnees


@admin.register(Document)
class DocumentAdmin(PublicationAdmin):
    form = DocumentForm
    list_display = ["titre", "genre", "annee_scolaire", "etat", "pour_qui", "ouvert_a_tous"]
    list_filter = ["genre", *PublicationAdmin.list_filter]
    fieldsets = [
        ("Le document", {"fields": ["genre", "titre", "description", "fichier", "fichier_actuel", "lien"]}),
        ("Rangement", {"fields": [("annee", "ordre")]}),
        *PublicationAdmin.quand_et_qui[:1],
        ("Pour qui", {**PublicationAdmin.quand_et_qui[1][1], "fields": ["ecoles", "services", "public"]}),
    ]
    readonly_fields = ["fichier_actuel"]
    list_select_related = ["fichier"]

    def get_fieldsets(self, request, obj=None):
        """Who only looks has nothing to send; a document to come has no file yet."""
        inutile = "fichier_actuel" if obj is None else "fichier"
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and self.has_change_permission(request, obj):
            return fieldsets
        return [
            (titre, {**options, "fields": [nom for nom in options["fields"] if nom != inutile]})
            for titre, options in fieldsets
        ]

    @admin.display(description="année", ordering="annee")
    def annee_scolaire(self, document):
        return document.annee_texte or "toutes"

    @admin.display(description="ouvert à tous", ordering="public")
    def ouvert_a_tous(self, document):
        return "oui" if document.public else "non"

    @admin.display(description="fichier publié")
    def fichier_actuel(self, document):
        if document.pk is None or document.piece is None:
            return "–"
        piece = document.piece
        return format_html('<a href="{}">{}</a> ({})', piece.url, piece.nom, piece.taille_texte)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if piece := form.cleaned_data.get("fichier"):
            remplacer_fichier(form.instance, piece)
        elif form.instance.genre == Document.Genre.LIEN and form.a_deja_un_fichier:
            retirer_fichier(form.instance)
