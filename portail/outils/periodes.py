"""Dated rows: valid from a day to a day, both included, an open end for ever."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q


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
