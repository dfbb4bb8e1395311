"""Where the papers of an invoice are read."""

from django.urls import NoReverseMatch, reverse

from facturation.models import Facture


def adresse_pdf(facture: Facture) -> str:
    """Address of the document of an issued invoice, "" of a draft."""
    if not facture.numero:
        return ""
    try:
        return reverse("facture_pdf", args=[facture.uuid])
    except NoReverseMatch:
        return ""
