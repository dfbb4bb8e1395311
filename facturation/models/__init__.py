from facturation.models.attestations import AttestationFiscale
from facturation.models.campagnes import Anomalie, Campagne, DecisionJour, LotCampagne
from facturation.models.comptes import Ecriture, Imputation, Reglement, Remise
from facturation.models.factures import AvisFacture, Compteur, Facture, LigneFacture, PdfFacture
from facturation.models.grilles import AideFamille, Grille, MajorationGrille, Tarif, TrancheTarif
from facturation.models.paiements import TentativePaiement
from facturation.models.prelevements import LotPrelevement, Mandat, Prelevement
from facturation.models.regies import Moyen, Produit, Regie
from facturation.models.simulation import OperationSimulee
from facturation.models.suivi import SuiviFacture, SuiviReglement
from facturation.models.titres import Article, Role, VersementTitre

__all__ = [
    "AideFamille",
    "Anomalie",
    "Article",
    "AttestationFiscale",
    "AvisFacture",
    "Campagne",
    "Compteur",
    "DecisionJour",
    "Ecriture",
    "Facture",
    "Grille",
    "Imputation",
    "LigneFacture",
    "LotCampagne",
    "LotPrelevement",
    "MajorationGrille",
    "Mandat",
    "Moyen",
    "OperationSimulee",
    "PdfFacture",
    "Prelevement",
    "Produit",
    "Regie",
    "Reglement",
    "Remise",
    "Role",
    "SuiviFacture",
    "SuiviReglement",
    "Tarif",
    "TentativePaiement",
    "TrancheTarif",
    "VersementTitre",
]
