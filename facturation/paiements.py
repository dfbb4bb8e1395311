"""How an invoice is paid on line."""

from datetime import date

from facturation.models import Facture


def moyen_de_payer(facture: Facture, aujourdhui: date):
    """What the page of the invoice offers; None where nothing is."""
    return
