"""The children of the cast: schools, files, health, custody."""

from datetime import date, timedelta

from django.utils import timezone

from enfants import actions as enfants
from enfants.models import Affectation, Classe, Ecole, Enfant, Garde, PeriodeVacances, PersonneAutorisee
from enfants.regles.annees import annee_scolaire, bornes
from familles.models import Utilisateur

# Holidays of zone B, arrêté of the ministry; ``manage.py calendrier`` writes those of any zone.
VACANCES = [
    ("Vacances de la Toussaint", date(2026, 10, 17), date(2026, 11, 1)),
    ("Vacances de Noël", date(2026, 12, 19), date(2027, 1, 3)),
    ("Vacances d'hiver", date(2027, 2, 20), date(2027, 3, 7)),
    ("Vacances de printemps", date(2027, 4, 17), date(2027, 5, 2)),
    ("Vacances d'été", date(2027, 7, 3), date(2027, 8, 31)),
]
ECOLES = ("École élémentaire du Bourg", "École des Pommiers")
OUI = {"hospitalisation": True, "sorties": True, "baignade": True}


def charger() -> None:
    """Give the children their school, and to some of them a whole file; to call once the families are there."""
    PeriodeVacances.objects.bulk_create(
        PeriodeVacances(nom=nom, valable_du=du, valable_au=au) for nom, du, au in VACANCES
    )
    bourg, pommiers = (Ecole.objects.create(nom=nom) for nom in ECOLES)
    classes = {
        nom: Classe.objects.create(ecole=ecole, nom=nom)
        for ecole, nom in [
            (bourg, "CP de Mme Faure"),
            (bourg, "CE1-CE2 de M. Blanc"),
            (bourg, "CM1-CM2 de Mme Roy"),
            (pommiers, "Petite et moyenne sections de Mme Lopez"),
            (pommiers, "Grande section de M. Prat"),
        ]
    }
    Affectation.objects.create(animateur=Utilisateur.objects.get(identifiant="animateur"), ecole=bourg)
    _scolariser("Léa", "Durand", "CE2", classes["CE1-CE2 de M. Blanc"], sexe="F")
    _scolariser("Tom", "Durand", "GS", classes["Grande section de M. Prat"], sexe="M")
    _scolariser("Zoé", "Martin", "CP", classes["CP de Mme Faure"], sexe="F")
    _scolariser("Inès", "Benali", "CM1", classes["CM1-CM2 de Mme Roy"], sexe="F", regime=Enfant.Regime.SANS_PORC)
    _scolariser("Adam", "Benali", "PS", classes["Petite et moyenne sections de Mme Lopez"], sexe="M")
    _lea()
    _ines()
    _adam()


def _enfant(prenom, nom):
    return Enfant.objects.get(prenom=prenom, nom=nom)


def _scolariser(prenom, nom, niveau, classe, **autres):
    Enfant.objects.filter(prenom=prenom, nom=nom).update(niveau=niveau, classe=classe, ecole=classe.ecole, **autres)


def _lea():
    """A file with all it needs, but for the papers."""
    lea, aujourdhui = _enfant("Léa", "Durand"), timezone.localdate()
    famille = lea.rattachements.get().famille
    for ordre, (prenom, lien, mobile) in enumerate(
        [("Odile", "Grand-mère", "06 39 98 10 11"), ("Marc", "Oncle", "06 39 98 10 12")], 1
    ):
        PersonneAutorisee.objects.create(
            enfant=lea,
            famille=famille,
            ordre=ordre,
            prenom=prenom,
            nom="Durand",
            lien=lien,
            telephone=mobile,
            urgence=ordre == 1,
            piece=PersonneAutorisee.Piece.CARTE,
        )
    _, fin = bornes(annee_scolaire(aujourdhui))
    enfants.modifier_informations(
        lea,
        OUI
        | {"photo": True, "sortie_seul": False, "lunettes": True}
        | {"assurance_compagnie": "Assurances du Berry", "assurance_numero": "SC-204518", "assurance_fin": fin},
    )
    faites = {
        code: (lea.date_naissance + timedelta(days=jours)).isoformat()
        for code, jours in {
            "DIPHTERIE": 2200,
            "TETANOS": 2200,
            "POLIO": 2200,
            "COQUELUCHE": 2200,
            "HIB": 340,
            "HEPATITE_B": 340,
            "PNEUMOCOQUE": 340,
            "ROUGEOLE": 510,
            "OREILLONS": 510,
            "RUBEOLE": 510,
            "MENINGO_C": 370,
        }.items()
    }
    enfants.modifier_sante(
        lea, {"medecin_nom": "Dr Hélène Garnier", "medecin_telephone": "02 61 91 50 10", "vaccinations": faites}
    )


def _ines():
    """One week in each household, from Monday to Monday."""
    ines = _enfant("Inès", "Benali")
    benali, rossi = (
        Utilisateur.objects.get(identifiant=identifiant).responsable.famille for identifiant in ("benali", "rossi")
    )
    aujourdhui = timezone.localdate()
    debut, _ = bornes(annee_scolaire(aujourdhui))
    Garde.objects.create(
        enfant=ines,
        premier_foyer=benali,
        second_foyer=rossi,
        premiere_semaine=debut,
        vacances=Garde.Vacances.MOITIES,
    )
    PersonneAutorisee.objects.create(
        enfant=ines,
        famille=benali,
        prenom="Samia",
        nom="Benali",
        lien="Tante",
        telephone="06 39 98 30 11",
        urgence=True,
    )
    enfants.modifier_informations(ines, OUI | {"photo": False, "sortie_seul": True, "appareil_dentaire": True})


def _adam():
    """An allergy, its PAI, and the basket the family brings."""
    adam, aujourdhui = _enfant("Adam", "Benali"), timezone.localdate()
    enfants.modifier_sante(
        adam,
        {
            "medecin_nom": "Dr Paul Renaud",
            "medecin_telephone": "02 61 91 50 20",
            "allergenes": ["arachides", "fruits-a-coque"],
            "allergies": "Gonflement des lèvres : donner l'antihistaminique de la trousse, puis appeler le 15.",
            "a_pai": True,
            "pai_revision": aujourdhui + timedelta(days=21),
            "pai_consignes": "Trousse rouge dans le bureau de la directrice, stylo d'adrénaline.",
        },
    )
    enfants.modifier_informations(adam, OUI | {"regime": Enfant.Regime.PANIER_PAI, "photo": True, "sortie_seul": False})
