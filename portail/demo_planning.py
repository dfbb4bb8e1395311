"""The services of the cast: what the commune offers, who is registered, what is booked, what was seen."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from demandes import inscriptions
from demandes import planning as demandes
from enfants import fermetures, offre
from enfants.models import (
    Ecole,
    Enfant,
    Fermeture,
    Formule,
    Implantation,
    Inscription,
    MotifAbsence,
    Place,
    Presence,
    RegleDelai,
    Reglement,
    Reservation,
    Service,
    Site,
    TrancheAge,
)
from enfants.planning import Planning, enfants_de
from enfants.regles.annees import annee_scolaire, bornes
from enfants.regles.planning import Geste
from enfants.reservations import Changement, places_verrouillees
from enfants.vacances import feries_publies, importer_feries
from familles.models import Famille, Utilisateur
from portail.demo_enfants import ECOLES

ECOLE = [0, 1, 3, 4]
AVANT_VEILLE = {"type": "jours_avant", "n": 2, "heure": "12:00", "compte": "scolaires"}
VEILLE = {"type": "jours_avant", "n": 1, "heure": "18:00", "compte": "calendaires"}
MERCREDI = {"type": "jours_avant", "n": 2, "heure": "12:00", "compte": "scolaires", "jours_comptes": ECOLE}
VACANCES = {"type": "periode", "avant_jours": 21, "heure": "18:00"}
LE_JOUR_MEME = {"type": "jours_avant", "n": 0, "heure": "23:59", "compte": "calendaires"}
# code -> columns of Service, its rules by use
SERVICES = {
    "accueil-matin": (
        {"nom": "Accueil du matin", "nom_court": "Matin", "couleur": "#7a4b00", "jours": ECOLE}
        | {"heure_debut": time(7, 30), "heure_fin": time(8, 45)},
        {"RESERVER": VEILLE, "ANNULER": VEILLE},
    ),
    "restauration": (
        {"nom": "Restauration scolaire", "nom_court": "Cantine", "couleur": "#0f5f6e", "jours": ECOLE}
        | {"heure_debut": time(12), "heure_fin": time(13, 45), "pieces_requises": ["ASSURANCE"]}
        | {"note_retard": "un repas demandé en retard est majoré de 50\u00a0%."},
        {"RESERVER": AVANT_VEILLE, "ANNULER": AVANT_VEILLE},
    ),
    "accueil-soir": (
        {"nom": "Accueil du soir", "nom_court": "Soir", "couleur": "#5a3b8c", "jours": ECOLE}
        | {"heure_debut": time(16, 30), "heure_fin": time(18, 30)},
        {"RESERVER": VEILLE, "ANNULER": VEILLE},
    ),
    "alsh-mercredi": (
        {"nom": "ALSH du mercredi", "nom_court": "Mercredi", "couleur": "#1d6338", "jours": [2]}
        | {"heure_debut": time(8), "heure_fin": time(18), "age_min": 3, "age_max": 11},
        {"RESERVER": MERCREDI, "ANNULER": MERCREDI},
    ),
    "alsh-vacances": (
        {"nom": "ALSH des vacances", "nom_court": "Vacances", "couleur": "#a8321f", "jours": [0, 1, 2, 3, 4]}
        | {"heure_debut": time(8), "heure_fin": time(18), "age_min": 3, "age_max": 11, "periode": "VACANCES"}
        | {"validation": "AGENT", "minimum_semaine": 2},
        {"RESERVER": VACANCES, "ANNULER": VACANCES},
    ),
}
FORMULES = {
    "alsh-mercredi": ["Journée avec repas", "Matin sans repas", "Matin avec repas", "Après-midi"],
    "alsh-vacances": ["Journée avec repas", "Demi-journée avec repas", "Demi-journée sans repas"],
}
MOTIFS = [
    ("maladie", "Enfant malade", True, "le premier jour reste dû, les suivants non.", True, 1),
    ("greve", "Enseignant absent ou en grève", False, "rien n'est dû.", False, 0),
    ("sortie", "Sortie scolaire", False, "rien n'est dû.", False, 0),
    (
        "travail",
        "Changement d'horaires de travail",
        True,
        "rien n'est dû, avec l'attestation de l'employeur.",
        False,
        0,
    ),
    ("famille", "Raison familiale", False, "le service reste dû.", False, 366),
]


def charger() -> None:
    """Services, rules and registrations; to call once the children are there."""
    annee = annee_scolaire(timezone.localdate())
    importer_feries(feries_publies([annee, annee + 1]))
    MotifAbsence.objects.bulk_create(
        MotifAbsence(
            code=code,
            libelle=libelle,
            justificatif=justificatif,
            consequence=suite,
            maladie=maladie,
            jours_dus=jours_dus,
            ordre=rang,
        )
        for rang, (code, libelle, justificatif, suite, maladie, jours_dus) in enumerate(MOTIFS)
    )
    services = _services()
    _lieux(services)
    offre.oublier()
    _inscrire(services)
    _reserver()
    _demander()


def animer() -> None:
    """What makes a desk lively: a late meal, an absence without its proof, a closure to come.

    Not part of the cast: its tests count what waits.
    """
    _attendre()
    _fermer()


def _services():
    annee = annee_scolaire(timezone.localdate())
    debut, _ = bornes(annee)
    Reglement.objects.create(
        annee=annee,
        version="Délibération du 12 juin",
        publie_le=debut,
        texte="Les services sont ouverts aux enfants inscrits. Un repas ou un accueil se réserve dans le délai du "
        "service. Un enfant malade est excusé sur justificatif, fourni dans les 48 heures.",
    )
    services = {}
    for rang, (code, (colonnes, regles)) in enumerate(SERVICES.items(), 1):
        services[code] = service = Service.objects.create(code=code, ordre=10 * rang, **colonnes)
        for usage, regle in (regles | {"ABSENCE": LE_JOUR_MEME}).items():
            # From years ago on: the past shows until when it could be changed.
            RegleDelai.objects.create(service=service, usage=usage, regle=regle, valable_du=date(2020, 9, 1))
        Formule.objects.bulk_create(
            Formule(service=service, nom=nom, ordre=n) for n, nom in enumerate(FORMULES.get(code, []))
        )
    return services


def _lieux(services):
    bourg, pommiers = (Ecole.objects.get(nom=nom) for nom in ECOLES)
    restaurant, garderie_bourg, garderie_pommiers, loisirs = (
        Site.objects.create(nom=nom)
        for nom in ("Restaurant du Bourg", "Accueil du Bourg", "Accueil des Pommiers", "Centre de loisirs Le Verger")
    )
    Implantation.objects.create(service=services["restauration"], site=restaurant)
    for code in ("accueil-matin", "accueil-soir"):
        for site, ecole in ((garderie_bourg, bourg), (garderie_pommiers, pommiers)):
            Implantation.objects.create(service=services[code], site=site, capacite=60).ecoles.add(ecole)
    mercredi = Implantation.objects.create(service=services["alsh-mercredi"], site=loisirs, capacite=40)
    TrancheAge.objects.create(implantation=mercredi, age_min=3, age_max=5, capacite=16)
    Implantation.objects.create(service=services["alsh-vacances"], site=loisirs, capacite=48)


def _inscrire(services):
    """The Durand and Benali children are registered; Zoé is not yet."""
    annee = annee_scolaire(timezone.localdate())
    du, au = bornes(annee)
    reglement = Reglement.objects.get()
    for prenom, identifiant, codes in [
        ("Léa", "durand", ["accueil-matin", "restauration", "accueil-soir", "alsh-mercredi", "alsh-vacances"]),
        ("Tom", "durand", ["restauration", "accueil-soir", "alsh-mercredi"]),
        ("Inès", "benali", ["restauration", "accueil-soir"]),
        ("Inès", "rossi", ["restauration"]),
        ("Adam", "benali", ["restauration"]),
    ]:
        enfant = Enfant.objects.get(prenom=prenom)
        famille = Famille.objects.get(responsables__utilisateur__identifiant=identifiant)
        for code in codes:
            Inscription.objects.create(
                enfant=enfant,
                famille=famille,
                service=services[code],
                annee=annee,
                jours=[0, 3] if code == "restauration" else [],
                reglement=reglement,
                reglement_accepte_le=timezone.now(),
                valable_du=du,
                valable_au=au,
            )


def _demander():
    """Adam's father asks for the evenings: the mairie has not answered yet."""
    compte, adam = Utilisateur.objects.get(identifiant="benali"), Enfant.objects.get(prenom="Adam")
    famille, annee = compte.adulte.famille, annee_scolaire(timezone.localdate())
    # As the page sends it: the days of the canteen stay as they are.
    donnees = {"accueil-soir-inscrit": "on", "accueil-soir-jours": ["0", "1"], "restauration-jours": ["0", "3"]}
    blocs = inscriptions.blocs(famille, adam, annee, demandeur=compte, reglement=Reglement.objects.get(), data=donnees)
    if not all(bloc.form.is_valid() for bloc in blocs):
        raise ValueError([bloc.form.errors.as_text() for bloc in blocs])
    inscriptions.deposer(famille, adam, blocs, par=compte)


