"""The form of a grid: its prices, the brackets typed as a text, the increases; all strict, nothing left unsaid."""

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet

from facturation import grilles
from facturation.models import Grille, MajorationGrille, Tarif
from facturation.regles import tranches
from facturation.regles.grilles import Tranche
from portail.outils.dates import jour as en_mots
from portail.outils.periodes import PeriodeForm

UTILISEE = (
    "Des factures émises comptent ces prix jusqu'au {}\u00a0: ils ne changent plus. "
    "Pour d'autres prix, dupliquez cette grille à partir d'un jour."
)
# What counts of a price, by how it is computed.
COMPTENT = {
    Tarif.Calcul.FIXE: {"montant"},
    Tarif.Calcul.TRANCHES: {"texte_tranches"},
    Tarif.Calcul.TAUX: {"taux", "plancher", "plafond"},
}
A_SAISIR = {"montant": "Écrivez le prix.", "taux": "Écrivez le taux.", "plafond": "Écrivez le prix plafond."}


def utilisee(grille: Grille) -> str:
    """Why its prices no longer change, "" while they may."""
    dernier = grilles.dernier_jour_facture(grille) if grille.pk else None
    return UTILISEE.format(en_mots(dernier, semaine=False)) if dernier else ""


class GrilleForm(PeriodeForm):
    class Meta:
        labels = {"mot": "Une unité", "mots": "Plusieurs"}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk and "rangs" in self.fields:  # « 20 », not « 20.00 »
            self.initial["rangs"] = [format(rang.normalize(), "f") for rang in self.instance.rangs]

    def clean(self):
        donnees = super().clean()
        if not self.instance.pk:
            return donnees
        dernier = grilles.dernier_jour_facture(Grille.objects.get(pk=self.instance.pk))
        if dernier is None:
            return donnees
        for nom in self.changed_data:
            if nom != "valable_au":
                self.add_error(nom, UTILISEE.format(en_mots(dernier, semaine=False)))
        fin = donnees.get("valable_au")
        if fin and fin < dernier:
            self.add_error(
                "valable_au",
                f"Des factures émises comptent ces prix jusqu'au {en_mots(dernier, semaine=False)}\u00a0: "
                "donnez cette fin ou une autre après.",
            )
        return donnees


class TarifForm(forms.ModelForm):
    texte_tranches = forms.CharField(
        label="Tranches",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text=f"«\u00a0{tranches.EXEMPLE}\u00a0»\u00a0: le quotient inclus, deux points, le prix. "
        "Sans quotient, une famille paie la dernière.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tranches_lues = ()
        if self.instance.pk:
            siennes = [Tranche(t.au, t.montant) for t in self.instance.tranches.all()]
            self.initial["texte_tranches"] = tranches.ecrire(siennes)

    def clean(self):
        donnees = super().clean()
        public, calcul = donnees.get("public"), donnees.get("calcul")
        if not public or not calcul:
            return donnees
        comptent = set(COMPTENT[calcul])
        if public == Tarif.Public.EXTERIEUR:
            comptent.add("supplement")
            if donnees.get("supplement") is not None:  # a percentage of everybody's price, which it then needs not tell
                comptent = {"supplement"}
                donnees["calcul"] = Tarif.Calcul.TRANCHES
        if public == Tarif.Public.SEMAINE:
            comptent.add("jours_semaine")
        for nom in ("montant", "texte_tranches", "taux", "plancher", "plafond", "supplement", "jours_semaine"):
            if nom not in comptent and donnees.get(nom) not in (None, ""):
                self.add_error(nom, "Ce champ ne compte pas pour ce tarif\u00a0: videz-le.")
            elif nom in comptent and nom in A_SAISIR and donnees.get(nom) is None and nom not in self.errors:
                self.add_error(nom, A_SAISIR[nom])
        if "texte_tranches" in comptent and "texte_tranches" not in self.errors:
            self._lire_tranches(donnees)
        if donnees.get("plancher") and donnees.get("plafond") and donnees["plafond"] < donnees["plancher"]:
            self.add_error("plafond", "Le plafond est sous le plancher.")
        return donnees

    def _lire_tranches(self, donnees):
        try:
            self.tranches_lues = tranches.lire(donnees.get("texte_tranches", ""))
        except tranches.TranchesIllisibles as erreur:
            self.add_error("texte_tranches", str(erreur))

    def _get_validation_exclusions(self):
        """Where a field has told what it lacks, the constraint need not say it again."""
        return super()._get_validation_exclusions() | ({"calcul", "public"} if self.errors else set())


class _LignesDeGrille(BaseInlineFormSet):
    """Rows of a grid: refused once invoices have used it, told once when two say the same."""

    cle: tuple[str, ...] = ()
    doublon = ""

    def lignes(self):
        """Cleaned values of the rows that will stay."""
        restent = [form for form in self.forms if form not in self.deleted_forms]
        return [form.cleaned_data for form in restent if (form.has_changed() or form.instance.pk) and form.is_valid()]

    def clean(self):
        if self.instance.pk and self.has_changed() and (phrase := utilisee(Grille.objects.get(pk=self.instance.pk))):
            raise ValidationError(phrase)
        cles = [tuple(ligne.get(nom) for nom in self.cle) for ligne in self.lignes()]
        if len(cles) != len(set(cles)):
            raise ValidationError(self.doublon)
        super().clean()


class TarifsFormSet(_LignesDeGrille):
    cle = ("formule", "public")
    doublon = "Deux tarifs sont pour les mêmes personnes et la même formule."

    def clean(self):
        super().clean()
        if any(self.errors):
            return
        lignes = self.lignes()
        for ligne in lignes:
            formule = ligne.get("formule")
            if formule and self.instance.service_id and formule.service_id != self.instance.service_id:
                raise ValidationError(f"La formule «\u00a0{formule}\u00a0» est d'un autre service.")
            if ligne["public"] == Tarif.Public.SEMAINE:
                self._verifier_semaine(ligne)
        publics = {}
        for ligne in lignes:
            publics.setdefault(ligne.get("formule"), set()).add(ligne["public"])
        for formule, siens in publics.items() or [(None, set())]:
            if Tarif.Public.NORMAL not in siens:
                quoi = f" pour la formule «\u00a0{formule}\u00a0»" if formule else ""
                raise ValidationError(f"Donnez le prix de «\u00a0Tout le monde\u00a0»{quoi}.")

    def _verifier_semaine(self, ligne):
        if ligne.get("formule"):
            raise ValidationError(
                "Le prix d'une semaine complète vaut pour toutes les formules\u00a0: n'en choisissez pas."
            )
        if self.instance.unite != Grille.Unite.JOUR:
            raise ValidationError("Le prix d'une semaine complète n'a de sens que si le service se paie au jour.")


class MajorationForm(forms.ModelForm):
    class Meta:
        model = MajorationGrille
        fields = ["cause", "pourcent", "montant", "a_partir_de", "double_des", "minutes"]
        labels = {
            "pourcent": "en %",
            "montant": "ou en €",
            "a_partir_de": "dès la n-ième fois du mois",
            "double_des": "double dès la",
            "minutes": "minutes (départ)",
        }


class MajorationsFormSet(_LignesDeGrille):
    cle = ("cause",)
    doublon = "Deux majorations sont pour la même cause."
