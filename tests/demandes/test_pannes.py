"""A failure at any SQL statement leaves nothing behind (qualite.md F1)."""

from datetime import timedelta
from functools import partial

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from demandes import actions
from demandes.models import Demande, JourDemande, Justificatif, PieceJointe
from demandes.types import TYPES
from enfants import actions as enfants
from enfants.models import (
    Attente,
    DocumentEnfant,
    Enfant,
    Fermeture,
    Garde,
    Informations,
    Inscription,
    PersonneAutorisee,
    Place,
    Presence,
    Rattachement,
    Reservation,
    Sante,
)
from familles import acces
from familles import actions as familles
from familles.models import (
    AncienFoyer,
    CoordonneesBancaires,
    DossierCaf,
    Famille,
    QuotientFamilial,
    Responsable,
    SituationFiscale,
    Utilisateur,
)
from messagerie.models import Courriel, Fil, Message
from portail.outils.fichiers import balayer_orphelins, ranger
from tests.canaris import papier

pytestmark = pytest.mark.django_db

MODELES = [
    AncienFoyer,
    Attente,
    CoordonneesBancaires,
    Courriel,
    Demande,
    DocumentEnfant,
    DossierCaf,
    Enfant,
    Famille,
    Fermeture,
    Fil,
    Garde,
    Informations,
    Inscription,
    JourDemande,
    Justificatif,
    Message,
    PersonneAutorisee,
    PieceJointe,
    Place,
    Presence,
    QuotientFamilial,
    Rattachement,
    Reservation,
    Responsable,
    Sante,
    SituationFiscale,
    Utilisateur,
]
ADRESSE = {"adresse": "1 rue Neuve", "complement": "", "code_postal": "18110", "ville": "Fussy"}


class Panne(OperationalError):
    pass


def photographie(modeles=MODELES):
    """A digest of every row, as it is stored, of every table that an action may touch: one statement."""
    tables = [(modele.__name__, modele._meta.db_table, modele._meta.pk.column) for modele in modeles]
    lectures = [
        f"SELECT '{nom}', count(*), md5(string_agg(t::text, chr(10) ORDER BY {cle})) FROM \"{table}\" t"  # noqa: S608
        for nom, table, cle in tables
    ]
    with connection.cursor() as curseur:
        curseur.execute(" UNION ALL ".join(lectures))
        return {nom: empreinte for nom, *empreinte in curseur.fetchall()}


def ordres_sql(geste, panne_au=None):
    """Run ``geste`` and count its SQL statements; the one numbered ``panne_au`` fails instead."""
    compte = 0

    def compter(executer, sql, params, many, context):
        nonlocal compte
        compte += 1
        if compte == panne_au:
            raise Panne(sql)
        return executer(sql, params, many, context)

    with connection.execute_wrapper(compter):
        geste()
    return compte


def relu(objet):
    """The row as the database has it: a failed action may have changed the object in hand."""
    return type(objet).objects.get(pk=objet.pk)


def fichiers_gardes(dossier="pieces"):
    """Names of the files in the storage."""
    if not default_storage.exists(dossier):
        return set()
    dossiers, noms = default_storage.listdir(dossier)
    sous = (fichiers_gardes(f"{dossier}/{nom}") for nom in dossiers)
    return {f"{dossier}/{nom}" for nom in noms}.union(*sous)


def joindre(demande, nature):
    PieceJointe.objects.create(
        demande=demande,
        nature=nature,
        deposee_par=demande.deposee_par,
        **ranger("a.pdf", "application/pdf", papier("a")),
    )
    return demande


@pytest.fixture
def gestes_sur_un_enfant(deposer, comptes, familles_de):
    """Each kind of demande about a child, with its papers, and what agents do to its household."""
    lea, ines, agent = Enfant.objects.get(prenom="Léa"), Enfant.objects.get(prenom="Inès"), comptes["agent"]
    durand, julien = familles_de("durand"), comptes["durand2"].responsable
    odile, marc = TYPES["autorisations"].actuelles(durand, lea)["personnes"]
    personnes = [{**marc, "telephone": "06 39 98 10 77"}, {**odile, "cle": "", "prenom": "Ana"}]
    ajout = {"prenom": "Lou", "nom": "Durand", "date_naissance": "2023-05-14", "regime": "STANDARD"}
    sante = {"traitements": "Sirop", "a_pai": True, "pai_revision": "2030-09-01"}
    informations = {"regime": "VEGETARIEN", "assurance_fin": "2030-08-31"}
    demandes = {
        "etat-civil": joindre(deposer("durand", "etat-civil", enfant=lea, nom="Petit", ecole=""), "JUGEMENT"),
        "autorisations": deposer("durand", "autorisations", enfant=lea, personnes=personnes),
        "informations": joindre(deposer("durand", "informations", enfant=lea, **informations), "ASSURANCE"),
        "sante": joindre(deposer("benali", "sante", enfant=ines, **sante), "PAI"),
        "ajout-enfant": joindre(deposer("durand", "ajout-enfant", **ajout), "NAISSANCE"),
    }
    decisions = {"sante": {"vaccins_etat": "A_JOUR", "vaccins_jusqu_au": None}}
    gestes = {
        f"accepter {type_}": partial(actions.accepter, demande.pk, par=agent, decision=decisions.get(type_))
        for type_, demande in demandes.items()
    }
    genre, sophie = TYPES["ajout-enfant"], comptes["martin"]
    form = actions.formulaire(genre, familles_de("martin"), demandeur=sophie, data=ajout)
    assert form.is_valid()

    def deposer_avec_papier():
        piece = ranger("a.pdf", "application/pdf", papier("a")) | {"nature": "NAISSANCE"}
        actions.deposer(genre, familles_de("martin"), form, par=sophie, pieces=[piece])

    return gestes | {
        "deposer avec papier": deposer_avec_papier,
        "separer": lambda: enfants.separer(
            relu(julien), le=timezone.localdate(), adresse=ADRESSE, enfants={lea.pk: "deux"}, par=agent
        ),
        "remplacer les personnes": lambda: enfants.remplacer_personnes(
            lea, durand, [{**odile, "telephone": "06 39 98 10 66"}, {**odile, "cle": str(lea.uuid)}]
        ),
    }


