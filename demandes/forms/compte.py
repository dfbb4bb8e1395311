"""Forms of « Mon compte »."""

from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from schwifty import IBAN

from demandes.forms.base import DemandeForm, EurosField, MoisField, NumeroField
from familles.champs import (
    BicField,
    CodePostalField,
    CourrielField,
    IbanField,
    NomField,
    TelephoneField,
    masquer_iban,
)
from familles.models import Responsable, SituationFiscale


class AdulteForm(DemandeForm):
    civilite = forms.ChoiceField(
        label="Civilité", choices=[("", "Non précisée"), *Responsable.Civilite.choices], required=False
    )
    prenom = NomField(label="Prénom", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    nom = NomField(label="Nom", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    telephone_mobile = TelephoneField(
        label="Téléphone mobile", required=False, help_text="Un numéro au moins, mobile, fixe ou au travail."
    )
    telephone_fixe = TelephoneField(label="Téléphone fixe", required=False)
    telephone_travail = TelephoneField(label="Téléphone au travail", required=False)
    courriel = CourrielField(label="Adresse e-mail", required=False)
    profession = forms.CharField(label="Profession", max_length=100, required=False)
    employeur = forms.CharField(label="Employeur", max_length=100, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        champ = self.fields["courriel"]
        if self.adulte is None or self.demandeur == self.adulte.utilisateur:
            champ.help_text = "Une nouvelle adresse compte quand vous avez suivi le lien que nous y envoyons."
        else:
            # Who changes an adult's address can take the account over: each one asks for their own.
            champ.disabled = True
            champ.help_text = f"Seul le compte de {self.adulte.utilisateur.prenom} peut changer cette adresse."

    @classmethod
    def groupes(cls):
        return [
            ("Identité", ["civilite", "prenom", "nom"]),
            ("Pour vous joindre", ["telephone_mobile", "telephone_fixe", "telephone_travail", "courriel"]),
            ("Travail", ["profession", "employeur"]),
        ]

    def clean_courriel(self):
        courriel = self.cleaned_data["courriel"]
        if self.actuelles.get("courriel") and not courriel:
            raise ValidationError("Gardez une adresse : elle sert à retrouver votre accès. Vous pouvez la remplacer.")
        return courriel

    def clean(self):
        donnees = super().clean()
        telephones = ("telephone_mobile", "telephone_fixe", "telephone_travail")
        if not any(donnees.get(nom) or nom in self.errors for nom in telephones):
            self.add_error("telephone_mobile", "Donnez au moins un numéro où vous joindre en cas d'urgence.")
        return donnees


class ResponsableForm(AdulteForm):
    adresse = forms.CharField(
        label="Numéro et voie",
        max_length=160,
        widget=forms.TextInput(attrs={"autocomplete": "address-line1"}),
    )
    complement = forms.CharField(
        label="Complément d'adresse", max_length=160, required=False, help_text="Bâtiment, étage, lieu-dit."
    )
    code_postal = CodePostalField(label="Code postal")
    ville = forms.CharField(
        label="Commune", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "address-level2"})
    )

    @classmethod
    def groupes(cls):
        identite, joindre, travail = super().groupes()
        return [identite, joindre, ("Adresse du foyer", ["adresse", "complement", "code_postal", "ville"]), travail]


class ConjointForm(AdulteForm):
    pass


class FiscalesForm(DemandeForm):
    regime = forms.ChoiceField(
        label="Régime allocataire", choices=[("", "Non précisé"), *SituationFiscale.Regime.choices], required=False
    )
    non_communique = forms.BooleanField(
        label="Je ne communique pas mes revenus",
        required=False,
        help_text="Le tarif de la tranche la plus haute s'applique alors.",
    )
    numero_fiscal = NumeroField(
        r"^[0-9]{13}$",
        label="Numéro fiscal",
        required=False,
        help_text="13 chiffres, en haut de votre avis d'imposition.",
        error_messages={"invalid": "Le numéro fiscal compte 13 chiffres."},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    annee = forms.IntegerField(
        label="Année des revenus",
        required=False,
        min_value=2000,
        max_value=2100,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    revenu_fiscal = EurosField(label="Revenu fiscal de référence (€)", required=False)
    parts = EurosField(label="Nombre de parts", required=False, max_digits=4, min_value=Decimal("0.5"), max_value=20)

    @classmethod
    def groupes(cls):
        return [
            ("Votre régime", ["regime"]),
            ("Votre avis d'imposition", ["numero_fiscal", "annee", "revenu_fiscal", "parts", "non_communique"]),
        ]

    @classmethod
    def afficher(cls, nom, valeur):
        return str(valeur).replace(".", ",") if nom == "parts" else super().afficher(nom, valeur)

    def clean_annee(self):
        annee = self.cleaned_data["annee"]
        if annee and annee >= timezone.localdate().year:
            raise ValidationError("Les revenus de cette année ne sont pas encore imposés.")
        return annee

    def clean(self):
        donnees = super().clean()
        if not donnees.get("non_communique") and bool(donnees.get("revenu_fiscal")) != bool(donnees.get("parts")):
            manque = "parts" if donnees.get("revenu_fiscal") else "revenu_fiscal"
            if manque not in self.errors and not {"parts", "revenu_fiscal"} & set(self.errors):
                self.add_error(manque, "Le revenu et le nombre de parts vont ensemble.")
        return donnees


class CafForm(DemandeForm):
    caisse = forms.CharField(label="Caisse", max_length=60, required=False, help_text="Par exemple : CAF du Cher, MSA.")
    numero_allocataire = NumeroField(
        r"^[0-9A-Z]{5,15}$",
        label="Numéro d'allocataire",
        required=False,
        error_messages={"invalid": "Le numéro d'allocataire compte 5 à 15 chiffres ou lettres."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    quotient = EurosField(label="Quotient familial (€)", required=False, max_digits=8)
    mois = MoisField(label="Mois du quotient", required=False, help_text="Celui de l'attestation, par exemple 10/2026.")
    non_communique = forms.BooleanField(
        label="Je ne communique pas mon quotient",
        required=False,
        help_text="Le tarif de la tranche la plus haute s'applique alors.",
    )

    @classmethod
    def groupes(cls):
        return [
            ("Votre dossier", ["caisse", "numero_allocataire"]),
            ("Votre quotient familial", ["quotient", "mois", "non_communique"]),
        ]

    def clean(self):
        donnees = super().clean()
        if donnees.get("non_communique"):
            donnees["quotient"] = donnees["mois"] = None
        elif donnees.get("quotient") is not None and not donnees.get("mois") and "mois" not in self.errors:
            self.add_error("mois", "Dites de quel mois est ce quotient.")
        elif donnees.get("mois") and donnees["mois"] > timezone.localdate():
            self.add_error("mois", "Ce mois n'est pas encore commencé.")
        elif self.actuelles.get("quotient") and donnees.get("quotient") is None and "quotient" not in self.errors:
            self.add_error("quotient", "Indiquez un quotient, ou cochez « Je ne communique pas mon quotient ».")
        return donnees


class BancairesForm(DemandeForm):
    """The IBAN on file is never printed whole; left empty, it stays."""

    titulaire = forms.CharField(
        label="Titulaire du compte", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    iban = IbanField(label="IBAN", required=False)
    bic = BicField(label="BIC", required=False, help_text="Vous pouvez le laisser vide : l'IBAN suffit souvent.")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.iban_garde = self.initial.pop("iban", "")
        self.fields["iban"].required = not self.iban_garde
        if self.iban_garde:
            masque = masquer_iban(self.iban_garde)
            self.fields["iban"].help_text = f"Actuellement {masque}. Laissez vide pour ne pas le changer."

    @classmethod
    def groupes(cls):
        return [("Votre compte bancaire", ["titulaire", "iban", "bic"])]

    @classmethod
    def afficher(cls, nom, valeur):
        return IBAN(valeur).formatted if nom == "iban" and valeur else super().afficher(nom, valeur)

    def clean(self):
        donnees = super().clean()
        if "iban" in self.errors:
            return donnees
        donnees["iban"] = donnees.get("iban") or self.iban_garde
        if not donnees["iban"]:
            self.add_error("iban", "Recopiez l'IBAN de votre relevé d'identité bancaire.")
        elif donnees["iban"] != self.iban_garde and not donnees.get("bic") and "bic" not in self.errors:
            donnees["bic"] = str(IBAN(donnees["iban"]).bic or "")
        return donnees