def _attendre():
    """Of the Benali household, the mairie has to decide a late meal, and waits for the proof of an absence."""
    compte, aujourdhui = Utilisateur.objects.get(identifiant="benali"), timezone.localdate()
    famille, enfants = compte.adulte.famille, list(enfants_de(compte))
    planning = demandes.ouvrir(famille, enfants, aujourdhui, aujourdhui + timedelta(days=14))
    cellules = [
        planning.cellule(enfant, planning.offre("restauration"), aujourdhui + timedelta(days=n))
        for n in range(1, 15)
        for enfant in enfants
    ]
    tardive = next((c for c in cellules if (g := c.geste(Geste.RESERVER)) and g.tardif), None)
    if tardive:
        demandes.changer(famille, [_changement(tardive, Geste.RESERVER)], par=compte)
    absence = next((c for c in cellules if c.geste(Geste.ABSENCE)), None)
    if absence:
        malade = MotifAbsence.objects.get(code="maladie")
        demandes.declarer_absence(famille, [_changement(absence, Geste.ABSENCE)], motif=malade, par=compte)


def _changement(cellule, geste):
    return Changement(cellule.enfant.pk, cellule.offre.code, cellule.jour, geste)


def _fermer():
    """A closure to come, at one school."""
    aujourdhui = timezone.localdate()
    le = aujourdhui + timedelta(days=14 - (aujourdhui.weekday() - 3) % 7)  # a Thursday, a week or two ahead
    fermeture = Fermeture(
        service=Service.objects.get(code="accueil-matin"),
        ecole=Ecole.objects.get(nom=ECOLES[1]),
        valable_du=le,
        valable_au=le,
        motif="formation du personnel",
    )
    fermetures.fermer(fermeture, par=Utilisateur.objects.get(identifiant="agent"))


