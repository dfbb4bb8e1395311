"""The requests of the planning: days reserved, cancelled, absences told. Their days are rows, see JourDemande."""

from django.urls import reverse

from demandes.forms.decision import JoursDecisionForm
from demandes.types.base import MES_ENFANTS, TypeDemande
from enfants.models import Nature


class _Planning(TypeDemande):
    rubrique = MES_ENFANTS
    au_planning = True
    icone = "calendrier"
    formulaire_decision = JoursDecisionForm

    @classmethod
    def url(cls, enfant=None):
        return reverse("enfant", args=[enfant.uuid]) if enfant else reverse("semaine_courante")

    @classmethod
    def libelles(cls):
        return {}

    @classmethod
    def actuelles(cls, famille, enfant=None):
        return {}


class Reservations(_Planning):
    code = "reservation"
    libelle = "Réservations"
    libelle_icone = "Réservations"
    permission = "enfants.change_enfant"


class Absences(_Planning):
    code = "absence"
    libelle = "Absences"
    libelle_icone = "Absence"
    permission = "enfants.view_sante"  # the reason and its proof may tell an illness
    est_de_sante = True
    pieces_conseil = "le certificat médical, l'ordonnance, ou le papier de votre employeur."
    natures: tuple[Nature, ...] = ()
