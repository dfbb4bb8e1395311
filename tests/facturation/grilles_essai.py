"""Grids voted for the tests, as rows: ``voter("restauration", "400:1,20", "800:2,30", "3,40")``."""

from datetime import date
from decimal import Decimal

from enfants.models import Service
from facturation.models import Grille, MajorationGrille, Produit, Regie, Tarif, TrancheTarif
from tests.facturation.tarifs_essai import dec, tranches

RENTREE = date(2026, 9, 1)


def voter(service: str, *bornes: str, du=RENTREE, au=None, majorations=(), **colonnes) -> Grille:
    """The grid of the service of this code: everybody's price, by brackets or, with one, the same for all.

    :param majorations: columns of MajorationGrille.
    """
    Grille.objects.filter(service__code=service).delete()  # the cast's own
    mots = {"mot": "repas", "mots": "repas"} if service == "restauration" else {}
    grille = Grille.objects.create(
        service=Service.objects.get(code=service),
        valable_du=du,
        valable_au=au,
        **{"deliberation": "2026-42", "votee_le": date(2026, 6, 12)} | mots | colonnes,
    )
    tarifer(grille, *bornes)
    for majoration in majorations:
        MajorationGrille.objects.create(grille=grille, **majoration)
    return grille


def tarifer(grille: Grille, *bornes: str, public="NORMAL", formule=None) -> Tarif:
    """One more price of a grid."""
    if len(bornes) == 1:
        return Tarif.objects.create(grille=grille, public=public, formule=formule, montant=dec(bornes[0]))
    tarif = Tarif.objects.create(grille=grille, public=public, formule=formule, calcul="TRANCHES")
    lues = tranches(*bornes).tranches
    TrancheTarif.objects.bulk_create(TrancheTarif(tarif=tarif, au=t.au, montant=t.montant) for t in lues)
    return tarif


def sans_tarifs() -> None:
    """The commune of the cast forgets its régies and its prices."""
    for modele in (Grille, Produit, Regie):
        modele.objects.all().delete()


TARD = {"cause": "RESERVE_TARD", "pourcent": Decimal(50)}
