"""The requests of « Mes enfants »."""

from django.urls import reverse
from django.utils import timezone

from demandes.forms import enfants as forms
from demandes.forms.base import en_json
from demandes.types.base import MES_ENFANTS, TypeDemande, seulement
from enfants import actions as enfants
from enfants.dossier import informations, sante, vaccins_actifs
from enfants.models import Informations, Nature, Sante, Vaccin
from enfants.regles.vaccins import limite_provisoire, manquants
from portail.outils.dates import jour


class _Enfant(TypeDemande):
    rubrique = MES_ENFANTS
    par_enfant = True
    permission = "enfants.change_enfant"
    prevenir_autre_foyer = True

    @classmethod
    def url(cls, enfant=None):
        return reverse("demander_enfant", args=[enfant.uuid, cls.code])

    @classmethod
    def options(cls, famille, enfant=None):
        return {"enfant": enfant}


class EtatCivil(_Enfant):
    code = "etat-civil"
    libelle = "État civil"
    libelle_icone = "Données État civil"
    icone = "fiche"
    formulaire = forms.EtatCivilForm
    natures = (Nature.NAISSANCE, Nature.JUGEMENT)
    pieces_conseil = "l'acte de naissance si un nom ou une date change, le jugement si la garde change."

    @classmethod
    def actuelles(cls, famille, enfant=None):
        valeurs = {nom: en_json(getattr(enfant, nom)) for nom in enfants.CHAMPS_ETAT_CIVIL}
        return valeurs | {"ecole": en_json(enfant.ecole_id), "niveau": enfant.niveau}

    @classmethod
    def appliquer(cls, demande, valeurs, *, par, decision):
        enfants.modifier_etat_civil(demande.enfant, seulement(valeurs, demande.valeurs_demandees))


class Autorisations(_Enfant):
    code = "autorisations"
    libelle = "Personnes autorisées"
    libelle_icone = "Personnes autorisées"
    icone = "personnes"
    formulaire = forms.AutorisationsForm
    prevenir_autre_foyer = False  # each household keeps its own list

    @classmethod
    def actuelles(cls, famille, enfant=None):
        personnes = enfant.personnes.filter(famille=famille).order_by("ordre", "pk")
        champs = enfants.CHAMPS_PERSONNE
        return {
            "personnes": [
                {"cle": str(personne.uuid), **{nom: en_json(getattr(personne, nom)) for nom in champs}}
                for personne in personnes
            ]
        }

    @classmethod
    def eclater(cls, nom, valeur):
        return {ligne["cle"]: (f"{ligne['prenom']} {ligne['nom']}", _personne(ligne)) for ligne in valeur or []}

    @classmethod
    def appliquer(cls, demande, valeurs, *, par, decision):
        enfants.remplacer_personnes(demande.enfant, demande.famille, valeurs["personnes"])


def _personne(ligne):
    """« Grand-mère, 06 39 98 10 10, vient chercher, en urgence, appel n° 1, carte d'identité »."""
    champs = forms.PersonneForm.base_fields
    textes = [
        ligne["lien"],
        ligne["telephone"],
        "peut venir chercher" if ligne["peut_chercher"] else "ne vient pas chercher",
        "à appeler en urgence" if ligne["urgence"] else "",
        f"appel n°\u00a0{ligne['ordre']}",
        dict(champs["piece"].choices)[ligne["piece"]].lower() if ligne["piece"] else "",
    ]
    return ", ".join(filter(None, textes))


class InformationsEnfant(_Enfant):
    code = "informations"
    libelle = "Informations"
    libelle_icone = "Informations"
    icone = "info"
    formulaire = forms.InformationsForm
    natures = (Nature.ASSURANCE,)
    permission = "enfants.view_sante"  # glasses and devices are health
    est_de_sante = True

    @classmethod
    def actuelles(cls, famille, enfant=None):
        fiche = informations(enfant)
        return {nom: en_json(getattr(fiche, nom)) for nom in enfants.CHAMPS_INFORMATIONS} | {"regime": enfant.regime}

    @classmethod
    def appliquer(cls, demande, valeurs, *, par, decision):
        enfants.modifier_informations(demande.enfant, seulement(valeurs, demande.valeurs_demandees))

    @classmethod
    def expiration(cls, demande, nature):
        fiche = Informations.objects.filter(enfant=demande.enfant).first()
        return fiche.assurance_fin if fiche else None


