"""Forms of the child's page: what an agent types is checked as what a parent asks."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from enfants.models import Allergene, DocumentEnfant, PersonneAutorisee, Sante
from enfants.regles.annees import age
from familles.champs import NomField, TelephoneField
from portail.outils.periodes import LigneForm, PeriodesFormSet

AGE_MAX = 25  # years


class EnfantForm(forms.ModelForm):
    prenom = NomField(label="Prénom")
    nom = NomField(label="Nom")

    def clean_date_naissance(self):
        naissance, aujourdhui = self.cleaned_data["date_naissance"], timezone.localdate()
        if naissance and (naissance > aujourdhui or age(naissance, aujourdhui) > AGE_MAX):
            raise ValidationError("Cette date n'est pas celle de la naissance d'un enfant.")
        return naissance


class SanteForm(forms.ModelForm):
    medecin_nom = forms.CharField(label="Médecin traitant", max_length=100, required=False)
    medecin_telephone = TelephoneField(label="Téléphone", required=False)
    allergenes_codes = forms.MultipleChoiceField(
        label="Allergènes", choices=Allergene.choices, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("allergenes_codes", self.instance.allergenes_codes)

    def clean(self):
        donnees = super().clean()
        etat = donnees.get("vaccins_etat")
        if etat == Sante.EtatVaccins.PROVISOIRE and not donnees.get("vaccins_jusqu_au"):
            self.add_error("vaccins_jusqu_au", "Une admission provisoire a une fin\u00a0: trois mois d'habitude.")
        if etat in ("", Sante.EtatVaccins.A_JOUR):
            donnees["vaccins_jusqu_au"] = None
        return donnees


class FixeeForm:
    """What a row is about is chosen once: afterwards its dates change, or another row is added."""

    fixes: tuple[str, ...] = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for nom in set(self.fixes) & set(self.fields):
                self.fields[nom].disabled = True


class PersonneForm(FixeeForm, forms.ModelForm):
    fixes = ("famille",)
    prenom = NomField(label="Prénom")
    nom = NomField(label="Nom")
    telephone = TelephoneField(label="Téléphone")

    class Meta:
        model = PersonneAutorisee
        fields = ["famille", "ordre", "prenom", "nom", "lien", "telephone", "peut_chercher", "urgence", "piece"]

    def clean(self):
        donnees = super().clean()
        if not donnees.get("peut_chercher") and not donnees.get("urgence"):
            raise ValidationError("Dites si cette personne peut venir chercher l'enfant, être appelée, ou les deux.")
        return donnees


class DocumentForm(forms.ModelForm):
    class Meta:
        model = DocumentEnfant
        fields = ["nature", "expire_le"]


class RattachementForm(FixeeForm, LigneForm):
    fixes = ("famille",)


class RattachementsFormSet(PeriodesFormSet):
    cle = ("famille",)
    phrase = "Cet enfant est déjà rattaché à ce foyer pendant cette période."


class SuspensionForm(FixeeForm, LigneForm):
    fixes = ("adulte",)
    motif = forms.CharField(
        label="Raison", max_length=300, help_text="Par exemple la date du jugement. La famille ne la lit pas."
    )


class SuspensionsFormSet(PeriodesFormSet):
    cle = ("adulte",)
    phrase = "L'accès de cet adulte est déjà suspendu pendant cette période."


class FamilleField(forms.ModelChoiceField):
    """Households by their adults: after a separation the names are the same."""

    noms: dict = {}

    def label_from_instance(self, famille):
        return self.noms.get(famille.pk, str(famille))
