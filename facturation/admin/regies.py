"""The régies and the titres, with the services that belong to each."""

import re
from string import Formatter

from django import forms
from django.contrib import admin

from enfants.admin.offre import Gardee
from enfants.regles.dates import enumerer
from facturation.models import Moyen, Produit, Regie
from facturation.regles.sepa import est_ics
from familles.champs import BicField, IbanField
from portail.outils.admin import EnMots, PortailAdmin

MOTS_DE_REFERENCE = {"exercice": 2026, "numero": 42, "code_recette": "01"}
LARGEUR = re.compile(r"(0?[0-9]{1,2}d)?")


class ProduitForm(forms.ModelForm):
    class Meta:
        error_messages = {"service": {"unique": "Ce service est déjà rattaché à une régie."}}


class ProduitInline(EnMots, admin.TabularInline):
    model = Produit
    form = ProduitForm
    fields = ["service", "part_garde"]
    extra = 1
    classes = ["serree"]
    verbose_name = "service"
    verbose_name_plural = "services facturés ici (une facture ne mêle jamais deux régies)"

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("service")


class RegieForm(forms.ModelForm):
    moyens_acceptes = forms.MultipleChoiceField(
        label="Moyens acceptés", choices=Moyen.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    iban = IbanField(label="IBAN du compte", required=False)
    bic = BicField(label="BIC", required=False)

    def clean_ics(self):
        """As the Banque de France prints it, in groups or not."""
        ics = "".join(self.cleaned_data["ics"].split()).upper()
        if ics and not est_ics(ics):
            raise forms.ValidationError(
                "Cet identifiant créancier n'est pas valable\u00a0: recopiez-le de la lettre de la Banque de France."
            )
        return ics

    def clean_reference(self):
        """Of the words that it may hold, and of the length that PayFiP takes."""
        modele = self.cleaned_data["reference"]
        try:
            morceaux = list(Formatter().parse(modele))
        except ValueError:
            raise forms.ValidationError("Une accolade n'est pas fermée.") from None
        mots = [(nom, largeur, conversion) for _, nom, largeur, conversion in morceaux if nom is not None]
        if any(n not in MOTS_DE_REFERENCE or c or not LARGEUR.fullmatch(la or "") for n, la, c in mots):
            raise forms.ValidationError("Entre accolades, seulement {exercice}, {numero:08d} et {code_recette}.")
        if "numero" not in [nom for nom, _, _ in mots]:
            raise forms.ValidationError("Sans {numero}, deux factures auraient la même référence.")
        if any(la for nom, la, _ in mots if nom == "code_recette"):
            raise forms.ValidationError("{code_recette} s'écrit tel quel.")
        if not re.fullmatch("[A-Za-z0-9]{6,30}", modele.format(**MOTS_DE_REFERENCE)):
            raise forms.ValidationError("La référence compte de 6 à 30 lettres et chiffres.")
        return modele


@admin.register(Regie)
class RegieAdmin(Gardee, EnMots, PortailAdmin):
    form = RegieForm
    inlines = [ProduitInline]
    list_display = ["nom", "regime", "services", "payfip"]
    search_fields = ["nom__unaccent", "code"]
    lectures = {"moyens_acceptes": "moyens_en_clair"}
    au_lieu = "des services ou des factures en dépendent."
    fieldsets = [
        (None, {"fields": [("nom", "code"), "regime", ("contact", "telephone"), "ordre"]}),
        (
            "Factures",
            {
                "fields": [
                    ("minimum", "solde_en_decembre"),
                    "jours_echeance",
                    "reference",
                    "moyens_acceptes",
                    "moyens",
                    "mentions",
                ],
                "description": "Ce qui change ici vaut pour les prochaines factures\u00a0: celles qui sont émises "
                "gardent ce qu'elles disent.",
            },
        ),
        (
            "Paiement en ligne (PayFiP)",
            {
                "fields": ["payfip", ("payfip_client", "payfip_saisie"), "payfip_jours"],
                "description": "Le n° client est donné par la DGFiP à l'adhésion. Commencez en mode «\u00a0Test\u00a0»"
                "\u00a0: aucun paiement n'est réel.",
            },
        ),
        (
            "Titres et rôles (ORMC)",
            {"fields": ["code_recette", "signataire"], "description": "Ne sert qu'à ce que la trésorerie encaisse."},
        ),
        (
            "Prélèvement",
            {
                "fields": ["ics", "titulaire", ("iban", "bic"), ("dft_service", "dft_comptable"), "dft_adresse"],
                "description": "Le compte qui reçoit les prélèvements, et l'identifiant donné par la Banque de France. "
                "Au Trésor (DFT), le fichier se dépose sur le portail de la DGFiP.",
            },
        ),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("produits__service")

    def get_readonly_fields(self, request, obj=None):
        """Exports and files are named after the code."""
        lecture = super().get_readonly_fields(request, obj)
        return [*lecture, "code"] if obj else lecture

    @admin.display(description="services")
    def services(self, regie):
        noms = [produit.service.nom for produit in regie.produits.all()]
        return enumerer(noms) if noms else "–"

    @admin.display(description="moyens acceptés")
    def moyens_en_clair(self, regie):
        return enumerer(Moyen(moyen).label for moyen in regie.moyens_acceptes) if regie.moyens_acceptes else "–"
