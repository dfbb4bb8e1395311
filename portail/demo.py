"""The cast: the commune of the notices and a few lively families. The demo and the tests share it."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from demandes import actions as demandes
from demandes.models import Demande, MotifRefus
from demandes.types import InfosCaf, InfosResponsable
from enfants.actions import ajouter_enfant
from enfants.models import Enfant, Rattachement
from familles import actions as familles
from familles.actions import Periode
from familles.models import (
    CoordonneesBancaires,
    DossierCaf,
    Famille,
    QuotientFamilial,
    Responsable,
    SituationFiscale,
    Utilisateur,
)
from messagerie.actions import ecrire, notifier, repondre_a_la_famille, supprimer
from messagerie.models import Courriel, Fil, Message, ReponseType, ServiceMairie
from portail import demo_enfants, demo_facturation, demo_planning, demo_publications
from portail.commune import Commune
from portail.outils.demonstration import MOT_DE_PASSE

AGENTS = {
    "agent": ("Nadia", "Petit", "Agent instructeur"),
    "animateur": ("Hugo", "Leroy", "Animateur"),
    "comptable": ("Anne", "Girard", "Comptabilité"),
    "tresorerie": ("Paul", "Roche", "Trésorerie"),
    "admin": ("Isabelle", "Fabre", "Administrateur"),
}
SERVICE_DES_AGENTS = {"agent": "enfance-jeunesse", "comptable": "comptabilite"}
REPONSES = [
    (None, "Bien reçu", "Bonjour,\n\nNous avons bien reçu votre message et nous nous en occupons.\n\nBonne journée"),
    (
        "enfance-jeunesse",
        "Réserver en ligne",
        "Bonjour,\n\nVous pouvez réserver et annuler vous-même dans l'onglet «\u00a0Mes enfants\u00a0»\u00a0: "
        "choisissez votre enfant, puis le jour. La page vous dit jusqu'à quand.\n\nBonne journée",
    ),
    (
        "comptabilite",
        "Où payer",
        "Bonjour,\n\nVotre facture se règle à la trésorerie, dont l'adresse figure sur la facture.\n\nBonne journée",
    ),
]
MOTIFS = [
    ("", "Justificatif manquant", "Il manque un justificatif. Joignez-le à une nouvelle demande."),
    ("", "Justificatif illisible", "Le justificatif n'est pas lisible. Joignez-en une copie plus nette."),
    ("caf", "Attestation trop ancienne", "L'attestation a plus de trois mois. Joignez la dernière."),
    ("bancaires", "RIB à un autre nom", "Le RIB n'est pas au nom d'un adulte du foyer."),
]


def est_vide() -> bool:
    """True on a database where nobody has an account yet."""
    return not Utilisateur.objects.exists()


@transaction.atomic
def charger() -> None:
    """Load the whole cast; to call on an empty database."""
    mot_de_passe = make_password(MOT_DE_PASSE)
    _commune()
    _agents(mot_de_passe)
    durand = _durand()
    _martin()
    _benali_et_rossi()
    demo_enfants.charger()
    demo_planning.charger()
    demo_facturation.charger()
    Utilisateur.objects.filter(responsable__isnull=False).update(password=mot_de_passe)
    _vie_de_la_famille(durand)
    # What the demo tells is in the inboxes already: no mail leaves when it starts.
    Courriel.objects.all().delete()


@transaction.atomic
def animer() -> None:
    """Something for the agent to decide on the first day, and for families to read, beside the cast."""
    demo_planning.animer()
    demo_facturation.animer()
    demo_publications.animer()
    ecrire(
        Responsable.objects.get(utilisateur__identifiant="martin"),
        service=ServiceMairie.objects.get(code="enfance-jeunesse"),
        sujet="Sortie de vendredi",
        corps="Bonjour,\n\nMa sœur viendra chercher Zoé vendredi à 17\u00a0h. "
        "Faut-il un mot signé\u00a0?\n\nSophie Martin",
        cle=uuid4(),
    )
    Courriel.objects.all().delete()


def _commune():
    Commune.objects.create(
        nom="Saint-Martin-d'Auxigny",
        adresse="Place de la Mairie",
        code_postal="18110",
        ville="Saint-Martin-d'Auxigny",
        telephone="02 48 66 61 61",
        courriel="contact@mairie.example",
        horaires="du lundi au vendredi, de 9\u00a0h à 12\u00a0h et de 14\u00a0h à 17\u00a0h",
        message_bienvenue="Bienvenue sur le Portail Famille de Saint-Martin-d'Auxigny : "
        "restauration scolaire, accueil périscolaire et centre de loisirs.",
        message_accueil="Bienvenue sur le Portail Famille",
        encaisse=False,
        tresorerie="trésorerie des Aix-d'Angillon",
        tresorerie_telephone="02 48 64 40 72",
    )
    ServiceMairie.objects.create(
        code="enfance-jeunesse", nom="Service Enfance Jeunesse", courriel="enfance@mairie.example", ordre=1
    )
    ServiceMairie.objects.create(
        code="comptabilite",
        nom="Service Comptabilité",
        courriel="comptabilite@mairie.example",
        rythme=ServiceMairie.Rythme.QUOTIDIEN,
        ordre=2,
    )
    MotifRefus.objects.bulk_create(
        MotifRefus(type=type_, libelle=libelle, texte=texte) for type_, libelle, texte in MOTIFS
    )
    services = {service.code: service for service in ServiceMairie.objects.order_by("pk")}
    ReponseType.objects.bulk_create(
        ReponseType(service=services.get(code), libelle=libelle, texte=texte) for code, libelle, texte in REPONSES
    )


def _agents(mot_de_passe):
    for identifiant, (prenom, nom, role) in AGENTS.items():
        compte = Utilisateur.objects.create(
            identifiant=identifiant,
            prenom=prenom,
            nom=nom,
            courriel=f"{identifiant}@mairie.example",
            is_staff=True,
            is_superuser=identifiant == "admin",
            password=mot_de_passe,
        )
        compte.groups.add(Group.objects.get(name=role))
        if identifiant in SERVICE_DES_AGENTS:
            ServiceMairie.objects.get(code=SERVICE_DES_AGENTS[identifiant]).agents.add(compte)


def _famille(identifiants, adultes, adresse):
    """Open a family as an agent would, then give its accounts the short names of the demo."""
    responsable, conjoint = (*adultes, None)[:2]
    famille = familles.ouvrir_famille(responsable=responsable, conjoint=conjoint, adresse=adresse)
    for identifiant, adulte in zip(identifiants, famille.adultes(), strict=True):
        Utilisateur.objects.filter(pk=adulte.utilisateur.pk).update(identifiant=identifiant)
    return famille


def _adulte(civilite, prenom, nom, mobile, **autres):
    courriel = f"{prenom}.{nom}@famille.example".lower()
    return {
        "civilite": civilite,
        "prenom": prenom,
        "nom": nom,
        "telephone_mobile": mobile,
        "courriel": courriel,
        **autres,
    }


def _enfants(famille, *enfants):
    for prenom, nom, ans in enfants:
        naissance = timezone.localdate().replace(day=14) - timedelta(days=round(ans * 365.25))
        ajouter_enfant(famille, prenom=prenom, nom=nom, date_naissance=naissance)
    Rattachement.objects.filter(famille=famille).update(valable_du=timezone.localdate() - timedelta(days=400))


def _durand():
    famille = _famille(
        ["durand", "durand2"],
        [
            _adulte(
                "MME", "Claire", "Durand", "06 39 98 10 01", profession="Infirmière", employeur="Centre hospitalier"
            ),
            _adulte(
                "M", "Julien", "Durand", "06 39 98 10 02", telephone_travail="02 61 91 10 02", profession="Menuisier"
            ),
        ],
        {"adresse": "12 rue des Vergers", "complement": "", "code_postal": "18110", "ville": "Saint-Martin-d'Auxigny"},
    )
    _enfants(famille, ("Léa", "Durand", 8.3), ("Tom", "Durand", 5.1))
    SituationFiscale.objects.create(
        famille=famille,
        regime=SituationFiscale.Regime.CAF,
        numero_fiscal="3099999999999",
        revenu_fiscal="32450",
        parts=Decimal("3"),
        annee=timezone.localdate().year - 2,
    )
    DossierCaf.objects.create(famille=famille, caisse="CAF du Cher", numero_allocataire="1234567")
    aujourdhui = timezone.localdate()
    familles.enregistrer_quotient(
        famille,
        Decimal("812"),
        source=QuotientFamilial.Source.ATTESTATION,
        mois=aujourdhui.replace(day=1) - timedelta(days=60),
        periode=Periode(effet=aujourdhui.replace(day=1), expiration=aujourdhui + timedelta(days=280)),
        par=Utilisateur.objects.get(identifiant="comptable"),
    )
    famille.quotients.update(mois=(aujourdhui.replace(day=1) - timedelta(days=31)).replace(day=1))
    CoordonneesBancaires.objects.create(
        famille=famille, titulaire="Claire et Julien Durand", iban="FR1420041010050500013M02606", bic="PSSTFRPPPAR"
    )
    return famille


def _martin():
    famille = _famille(
        ["martin"],
        [_adulte("MME", "Sophie", "Martin", "06 39 98 20 01", profession="Enseignante")],
        {"adresse": "3 chemin du Lavoir", "complement": "Les Tilleuls", "code_postal": "18110", "ville": "Quantilly"},
    )
    _enfants(famille, ("Zoé", "Martin", 6.7))


def _benali_et_rossi():
    """Inès lives one week in each household; each sees her, and only its own address and money."""
    adresse = {"complement": "", "code_postal": "18110", "ville": "Saint-Martin-d'Auxigny"}
    benali = _famille(
        ["benali"],
        [_adulte("M", "Karim", "Benali", "06 39 98 30 01", profession="Conducteur")],
        {"adresse": "27 route de Bourges", **adresse},
    )
    rossi = _famille(
        ["rossi"],
        [_adulte("MME", "Elena", "Rossi", "06 39 98 30 02", profession="Comptable")],
        {"adresse": "8 impasse des Cerisiers", **adresse},
    )
    _enfants(benali, ("Inès", "Benali", 9.4), ("Adam", "Benali", 4.2))
    ines = Enfant.objects.get(prenom="Inès", nom="Benali")
    Rattachement.objects.create(enfant=ines, famille=rossi, valable_du=timezone.localdate() - timedelta(days=400))


def _vie_de_la_famille(famille: Famille):
    """An answered demande with its message, a pending one, a word of welcome."""
    claire = Utilisateur.objects.get(identifiant="durand")
    agent = Utilisateur.objects.get(identifiant="agent")
    acceptee = _deposer(InfosResponsable, famille, claire, telephone_travail="02 61 91 10 01")
    Demande.objects.filter(pk=acceptee.pk).update(deposee_le=timezone.now() - timedelta(days=6))
    demandes.accepter(acceptee.pk, par=agent)
    en_attente = _deposer(InfosCaf, famille, claire, numero_allocataire="7654321")
    Demande.objects.filter(pk=en_attente.pk).update(deposee_le=timezone.now() - timedelta(days=2))
    _echanges(famille, claire, agent)
    notifier(
        famille,
        sujet="Bienvenue sur le Portail Famille",
        corps="Bonjour,\n\nVotre dossier est ouvert. Vérifiez vos coordonnées dans l'onglet « Mon compte » : "
        "c'est à elles que nous vous joignons pendant que vos enfants sont avec nous.\n\nService Enfance Jeunesse",
        par=agent,
        service=ServiceMairie.objects.get(code="enfance-jeunesse"),
    )


def _echanges(famille, claire, agent):
    """A question answered, one that waits, one that Claire alone reads, one that she has deleted."""
    enfance, comptabilite = (ServiceMairie.objects.get(code=code) for code in ("enfance-jeunesse", "comptabilite"))
    elle = claire.responsable
    lui = famille.responsables.exclude(pk=elle.pk).get()
    gouter = ecrire(
        elle,
        service=enfance,
        sujet="Goûter du mercredi",
        corps="Bonjour,\n\nFaut-il prévoir un goûter pour Léa le mercredi, ou est-il fourni ?\n\nClaire Durand",
        cle=uuid4(),
    )
    reponse = repondre_a_la_famille(
        gouter.fil,
        par=agent,
        corps="Bonjour,\n\nLe goûter est fourni le mercredi. Donnez seulement une gourde à Léa.\n\nBonne journée",
        cle=uuid4(),
    )
    attestation = ecrire(
        lui,
        service=comptabilite,
        sujet="Attestation de paiement",
        corps="Bonjour,\n\nMon employeur me demande une attestation de paiement de la cantine pour l'année passée. "
        "Pouvez-vous me l'envoyer ?\n\nJulien Durand",
        cle=uuid4(),
    )
    prive = ecrire(
        elle,
        service=enfance,
        sujet="Un rendez-vous",
        corps="Bonjour,\n\nJ'aimerais vous parler de Tom, de préférence le matin.",
        prive=True,
        cle=uuid4(),
    )
    sortie = notifier(
        famille,
        sujet="Sortie au parc floral",
        corps="Bonjour,\n\nLes enfants de l'accueil de loisirs vont au parc floral. Prévoyez des bottes.",
        par=agent,
        service=enfance,
    )
    for message, heures in ((sortie, 220), (gouter, 100), (reponse, 76), (prive, 50), (attestation, 28)):
        _dater(message, timezone.now() - timedelta(hours=heures))
    supprimer([sortie.fil], elle)


def _dater(message, instant):
    """As if it had been written then; the messages of a thread come in their order."""
    Message.objects.filter(pk=message.pk).update(envoye_le=instant)
    cote = "mairie_le" if message.de_la_mairie else "famille_le"
    lu = {"lu_mairie_le": instant} if message.de_la_mairie and message.fil.famille_le else {}
    Fil.objects.filter(pk=message.fil_id).update(dernier_le=instant, **{cote: instant}, **lu)


def _deposer(genre, famille, par, **demandees):
    famille = Famille.objects.get(pk=famille.pk)
    actuelles = genre.actuelles(famille)
    form = demandes.formulaire(genre, famille, demandeur=par, data={**actuelles, **demandees})
    if not form.is_valid():
        raise ValueError(form.errors.as_text())
    return demandes.deposer(genre, famille, form, par=par)
