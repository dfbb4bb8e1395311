"""What the child's page shows under its civil status, each by its own permission."""

from datetime import date

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from enfants import dossier, foyers
from enfants.admin import formulaires
from enfants.models import DocumentEnfant, Informations, PersonneAutorisee, Rattachement, Sante, SuspensionAcces
from enfants.regles.vaccins import obligatoires
from familles.models import Responsable
from portail.outils.admin import EnMots

APPAREILS = ("appareil_dentaire", "lunettes", "appareil_auditif", "autre_appareil")  # they tell health


def voit_la_sante(agent) -> bool:
    return agent.has_perm("enfants.view_sante")


class _Ligne(EnMots):
    """Rows end on a date or stay: none is deleted from here, unless its class says so."""

    extra = 0
    can_delete = False
    enfant = agent = None  # the instance lives as long as the request

    def get_formset(self, request, obj=None, **kwargs):
        self.enfant, self.agent = obj, request.user
        return super().get_formset(request, obj, **kwargs)


class PersonneInline(_Ligne, admin.StackedInline):
    model = PersonneAutorisee
    form = formulaires.PersonneForm
    can_delete = True
    fields = [("famille", "prenom", "nom", "lien"), ("telephone", "piece", "ordre", "peut_chercher", "urgence")]
    ordering = ["famille", "ordre", "pk"]
    lectures = {"famille": "foyer"}
    verbose_name_plural = "personnes autorisées par chaque foyer"

    def get_queryset(self, request):
        """Those of today's households: a household that left trusts nobody with this child any more."""
        foyers_du_jour = Rattachement.objects.en_vigueur(timezone.localdate()).filter(enfant=self.enfant)
        siennes = super().get_queryset(request).filter(famille__in=foyers_du_jour.values("famille"))
        return siennes.select_related("famille")

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "famille" and self.enfant:
            siens = foyers.de_l_enfant(self.enfant)
            champ = super().formfield_for_foreignkey(
                db_field, request, form_class=formulaires.FamilleField, queryset=siens, **kwargs
            )
            champ.noms = foyers.noms([famille.pk for famille in siens])
            return champ
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="désignée par")
    def foyer(self, personne):
        return str(personne.famille)


class InformationsInline(_Ligne, admin.StackedInline):
    model = Informations
    max_num = extra = 1
    classes = ["fiche"]

    def get_fieldsets(self, request, obj=None):
        self.fieldsets = [
            ("Autorisations", {"fields": [("hospitalisation", "sorties", "baignade", "sortie_seul", "photo")]}),
            ("Assurance", {"fields": [("assurance_compagnie", "assurance_numero", "assurance_fin")]}),
        ]
        if voit_la_sante(request.user):
            self.fieldsets.append(("Appareils", {"fields": [APPAREILS]}))
        return super().get_fieldsets(request, obj)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        champ = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "autre_appareil":
            champ.widget = admin.widgets.AdminTextInputWidget()
        return champ


