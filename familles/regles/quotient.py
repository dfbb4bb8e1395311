"""Rules of the quotient familial: values in, values out."""

from calendar import monthrange
from datetime import date
from decimal import ROUND_HALF_UP, Decimal


def depuis_avis(revenu_fiscal: Decimal, parts: Decimal, abattement: Decimal = Decimal(0)) -> Decimal:
    """Quotient from a tax notice, by the commune's formula: income less a rebate, per month and per part.

    :param revenu_fiscal: revenu fiscal de référence, euros a year.
    :param parts: number of tax parts, above 0.
    :param abattement: rebate in per cent (0 to 50).
    :return: euros, rounded half up to the cent.
    """
    mensuel = revenu_fiscal * (100 - abattement) / 100 / 12
    return (mensuel / parts).quantize(Decimal("0.01"), ROUND_HALF_UP)


def effet_par_defaut(jour: date) -> date:
    """A quotient accepted on ``jour`` counts from the first of the next month."""
    return date(jour.year + jour.month // 12, jour.month % 12 + 1, 1)


def expiration_par_defaut(effet: date, mois_fin: int) -> date:
    """Last day of the first month numbered ``mois_fin`` (1 to 12) that ends on or after ``effet``."""
    annee = effet.year + (mois_fin < effet.month)
    return date(annee, mois_fin, monthrange(annee, mois_fin)[1])
