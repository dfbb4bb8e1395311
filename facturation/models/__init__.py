from facturation.models.comptes import Ecriture, Imputation, Reglement, Remise
from facturation.models.factures import Compteur, Facture, LigneFacture, PdfFacture
from facturation.models.grilles import AideFamille, Grille, MajorationGrille, Tarif, TrancheTarif
from facturation.models.regies import Produit, Regie
from facturation.models.titres import Article, Role

__all__ = [
    "AideFamille",
    "Article",
    "Compteur",
    "Ecriture",
    "Facture",
    "Grille",
    "Imputation",
    "LigneFacture",
    "MajorationGrille",
    "PdfFacture",
    "Produit",
    "Regie",
    "Reglement",
    "Remise",
    "Role",
    "Tarif",
    "TrancheTarif",
]