class SanteInline(_Ligne, admin.StackedInline):
    model = Sante
    form = formulaires.SanteForm
    max_num = extra = 1
    classes = ["fiche"]
    readonly_fields = ["vaccins"]
    lectures = {"allergenes_codes": "allergenes_en_clair"}
    fieldsets = [
        ("Médecin", {"fields": [("medecin_nom", "medecin_telephone")]}),
        ("Allergies", {"fields": ["allergenes_codes", "allergies"]}),
        ("Projet d'accueil individualisé (PAI)", {"fields": ["pai_revision", "pai_consignes"]}),
        ("Traitements et recommandations", {"fields": ["traitements", "recommandations"]}),
        ("Vaccins", {"fields": ["vaccins", ("vaccins_etat", "vaccins_jusqu_au")]}),
    ]

    def has_view_permission(self, request, obj=None):
        """To change is to read: one right opens both, and the reading is noted."""
        return voit_la_sante(request.user)

    def has_add_permission(self, request, obj=None):
        return voit_la_sante(request.user) and super().has_add_permission(request, obj)

    def has_change_permission(self, request, obj=None):
        return voit_la_sante(request.user) and super().has_change_permission(request, obj)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        champ = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in ("allergies", "pai_consignes", "traitements", "recommandations"):
            champ.widget.attrs["rows"] = 3
        return champ

    @admin.display(description="allergènes")
    def allergenes_en_clair(self, sante):
        return ", ".join(sante.allergenes_libelles) or "–"

    @admin.display(description="dernières injections")
    def vaccins(self, sante):
        """The mandatory ones first, those without a date marked by a word."""
        faites, naissance = dict(sante.vaccinations or {}), self.enfant.date_naissance
        actifs = dossier.vaccins_actifs()
        exiges = obligatoires(naissance, timezone.localdate(), actifs)
        lignes = [
            ("vaccin fait", vaccin.nom, _le(faites.pop(vaccin.code)))
            if faites.get(vaccin.code)
            else ("vaccin manque", vaccin.nom, "date manquante")
            for vaccin in exiges
        ]
        noms = {vaccin.code: vaccin.nom for vaccin in actifs}
        lignes += [
            ("vaccin", f"{noms.get(code, code)} (non obligatoire)", _le(jour)) for code, jour in faites.items() if jour
        ]
        liste = format_html_join("", '<li class="{}">{}\u00a0: <strong>{}</strong></li>', lignes)
        if naissance is None:
            liste += format_html("<li>{}</li>", "Date de naissance inconnue\u00a0: obligations inconnues.")
        return format_html('<ul class="vaccins">{}</ul>', liste)


def _le(iso):
    try:
        return f"{date.fromisoformat(str(iso)):%d/%m/%Y}"
    except ValueError:
        return str(iso)


class DocumentInline(_Ligne, admin.TabularInline):
    """The papers that count today; those of health only for who may read it."""

    model = DocumentEnfant
    form = formulaires.DocumentForm
    fields = ["papier", "nature", "expire_le", "foyer", "ajoute"]
    readonly_fields = ["papier", "foyer", "ajoute"]
    classes = ["serree"]

    def has_add_permission(self, request, obj=None):
        """A paper comes with the family's demande."""
        return False

    def get_queryset(self, request):
        papiers = super().get_queryset(request).actuels().select_related("famille")
        return papiers if voit_la_sante(request.user) else papiers.exclude(nature__in=DocumentEnfant.DE_SANTE)

    @admin.display(description="papier")
    def papier(self, document):
        """A link for who may open it: an insurance or a judgment tells addresses, an animateur has no use for it."""
        if not (document.est_de_sante or self.agent.has_perm("enfants.change_enfant")):
            return f"{document.nom} ({document.taille_texte})"
        return format_html(
            '<a href="{}" target="_blank" rel="noopener">{}</a> ({})', document.url, document.nom, document.taille_texte
        )

    @admin.display(description="fourni par")
    def foyer(self, document):
        return str(document.famille)

    @admin.display(description="ajouté le")
    def ajoute(self, document):
        return f"{timezone.localtime(document.cree_le):%d/%m/%Y}"


class RattachementInline(_Ligne, admin.TabularInline):
    model = Rattachement
    form = formulaires.RattachementForm
    formset = formulaires.RattachementsFormSet
    fields = ["famille", "adultes", "valable_du", "valable_au"]
    readonly_fields = ["adultes"]
    autocomplete_fields = ["famille"]
    classes = ["serree"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("famille")

    @admin.display(description="adultes")
    def adultes(self, rattachement):
        return foyers.noms([rattachement.famille_id])[rattachement.famille_id] if rattachement.famille_id else "–"


class SuspensionInline(_Ligne, admin.TabularInline):
    model = SuspensionAcces
    form = formulaires.SuspensionForm
    formset = formulaires.SuspensionsFormSet
    fields = ["adulte", "motif", "valable_du", "valable_au"]
    can_delete = True
    classes = ["serree"]
    verbose_name_plural = "accès suspendus (l'adulte ne voit plus l'enfant dès sa prochaine page)"

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("adulte__utilisateur")

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "adulte" and self.enfant:
            adultes = Responsable.objects.filter(famille__in=foyers.de_l_enfant(self.enfant))
            kwargs["queryset"] = adultes.select_related("utilisateur").order_by("famille", "rang")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


LIGNES = [PersonneInline, InformationsInline, SanteInline, DocumentInline, RattachementInline, SuspensionInline]
