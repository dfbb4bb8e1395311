"""Invoices with the lines one writes, for the papers."""

from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction

from facturation.actions import totaliser
from facturation.models import Facture, LigneFacture
from tests.facturation.essai import MOIS, emettre_essai


def ligne(libelle, prix, *, quantite=1, enfant=None, genre="PRESTATION", **colonnes) -> dict:
    """The columns of a line."""
    prix = Decimal(prix)
    prenom = enfant.prenom if enfant else ""
    calcules = {"quantite": quantite, "prix": prix, "montant": quantite * prix}
    return {"libelle": libelle, "enfant": enfant, "prenom": prenom, "genre": genre, **calcules, **colonnes}


@transaction.atomic
def facturer(famille, regie, *lignes, mois=MOIS, emise_le=date(2026, 11, 2), emise=True) -> Facture:
    """An invoice of these lines, issued or a draft."""
    facture = Facture.objects.create(famille=famille, regie=regie, mois=mois, exercice=emise_le.year)
    LigneFacture.objects.bulk_create(
        LigneFacture(facture=facture, rang=rang, **colonnes) for rang, colonnes in enumerate(lignes)
    )
    totaliser(facture)
    if emise:
        emettre_essai(facture, emise_le, emise_le + timedelta(days=30))
    return facture
