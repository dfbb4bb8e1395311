"""The kinds of demandes, one class each. To add one: copy one, give it a form, list it in TYPES."""

from django.urls import reverse
from django.utils import timezone

from demandes import forms
from demandes.forms import en_json
from familles import actions as familles
from familles.champs import masquer_iban
from familles.models import Responsable
from familles.regles.quotient import effet_par_defaut, expiration_par_defaut
from portail.commune import Commune

MON_COMPTE = "mon-compte"
MES_ENFANTS = "mes-enfants"
RUBRIQUES = {MON_COMPTE: "Mon compte", MES_ENFANTS: "Mes enfants"}


class TypeDemande:
    """What a kind of demande knows: its words, its form, the values of the file, how to change the file."""

    code: str
    libelle: str  # as in the list of demandes
    libelle_icone: str  # as in the notice, on the icon at the left
    icone: str
    rubrique = MON_COMPTE
    service = "enfance-jeunesse"  # code of the ServiceMairie that answers
    formulaire: type[forms.DemandeForm]
    formulaire_decision = None
    pieces_conseil = ""
    prevenir_les_deux = False  # tell both adults what was changed, whoever asked

    @classmethod
    def url(cls):
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
    def options(cls, famille):
        """What the form needs beside the values."""
        return {}

    @classmethod
    def actuelles(cls, famille) -> dict:
        """Today's values of the file, in JSON form, by field of the form."""
        raise NotImplementedError

    @classmethod
    def appliquer(cls, famille, valeurs, *, changees, par, periode):
        """Change the file.

        :param valeurs: cleaned values of the whole form.
        :param changees: names of the fields that were asked for.
        :param periode: dates the agent gave for a quotient.
        """
        raise NotImplementedError

    @classmethod
    def precisions(cls, demande) -> list[str]:
        """What the answer adds when accepting is not the end of it."""
        return []

    @classmethod
    def decision_proposee(cls, demande):
        """Initial values of the decision form; empty where the agent has nothing to add."""
        return {}


def _seulement(valeurs, changees):
    return {nom: valeur for nom, valeur in valeurs.items() if nom in changees}


class _Adulte(TypeDemande):
    rang: int

    @classmethod
    def _adulte(cls, famille):
        return famille.responsables.select_related("utilisateur").filter(rang=cls.rang).first()

    @classmethod
    def options(cls, famille):
        return {"adulte": cls._adulte(famille)}

    @classmethod
    def actuelles(cls, famille):
        adulte = cls._adulte(famille)
        if adulte is None:
            return dict.fromkeys(cls.formulaire.base_fields, "")
        valeurs = {nom: getattr(adulte, nom) for nom in familles.CHAMPS_ADULTE}
        compte = adulte.utilisateur
        return valeurs | {"prenom": compte.prenom, "nom": compte.nom, "courriel": compte.courriel}

    @classmethod
    def precisions(cls, demande):
        if "courriel" not in demande.valeurs_demandees:
            return []
        return ["La nouvelle adresse e-mail comptera quand le lien qui vient d'y être envoyé aura été suivi."]


class InfosResponsable(_Adulte):
    code = "responsable"
    libelle = "Responsable"
    libelle_icone = "Infos Responsable"
    icone = "responsable"
    formulaire = forms.ResponsableForm
    rang = Responsable.Rang.RESPONSABLE
    pieces_conseil = "en cas de déménagement, un justificatif de domicile."

    @classmethod
    def actuelles(cls, famille):
        return super().actuelles(famille) | {nom: getattr(famille, nom) for nom in familles.CHAMPS_ADRESSE}

    @classmethod
    def appliquer(cls, famille, valeurs, *, changees, par, periode):
        valeurs = _seulement(valeurs, changees)
        familles.modifier_adresse(famille, valeurs)
        familles.modifier_adulte(cls._adulte(famille), valeurs)


class InfosConjoint(_Adulte):
    code = "conjoint"
    libelle = "Conjoint"
    libelle_icone = "Informations Conjoint"
    icone = "conjoint"
    formulaire = forms.ConjointForm
    rang = Responsable.Rang.CONJOINT

    @classmethod
    def appliquer(cls, famille, valeurs, *, changees, par, periode):
        adulte = cls._adulte(famille)
        if adulte is None:
            familles.ajouter_adulte(famille, cls.rang, valeurs)
        else:
            familles.modifier_adulte(adulte, _seulement(valeurs, changees))


