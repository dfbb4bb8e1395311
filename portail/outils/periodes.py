"""Dated rows: valid from a day to a day, both included, an open end for ever."""

from itertools import pairwise

from django import forms
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.forms.models import BaseInlineFormSet


class PeriodeQuerySet(models.QuerySet):
    def en_vigueur(self, jour):
        """Rows valid on ``jour`` (a date)."""
        return self.filter(Q(valable_au__gte=jour) | Q(valable_au=None), valable_du__lte=jour)


class _Periode(Func):
    function = "DATERANGE"
    output_field = DateRangeField()


def sans_recouvrement(*champs: str, nom: str, phrase: str) -> ExclusionConstraint:
    """No two rows of the same ``champs`` valid on the same day; ``phrase`` is what the agent reads."""
    periode = _Periode(F("valable_du"), F("valable_au"), RangeBoundary(inclusive_lower=True, inclusive_upper=True))
    return ExclusionConstraint(
        name=nom,
        expressions=[(champ, RangeOperators.EQUAL) for champ in champs] + [(periode, RangeOperators.OVERLAPS)],
        violation_error_message=phrase,
    )


def dans_l_ordre(nom: str) -> models.CheckConstraint:
    """The end does not come before the start."""
    return models.CheckConstraint(
        condition=Q(valable_au=None) | Q(valable_au__gte=F("valable_du")),
        name=nom,
        violation_error_message="La fin vient avant le début.",
    )


class PeriodeForm(forms.ModelForm):
    """Tells an end before its start beside the field: PostgreSQL would refuse the range before any sentence."""

    def clean(self):
        donnees = super().clean()
        du, au = donnees.get("valable_du"), donnees.get("valable_au")
        if du and au and au < du:
            self.add_error("valable_au", "La fin vient avant le début.")
        return donnees


class LigneForm(PeriodeForm):
    """A dated row among those of its parent: PeriodesFormSet looks for overlaps."""

    lien = ""  # the field that leads to the parent

    def validate_constraints(self):
        """Not against the database: one row may be cut short in the same breath as the next is added."""
        try:
            self.instance.validate_constraints(exclude={*self._get_validation_exclusions(), self.lien})
        except forms.ValidationError as erreur:
            self._update_errors(erreur)


class PeriodesFormSet(BaseInlineFormSet):
    """All the dated rows of a parent: no two of the same ``cle`` on one day, whatever the order of the changes."""

    cle: tuple[str, ...] = ()
    phrase = ""

    def _construct_form(self, i, **kwargs):
        form = super()._construct_form(i, **kwargs)
        form.lien = self.fk.name
        return form

    def lignes(self) -> list[dict]:
        """Cleaned values of the rows that will stay."""
        formulaires = [form for form in self.forms if form not in self.deleted_forms]
        return [form.cleaned_data for form in formulaires if form.is_valid() and form.cleaned_data.get("valable_du")]

    def clean(self):
        super().clean()
        par_cle = {}
        for ligne in sorted(self.lignes(), key=lambda ligne: ligne["valable_du"]):
            par_cle.setdefault(tuple(ligne[nom] for nom in self.cle), []).append(ligne)
        for suite in par_cle.values():
            for avant, apres in pairwise(suite):
                if avant["valable_au"] is None or apres["valable_du"] <= avant["valable_au"]:
                    raise forms.ValidationError(self.phrase)
