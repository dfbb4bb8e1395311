"""Sums that are shared: a payment over invoices, an invoice over payers. What is shared is found again, to the cent."""

from collections.abc import Hashable, Iterable
from decimal import ROUND_DOWN, Decimal

from portail.outils.argent import CENTIME


def repartir(
    montant: Decimal, dus: Iterable[tuple[Hashable, Decimal]]
) -> tuple[list[tuple[Hashable, Decimal]], Decimal]:
    """Pay what is due, in the order given; returns the parts and what is left over.

    :param montant: euros received, zero or more.
    :param dus: (invoice, what is still due of it), the oldest first; nothing is due of a credit.
    """
    parts = []
    for facture, du in dus:
        part = min(montant, du)
        if part > 0:
            parts.append((facture, part))
            montant -= part
    return parts, montant


def partager(montant: Decimal, pourcents: list[Decimal]) -> list[Decimal]:
    """The shares of several payers, in whole cents: those left over go to who is the furthest from its due.

    :param montant: euros, in whole cents; a credit is negative.
    :param pourcents: of each payer; a hundred together.
    :raises ValueError: they do not make a hundred.
    """
    if sum(pourcents) != 100 or any(pourcent < 0 for pourcent in pourcents):
        raise ValueError("Les parts ne font pas cent pour cent.")
    dus = [montant * pourcent / 100 for pourcent in pourcents]
    parts = [du.quantize(CENTIME, ROUND_DOWN) for du in dus]
    reste = montant - sum(parts)
    par_ecart = sorted(range(len(parts)), key=lambda rang: (-abs(dus[rang] - parts[rang]), rang))
    for rang in par_ecart[: int(abs(reste) / CENTIME)]:
        parts[rang] += CENTIME.copy_sign(reste)
    return parts