class _Quotient(TypeDemande):
    service = "comptabilite"
    champs_du_quotient: set[str]

    @classmethod
    def precisions(cls, demande):
        if not cls.champs_du_quotient & set(demande.valeurs_demandees):
            return []
        return ["Les dates de votre quotient sont dans l'onglet « Mon compte »."]

    @classmethod
    def decision_proposee(cls, demande):
        if not cls.champs_du_quotient & set(demande.valeurs_demandees):
            return {}
        effet = effet_par_defaut(timezone.localdate())
        fin = expiration_par_defaut(effet, Commune.actuelle().quotient_mois_fin)
        return {"effet": effet, "expiration": fin}


class InfosFiscales(_Quotient):
    code = "fiscales"
    libelle = "Fiscales"
    libelle_icone = "Informations Fiscales"
    icone = "fiscal"
    formulaire = forms.FiscalesForm
    formulaire_decision = forms.QuotientDecisionForm
    champs_du_quotient = {"revenu_fiscal", "parts", "annee", "non_communique"}
    pieces_conseil = "votre dernier avis d'imposition."

    @classmethod
    def actuelles(cls, famille):
        situation = getattr(famille, "situation_fiscale", None)
        champs = cls.formulaire.base_fields
        if situation is None:
            return dict.fromkeys(champs, "") | {"non_communique": False}
        return {nom: en_json(getattr(situation, nom)) for nom in champs}

    @classmethod
    def appliquer(cls, famille, valeurs, *, changees, par, periode):
        valeurs = _seulement(valeurs, changees)
        if "revenu_fiscal" in valeurs:
            valeurs["revenu_fiscal"] = en_json(valeurs["revenu_fiscal"])
        familles.modifier_situation_fiscale(famille, valeurs, par=par, periode=periode)


class InfosCaf(_Quotient):
    code = "caf"
    libelle = "CAF"
    libelle_icone = "Info CAF"
    icone = "caf"
    formulaire = forms.CafForm
    formulaire_decision = forms.CafDecisionForm
    champs_du_quotient = {"quotient", "mois", "non_communique"}
    pieces_conseil = "votre attestation de quotient familial."

    @classmethod
    def actuelles(cls, famille):
        dossier = getattr(famille, "dossier_caf", None)
        quotient = familles.dernier_quotient(famille)
        return {
            "caisse": dossier.caisse if dossier else "",
            "numero_allocataire": str(dossier.numero_allocataire) if dossier else "",
            "quotient": en_json(quotient.valeur) if quotient and quotient.source != "AVIS" else "",
            "mois": en_json(quotient.mois) if quotient else "",
            "non_communique": bool(quotient and quotient.source == "NON_COMMUNIQUE"),
        }

    @classmethod
    def appliquer(cls, famille, valeurs, *, changees, par, periode):
        quotient = None
        if cls.champs_du_quotient & set(changees) and (valeurs["non_communique"] or valeurs["quotient"] is not None):
            quotient = {"valeur": valeurs["quotient"], "mois": valeurs["mois"]}
        dossier = _seulement(valeurs, set(changees) - cls.champs_du_quotient)
        familles.modifier_dossier_caf(famille, dossier, quotient, par=par, periode=periode)


class CoordonneesBancaires(TypeDemande):
    code = "bancaires"
    libelle = "Bancaires"
    libelle_icone = "Coordonnées Bancaires"
    icone = "banque"
    service = "comptabilite"
    formulaire = forms.BancairesForm
    pieces_conseil = "un relevé d'identité bancaire (RIB)."
    prevenir_les_deux = True

    @classmethod
    def afficher_masque(cls, nom, valeur):
        return masquer_iban(valeur) if nom == "iban" and valeur else cls.afficher(nom, valeur)

    @classmethod
    def actuelles(cls, famille):
        compte = getattr(famille, "coordonnees_bancaires", None)
        return {nom: str(getattr(compte, nom)) if compte else "" for nom in cls.formulaire.base_fields}

    @classmethod
    def appliquer(cls, famille, valeurs, *, changees, par, periode):
        familles.modifier_coordonnees_bancaires(famille, _seulement(valeurs, changees))


TYPES: dict[str, type[TypeDemande]] = {
    genre.code: genre for genre in (InfosResponsable, InfosConjoint, InfosFiscales, InfosCaf, CoordonneesBancaires)
}


def types_de(rubrique: str) -> list[type[TypeDemande]]:
    return [genre for genre in TYPES.values() if genre.rubrique == rubrique]
