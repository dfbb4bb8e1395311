"""Anything at all, sent to the planning: no page breaks (qualite.md C1)."""

import json
import os

import pytest
from hypothesis import given

from enfants.models import (
    Enfant,
)
from tests.conftest import ClientVerifie
from tests.demandes.test_attaques_planning import INCONNU, RECAPITULATIF, REPETER, ecrits, ligne
from tests.portail.test_mauvaises_entrees import (
    N_IMPORTE_QUOI,
    attendus,
    encoder,
    envoyer,
    n_importe_quoi,
    sans_suite,
    suivies,
)

pytestmark = pytest.mark.django_db


ENVOIS = {
    RECAPITULATIF: ["changements", "confirmer", "retour"],
    "/mes-enfants/semaine/2026-11-23/": ["c", "montree", "f.1.restauration"],
    "/mes-enfants/semaine/2026-11-23/copier/": ["jusqu_au"],
    "/mes-enfants/repeter/": ["geste", "enfants", "services", "jours", "du", "au", "rythme", "formule_alsh-mercredi"],
    "/mes-enfants/absence/": ["enfants", "du", "retour", "service", "motif", "mot", "plus_tard", "maladie", "pieces"],
    "case": ["geste", "formule"],
    "/mes-enfants/abonnement/": ["x"],
    "justificatif": ["pieces", "retirer"],
}
LECTURES = {
    "/mes-enfants/semaine/2026-11-23/": ["fait"],
    "mois": ["fait"],
    "/mes-enfants/malade/": ["enfant"],
    "/mes-enfants/absence/": ["enfants", "du", "retour", "service", "maladie"],
    "/demandes/": ["rubrique", "type", "periode", "page"],
}
"""Names of a page -> its fields; « case », « mois » and « justificatif » are told when sent."""


def adresse_de(page):
    lea = f"/mes-enfants/{Enfant.objects.get(prenom='Léa').uuid}/planning/"
    return {
        "case": f"{lea}2026-11-23/restauration/",
        "mois": f"{lea}2026-11/",
        "justificatif": f"/demandes/{INCONNU}/justificatif/",
    }.get(page, page)


def justes(page):
    """What the page itself sends: what is drawn goes with it, so that much is read to the end."""
    lea = Enfant.objects.get(prenom="Léa").pk
    return {
        RECAPITULATIF: {"changements": json.dumps([ligne()])},
        "/mes-enfants/repeter/": {**REPETER, "enfants": lea},
        "/mes-enfants/absence/": {"enfants": lea, "du": "2026-11-23", "retour": "2026-11-24", "motif": "maladie"},
        "case": {"geste": "RESERVER"},
    }.get(page, {})


@n_importe_quoi(250)
@given(suivies(ENVOIS, 4))
def test_n_importe_quoi_envoye_au_planning(automne, connecter, envoi):
    page, tirees = envoi
    with sans_suite():
        saisie = [(nom, valeur) for nom, valeur in justes(page).items() if nom not in dict(tirees)] + tirees
        reponse = envoyer(connecter("durand"), adresse_de(page), saisie)
        assert reponse.status_code in attendus(saisie, {200, 302, 400, 404, 422})
        ecrits()


@n_importe_quoi(150)
@given(suivies(LECTURES, 4))
def test_n_importe_quoi_lu_au_planning(automne, connecter, envoi):
    page, tirees = envoi
    with sans_suite():
        requete = encoder([(nom, valeur) for nom, valeur in tirees if "Mo" not in valeur])
        reponse = ClientVerifie.get(connecter("durand"), f"{adresse_de(page)}?{requete}")
        assert reponse.status_code in {200, 302, 400, 422}


def test_chaque_champ_supporte_chaque_valeur(automne, connecter):
    """A fifth of the values for each field, not the same for two neighbours; all of them with EPREUVES=1."""
    navigateur, casses = connecter("durand"), []
    pas = 1 if os.environ.get("EPREUVES") else 5
    for page, noms in ENVOIS.items():
        for rang, nom in enumerate(noms):
            for valeur in list(N_IMPORTE_QUOI)[rang % pas :: pas]:
                with sans_suite():
                    saisie = list((justes(page) | {nom: valeur}).items())
                    statut = envoyer(navigateur, adresse_de(page), saisie).status_code
                    ecrits()
                if statut not in {200, 302, 400, 404, 413, 422}:
                    casses.append((page, nom, valeur[:40], statut))
    assert casses == []
