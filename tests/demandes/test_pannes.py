"""A failure at any SQL statement leaves nothing behind (qualite.md F1)."""

import pytest
from django.db import OperationalError, connection, transaction

from demandes import actions
from demandes.models import Demande, PieceJointe
from demandes.types import TYPES
from familles import acces
from familles import actions as familles
from familles.models import (
    CoordonneesBancaires,
    DossierCaf,
    Famille,
    QuotientFamilial,
    Responsable,
    SituationFiscale,
    Utilisateur,
)
from messagerie.models import Courriel, Fil, Message

pytestmark = pytest.mark.django_db

MODELES = [
    CoordonneesBancaires,
    Courriel,
    Demande,
    DossierCaf,
    Famille,
    Fil,
    Message,
    PieceJointe,
    QuotientFamilial,
    Responsable,
    SituationFiscale,
    Utilisateur,
]


class Panne(OperationalError):
    pass


def photographie():
    """Every row of every table that an action may touch."""
    return {modele.__name__: list(modele.objects.order_by("pk").values()) for modele in MODELES}


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


def relue(compte):
    """The account as the database has it: a failed action may have changed the object in hand."""
    return Utilisateur.objects.get(pk=compte.pk)


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
        "courriel": lambda: familles.demander_courriel(relue(claire), "neuve@famille.example"),
        "mot de passe": lambda: acces.choisir_mot_de_passe(relue(claire), "Nouveau2026"),
        "inviter": lambda: acces.inviter(relue(claire)),
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


@pytest.mark.parametrize("nom", NOMS)
def test_une_panne_a_n_importe_quel_ordre_sql_ne_laisse_rien(nom, gestes):
    avant = photographie()
    point = transaction.savepoint()
    total = ordres_sql(gestes[nom])
    assert photographie() != avant, "le geste n'a rien fait : l'épreuve ne prouverait rien"
    transaction.savepoint_rollback(point)
    assert photographie() == avant
    for numero in range(1, total + 1):
        with pytest.raises(Panne):
            ordres_sql(gestes[nom], panne_au=numero)
        assert photographie() == avant, f"reste d'une panne au {numero}e ordre sur {total}"
