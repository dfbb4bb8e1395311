"""The five requests of « Mon compte »."""

from django.utils import timezone

from demandes.forms import compte as forms
from demandes.forms.base import en_json
from demandes.forms.decision import CafDecisionForm, QuotientDecisionForm
from demandes.types.base import TypeDemande, seulement
from familles import actions as familles
from familles.actions import PERIODE_HABITUELLE, Periode
from familles.champs import masquer_iban
from familles.models import Responsable
from familles.regles.quotient import effet_par_defaut, expiration_par_defaut
from portail.commune import Commune


class _Adulte(TypeDemande):
    rang: int

    @classmethod
    def _adulte(cls, famille):
        return famille.responsables.select_related("utilisateur").filter(rang=cls.rang).first()

    @classmethod
    def options(cls, famille, enfant=None):
        return {"adulte": cls._adulte(famille)}

    @classmethod
    def actuelles(cls, famille, enfant=None):
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
    def actuelles(cls, famille, enfant=None):
        return super().actuelles(famille) | {nom: getattr(famille, nom) for nom in familles.CHAMPS_ADRESSE}

    @classmethod
    def appliquer(cls, demande, valeurs, *, par, decision):
        famille = demande.famille
        valeurs = seulement(valeurs, demande.valeurs_demandees)
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
    def appliquer(cls, demande, valeurs, *, par, decision):
        famille = demande.famille
        adulte = cls._adulte(famille)
        if adulte is None:
            familles.ajouter_adulte(famille, cls.rang, valeurs)
        else:
            familles.modifier_adulte(adulte, seulement(valeurs, demande.valeurs_demandees))


def _periode(decision):
    """Dates the agent gave, the commune's usual ones in bulk acceptance."""
    return Periode(**decision) if decision else PERIODE_HABITUELLE


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
    formulaire_decision = QuotientDecisionForm
    champs_du_quotient = {"revenu_fiscal", "parts", "annee", "non_communique"}
    pieces_conseil = "votre dernier avis d'imposition."

    @classmethod
    def actuelles(cls, famille, enfant=None):
        situation = getattr(famille, "situation_fiscale", None)
        champs = cls.formulaire.base_fields
        if situation is None:
            return dict.fromkeys(champs, "") | {"non_communique": False}
        return {nom: en_json(getattr(situation, nom)) for nom in champs}

    @classmethod
    def appliquer(cls, demande, valeurs, *, par, decision):
        famille = demande.famille
        valeurs = seulement(valeurs, demande.valeurs_demandees)
        if "revenu_fiscal" in valeurs:
            valeurs["revenu_fiscal"] = en_json(valeurs["revenu_fiscal"])
        familles.modifier_situation_fiscale(famille, valeurs, par=par, periode=_periode(decision))


class InfosCaf(_Quotient):
    code = "caf"
    libelle = "CAF"
    libelle_icone = "Info CAF"
    icone = "caf"
    formulaire = forms.CafForm
    formulaire_decision = CafDecisionForm
    champs_du_quotient = {"quotient", "mois", "non_communique"}
    pieces_conseil = "votre attestation de quotient familial."

    @classmethod
    def actuelles(cls, famille, enfant=None):
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
    def appliquer(cls, demande, valeurs, *, par, decision):
        famille = demande.famille
        quotient = None
        if cls.champs_du_quotient & set(demande.valeurs_demandees) and (
            valeurs["non_communique"] or valeurs["quotient"] is not None
        ):
            quotient = {"valeur": valeurs["quotient"], "mois": valeurs["mois"]}
        dossier = seulement(valeurs, set(demande.valeurs_demandees) - cls.champs_du_quotient)
        familles.modifier_dossier_caf(famille, dossier, quotient, par=par, periode=_periode(decision))


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
    def actuelles(cls, famille, enfant=None):
        compte = getattr(famille, "coordonnees_bancaires", None)
        return {nom: str(getattr(compte, nom)) if compte else "" for nom in cls.formulaire.base_fields}

    @classmethod
    def appliquer(cls, demande, valeurs, *, par, decision):
        famille = demande.famille
        familles.modifier_coordonnees_bancaires(famille, seulement(valeurs, demande.valeurs_demandees))
