from enfants.models.calendrier import JourFerie, PeriodeVacances
from enfants.models.ecole import Affectation, Classe, Ecole, Niveau
from enfants.models.enfant import Enfant, ExceptionGarde, Garde, Rattachement, SuspensionAcces
from enfants.models.fiche import Informations, PersonneAutorisee
from enfants.models.planning import (
    AbonnementCalendrier,
    Attente,
    Inscription,
    Place,
    Presence,
    RappelSemaine,
    Reservation,
)
from enfants.models.rentree import ConfirmationDossier, Rentree
from enfants.models.sante import Allergene, ConsultationSante, DocumentEnfant, Nature, Sante, Vaccin
from enfants.models.service import (
    Fermeture,
    Formule,
    Implantation,
    MotifAbsence,
    RegleDelai,
    Reglement,
    Service,
    Site,
    TrancheAge,
)

__all__ = [
    "AbonnementCalendrier",
    "Affectation",
    "Allergene",
    "Attente",
    "Classe",
    "ConfirmationDossier",
    "ConsultationSante",
    "DocumentEnfant",
    "Ecole",
    "Enfant",
    "ExceptionGarde",
    "Fermeture",
    "Formule",
    "Garde",
    "Implantation",
    "Informations",
    "Inscription",
    "JourFerie",
    "MotifAbsence",
    "Nature",
    "Niveau",
    "PeriodeVacances",
    "PersonneAutorisee",
    "Place",
    "Presence",
    "RappelSemaine",
    "Rattachement",
    "RegleDelai",
    "Reglement",
    "Rentree",
    "Reservation",
    "Sante",
    "Service",
    "Site",
    "SuspensionAcces",
    "TrancheAge",
    "Vaccin",
]