@pytest.fixture
def gestes(deposer, comptes):
    """Each action that changes several rows, on rows of its own."""
    responsable = deposer("durand", "responsable", telephone_mobile="06 39 98 10 99", ville="Bourges")
    iban = deposer("durand", "bancaires", iban="FR76 3000 6000 0112 3456 7890 189")
    caf = deposer("martin", "caf", quotient="900", mois="10/2026")
    fiscales = deposer("martin", "fiscales", revenu_fiscal="30000", parts="2")
    conjoint = deposer("martin", "conjoint", prenom="Marc", nom="Petit", telephone_mobile="06 39 98 20 02")
    agent, claire = comptes["agent"], comptes["durand"]
    genre = TYPES["fiscales"]
    form = actions.formulaire(genre, responsable.famille, demandeur=claire, data={"regime": "MSA"})
    assert form.is_valid()
    return {
        "accepter responsable": lambda: actions.accepter(responsable.pk, par=agent),
        "accepter bancaires": lambda: actions.accepter(iban.pk, par=agent),
        "accepter caf": lambda: actions.accepter(caf.pk, par=agent),
        "accepter fiscales": lambda: actions.accepter(fiscales.pk, par=agent),
        "accepter conjoint": lambda: actions.accepter(conjoint.pk, par=agent),
        "refuser": lambda: actions.refuser(responsable.pk, par=agent, motif="Illisible"),
        "retirer": lambda: actions.retirer(responsable, par=claire),
        "deposer": lambda: actions.deposer(genre, responsable.famille, form, par=claire),
        "ouvrir": lambda: familles.ouvrir_famille(
            responsable={"prenom": "Ana", "nom": "Roux"}, conjoint={"prenom": "Luc", "nom": "Roux"}, adresse={}
        ),
        "courriel": lambda: familles.demander_courriel(relu(claire), "neuve@famille.example"),
        "mot de passe": lambda: acces.choisir_mot_de_passe(relu(claire), "Nouveau2026"),
        "inviter": lambda: acces.inviter(relu(claire)),
    }


NOMS = [
    "accepter responsable",
    "accepter bancaires",
    "accepter caf",
    "accepter fiscales",
    "accepter conjoint",
    "refuser",
    "retirer",
    "deposer",
    "ouvrir",
    "courriel",
    "mot de passe",
    "inviter",
]


NOMS_SUR_UN_ENFANT = [
    "accepter etat-civil",
    "accepter autorisations",
    "accepter informations",
    "accepter sante",
    "accepter ajout-enfant",
    "deposer avec papier",
    "separer",
    "remplacer les personnes",
]


def eprouver(geste, modeles=MODELES):
    """Fail at each statement in turn: every row as before, each time."""
    avant = photographie(modeles)
    point = transaction.savepoint()
    total = ordres_sql(geste)
    assert photographie(modeles) != avant, "le geste n'a rien fait : l'épreuve ne prouverait rien"
    transaction.savepoint_rollback(point)
    assert photographie(modeles) == avant
    for numero in range(1, total + 1):
        with pytest.raises(Panne):
            ordres_sql(geste, panne_au=numero)
        assert photographie(modeles) == avant, f"reste d'une panne au {numero}e ordre sur {total}"


@pytest.mark.parametrize("nom", NOMS)
def test_une_panne_a_n_importe_quel_ordre_sql_ne_laisse_rien(nom, gestes):
    eprouver(gestes[nom])


@pytest.mark.parametrize("nom", NOMS_SUR_UN_ENFANT)
def test_une_panne_sur_le_dossier_d_un_enfant_ne_laisse_ni_ligne_ni_fichier(nom, gestes_sur_un_enfant):
    nommes = fichiers_gardes()
    assert len(nommes) == 4
    eprouver(gestes_sur_un_enfant[nom])
    # A file without a row is nobody's: no address leads to it, and it goes a day later.
    assert (len(fichiers_gardes()) > 4) == (nom == "deposer avec papier")
    balayer_orphelins([PieceJointe, DocumentEnfant], maintenant=timezone.now() + timedelta(days=2))
    assert fichiers_gardes() == nommes
