"""The simulator of PayFiP: it refuses what PayFiP refuses, plays the three modes, exists in a demonstration alone."""

import re
from datetime import date
from decimal import Decimal
from html import unescape
from urllib.parse import urlencode

import pytest

from facturation import actions, paiements, payfip, simulateur
from facturation.models import Article, OperationSimulee, Reglement, TentativePaiement
from facturation.regles import payfip as regles
from facturation.regles import simulation
from facturation.regles.payfip import DemandeInvalide, Paiement, Saisie
from tests.facturation.essai import facture_essai, regie_essai, titre_essai

pytestmark = pytest.mark.django_db
REDIRIGE = {
    "numcli": "018110",
    "exer": "2026",
    "refdet": "202600000042",
    "objet": "Facture 2026 000042",
    "montant": "4760",
    "mel": "claire@famille.example",
    "urlcl": "https://portail.example/paiement/avis/abc/",
    "saisie": "A",
}


@pytest.fixture(autouse=True)
def le_23_novembre_a_dix_heures(distribution, horloge):
    horloge("2026-11-23T10:00")


@pytest.fixture
def facture(famille_durand):
    regie = regie_essai(payfip="REDIRECTION", payfip_client="018110", payfip_saisie="A")
    return facture_essai(famille_durand, regie, "47.60")


def cache(reponse, nom):
    return unescape(re.search(rf'name="{nom}"\s+value="([^"]*)"', reponse.content.decode())[1])


def partir(navigateur, facture):
    """The family's browser on PayFiP's page, and what the form there holds."""
    page = navigateur.post(f"/factures/{facture.uuid}/payer/", follow=True)
    assert (page.status_code, b"SIMULATION" in page.content) == (200, True)
    return {"demande": cache(page, "demande")}


def resultats():
    return [(r.moyen, r.montant) for r in Reglement.objects.order_by("pk")]


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, []),
        ({"exer": "", "objet": "", "urlcl": ""}, []),
        ({"numcli": "18110"}, ["T1"]),
        ({"exer": "26"}, ["E1"]),
        ({"refdet": "12345"}, ["R3"]),
        ({"refdet": "2026-00042"}, ["R3"]),
        ({"objet": "L'été"}, ["O1"]),
        ({"montant": "47,60"}, ["M1"]),
        ({"montant": "99"}, ["M1"]),
        ({"montant": "099"}, ["M3"]),
        ({"montant": "1000000"}, ["M5"]),
        ({"mel": ""}, ["A1"]),
        ({"mel": "claire"}, ["A2"]),
        ({"urlcl": "javascript:alert(1)"}, ["U1"]),
        ({"urlcl": "https://portail.example/" + "a" * 230}, ["U1"]),
        ({"saisie": "W"}, ["S1"]),
        ({"numcli": "", "refdet": "", "montant": "", "mel": "", "saisie": ""}, ["T1", "R3", "M1", "A1", "S1"]),
    ],
    ids=str,
)
def test_la_page_de_paiement_controle_ses_parametres(change, codes, client):
    champs = REDIRIGE | change
    assert [code for code, _ in simulation.defauts(champs)] == codes
    reponse = client.get(f"/demo/payfip/paiement.web?{urlencode(champs)}")
    assert reponse.status_code == (422 if codes else 200)


@pytest.mark.parametrize(
    ("issue", "choix", "attendu"),
    [
        ("P", "normal", [("CARTE", Decimal("47.60"))]),
        ("V", "double", [("PRELEVEMENT", Decimal("47.60"))]),
        ("P", "jamais", []),
        ("R", "normal", []),
        ("Z", "double", []),
        ("A", "normal", []),
    ],
)
def test_un_aller_retour_par_redirection(issue, choix, attendu, facture, connecter):
    navigateur = connecter("durand")
    ticket = navigateur.post("/demo/payfip/resultat/", partir(navigateur, facture) | {"issue": issue, "avis": choix})
    assert resultats() == attendu
    tentative = TentativePaiement.objects.get()
    assert f'href="/paiement/retour/{tentative.uuid}/"' in ticket.content.decode()
    page = navigateur.get(f"/paiement/retour/{tentative.uuid}/", follow=True)
    assert f'data-paiement="{tentative.issue}"' in page.content.decode()
    assert (b"Conservez le ticket de paiement" in page.content) == bool(attendu)


