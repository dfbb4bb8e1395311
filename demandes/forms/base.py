"""What the forms of the demandes share: filled by the parent, validated once more when the agent accepts."""

from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Field, Fieldset, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import BaseFormSet
from django.template.loader import render_to_string

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
    return valeur if isinstance(valeur, bool | list | dict) else str(valeur)


class DemandeForm(forms.Form):
    """Base of the forms: shows today's values, tells what changed, prints any of its values.

    :param actuelles: values of the file, in JSON form.
    :param demandeur: the Utilisateur who asks.
    :param adulte: the Responsable whose sheet it is, None when it is to be added.
    :param enfant: the child whose file it is, None when the demande is not about one.
    """

    def __init__(self, *args, actuelles, demandeur, adulte=None, enfant=None, **kwargs):
        self.actuelles, self.demandeur, self.adulte, self.enfant = actuelles, demandeur, adulte, enfant
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.layout = Layout(*(self._groupe(titre, noms) for titre, noms in self.groupes()))

    def _groupe(self, titre, noms):
        """Fields side by side on a desk, one under the other on a phone; a table of its own has the whole width."""
        noms = [nom for nom in noms if nom in self.fields]
        larges = {nom: getattr(self.fields[nom], "gabarit", None) for nom in noms}
        champs = [nom if not larges[nom] else Field(nom, template=larges[nom]) for nom in noms]
        if any(larges.values()):
            return Fieldset(titre, *champs)
        return Fieldset(titre, Div(*champs, css_class="grille-champs"))

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
        if isinstance(champ, forms.MultipleChoiceField):
            return ", ".join(libelle for code, libelle in champ.choices if code in valeur) or "Aucun"
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
        """« 10/2026 », and what was typed wrong as it was typed."""
        if isinstance(valeur, str) and len(valeur) == 10 and valeur[4] == "-":
            with suppress(ValueError):
                valeur = date.fromisoformat(valeur)
        return f"{valeur:%m/%Y}" if isinstance(valeur, date | datetime) else valeur


class NumeroField(forms.RegexField):
    """A number as printed on a letter: spaces and small letters are understood."""

    def to_python(self, valeur):
        return super().to_python("".join((valeur or "").split()).upper())


class JourField(forms.DateField):
    """A day, of the calendar of the phone or typed « 14/03/2024 »."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def __init__(self, **options):
        erreurs = {"invalid": "Écrivez une date sous la forme 14/03/2024."}
        super().__init__(**{"error_messages": erreurs, **options})

    def to_python(self, valeur):
        valeur = super().to_python(valeur)
        if valeur and not 1900 <= valeur.year <= 2100:
            raise ValidationError(self.error_messages["invalid"])
        return valeur


class OuiNonField(forms.ChoiceField):
    """An authorisation: given or refused, never assumed. Its value is True, False, or "" while nobody said."""

    widget = forms.RadioSelect

    def __init__(self, **options):
        erreurs = {"required": "Répondez par oui ou par non."}
        super().__init__(**{"choices": [("oui", "Oui"), ("non", "Non")], "error_messages": erreurs, **options})

    def prepare_value(self, valeur):
        return {True: "oui", False: "non"}.get(valeur, valeur) if isinstance(valeur, bool) else valeur

    def clean(self, valeur):
        valeur = super().clean(self.prepare_value(valeur))
        return {"oui": True, "non": False}.get(valeur, "")


class LignesWidget(forms.Widget):
    """Rows of a small form each: a formset within a field."""

    def __init__(self, formset: type[BaseFormSet], gabarit: str):
        super().__init__()
        self.formset, self.gabarit = formset, gabarit

    def value_from_datadict(self, data, files, name):
        # The values of a demande are validated again when it is accepted: they are rows already.
        return self.formset(data, prefix=name) if hasattr(data, "getlist") else data.get(name)

    def render(self, name, value, attrs=None, renderer=None):
        lignes = value if isinstance(value, BaseFormSet) else self.formset(initial=value or [], prefix=name)
        return render_to_string(self.gabarit, {"lignes": lignes, "attrs": attrs or {}})


class LignesField(forms.Field):
    """A list of rows, added, changed and removed together: its value is a list of dicts in JSON form.

    :param formulaire: the form of a row.
    :param gabarit_lignes: template that prints the formset ``lignes``.
    """

    gabarit = "composants/_champ_large.html"

    def __init__(self, formulaire: type[forms.Form], *, gabarit_lignes: str, maximum: int, **options):
        self.formset = forms.formset_factory(
            formulaire, extra=1, can_delete=True, max_num=maximum, validate_max=True, absolute_max=maximum + 5
        )
        super().__init__(**{"widget": LignesWidget(self.formset, gabarit_lignes), "required": False, **options})

    def clean(self, valeur):
        lignes = valeur if isinstance(valeur, BaseFormSet) else self._liees(valeur or [])
        if not lignes.is_valid():
            raise ValidationError(["Corrigez les lignes signalées.", *lignes.non_form_errors()])
        return [
            {nom: en_json(v) for nom, v in ligne.cleaned_data.items() if nom != "DELETE"}
            for ligne in lignes
            if ligne.has_changed() and not ligne.cleaned_data.get("DELETE")
        ]

    def _liees(self, valeurs):
        """The formset of rows that come as a list."""
        donnees = {"l-TOTAL_FORMS": len(valeurs), "l-INITIAL_FORMS": 0}
        for rang, ligne in enumerate(valeurs):
            donnees |= {f"l-{rang}-{nom}": valeur for nom, valeur in ligne.items()}
        return self.formset(donnees, prefix="l")


class DatesWidget(forms.Widget):
    """A day beside each line of a table."""

    lignes: list[tuple[str, str]] = ()  # (code, label), given by the form

    def value_from_datadict(self, data, files, name):
        if not hasattr(data, "getlist"):
            return data.get(name)
        return {code: data.get(f"{name}-{code}", "") for code, _ in self.lignes}

    def render(self, name, value, attrs=None, renderer=None):
        valeurs = value if isinstance(value, dict) else {}
        lignes = [(f"{name}-{code}", libelle, valeurs.get(code, "")) for code, libelle in self.lignes]
        return render_to_string("composants/_dates.html", {"lignes": lignes, "attrs": attrs or {}})


class DatesField(forms.Field):
    """Past days by code, ``{"rougeole": "2024-03-14"}``; the form gives the ``lignes`` of its widget."""

    gabarit = "composants/_champ_large.html"
    widget = DatesWidget

    def clean(self, valeur):
        jours, erreurs = {}, []
        for code, libelle in self.widget.lignes:
            saisi = (valeur or {}).get(code, "")
            try:
                lu = JourField(required=False).clean(saisi)
            except ValidationError as erreur:
                erreurs.append(f"{libelle} : {erreur.message}")
                continue
            if lu:
                jours[code] = lu
        if erreurs:
            raise ValidationError(erreurs)
        return {code: lu.isoformat() for code, lu in jours.items()}
