"""The request of a registration to a service, or of other habitual days: one for each service and school year."""

from django.urls import reverse
from django.utils import timezone

from demandes.forms.inscription import InscriptionDecisionForm, InscriptionForm
from demandes.types.base import MES_ENFANTS, TypeDemande
from enfants import inscriptions
from enfants import offre as offres
from enfants.dossier import informations, sante
from enfants.models import Formule, Inscription, Nature, Reglement, Service
from enfants.regles.annees import annee_scolaire, bornes, libelle
from enfants.regles.dates import enumerer
from portail.outils.dates import JOURS
from portail.outils.francais import au_milieu

# Papers that tell a child's health are asked by the demande whose readers may read them.
NATURES_DE_SANTE = (Nature.VACCINS, Nature.PAI)


def valeurs(ligne: Inscription | None) -> dict:
    """A registration as the form reads it; None for none."""
    if ligne is None:
        return {"inscrit": False, "jours": [], "formule": "", "reglement": ""}
    return {
        "inscrit": True,
        "jours": [str(jour) for jour in sorted(ligne.jours)],
        "formule": str(ligne.formule_id or ""),
        "reglement": str(ligne.reglement_id or ""),
    }


def jours_en_mots(jours) -> str:
    """« lundi et jeudi », « Aucun »."""
    return enumerer(JOURS[int(jour)] for jour in sorted(jours)) if jours else "Aucun"


class Inscriptions(TypeDemande):
    """Bound by ``pour`` to a service and a year, « restauration/2026 »."""

    code = "inscription"
    libelle = "Inscriptions"
    libelle_icone = "Inscriptions"
    icone = "formulaire"
    rubrique = MES_ENFANTS
    par_enfant = True
    par_objet = True
    permission = "enfants.change_enfant"
    formulaire = InscriptionForm
    formulaire_decision = InscriptionDecisionForm

    def __init__(self, objet: str):
        self.code_service, _, annee = objet.partition("/")
        self.objet, self.annee = objet, int(annee or 0)
        self.suite = f"?annee={annee}"

    @classmethod
    def pour(cls, objet):
        return cls(objet)

    @classmethod
    def url(cls, enfant=None):
        return reverse("inscriptions", args=[enfant.uuid])

    @classmethod
    def fiche(cls, famille, enfant=None):
        """A line for each service the household has registered the child to, this year and later."""
        annee = annee_scolaire(timezone.localdate())
        lignes = Inscription.objects.filter(enfant=enfant, famille=famille, annee__gte=annee).select_related("service")
        return [
            (f"{ligne.service.nom} {libelle(ligne.annee)}", f"Jours habituels\u00a0: {jours_en_mots(ligne.jours)}")
            for ligne in lignes.order_by("annee", "service__ordre", "pk")
        ] or [("Services", "Aucune inscription")]

    # --- Bound to a service and a year ---

    def titre(self, enfant):
        """« Inscription de Léa : restauration scolaire 2026-2027 »."""
        nom = offres.nom(self.code_service)
        return f"Inscription {enfant.de_prenom}\u00a0: {au_milieu(nom)} {libelle(self.annee)}"

    def offre(self, enfant):
        """The service, as it is held for this child; None when it no longer is."""
        proposees = inscriptions.offres_pour(enfant, self.annee)
        return next((offre for offre in proposees if offre.code == self.code_service), None)

    def ligne(self, famille, enfant):
        siennes = Inscription.objects.filter(enfant=enfant, famille=famille, annee=self.annee)
        return siennes.filter(service__code=self.code_service).first()

    def actuelles(self, famille, enfant=None):
        return valeurs(self.ligne(famille, enfant))

    def options(self, famille, enfant=None):
        return {"enfant": enfant, "offre": self.offre(enfant)}

    def afficher(self, nom, valeur):
        if nom == "jours":
            return jours_en_mots(valeur)
        if nom == "formule" and valeur:
            return Formule.objects.filter(pk=valeur).values_list("nom", flat=True).first() or "–"
        if nom == "reglement" and valeur:
            return Reglement.objects.filter(pk=valeur).values_list("version", flat=True).first() or "–"
        return super().afficher(nom, valeur)

    def afficher_masque(self, nom, valeur):
        return self.afficher(nom, valeur)

    def expiration(self, demande, nature):
        """The end that the file knows, else that of the year it is given for."""
        if nature == Nature.PAI:
            return sante(demande.enfant).pai_revision
        if nature != Nature.ASSURANCE:
            return None
        connue, fin = informations(demande.enfant).assurance_fin, bornes(self.annee)[1]
        return connue if connue and connue >= timezone.localdate() else fin

    def a_savoir(self, demande):
        """Papers of the service that neither the file nor this demande holds."""
        offre, enfant = self.offre(demande.enfant), demande.enfant
        if offre is None:
            return ["Ce service n'est plus proposé à cet enfant\u00a0: école, âge ou service arrêté."]
        joints = {piece.nature for piece in demande.pieces.all()}
        valides = inscriptions.papiers_valides(enfant, self.annee, timezone.localdate())
        return [
            f"{Nature(nature).label}\u00a0: ni au dossier, ni joint à cette demande."
            for nature in offre.pieces
            if nature not in valides | joints
        ]

    def decision_proposee(self, demande):
        if not demande.valeurs_demandees:
            return {}  # papers alone
        ligne = self.ligne(demande.famille, demande.enfant)
        du = ligne.valable_du if ligne else inscriptions.premier_jour(self.annee, timezone.localdate())
        reserver = {"reserver": True} if demande.valeurs_demandees.get("jours") else {}
        return {"annee": self.annee, "valable_du": du, **reserver}

    def appliquer(self, demande, valeurs, *, par, decision):
        demandees = demande.valeurs_demandees
        ligne = inscriptions.inscrire(
            demande.enfant,
            demande.famille,
            Service.objects.get(code=self.code_service),
            self.annee,
            jours=[int(jour) for jour in valeurs["jours"]],
            formule=int(valeurs["formule"]) if valeurs.get("formule") else None,
            reglement=int(demandees["reglement"]) if demandees.get("reglement") else None,
            reglement_accepte_le=demande.modifiee_le or demande.deposee_le,
            du=decision.get("valable_du"),
        )
        if not decision.get("reserver", not decision) or not demandees.get("jours"):
            return []
        return [inscriptions.reserver_jours_habituels(ligne, par=par).phrase]
