"""The form of a deadline: a kind of rule, the fields of that kind, and « what if »."""

from datetime import date
from functools import cached_property

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone

from enfants import delais as regles_datees
from enfants.models import RegleDelai
from enfants.models.enfant import Garde
from enfants.regles import delais
from portail.outils.dates import JOURS
from portail.outils.dates import jour as en_mots
from portail.outils.periodes import PeriodeForm

TYPES = {
    "jours_avant": "Un nombre de jours avant, à une heure",
    "semaine": "Un jour d'une semaine d'avant, à une heure",
    "table": "Une ligne par jour de la semaine",
    "mois": "Un jour du mois d'avant, à une heure",
    "periode": "Un nombre de jours avant les vacances, à une heure",
    "heures_avant": "Un nombre d'heures avant le début du service",
    "aucune": "Jusqu'au début du service",
}
COMPTES = {
    "calendaires": "Tous les jours",
    "ouvres": "Du lundi au vendredi, sauf jours fériés",
    "scolaires": "Les jours d'école du service, sauf vacances et jours fériés",
    "francs": "Jours francs\u00a0: entiers entre la limite et le jour",
}
# Kind -> what it holds in the rule; its field is called « mois_jour ».
PARTIES = {
    "jours_avant": ("n", "heure", "compte", "jours_comptes"),
    "heures_avant": ("n",),
    "semaine": ("avant", "jour", "heure"),
    "mois": ("jour", "heure"),
    "periode": ("avant_jours", "heure"),
    "aucune": (),
}
GENRES = {"semaines": "semaines avant", "jours": "jours avant", "date": "à une date"}
PREMIERE, DERNIERE = date(2000, 1, 1), date(2100, 12, 31)
BORNES = [
    MinValueValidator(PREMIERE, "Choisissez une date à partir de 2000."),
    MaxValueValidator(DERNIERE, "Choisissez une date jusqu'à 2100."),
]


def _nombre(libelle, maxi, mini=0, aide=""):
    bornes = f"Choisissez un nombre de {mini} à {maxi}."
    return forms.IntegerField(
        label=libelle,
        required=False,
        help_text=aide,
        widget=forms.NumberInput(attrs={"min": mini, "max": maxi}),
        validators=[MinValueValidator(mini, bornes), MaxValueValidator(maxi, bornes)],
    )


def _heure(libelle="à", aide=""):
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    return forms.TimeField(label=libelle, required=False, help_text=aide, widget=widget)


def _date(libelle):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=libelle, required=False, widget=widget, validators=BORNES)


def _lignes_de_la_table():
    champs = {}
    for numero, nom in enumerate(JOURS):
        champs[f"table_{numero}_jours"] = _nombre(f"{nom.capitalize()}\u00a0: jours avant", delais.JOURS_MAX)
        champs[f"table_{numero}_heure"] = _heure()
    return champs


def _ouvertures():
    champs = {}
    for public, qui in delais.PUBLICS.items():
        champs[f"{public}_genre"] = forms.ChoiceField(
            label=f"Pour {qui}", choices=[("", "---------"), *GENRES.items()], required=False
        )
        champs[f"{public}_nombre"] = _nombre("nombre", delais.JOURS_MAX)
        champs[f"{public}_date"] = _date("ou date")
        champs[f"{public}_heure"] = _heure()
    return champs


# A line a weekday, two a public: fields made alike.
Repetes = type("Repetes", (forms.Form,), _lignes_de_la_table() | _ouvertures())