def test_un_avis_en_retard_part_quand_le_visiteur_le_dit(facture, connecter):
    navigateur = connecter("durand")
    ticket = navigateur.post("/demo/payfip/resultat/", partir(navigateur, facture) | {"issue": "P", "avis": "retard"})
    assert resultats() == []
    for _ in range(2):
        navigateur.post("/demo/payfip/avis/", {"attente": cache(ticket, "attente")})
    assert resultats() == [("CARTE", Decimal("47.60"))]


@pytest.mark.parametrize("choix", ["normal", "double", "jamais"])
def test_un_aller_retour_par_le_service_web(choix, facture, connecter):
    type(facture.regie).objects.filter(pk=facture.regie_id).update(payfip="SERVICE")
    navigateur = connecter("durand")
    formulaire = partir(navigateur, facture)
    navigateur.post("/demo/payfip/resultat/", formulaire | {"issue": "P", "avis": choix})
    assert navigateur.post("/demo/payfip/resultat/", formulaire | {"issue": "R"}).status_code == 422
    tentative = TentativePaiement.objects.get()
    page = navigateur.get(f"/paiement/{tentative.uuid}/")  # without a notice, the return asks
    assert 'data-paiement="PAYE"' in page.content.decode()
    assert (resultats(), TentativePaiement.objects.get().confirmee) == ([("CARTE", Decimal("47.60"))], True)
    assert navigateur.get(f"/demo/payfip/paiementws.web?idop={tentative.operation}").status_code == 422


def test_une_operation_ne_s_ouvre_qu_un_quart_d_heure(facture, connecter, horloge):
    type(facture.regie).objects.filter(pk=facture.regie_id).update(payfip="SERVICE")
    navigateur = connecter("durand")
    partir(navigateur, facture)
    operation = OperationSimulee.objects.get().operation
    horloge("2026-11-23T10:15")
    assert navigateur.get(f"/demo/payfip/paiementws.web?idop={operation}").status_code == 200
    horloge("2026-11-23T10:16")
    assert navigateur.get(f"/demo/payfip/paiementws.web?idop={operation}").status_code == 422
    paiements.interroger()
    assert TentativePaiement.objects.get().issue == "PERIME"


@pytest.mark.parametrize(
    ("change", "code"), [({}, None), ({"refdet": "1234"}, "R3"), ({"mel": "claire"}, "A2"), ({"saisie": "A"}, "S1")]
)
def test_le_service_web_repond_en_soap(change, code, client):
    asked = {**REDIRIGE, "saisie": "W", "urlnotif": REDIRIGE["urlcl"], "urlredirect": REDIRIGE["urlcl"]} | change
    message = simulation.reponse("x", {}).replace(b"xResponse", b"creerPaiementSecurise").replace(b"return", b"arg0")
    dits = "".join(f"<{nom}>{valeur}</{nom}>" for nom, valeur in asked.items()).encode()
    message = re.sub(rb"<arg0\s*/>", b"<arg0>" + dits + b"</arg0>", message)
    reponse = client.post("/demo/payfip/services/securite", message, content_type="text/xml")
    assert reponse.status_code == (500 if code else 200)
    if code:
        with pytest.raises(DemandeInvalide, match=rf"\({code}\)"):
            regles.lire_operation(reponse.content)
    else:
        assert regles.lire_operation(reponse.content) == str(OperationSimulee.objects.get().operation)


