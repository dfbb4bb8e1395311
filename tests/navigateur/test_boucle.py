"""The journey that everything hangs on, in a real browser: ask, decide, be told."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.django_db(transaction=True)

ECRANS = [("telephone", True), ("bureau", True), ("telephone", False), ("bureau", False)]


@pytest.fixture(params=ECRANS, ids=["telephone", "bureau", "telephone-sans-js", "bureau-sans-js"])
def personnes(request, visiteur):
    """Claire on the screen under test and the agent, with or without JavaScript."""
    taille, javascript = request.param
    return visiteur(taille, javascript=javascript), visiteur("bureau", javascript=javascript)


def demander_un_autre_telephone(parent, numero):
    parent.connecter("durand")
    page = parent.ouvrir("/mon-compte/")
    page.get_by_role("link", name="Infos Responsable").first.click()
    page.get_by_label("Téléphone mobile").fill(numero)
    page.get_by_role("button", name="Envoyer à la mairie").click()
    expect(page.get_by_text("Votre demande est envoyée à la mairie.")).to_be_visible()
    expect(page.get_by_text("En attente").first).to_be_visible()


def ouvrir_la_demande(agent):
    page = agent.connecter("agent")
    page.get_by_role("link", name="demandes en attente").click()
    page.get_by_role("link", name="Infos Responsable").click()
    return page


def cellules(page, champ):
    """The cells before, asked, now of a row of the agent's table."""
    return page.get_by_role("row", name=champ).get_by_role("cell")


def test_changer_de_telephone_et_etre_accepte(personnes):
    parent, agent = personnes
    demander_un_autre_telephone(parent, "0639981099")

    page = ouvrir_la_demande(agent)
    expect(cellules(page, "Téléphone mobile")).to_have_text(["06 39 98 10 01", "06 39 98 10 99", "06 39 98 10 01"])
    page.get_by_role("button", name="Accepter la demande").click()
    expect(page.get_by_text("La famille est prévenue.")).to_be_visible()

    page = parent.ouvrir("/mon-compte/")
    expect(page.get_by_text("06 39 98 10 99")).to_be_visible()
    page = parent.ouvrir("/messagerie/")
    page.get_by_role("link", name="Infos Responsable : demande acceptée").first.click()
    expect(page.get_by_text("Nous avons accepté votre demande")).to_be_visible()
    page.get_by_role("link", name="Voir la demande").click()
    expect(page.get_by_text("Acceptée").first).to_be_visible()
    assert parent.plaintes + agent.plaintes == []


def test_changer_de_telephone_et_etre_refuse_avec_une_raison(personnes):
    parent, agent = personnes
    demander_un_autre_telephone(parent, "0639981099")

    page = ouvrir_la_demande(agent)
    page.get_by_label("Raison donnée à la famille").fill("Ce numéro ne répond pas.")
    page.get_by_role("button", name="Refuser la demande").click()
    expect(page.get_by_text("La famille est prévenue.")).to_be_visible()

    page = parent.ouvrir("/mon-compte/")
    expect(page.get_by_text("06 39 98 10 01")).to_be_visible()
    page = parent.ouvrir("/messagerie/")
    page.get_by_role("link", name="Infos Responsable : demande refusée").first.click()
    expect(page.get_by_text("Raison : Ce numéro ne répond pas.")).to_be_visible()
    page.get_by_role("link", name="Voir la demande").click()
    expect(page.get_by_text("Refusée").first).to_be_visible()
    expect(page.get_by_text("Ce numéro ne répond pas.")).to_be_visible()
    assert parent.plaintes + agent.plaintes == []
