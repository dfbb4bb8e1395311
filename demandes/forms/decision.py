"""What an agent adds to an answer."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from familles.models import QuotientFamilial


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


class JoursDecisionForm(forms.Form):
    """The days of a planning demande that the agent accepts; the others are refused, with a word that says why."""

    jours = forms.TypedMultipleChoiceField(
        label="Jours acceptés",
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Cochez au moins un jour, ou refusez la demande."},
    )

    def __init__(self, *args, initial=None, **kwargs):
        """:param initial: ``choix``: (key, label) of each pending day; ``jours``: keys ticked at first."""
        initial = dict(initial or {})
        choix = initial.pop("choix", [])
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["jours"].choices = choix

    def clean_jours(self):
        return set(self.cleaned_data["jours"])