class DonneesSanitaires(_Enfant):
    code = "sante"
    libelle = "Données sanitaires"
    libelle_icone = "Données sanitaires"
    icone = "sante"
    formulaire = forms.SanteForm
    formulaire_decision = forms.SanteDecisionForm
    natures = (Nature.VACCINS, Nature.PAI)
    permission = "enfants.view_sante"
    est_de_sante = True

    @classmethod
    def actuelles(cls, famille, enfant=None):
        fiche = sante(enfant)
        valeurs = {nom: en_json(getattr(fiche, nom)) for nom in enfants.CHAMPS_SANTE}
        return valeurs | {
            "vaccinations": dict(fiche.vaccinations or {}),
            "allergenes": fiche.allergenes_codes,
            "a_pai": enfant.a_pai,
        }

    @classmethod
    def eclater(cls, nom, valeur):
        if nom != "vaccinations":
            return None
        noms = dict(Vaccin.objects.values_list("code", "nom"))
        return {code: (noms.get(code, code), jour(_date(le), semaine=False)) for code, le in (valeur or {}).items()}

    @classmethod
    def resumer(cls, nom, valeur):
        if nom != "vaccinations" or not valeur:
            return None
        return f"{len(valeur)} dates notées" if len(valeur) > 1 else "1 date notée"

    @classmethod
    def appliquer(cls, demande, valeurs, *, par, decision):
        enfants.modifier_sante(demande.enfant, seulement(valeurs, demande.valeurs_demandees))
        if decision:
            enfants.verifier_vaccins(demande.enfant, **decision)

    @classmethod
    def expiration(cls, demande, nature):
        fiche = Sante.objects.filter(enfant=demande.enfant).first()
        return fiche.pai_revision if fiche and nature == Nature.PAI else None

    @classmethod
    def decision_proposee(cls, demande):
        papier = any(piece.nature == Nature.VACCINS for piece in demande.pieces.all())
        if "vaccinations" not in demande.valeurs_demandees and not papier:
            return {}
        aujourdhui, enfant = timezone.localdate(), demande.enfant
        faites = demande.valeurs_demandees.get("vaccinations", cls.actuelles(None, enfant)["vaccinations"])
        manque = manquants(enfant.date_naissance, aujourdhui, vaccins_actifs(), faites)
        if manque:
            return {"vaccins_etat": Sante.EtatVaccins.PROVISOIRE, "vaccins_jusqu_au": limite_provisoire(aujourdhui)}
        return {"vaccins_etat": Sante.EtatVaccins.A_JOUR}


def _date(iso):
    return timezone.datetime.fromisoformat(iso).date()


class AjoutEnfant(TypeDemande):
    code = "ajout-enfant"
    libelle = "Ajout d'un enfant"
    libelle_icone = "Ajouter un enfant"
    icone = "ajouter"
    rubrique = MES_ENFANTS
    plusieurs = True
    permission = "enfants.change_enfant"
    prevenir_autre_foyer = True  # a child on file already gets a second household
    formulaire = forms.AjoutEnfantForm
    formulaire_decision = forms.AjoutDecisionForm
    natures = (Nature.NAISSANCE, Nature.JUGEMENT)
    pieces_conseil = "le livret de famille ou l'acte de naissance, le jugement si la garde est partagée."

    @classmethod
    def url(cls, enfant=None):
        return reverse("ajouter_enfant")

    @classmethod
    def actuelles(cls, famille, enfant=None):
        return dict.fromkeys(cls.formulaire.base_fields, "") | {"autre_foyer": False}

    @classmethod
    def precisions(cls, demande):
        return ["Son dossier est dans l'onglet « Mes enfants » : complétez-le, puis la fiche d'inscription."]

    @classmethod
    def _ressemblants(cls, demande):
        demandees = demande.valeurs_demandees
        naissance = _date(demandees["date_naissance"])
        return enfants.doublons([{"nom": demandees["nom"], "prenom": demandees["prenom"], "date_naissance": naissance}])

    @classmethod
    def decision_proposee(cls, demande):
        ressemblants = cls._ressemblants(demande)
        return {"ressemblants": ressemblants} if ressemblants else {}

    @classmethod
    def empeche(cls, demande):
        if cls._ressemblants(demande):
            return "Un enfant de mêmes nom et date de naissance est déjà connu : ouvrez la demande pour dire lequel."
        return ""

    @classmethod
    def appliquer(cls, demande, valeurs, *, par, decision):
        choisi = decision.get("enfant_existant", "nouveau")
        if choisi == "nouveau":
            champs = (*enfants.CHAMPS_ETAT_CIVIL, "ecole", "niveau", "regime")
            demande.enfant = enfants.ajouter_enfant(demande.famille, **{nom: valeurs[nom] for nom in champs})
        else:
            demande.enfant = enfants.verrouiller(int(choisi))
            enfants.reprendre(demande.enfant, demande.famille)
