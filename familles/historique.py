"""What changed in a family's file, when and by whom, as the database triggers recorded it."""

from django.db.models import Q

from familles.champs import masquer_iban
from familles.models import (
    CoordonneesBancaires,
    DossierCaf,
    Famille,
    QuotientFamilial,
    Responsable,
    SituationFiscale,
    Utilisateur,
)
from portail.outils import historique
from portail.outils.historique import Changement, Suivi


def changements(famille: Famille) -> list[Changement]:
    """Every change of the file's rows, the newest first; bank numbers masked."""
    comptes = list(Utilisateur.objects.filter(responsable__famille=famille).values_list("pk", flat=True))
    siennes = Q(famille=famille)
    suivis = [
        Suivi(Famille, Q(id=famille.pk)),
        Suivi(Utilisateur, Q(id__in=comptes)),
        *(Suivi(modele, siennes) for modele in (Responsable, SituationFiscale, DossierCaf)),
        Suivi(QuotientFamilial, siennes, resume=lambda quotient: f"quotient familial {quotient.valeur}"),
        Suivi(CoordonneesBancaires, siennes, textes={"iban": masquer_iban}),
    ]
    return historique.changements(suivis, noms_des_comptes)


def noms_des_comptes(cles: set) -> dict:
    """Key of each account -> its name."""
    return {compte.pk: str(compte) for compte in Utilisateur.objects.filter(pk__in=cles)}
