"""Money: one way to print it, one way to round it."""

from decimal import ROUND_HALF_UP, Decimal

CENTIME = Decimal("0.01")


def arrondir(montant: Decimal) -> Decimal:
    """Half a cent goes up, as on every invoice of the commune."""
    return montant.quantize(CENTIME, ROUND_HALF_UP)


def euros(montant: Decimal | str) -> str:
    """« 1 234,50 € », with spaces that do not break."""
    texte = f"{arrondir(Decimal(montant)):,.2f}"
    return texte.translate({ord(","): "\u202f", ord("."): ","}) + "\u00a0€"