def _reserver():
    """A month of meals behind and three weeks ahead, with what was seen."""
    aujourdhui = timezone.localdate()
    du, au = aujourdhui - timedelta(days=35), aujourdhui + timedelta(days=21)
    for identifiant in ("durand", "benali"):
        venir(identifiant, "restauration", (0, 3), du, au)


def venir(identifiant: str, service: str, jours: Iterable[int], du: date, au: date) -> None:
    """The children of an account are booked on these weekdays, as far as the calendar allows; the past ones came."""
    compte = Utilisateur.objects.get(identifiant=identifiant)
    famille, enfants = compte.adulte.famille, list(enfants_de(compte))
    planning = Planning(famille, enfants, du, au, maintenant=timezone.now())
    offre_lue = planning.offre(service)
    hugo, aujourdhui = Utilisateur.objects.get(identifiant="animateur"), timezone.localdate()
    voulus = []
    for enfant in enfants:
        for n in range((au - du).days + 1):
            jour = du + timedelta(days=n)
            contexte = planning.cellule(enfant, offre_lue, jour).contexte
            if jour.weekday() in jours and not contexte.ferme and contexte.inscrit:
                voulus.append((enfant, jour))
    site = offre_lue.lieux[0].site
    places = places_verrouillees((offre_lue.cle, site, jour) for _, jour in voulus)
    for enfant, jour in voulus:
        place = places[offre_lue.cle, site, jour]
        Reservation.objects.create(
            enfant=enfant,
            famille=famille,
            service_id=offre_lue.cle,
            jour=jour,
            place=place,
            reservee_par=compte,
            reservee_le=_instant(du),
        )
        if jour < aujourdhui:
            Presence.objects.create(
                enfant=enfant,
                service_id=offre_lue.cle,
                jour=jour,
                place=place,
                etat=Presence.Etat.PRESENT,
                pointee_par=hugo,
                pointee_le=_instant(jour),
            )
    Place.objects.filter(pk__in=[p.pk for p in places.values()], jour__lt=aujourdhui).update(
        close_le=timezone.now(), close_par=hugo
    )


def _instant(jour):
    return datetime.combine(jour, time(13), ZoneInfo(settings.TIME_ZONE))
