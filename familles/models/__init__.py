from familles.models.famille import AncienFoyer, Famille, Responsable
from familles.models.ressources import CoordonneesBancaires, DossierCaf, QuotientFamilial, SituationFiscale
from familles.models.utilisateur import OubliMotDePasse, Utilisateur

__all__ = [
    "AncienFoyer",
    "CoordonneesBancaires",
    "DossierCaf",
    "Famille",
    "OubliMotDePasse",
    "QuotientFamilial",
    "Responsable",
    "SituationFiscale",
    "Utilisateur",
]
