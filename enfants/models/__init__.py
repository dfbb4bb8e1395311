from enfants.models.calendrier import JourFerie, PeriodeVacances
from enfants.models.ecole import Affectation, Classe, Ecole, Niveau
from enfants.models.enfant import Enfant, ExceptionGarde, Garde, Rattachement, SuspensionAcces
from enfants.models.fiche import Informations, PersonneAutorisee
from enfants.models.rentree import ConfirmationDossier, Rentree
from enfants.models.sante import Allergene, ConsultationSante, DocumentEnfant, Nature, Sante, Vaccin

__all__ = [
    "Affectation",
    "Allergene",
    "Classe",
    "ConfirmationDossier",
    "ConsultationSante",
    "DocumentEnfant",
    "Ecole",
    "Enfant",
    "ExceptionGarde",
    "Garde",
    "Informations",
    "JourFerie",
    "Nature",
    "Niveau",
    "PeriodeVacances",
    "PersonneAutorisee",
    "Rattachement",
    "Rentree",
    "Sante",
    "SuspensionAcces",
    "Vaccin",
]
