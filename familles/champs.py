"""Form fields of the family file: what is typed is checked, then written one way."""

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException


class NomField(forms.CharField):
    """A first or last name: spaces folded, a first capital given back to « dupont » and « DUPONT »."""

    def __init__(self, **options):
        super().__init__(**{"max_length": 80, **options})

    def to_python(self, valeur):
        valeur = " ".join(super().to_python(valeur).split())
        return valeur.title() if valeur.islower() or (valeur.isupper() and len(valeur) > 1) else valeur


class TelephoneField(forms.CharField):
    """A phone number, French unless it starts with +; written « 06 12 34 56 78 »."""

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"})

    def __init__(self, **options):
        super().__init__(**{"max_length": 30, **options})

    def to_python(self, valeur):
        valeur = super().to_python(valeur)
        if not valeur:
            return valeur
        try:
            numero = phonenumbers.parse(valeur, "FR")
        except phonenumbers.NumberParseException:
            numero = None
        if numero is None or not _est_complet(numero):
            raise ValidationError("Écrivez un numéro de téléphone complet, par exemple 06 12 34 56 78.")
        francais = numero.country_code == 33
        forme = phonenumbers.PhoneNumberFormat.NATIONAL if francais else phonenumbers.PhoneNumberFormat.INTERNATIONAL
        return phonenumbers.format_number(numero, forme)


def _est_complet(numero):
    """All its digits, and no extension: the columns and the phones of the mairie know none."""
    if numero.extension or not phonenumbers.is_possible_number(numero):
        return False
    return numero.country_code != 33 or len(str(numero.national_number)) == 9


class CodePostalField(forms.RegexField):
    """Five digits; « 18 110 » is understood."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "postal-code"})

    def __init__(self, **options):
        erreurs = {"invalid": "Écrivez les cinq chiffres du code postal."}
        super().__init__(r"^[0-9]{5}$", **{"error_messages": erreurs, **options})

    def to_python(self, valeur):
        return super().to_python("".join((valeur or "").split()))


class CourrielField(forms.EmailField):
    """An e-mail address, in small letters: « Claire@Exemple.FR » is the same box."""

    widget = forms.EmailInput(attrs={"autocomplete": "email"})

    def __init__(self, **options):
        erreurs = {"invalid": "Écrivez une adresse e-mail complète, par exemple nom@exemple.fr."}
        super().__init__(**{"max_length": 254, "error_messages": erreurs, **options})

    def to_python(self, valeur):
        return super().to_python(valeur).lower()


class IbanField(forms.CharField):
    """An IBAN whose key is right, in the SEPA zone; written without spaces."""

    def __init__(self, **options):
        attributs = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        super().__init__(**{"max_length": 50, "widget": forms.TextInput(attrs=attributs), **options})

    def to_python(self, valeur):
        valeur = super().to_python(valeur)
        if not valeur:
            return valeur
        try:
            iban = IBAN("".join(valeur.split()), validate_bban=True)
        except SchwiftyException as erreur:
            raise ValidationError(
                "Cet IBAN n'est pas valable : comparez chaque caractère avec votre relevé d'identité bancaire."
            ) from erreur
        if not iban.in_sepa_zone:
            raise ValidationError("Cet IBAN est hors de la zone SEPA : il ne peut pas être prélevé.")
        return iban.compact


class BicField(forms.CharField):
    """A BIC of 8 or 11 characters."""

    def __init__(self, **options):
        super().__init__(**{"max_length": 15, **options})

    def to_python(self, valeur):
        valeur = "".join(super().to_python(valeur).split()).upper()
        if not valeur:
            return valeur
        try:
            return BIC(valeur).compact
        except SchwiftyException as erreur:
            raise ValidationError("Ce BIC n'est pas valable : il compte 8 ou 11 caractères.") from erreur


def masquer_iban(iban: str) -> str:
    """« FR14 •••• 2606 »: enough to recognise one's account, not to use it."""
    return f"{iban[:4]} •••• {iban[-4:]}" if iban else ""
