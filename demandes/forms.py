"""Forms of the demandes: filled by the parent, validated once more when the agent accepts."""

from datetime import date, datetime
from decimal import Decimal

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Fieldset, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from schwifty import IBAN

from familles.champs import (
    BicField,
    CodePostalField,
    CourrielField,
    IbanField,
    NomField,
    TelephoneField,
    masquer_iban,
)
from familles.models import QuotientFamilial, Responsable, SituationFiscale
from portail.outils.argent import euros
from portail.outils.dates import MOIS, jour


def en_json(valeur):
    """One JSON form for each cleaned value, so that « before » and « now » compare."""
    if valeur is None:
        return ""
    if isinstance(valeur, Decimal):
        return f"{valeur.normalize():f}"
    if isinstance(valeur, date):
        return valeur.isoformat()
    return valeur if isinstance(valeur, bool) else str(valeur)


class DemandeForm(forms.Form):
    """Base of the forms: shows today's values, tells what changed, prints any of its values.

    :param actuelles: values of the file, in JSON form.
    :param demandeur: the Utilisateur who asks.
    :param adulte: the Responsable whose sheet it is, None when it is to be added.
    """

    def __init__(self, *args, actuelles, demandeur, adulte=None, **kwargs):
        self.actuelles, self.demandeur, self.adulte = actuelles, demandeur, adulte
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.layout = Layout(*(self._groupe(titre, noms) for titre, noms in self.groupes()))

    def _groupe(self, titre, noms):
        """Fields side by side on a desk, one under the other on a phone."""
        return Fieldset(titre, Div(*(nom for nom in noms if nom in self.fields), css_class="grille-champs"))

    @classmethod
    def groupes(cls):
        """``(legend, field names)`` in the order of the page."""
        raise NotImplementedError

    def changees(self) -> dict:
        """The values, in JSON form, that differ from the file's; to call once valid."""
        saisies = {nom: en_json(valeur) for nom, valeur in self.cleaned_data.items()}
        return {nom: valeur for nom, valeur in saisies.items() if valeur != self.actuelles.get(nom, "")}

    @classmethod
    def afficher(cls, nom: str, valeur) -> str:
        """A JSON value as a person reads it."""
        champ = cls.base_fields.get(nom)
        if isinstance(valeur, bool):
            return "Oui" if valeur else "Non"
        if isinstance(champ, forms.ChoiceField):
            return dict(champ.choices).get(valeur, valeur)
        if isinstance(champ, MoisField) and valeur:
            return afficher_mois(date.fromisoformat(valeur))
        if isinstance(champ, forms.DateField) and valeur:
            return jour(date.fromisoformat(valeur), semaine=False)
        if isinstance(champ, EurosField) and valeur:
            return euros(valeur)
        return str(valeur)


def afficher_mois(valeur: date) -> str:
    """« octobre 2026 »."""
    return f"{MOIS[valeur.month - 1]} {valeur.year}"


class EurosField(forms.DecimalField):
    """An amount in euros, « 1 234,50 » or « 1234.5 »."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def __init__(self, **options):
        erreurs = {"invalid": "Écrivez un nombre, par exemple 745,20."}
        super().__init__(**{"max_digits": 9, "decimal_places": 2, "min_value": 0, "error_messages": erreurs, **options})

    def to_python(self, valeur):
        if isinstance(valeur, str):
            valeur = "".join(valeur.replace("€", "").split()).replace(",", ".")
        return super().to_python(valeur)

    def prepare_value(self, valeur):
        """« 812 », « 745,20 », and what was typed wrong as it was typed."""
        try:
            nombre = Decimal(str(valeur))
        except ArithmeticError:
            return valeur
        texte = f"{nombre:f}" if nombre == nombre.to_integral_value() or self.max_digits < 5 else f"{nombre:.2f}"
        return texte.replace(".", ",")


class MoisField(forms.DateField):
    """A month, « 10/2026 »; its value is the first day."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "placeholder": "MM/AAAA", "autocomplete": "off"})

    def __init__(self, **options):
        erreurs = {"invalid": "Écrivez le mois sous la forme 10/2026."}
        super().__init__(**{"input_formats": ["%m/%Y", "%Y-%m-%d"], "error_messages": erreurs, **options})

    def to_python(self, valeur):
        valeur = super().to_python("".join(valeur.split()) if isinstance(valeur, str) else valeur)
        return valeur.replace(day=1) if valeur else valeur

    def prepare_value(self, valeur):
        if isinstance(valeur, str) and len(valeur) == 10 and valeur[4] == "-":
            valeur = date.fromisoformat(valeur)
        return f"{valeur:%m/%Y}" if isinstance(valeur, date | datetime) else valeur


class NumeroField(forms.RegexField):
    """A number as printed on a letter: spaces and small letters are understood."""

    def to_python(self, valeur):
        return super().to_python("".join((valeur or "").split()).upper())


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


class QuotientDecisionForm(forms.Form):
    """What the agent adds when a quotient is accepted: when it counts, where it was read."""

    effet = forms.DateField(label="Date d'effet", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    expiration = forms.DateField(
        label="Valable jusqu'au", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def clean_effet(self):
        effet = self.cleaned_data["effet"]
        if abs(effet.year - timezone.localdate().year) > 5:
            raise ValidationError("Cette date est trop loin d'aujourd'hui.")
        return effet

    def clean(self):
        donnees = super().clean()
        if donnees.get("effet") and donnees.get("expiration") and donnees["expiration"] < donnees["effet"]:
            self.add_error("expiration", "La fin de validité vient avant la date d'effet.")
        return donnees


class CafDecisionForm(QuotientDecisionForm):
    source = forms.ChoiceField(
        label="Quotient lu sur",
        choices=[
            (QuotientFamilial.Source.ATTESTATION, QuotientFamilial.Source.ATTESTATION.label),
            (QuotientFamilial.Source.CDAP, QuotientFamilial.Source.CDAP.label),
        ],
    )


class RefusForm(forms.Form):
    motif = forms.CharField(
        label="Raison donnée à la famille",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Dites à la famille pourquoi sa demande est refusée."},
    )
