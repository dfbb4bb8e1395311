"""The form of a registration to one service for a school year; the page shows one for each service."""

from django import forms
from django.core.exceptions import ValidationError

from demandes.forms.base import DemandeForm, JourField
from enfants.regles.annees import bornes
from enfants.regles.planning import Offre
from portail.outils.dates import JOURS

JOURS_DE_LA_SEMAINE = [(str(rang), nom.capitalize()) for rang, nom in enumerate(JOURS)]


class InscriptionForm(DemandeForm):
    """One service: asked or not, habitual weekdays, formule.

    :param offre: the service as it is held for this child, None when it no longer is.
    """

    inscrit = forms.BooleanField(label="Inscription", required=False)
    jours = forms.MultipleChoiceField(
        label="Jours habituels",
        required=False,
        choices=JOURS_DE_LA_SEMAINE,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"invalid_choice": "Ce service n'est pas ouvert ce jour-là."},
    )
    formule = forms.ChoiceField(
        label="Formule des jours habituels",
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
        error_messages={"invalid_choice": "Choisissez une formule de la liste."},
    )
    # Key of the rules that the family accepts below the services, once for all of them: never read from the browser.
    reglement = forms.CharField(label="Règlement accepté", required=False, disabled=True)

    def __init__(self, *args, offre: Offre | None, **kwargs):
        super().__init__(*args, **kwargs)
        self.offre = offre
        if offre is not None:
            self.fields["jours"].choices = [(cle, nom) for cle, nom in JOURS_DE_LA_SEMAINE if int(cle) in offre.jours]
        if offre is not None and offre.formules:
            formules = [(str(cle), nom) for cle, nom in offre.formules]
            self.fields["formule"].choices = [("", "Choisissez"), *formules]
        else:
            del self.fields["formule"]
        if self.initial.get("inscrit"):
            self.fields["inscrit"].disabled = True  # one leaves a service by a message, not by a forgotten tick

    @classmethod
    def groupes(cls):
        return [("", ["inscrit", "jours", "formule"])]

    def clean_jours(self):
        return sorted(self.cleaned_data["jours"])

    def clean(self):
        donnees = super().clean()
        if self.offre is None:
            raise ValidationError("Ce service n'est plus proposé à cet enfant.")
        choisis = donnees.get("inscrit") and donnees.get("jours")
        if choisis and self.offre.formules and not donnees.get("formule") and "formule" not in self.errors:
            self.add_error("formule", "Choisissez la formule des jours habituels.")
        return donnees

    def changees(self):
        """Nothing for a service that is not asked, nor for rules alone."""
        changees = super().changees() if self.cleaned_data.get("inscrit") else {}
        return changees if set(changees) - {"reglement"} else {}

    @property
    def choisit_des_jours(self):
        """Days are ticked, whether the service is or not."""
        return bool(self.cleaned_data.get("jours"))


class ReglementForm(forms.Form):
    """The rules of the year, accepted each time something is asked."""

    reglement = forms.BooleanField(error_messages={"required": "Acceptez le règlement pour envoyer votre demande."})

    def __init__(self, *args, libelle: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reglement"].label = libelle


class InscriptionDecisionForm(forms.Form):
    """From when the child may come, and whether its habitual days are booked at once."""

    valable_du = JourField(label="Premier jour")
    reserver = forms.BooleanField(label="Réserver les jours habituels", label_suffix="", required=False)

    def __init__(self, *args, initial=None, **kwargs):
        initial = dict(initial or {})
        self.annee = initial.pop("annee")
        super().__init__(*args, initial=initial, **kwargs)
        if "reserver" not in initial:
            del self.fields["reserver"]

    def clean_valable_du(self):
        jour, (du, au) = self.cleaned_data["valable_du"], bornes(self.annee)
        if not du <= jour <= au:
            raise ValidationError(f"Choisissez un jour de l'année scolaire {self.annee}-{self.annee + 1}.")
        return jour
