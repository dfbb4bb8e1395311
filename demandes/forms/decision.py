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
