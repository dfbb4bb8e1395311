"""Mes courriels: each adult chooses, from the portal or from a mail, and a page opened alone changes nothing."""

import pytest
from django.core import signing
from django.test import Client

from familles.models import Utilisateur
from messagerie.courriels import SEL, lien_desabonnement
from messagerie.models import Preference
from tests.conftest import ClientVerifie

pytestmark = pytest.mark.django_db

PAGE = "/mon-compte/courriels/"


@pytest.fixture
def rythmes():
    """Account -> its choice, where it made one."""
    return lambda: dict(Preference.objects.order_by("pk").values_list("adulte__utilisateur__identifiant", "rythme"))


@pytest.fixture
def chemin(adulte, settings):
    """``chemin("durand")``: the address at the foot of its mails, on this host."""
    return lambda identifiant: lien_desabonnement(adulte(identifiant).pk).removeprefix(settings.URL_PORTAIL.rstrip("/"))


def test_chaque_adulte_choisit_pour_lui(connecter, rythmes):
    for qui, rythme in (("durand", "QUOTIDIEN"), ("durand2", "AUCUN"), ("durand", "IMMEDIAT")):
        assert connecter(qui).post(PAGE, {"rythme": rythme}).url == PAGE
    assert rythmes() == {"durand": "IMMEDIAT", "durand2": "AUCUN"}


def test_la_page_montre_le_choix_et_ou_vont_les_courriels(connecter):
    navigateur = connecter("durand2")
    navigateur.post(PAGE, {"rythme": "QUOTIDIEN"})
    page = navigateur.get(PAGE).content.decode()
    assert ('value="QUOTIDIEN"' in page, page.count(" checked")) == (True, 1)
    assert ("julien.durand@famille.example" in page, 'href="/mon-compte/conjoint/"' in page) == (True, True)
    Utilisateur.objects.filter(identifiant="durand").update(courriel="")
    page = connecter("durand").get(PAGE).content.decode()
    assert ("Donner mon adresse" in page, 'href="/mon-compte/responsable/"' in page) == (True, True)


@pytest.mark.parametrize("rythme", ["", "x", "a\x00b", "IMMEDIAT "])
def test_un_choix_inconnu_est_dit(rythme, connecter, rythmes):
    reponse = connecter("durand").post(PAGE, {"rythme": rythme})
    assert (reponse.status_code, "Choisissez une des trois réponses." in reponse.content.decode()) == (422, True)
    assert rythmes() == {}


def test_la_page_se_trouve_dans_le_menu_et_dans_mon_compte(connecter):
    navigateur = connecter("durand")
    assert navigateur.get("/mon-compte/").content.decode().count(f'href="{PAGE}"') == 3  # rail, menu, menu of phones
    assert navigateur.get("/").content.decode().count(f'href="{PAGE}"') == 2
    assert PAGE not in connecter("agent").get("/documents/").content.decode()


def test_ouvrir_le_lien_d_un_courriel_ne_change_rien(client, chemin, rythmes):
    reponse = client.get(chemin("durand"))
    assert (reponse.status_code, rythmes()) == (200, {})
    assert "Ne plus recevoir ces courriels" in reponse.content.decode()


def test_un_logiciel_de_courriel_desabonne_d_un_clic_sans_jeton(chemin, rythmes):
    """RFC 8058: no cookie, no token, a body of its own."""
    logiciel = Client(enforce_csrf_checks=True)
    reponse = logiciel.post(chemin("durand"), {"List-Unsubscribe": "One-Click"})
    assert (reponse.status_code, rythmes()) == (200, {"durand": "AUCUN"})
    logiciel.post(chemin("durand"))
    assert rythmes() == {"durand": "AUCUN"}


def test_le_lien_ne_desabonne_que_son_adulte_qui_que_soit_connecte(chemin, connecter, rythmes):
    connecter("martin").post(chemin("durand2"))
    assert rythmes() == {"durand2": "AUCUN"}


def test_un_compte_ferme_se_desabonne_encore(client, chemin, rythmes):
    Utilisateur.objects.filter(identifiant="durand").update(is_active=False)
    assert (client.post(chemin("durand")).status_code, rythmes()) == (200, {"durand": "AUCUN"})


def test_un_lien_forge_ou_abime_n_existe_pas(chemin, adulte, rythmes):
    bon, cle = chemin("durand"), adulte("durand").pk
    forges = [
        bon[:-2] + ("A" if bon[-2] != "A" else "B") + "/",
        bon.replace("/courriels/", "/courriels/x"),
        f"/courriels/{cle}/",
        f"/courriels/{signing.dumps(cle, salt='autre')}/",
        f"/courriels/{signing.dumps(cle, key='une autre clé secrète', salt=SEL)}/",
        f"/courriels/{signing.dumps([cle], salt=SEL)}/",
        f"/courriels/{signing.dumps(10**9, salt=SEL)}/",
        "/courriels/é:é:é/",
    ]
    navigateur = ClientVerifie()
    statuts = {lien: (navigateur.get(lien).status_code, navigateur.post(lien).status_code) for lien in forges}
    assert statuts == dict.fromkeys(forges, (404, 404))
    assert rythmes() == {}
