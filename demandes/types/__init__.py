"""The kinds of demandes, one class each. To add one: copy one, give it a form, list it here."""

from demandes.types.base import MES_ENFANTS, MON_COMPTE, RUBRIQUES, TypeDemande
from demandes.types.compte import CoordonneesBancaires, InfosCaf, InfosConjoint, InfosFiscales, InfosResponsable
from demandes.types.enfants import AjoutEnfant, Autorisations, DonneesSanitaires, EtatCivil, InformationsEnfant
from demandes.types.inscription import Inscriptions
from demandes.types.planning import Absences, Reservations

TYPES: dict[str, type[TypeDemande]] = {
    genre.code: genre
    for genre in (
        InfosResponsable,
        InfosConjoint,
        InfosFiscales,
        InfosCaf,
        CoordonneesBancaires,
        EtatCivil,
        Autorisations,
        InformationsEnfant,
        DonneesSanitaires,
        AjoutEnfant,
        Inscriptions,
        Reservations,
        Absences,
    )
}

# Those that change the file, each by one form; the others ask for days, or for a service of a year.
DU_DOSSIER = {code: genre for code, genre in TYPES.items() if not genre.au_planning and not genre.par_objet}

__all__ = ["DU_DOSSIER", "MES_ENFANTS", "MON_COMPTE", "RUBRIQUES", "TYPES", "TypeDemande", "types_de"]


def types_de(rubrique: str) -> list[type[TypeDemande]]:
    return [genre for genre in TYPES.values() if genre.rubrique == rubrique]