class RegleForm(Repetes, PeriodeForm):
    type = forms.ChoiceField(
        label="Sorte de règle", choices=TYPES.items(), widget=forms.RadioSelect(attrs={"data-portail-type-regle": ""})
    )
    jours_avant_n = _nombre("Jours avant", delais.JOURS_MAX, aide="0\u00a0: le jour même.")
    jours_avant_heure = _heure(aide="23:59 va jusqu'à minuit.")
    jours_avant_compte = forms.ChoiceField(
        label="Jours qui comptent", choices=COMPTES.items(), required=False, widget=forms.RadioSelect
    )
    jours_avant_jours_comptes = forms.TypedMultipleChoiceField(
        label="Seulement ces jours de la semaine",
        choices=Garde.Jour.choices,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Aucun\u00a0: ceux de la ligne du dessus. Ne sert qu'aux jours ouvrés et aux jours d'école.",
    )
    heures_avant_n = _nombre("Heures avant le début", 24 * delais.JOURS_MAX)
    semaine_avant = _nombre("Semaines avant", 52, aide="0\u00a0: la semaine même.")
    semaine_jour = forms.TypedChoiceField(label="le", choices=Garde.Jour.choices, coerce=int, required=False)
    semaine_heure = _heure()
    mois_jour = _nombre("Jour du mois d'avant", 31, mini=1, aide="31\u00a0: son dernier jour.")
    mois_heure = _heure()
    periode_avant_jours = _nombre("Jours avant le premier jour des vacances", delais.JOURS_MAX)
    periode_heure = _heure()
    ouverture = forms.BooleanField(label="Les réservations n'ouvrent qu'à partir d'un moment", required=False)
    essai_jour = _date("Si une famille change le")
    essai_instant = forms.DateTimeField(
        label="à quel moment",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Vide\u00a0: maintenant.",
    )

    essai = False  # « Essayer »: read, answered, not saved; see RegleDelaiAdmin.get_form

    class Meta:
        model = RegleDelai
        fields = ["service", "usage", "valable_du", "valable_au"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.regle_lue: dict | None = None
        for nom in {"valable_du", "valable_au"} & set(self.fields):
            self.fields[nom].validators += BORNES
        if self.instance.pk is None:
            self.initial = {"type": "jours_avant"} | self.initial
            return
        self.initial = decomposer(self.instance.regle) | self.initial
        for nom in {"service", "usage"} & set(self.fields):
            self.fields[nom].disabled = True

    def is_valid(self):
        """A rule that is only tried is never saved."""
        return super().is_valid() and not self.essai

    @cached_property
    def changed_data(self):
        return [nom for nom in super().changed_data if not nom.startswith("essai_")]

    def full_clean(self):
        super().full_clean()
        if self.essai:  # the dates may come later
            for nom in ("usage", "valable_du", "valable_au", forms.forms.NON_FIELD_ERRORS):
                self._errors.pop(nom, None)

    def clean(self):
        donnees = super().clean()
        self._oublier_les_autres_sortes(donnees.get("type"))
        if not donnees.get("ouverture"):
            self._oublier(tuple(f"{public}_" for public in delais.PUBLICS))
        regle = self._composer(donnees)
        siens = {nom for nom in self.declared_fields if not nom.startswith("essai_")}
        if not self.errors.keys() & siens:
            self.regle_lue = self.instance.regle = regle
        if self.essai and not donnees.get("essai_jour") and "essai_jour" not in self.errors:
            self.add_error("essai_jour", "Choisissez le jour à essayer.")
        return donnees

    # --- What was typed, as a rule

    def _oublier_les_autres_sortes(self, type_):
        """What is typed in the fields of another kind is not read, well or badly written."""
        if type_ is not None:
            self._oublier(tuple(f"{autre}_" for autre in TYPES if autre != type_))

    def _oublier(self, debuts):
        for nom in [nom for nom in self.errors if nom.startswith(debuts)]:
            del self.errors[nom]

    def _demander(self, nom):
        """The value of a field that this rule needs."""
        valeur = self.cleaned_data.get(nom)
        if valeur in (None, "") and nom not in self.errors:
            self.add_error(nom, self.fields[nom].error_messages["required"])
        return valeur.strftime("%H:%M") if nom.endswith("_heure") and valeur else valeur

    def _composer(self, donnees):
        type_ = donnees.get("type")
        if type_ is None:
            return None
        regle = {"type": type_}
        if type_ == "table":
            regle["jours"] = self._table(donnees)
        else:
            noms = [nom for nom in PARTIES[type_] if nom != "jours_comptes"]
            regle |= {nom: self._demander(f"{type_}_{nom}") for nom in noms}
        comptes = donnees.get("jours_avant_jours_comptes")
        if regle.get("compte") in ("ouvres", "scolaires") and comptes:
            regle["jours_comptes"] = comptes
        if donnees.get("ouverture"):
            regle["ouverture"] = {public: self._moment(donnees, public) for public in delais.PUBLICS}
        return regle

    def _table(self, donnees):
        lignes = {}
        for numero in range(7):
            noms = [f"table_{numero}_jours", f"table_{numero}_heure"]
            if all(donnees.get(nom) is None and nom not in self.errors for nom in noms):
                continue
            jours, heure = (self._demander(nom) for nom in noms)
            lignes[str(numero)] = [-(jours or 0), heure]
        if not lignes:
            self.add_error("table_0_jours", "Remplissez la ligne d'au moins un jour.")
        return lignes

    def _moment(self, donnees, public):
        genre = self._demander(f"{public}_genre")
        heure = self._demander(f"{public}_heure")
        if genre == "date":
            jour = self._demander(f"{public}_date")
            return {"date": jour and jour.isoformat(), "heure": heure}
        return {genre or "jours": self._demander(f"{public}_nombre"), "heure": heure}

    # --- What does not hold, beside its field

    def _update_errors(self, errors):
        """The sentences about the rule, which is no field of the form, go to the field they speak of."""
        for faute in getattr(errors, "error_dict", {}).pop("regle", []):
            if self.regle_lue is not None:  # else the fields have said it
                for phrase in faute.messages:
                    self.add_error(self._champ_de(phrase), phrase)
                self.regle_lue = None
        super()._update_errors(errors)

    def _champ_de(self, phrase):
        for public, qui in delais.PUBLICS.items():
            if phrase.startswith(f"Ouverture pour {qui}"):
                return f"{public}_nombre" if "nombre" in phrase else f"{public}_date"
        if self.cleaned_data.get("type") != "jours_avant":
            return "type"
        return "jours_avant_n" if phrase.startswith("Le nombre") else "jours_avant_jours_comptes"

    def _get_validation_exclusions(self):
        """Of a new rule, the database's own refusal of two at once is not asked: see _post_clean."""
        exclues = super()._get_validation_exclusions()
        return exclues if self.instance.pk else exclues | {"valable_au"}

    def _post_clean(self):
        """A new rule may start while another is in force, which will end the day before; not end in the next."""
        super()._post_clean()
        if self.instance.pk or self.errors or not (autre := regles_datees.genante(self.instance)):
            return
        if autre.valable_du == self.instance.valable_du:
            self.add_error("valable_du", "Un autre délai commence ce jour-là\u00a0: modifiez-le.")
            return
        fin = "une fin" if self.instance.valable_au is None else "une autre fin"
        phrase = f"Un autre délai commence le {en_mots(autre.valable_du)}\u00a0: donnez {fin}, avant ce jour."
        self.add_error("valable_au", phrase)

    def instant_essaye(self):
        return self.cleaned_data.get("essai_instant") or timezone.now()


def decomposer(regle: dict) -> dict:
    """The fields that say this rule; ``regle`` is one of which ``delais.valider`` says nothing."""
    type_ = regle["type"]
    champs = {"type": type_}
    if type_ == "table":
        for jour, (decalage, heure) in regle["jours"].items():
            champs |= {f"table_{jour}_jours": -decalage, f"table_{jour}_heure": heure}
    else:
        champs |= {f"{type_}_{nom}": regle[nom] for nom in PARTIES[type_] if nom in regle}
    for public, moment in regle.get("ouverture", {}).items():
        genre = next(nom for nom in GENRES if nom in moment)
        valeur = "date" if genre == "date" else "nombre"
        champs |= {
            "ouverture": True,
            f"{public}_genre": genre,
            f"{public}_{valeur}": moment[genre],
            f"{public}_heure": moment["heure"],
        }
    return champs
