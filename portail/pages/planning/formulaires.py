"""Forms of the planning: days to repeat, a week to copy, an absence."""

from datetime import date, timedelta

from crispy_forms.helper import FormHelper
from django import forms
from django.core.exceptions import ValidationError

from demandes.forms.base import JourField
from enfants.models import MotifAbsence
from enfants.regles.annees import annee_scolaire, bornes
from enfants.regles.planning import Geste
from enfants.reservations import CHANGEMENTS_MAX, Changement
from portail.outils.dates import JOURS

DUREE_MAX = timedelta(days=400)


class _Form(forms.Form):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False


class RepeterForm(_Form):
    """Weekdays, services, children, from a day to a day, every week or one in two."""

    geste = forms.ChoiceField(
        label="Ce que vous voulez",
        choices=[(Geste.RESERVER, "Réserver ces jours"), (Geste.ANNULER, "Annuler ces jours")],
        initial=Geste.RESERVER,
        widget=forms.RadioSelect,
    )
    enfants = forms.MultipleChoiceField(
        label="Enfants",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins un enfant."},
    )
    services = forms.MultipleChoiceField(
        label="Services",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins un service."},
    )
    jours = forms.MultipleChoiceField(
        label="Jours de la semaine",
        choices=[(str(n), nom.capitalize()) for n, nom in enumerate(JOURS[:6])],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins un jour de la semaine."},
    )
    du = JourField(label="Du")
    au = JourField(label="Jusqu'au")
    rythme = forms.ChoiceField(
        label="Rythme",
        choices=[("1", "Chaque semaine"), ("2", "Une semaine sur deux, à partir de celle du premier jour")],
        initial="1",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args, enfants, offres, aujourdhui: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.offres = offres
        self.fields["enfants"].choices = [(str(enfant.pk), enfant.prenom) for enfant in enfants]
        self.fields["services"].choices = [(offre.code, offre.nom) for offre in offres]
        if len(enfants) == 1:
            self.fields["enfants"].initial = [str(enfants[0].pk)]
        lundi = aujourdhui + timedelta(days=7 - aujourdhui.weekday())
        self.fields["du"].initial = lundi
        self.fields["au"].initial = min(date(bornes(annee_scolaire(lundi))[1].year, 7, 2), lundi + DUREE_MAX)
        for offre in offres:
            if offre.formules:
                choix = [(str(cle), nom) for cle, nom in offre.formules]
                self.fields[f"formule_{offre.code}"] = FormuleField(label=f"Formule, {offre.nom}", choices=choix)
        formules = [nom for nom in self.fields if nom.startswith("formule_")]
        self.order_fields(["geste", "enfants", "services", *formules])

    def clean(self):
        donnees = super().clean()
        du, au = donnees.get("du"), donnees.get("au")
        if du and not 2020 <= du.year < 2100:
            self.add_error("du", "Vérifiez l'année.")
        elif du and au and au < du:
            self.add_error("au", "La fin vient avant le début.")
        elif du and au and au - du > DUREE_MAX:
            self.add_error("au", "Choisissez une période d'un an au plus.")
        elif du and au and not self.errors and len(self.changements()) > CHANGEMENTS_MAX:
            self.add_error("au", "C'est trop de jours à la fois\u00a0: choisissez une période plus courte.")
        return donnees

    def changements(self) -> list[Changement]:
        """Every day asked for, open or not."""
        d = self.cleaned_data
        voulus, premiere = {int(jour) for jour in d["jours"]}, d["du"] - timedelta(days=d["du"].weekday())
        jours = [
            le
            for n in range((d["au"] - d["du"]).days + 1)
            if (le := d["du"] + timedelta(days=n)).weekday() in voulus
            and (le - premiere).days // 7 % int(d["rythme"]) == 0
        ]
        return [
            Changement(int(enfant), offre.code, le, Geste(d["geste"]), self._formule(offre))
            for le in jours
            for enfant in d["enfants"]
            for offre in self.offres
            if offre.code in d["services"] and le.weekday() in offre.jours
        ]

    def _formule(self, offre):
        choisie = self.cleaned_data.get(f"formule_{offre.code}") or (offre.formules[0][0] if offre.formules else 0)
        return int(choisie) or None


class FormuleField(forms.ChoiceField):
    """One of the formulas of a service: the first unless told."""

    def clean(self, value):
        return super().clean(value or self.choices[0][0])


class CopierForm(_Form):
    """Until when a week is copied."""

    jusqu_au = JourField(label="Jusqu'au")

    def __init__(self, *args, lundi: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.lundi = lundi
        self.fields["jusqu_au"].initial = lundi + timedelta(days=13)

    def clean_jusqu_au(self):
        jusqu_au = self.cleaned_data["jusqu_au"]
        if jusqu_au < self.lundi + timedelta(days=7):
            raise ValidationError("Choisissez un jour d'une semaine suivante.")
        if jusqu_au - self.lundi > DUREE_MAX:
            raise ValidationError("Choisissez une période d'un an au plus.")
        return jusqu_au


class QuandForm(_Form):
    """First step of an absence: who, from when to when, which services."""

    enfants = forms.MultipleChoiceField(
        label="Enfants",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins un enfant."},
    )
    du = JourField(label="Premier jour d'absence")
    retour = JourField(label="Jour de retour", help_text="Ce jour-là, l'enfant revient.")
    service = forms.ChoiceField(label="Services", required=False)

    def __init__(self, *args, enfants, offres, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["enfants"].choices = [(str(enfant.pk), enfant.prenom) for enfant in enfants]
        self.fields["service"].choices = [("", "Tous"), *((offre.code, offre.nom) for offre in offres)]

    def clean(self):
        donnees = super().clean()
        du, retour = donnees.get("du"), donnees.get("retour")
        if du and not 2020 <= du.year < 2100:
            self.add_error("du", "Vérifiez l'année.")
        elif du and retour and retour <= du:
            self.add_error("retour", "Le retour vient après le premier jour d'absence.")
        elif du and retour and retour - du > timedelta(days=60):
            self.add_error("retour", "Au-delà de deux mois, écrivez à la mairie.")
        return donnees


class MotifForm(_Form):
    """Second step: the reason, what the parent adds, how the proof comes."""

    motif = forms.ModelChoiceField(
        MotifAbsence.objects.filter(actif=True),
        label="Raison",
        to_field_name="code",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez une raison.", "invalid_choice": "Choisissez une raison de la liste."},
    )
    mot = forms.CharField(
        label="Un mot pour la mairie",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    plus_tard = forms.BooleanField(label="Je déposerai le justificatif plus tard", required=False)