@pytest.mark.parametrize(
    "message", [b"", b"<a/>", b"<!DOCTYPE a>", b"\xff\xfe", b'<?xml version="1.0" encoding="x"?><a/>']
)
def test_le_service_web_refuse_ce_qui_n_est_pas_une_requete(message, client):
    reponse = client.post("/demo/payfip/services/securite", message, content_type="text/xml")
    assert (reponse.status_code, b"<code>X1</code>" in reponse.content) == (400, True)


def test_ce_que_le_portail_demande_est_ce_que_le_simulateur_comprend():
    paiement = Paiement(
        "018110", 2026, "202600000042", Decimal("47.60"), "c@famille.example", Saisie.SERVICE,
        "Facture d'été & <b>", "https://portail.example/a/?b=1&c=2", "https://portail.example/r/",
    )  # fmt: skip
    operation, champs = simulation.lire_requete(regles.creer_operation(paiement))
    assert (operation, simulation.defauts(champs, service=True)) == ("creerPaiementSecurise", [])
    assert (champs["urlnotif"], champs["montant"]) == ("https://portail.example/a/?b=1&c=2", "4760")


def test_la_famille_recopie_la_reference_et_rien_d_autre_ne_passe(famille_durand, comptes, client):
    regie = titre_essai(payfip="SAISIE", payfip_client="018110")
    facture = facture_essai(famille_durand, regie, "30.00")
    saisie = {"numcli": "018110", "refdet": facture.reference, "montant": "30,00", "mel": "c@famille.example"}
    assert client.post("/demo/payfip/accueilportail.web", saisie).status_code == 422  # not taken in charge yet
    role = {"regie": regie, "numero": "7", "exercice": 2026, "le": date(2026, 11, 10), "par": comptes["comptable"]}
    actions.prendre_en_role([facture], **role)
    for autre in ({"montant": "29"}, {"montant": "x"}, {"refdet": "inconnue"}, {"numcli": "018111"}, {"mel": ""}):
        reponse = client.post("/demo/payfip/accueilportail.web", saisie | autre)
        assert (reponse.status_code, facture.reference in reponse.content.decode()) == (422, "refdet" not in autre)
    page = client.post("/demo/payfip/accueilportail.web", saisie)
    ticket = client.post("/demo/payfip/resultat/", {"demande": cache(page, "demande"), "issue": "P"})
    assert (ticket.status_code, Article.objects.get().etat) == (200, "A_PAYER")  # the trésorerie alone will say


def test_le_simulateur_n_existe_pas_ou_les_paiements_sont_vrais(facture, connecter, settings):
    formulaire = partir(navigateur := connecter("durand"), facture) | {"issue": "P"}
    settings.PAYFIP_MODE = "reel"
    for adresse in (
        "",
        "paiement.web",
        "paiementws.web",
        "accueilportail.web",
        "services/securite",
        "resultat/",
        "avis/",
    ):
        for methode in (navigateur.get, navigateur.post):
            assert methode(f"/demo/payfip/{adresse}", formulaire).status_code == 404
    assert (payfip.base(), resultats()) == ("https://www.payfip.gouv.fr/tpa", [])


def test_un_formulaire_forge_ou_une_autre_adresse_ne_donnent_rien(facture, client, claire_paie):
    assert client.post("/demo/payfip/resultat/", {"demande": "forge", "issue": "P"}).status_code == 422
    assert client.post("/demo/payfip/avis/", {"attente": "forge"}).status_code == 422
    ailleurs = ["https://ailleurs.example/connexion/", "https://[", "http://x/paiement/avis/"]
    assert [simulateur.jeton_de(adresse) for adresse in ailleurs] == [None, None, None]
    assert simulateur.jeton_de(f"https://n.importe.ou/paiement/avis/{claire_paie.jeton}/") == claire_paie.jeton


@pytest.fixture
def claire_paie(facture, comptes):
    return paiements.commencer(facture, par=comptes["durand"])
