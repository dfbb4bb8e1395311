"""What every kind of demande knows."""

from datetime import date

from django import forms
from django.urls import reverse

from demandes.forms.base import DemandeForm

MON_COMPTE = "mon-compte"
MES_ENFANTS = "mes-enfants"
RUBRIQUES = {MON_COMPTE: "Mon compte", MES_ENFANTS: "Mes enfants"}


class TypeDemande:
    """What a kind of demande knows: its words, its form, the values of the file, how to change the file.

    Kinds with ``par_enfant`` are about one child, ``enfant``, whom their household shares or not with another.
    Kinds with ``par_objet`` are asked on a page of their own, for one object among several (a service and a year):
    ``pour`` gives the kind that knows which, and the loop goes on with it as with any other.
    """

    do_not_call_in_templates = True  # a class: templates read its words, they do not make one
    code: str
    libelle: str  # as in the list of demandes
    libelle_icone: str  # as in the notice, on the icon at the left
    icone: str
    rubrique = MON_COMPTE
    par_enfant = False
    plusieurs = False  # several may wait at once
    par_objet = False  # one may wait for each object
    objet = ""
    suite = ""  # what leads from the address of the form to this object: « ?annee=2026 »
    au_planning = False  # asks for days of the planning, see demandes/planning.py, and has no form here
    service = "enfance-jeunesse"  # code of the ServiceMairie that answers
    permission = ""  # what an agent needs beside ``traiter_demande``
    formulaire: type[DemandeForm] | None = None
    formulaire_decision: type[forms.Form] | None = None
    pieces_conseil = ""
    natures: tuple[str, ...] = ()  # papers it asks for by name; accepted, they join the child's file
    est_de_sante = False  # an agent who reads it is noted
    prevenir_les_deux = False  # tell both adults what was changed, whoever asked
    prevenir_autre_foyer = False  # tell the child's other household that the file changed

    @classmethod
    def pour(cls, objet: str):
        """The kind as it is asked for this object."""
        return cls

    @classmethod
    def url(cls, enfant=None):
        """Address of the form a parent fills."""
        return reverse("demander", args=[cls.code])

    @classmethod
    def libelles(cls):
        return {nom: champ.label for nom, champ in cls.formulaire.base_fields.items()}

    @classmethod
    def afficher(cls, nom, valeur):
        """A value as it is read; « – » for none, so that a removal shows."""
        return cls.formulaire.afficher(nom, valeur) if valeur not in ("", None) else "–"

    @classmethod
    def afficher_masque(cls, nom, valeur):
        """The same on a parent's screen, where a passer-by may read."""
        return cls.afficher(nom, valeur)

    @classmethod
    def eclater(cls, nom, valeur) -> dict[str, tuple[str, object]] | None:
        """A list or a table of values as lines to compare, ``{key: (label, text)}``; None for a single value."""
        return None

    @classmethod
    def resumer(cls, nom, valeur) -> str | None:
        """A long table of values in a few words; None for a value that is told whole."""
        return None

    @classmethod
    def options(cls, famille, enfant=None):
        """What the form needs beside the values."""
        return {}

    @classmethod
    def actuelles(cls, famille, enfant=None) -> dict:
        """Today's values of the file, in JSON form, by field of the form."""
        raise NotImplementedError

    @classmethod
    def fiche(cls, famille, enfant=None) -> list[tuple[str, str]] | None:
        """What the child's page shows of the file, where it is not the fields of the form."""
        return None

    @classmethod
    def appliquer(cls, demande, valeurs, *, par, decision) -> list[str] | None:
        """Change the file.

        :param demande: locked, with its famille and its enfant locked too.
        :param valeurs: cleaned values of the whole form; only the names in ``demande.valeurs_demandees`` were asked.
        :param decision: cleaned values of ``formulaire_decision``, empty in bulk acceptance.
        :returns: what it has done beside, in sentences for the answer to the family.
        """
        raise NotImplementedError

    @classmethod
    def expiration(cls, demande, nature) -> date | None:
        """Last day of a paper that joins the child's file, None without."""

    @classmethod
    def precisions(cls, demande) -> list[str]:
        """What the answer adds when accepting is not the end of it."""
        return []

    @classmethod
    def a_savoir(cls, demande) -> list[str]:
        """What the agent should know before deciding, and does not see among the values."""
        return []

    @classmethod
    def decision_proposee(cls, demande):
        """Initial values of the decision form; empty where the agent has nothing to add."""
        return {}

    @classmethod
    def empeche(cls, demande) -> str:
        """Why it cannot be accepted without the decision form, "" when it can."""
        return ""


def seulement(valeurs, changees):
    return {nom: valeur for nom, valeur in valeurs.items() if nom in changees}
