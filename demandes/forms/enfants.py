"""Forms of « Mes enfants »."""

from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from demandes.forms.base import DatesField, DemandeForm, JourField, LignesField, OuiNonField, en_json
from enfants.dossier import vaccins_actifs
from enfants.models import Allergene, Ecole, Enfant, Niveau, PersonneAutorisee, Sante
from enfants.regles.annees import age
from enfants.regles.vaccins import obligatoires
from familles.champs import NomField, TelephoneField
from portail.commune import Commune
from portail.outils.dates import jour

AGE_MAX = 20  # years
PERSONNES_MAX = 12
TEXTE_MAX = 2000


def choix_ecoles():
    """Read at each form: schools come and go."""
    return [("", "Non précisée"), *((str(ecole.pk), ecole.nom) for ecole in Ecole.objects.all())]


class EtatCivilForm(DemandeForm):
    prenom = NomField(label="Prénom", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    nom = NomField(label="Nom", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    sexe = forms.ChoiceField(label="Sexe", choices=[("", "Non précisé"), *Enfant.Sexe.choices], required=False)
    date_naissance = JourField(label="Date de naissance")
    lieu_naissance = forms.CharField(label="Lieu de naissance", max_length=100, required=False)
    ecole = forms.ChoiceField(label="École", choices=choix_ecoles, required=False)
    niveau = forms.ChoiceField(label="Niveau", choices=[("", "Non précisé"), *Niveau.choices], required=False)

    @classmethod
    def groupes(cls):
        return [
            ("État civil", ["prenom", "nom", "sexe", "date_naissance", "lieu_naissance"]),
            ("Scolarité", ["ecole", "niveau"]),
        ]

    def clean_date_naissance(self):
        naissance = self.cleaned_data["date_naissance"]
        aujourdhui = timezone.localdate()
        if naissance > aujourdhui or age(naissance, aujourdhui) > AGE_MAX:
            raise ValidationError("Cette date n'est pas celle de la naissance d'un enfant.")
        return naissance


class AjoutEnfantForm(EtatCivilForm):
    regime = forms.ChoiceField(
        label="Régime des repas",
        choices=[choix for choix in Enfant.Regime.choices if choix[0] != Enfant.Regime.PANIER_PAI],
        initial=Enfant.Regime.STANDARD,
    )
    autre_foyer = forms.BooleanField(
        label="L'enfant vit aussi dans un autre foyer",
        required=False,
        help_text="La mairie vous contactera pour noter les jours de chacun.",
    )
    precisions = forms.CharField(
        label="À savoir",
        required=False,
        max_length=TEXTE_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Date d'arrivée, services souhaités.",
    )

    @classmethod
    def groupes(cls):
        return [*super().groupes(), ("Accueil", ["regime", "autre_foyer", "precisions"])]

    def clean(self):
        donnees = super().clean()
        deja = Enfant.objects.visibles_par(self.demandeur).filter(
            prenom__unaccent__iexact=donnees.get("prenom", ""), date_naissance=donnees.get("date_naissance")
        )
        if donnees.get("date_naissance") and deja.exists():
            self.add_error("prenom", f"{donnees['prenom']} est déjà dans l'onglet « Mes enfants ».")
        return donnees


class PersonneForm(forms.Form):
    """A row of the people a household trusts with the child."""

    cle = forms.UUIDField(required=False, widget=forms.HiddenInput)
    prenom = NomField(label="Prénom")
    nom = NomField(label="Nom")
    lien = forms.CharField(label="Lien avec l'enfant", max_length=60, help_text="Grand-mère, voisin, nounou…")
    telephone = TelephoneField(label="Téléphone")
    peut_chercher = forms.BooleanField(label="Peut venir chercher l'enfant", required=False, initial=True)
    urgence = forms.BooleanField(label="À appeler en cas d'urgence", required=False)
    piece = forms.ChoiceField(
        label="Pièce d'identité",
        choices=[("", "À préciser"), *PersonneAutorisee.Piece.choices],
        required=False,
    )
    ordre = forms.IntegerField(
        label="Ordre d'appel",
        required=False,
        min_value=1,
        max_value=99,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "use_required_attribute": False})

    def clean(self):
        donnees = super().clean()
        if not donnees.get("peut_chercher") and not donnees.get("urgence"):
            raise ValidationError("Dites si cette personne peut venir chercher l'enfant, être appelée, ou les deux.")
        return donnees


class AutorisationsForm(DemandeForm):
    personnes = LignesField(
        PersonneForm,
        label="Personnes autorisées",
        gabarit_lignes="composants/_personnes.html",
        maximum=PERSONNES_MAX,
        help_text="Les parents du foyer sont toujours autorisés : ne les ajoutez pas. "
        "Quand l'enfant a deux foyers, chacun tient sa propre liste.",
    )

    @classmethod
    def groupes(cls):
        return [("Personnes autorisées à venir chercher l'enfant", ["personnes"])]

    def clean_personnes(self):
        """Rows in the order of calls; a new one gets its key here, a key from elsewhere is nobody's."""
        lignes = self.cleaned_data["personnes"]
        connues = {ligne["cle"] for source in (self.actuelles, self.initial) for ligne in source.get("personnes") or []}
        dernier = PERSONNES_MAX + 1
        lignes = sorted(lignes, key=lambda ligne: int(ligne["ordre"] or dernier))
        vues = set()
        for rang, ligne in enumerate(lignes, 1):
            if ligne["cle"] not in connues or ligne["cle"] in vues:
                ligne["cle"] = str(uuid4())
            vues.add(ligne["cle"])
            ligne["ordre"] = str(rang)
        return lignes


class InformationsForm(DemandeForm):
    appareil_dentaire = forms.BooleanField(label="Appareil dentaire", required=False)
    lunettes = forms.BooleanField(label="Lunettes", required=False)
    appareil_auditif = forms.BooleanField(label="Appareil auditif", required=False)
    autre_appareil = forms.CharField(label="Autre appareil", max_length=200, required=False)
    regime = forms.ChoiceField(label="Régime des repas", choices=Enfant.Regime.choices)
    photo = OuiNonField(
        label="Photos et vidéos pendant les activités",
        help_text="Pour le journal et le site de la commune. Vous pouvez changer d'avis à tout moment.",
    )
    sortie_seul = OuiNonField(label="Rentrer seul à la maison")
    hospitalisation = OuiNonField(label="Soins d'urgence et transport à l'hôpital")
    baignade = OuiNonField(label="Baignade")
    sorties = OuiNonField(label="Sorties à pied, en car ou en minibus")
    assurance_compagnie = forms.CharField(label="Assureur", max_length=100, required=False)
    assurance_numero = forms.CharField(
        label="Numéro de contrat",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    assurance_fin = JourField(label="Assurance valable jusqu'au", required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        minimum = Commune.actuelle().age_depart_seul
        self.fields["sortie_seul"].help_text = f"Possible à partir de {minimum} ans."

    @classmethod
    def groupes(cls):
        return [
            ("Appareils", ["appareil_dentaire", "lunettes", "appareil_auditif", "autre_appareil"]),
            ("Repas", ["regime"]),
            ("J'autorise", ["hospitalisation", "sorties", "baignade", "sortie_seul", "photo"]),
            ("Assurance", ["assurance_compagnie", "assurance_numero", "assurance_fin"]),
        ]

    def clean_regime(self):
        regime = self.cleaned_data["regime"]
        if regime == Enfant.Regime.PANIER_PAI and not self.enfant.a_pai:
            raise ValidationError("Le panier PAI suppose un PAI : déclarez-le d'abord dans les données sanitaires.")
        return regime

    def clean_assurance_fin(self):
        fin = self.cleaned_data["assurance_fin"]
        deja = (self.actuelles.get("assurance_fin"), self.initial.get("assurance_fin"))
        if fin and fin < timezone.localdate() and en_json(fin) not in deja:  # what was asked in time stays good
            raise ValidationError("Cette assurance est déjà finie : joignez l'attestation de cette année.")
        return fin

    def clean_sortie_seul(self):
        accorde = self.cleaned_data["sortie_seul"]
        minimum, naissance = Commune.actuelle().age_depart_seul, self.enfant.date_naissance
        if accorde is True and (naissance is None or age(naissance, timezone.localdate()) < minimum):
            raise ValidationError(
                f"{self.enfant.prenom} n'a pas encore {minimum} ans : d'ici là, une personne autorisée l'attend."
            )
        return accorde


class SanteForm(DemandeForm):
    medecin_nom = forms.CharField(label="Médecin traitant", max_length=100, required=False)
    medecin_telephone = TelephoneField(label="Téléphone du médecin", required=False)
    vaccinations = DatesField(
        label="Vaccins", required=False, help_text="Recopiez du carnet de santé la date du dernier rappel de chacun."
    )
    allergenes = forms.MultipleChoiceField(
        label="Allergènes", choices=Allergene.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    allergies = forms.CharField(
        label="Autres allergies, et que faire",
        required=False,
        max_length=TEXTE_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    a_pai = forms.BooleanField(
        label="Un projet d'accueil individualisé (PAI) est signé",
        required=False,
        help_text="Joignez-le en bas de page.",
    )
    pai_revision = JourField(label="PAI à revoir le", required=False)
    pai_consignes = forms.CharField(
        label="Trousse et gestes d'urgence",
        required=False,
        max_length=TEXTE_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Médicaments, où ils sont rangés, quoi faire.",
    )
    traitements = forms.CharField(
        label="Traitements en cours", required=False, max_length=TEXTE_MAX, widget=forms.Textarea(attrs={"rows": 2})
    )
    recommandations = forms.CharField(
        label="Recommandations", required=False, max_length=TEXTE_MAX, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Those the law asks of this child, all of them while its age is unknown, and those already told.
        vaccins, naissance = vaccins_actifs(), self.enfant.date_naissance
        demandes = {vaccin.code for vaccin in obligatoires(naissance, timezone.localdate(), vaccins)}
        connus = set(self.actuelles.get("vaccinations") or ())
        self.fields["vaccinations"].widget.lignes = [
            (vaccin.code, vaccin.nom) for vaccin in vaccins if not naissance or vaccin.code in demandes | connus
        ]

    @classmethod
    def groupes(cls):
        return [
            ("Médecin", ["medecin_nom", "medecin_telephone"]),
            ("Vaccins", ["vaccinations"]),
            ("Allergies", ["allergenes", "allergies"]),
            ("Projet d'accueil individualisé", ["a_pai", "pai_revision", "pai_consignes"]),
            ("Traitements et recommandations", ["traitements", "recommandations"]),
        ]

    def clean_vaccinations(self):
        faites, aujourdhui = self.cleaned_data["vaccinations"], timezone.localdate().isoformat()
        naissance = str(self.enfant.date_naissance or "")
        libelles = dict(self.fields["vaccinations"].widget.lignes)
        erreurs = [
            f"{libelles[code]} : cette date n'est pas possible."
            for code, le in faites.items()
            if le > aujourdhui or le < naissance
        ]
        if erreurs:
            raise ValidationError(erreurs)
        retires = {code: le for code, le in self.actuelles.get("vaccinations", {}).items() if code not in libelles}
        return {**retires, **faites}

    def clean(self):
        donnees = super().clean()
        if not donnees.get("a_pai"):
            if self.enfant.regime == Enfant.Regime.PANIER_PAI:
                self.add_error("a_pai", "Le panier PAI est en cours : changez d'abord le régime des repas.")
            donnees["pai_revision"], donnees["pai_consignes"] = None, ""
        elif not donnees.get("pai_revision") and "pai_revision" not in self.errors:
            self.add_error("pai_revision", "Dites quand le PAI est à revoir, d'habitude à la rentrée.")
        return donnees


class SanteDecisionForm(forms.Form):
    """What the agent has read in the vaccination pages."""

    vaccins_etat = forms.ChoiceField(
        label="Vaccins", choices=[("", "À vérifier"), *Sante.EtatVaccins.choices], required=False
    )
    vaccins_jusqu_au = JourField(label="Jusqu'au", required=False)

    def clean(self):
        donnees = super().clean()
        provisoire = donnees.get("vaccins_etat") == Sante.EtatVaccins.PROVISOIRE
        if provisoire and not donnees.get("vaccins_jusqu_au") and "vaccins_jusqu_au" not in self.errors:
            self.add_error("vaccins_jusqu_au", "Une admission provisoire a une fin : trois mois d'habitude.")
        if donnees.get("vaccins_etat") in ("", Sante.EtatVaccins.A_JOUR):
            donnees["vaccins_jusqu_au"] = None
        return donnees


class AjoutDecisionForm(forms.Form):
    """Shown when the child may be on file already: the agent says which one it is."""

    enfant_existant = forms.ChoiceField(
        label="Cet enfant est peut-être déjà connu",
        widget=forms.RadioSelect,
        error_messages={"required": "Dites s'il s'agit d'un enfant déjà connu."},
    )

    def __init__(self, *args, initial=None, **kwargs):
        initial = dict(initial or {})
        ressemblants = initial.pop("ressemblants", [])
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["enfant_existant"].choices = [
            *((str(enfant.pk), f"C'est {enfant}, {_naissance(enfant)}") for enfant in ressemblants),
            ("nouveau", "C'est un autre enfant : créer son dossier"),
        ]


def _naissance(enfant):
    if enfant.date_naissance is None:
        return "sans date de naissance"
    return f"naissance le {jour(enfant.date_naissance, semaine=False)}"
