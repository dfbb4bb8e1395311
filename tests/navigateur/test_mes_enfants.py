"""Mes enfants on a phone, decided at a desk: people, a vaccine with a photo, a new child."""

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from enfants.models import Enfant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[True, False], ids=["avec-js", "sans-js"])
def personnes(request, visiteur):
    """Claire on her phone, the agent at a desk, with or without JavaScript."""
    return visiteur("telephone", javascript=request.param), visiteur("bureau", javascript=request.param)


@pytest.fixture
def photo():
    """A photo of the phone, with the place where it was taken."""
    sortie, exif = io.BytesIO(), Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", (1200, 900), "white").save(sortie, "JPEG", exif=exif)
    return {"name": "carnet.jpg", "mimeType": "image/jpeg", "buffer": sortie.getvalue()}


def envoyer(page):
    page.get_by_role("button", name="Envoyer à la mairie").click()
    expect(page.get_by_text("Votre demande est envoyée à la mairie.")).to_be_visible()


def accepter(agent, lien):
    page = agent.ouvrir("/admin/demandes/demande/")
    page.get_by_role("link", name=lien).click()
    page.get_by_role("button", name="Accepter la demande").click()
    expect(page.get_by_text("La famille est prévenue.")).to_be_visible()
    return page


def test_une_personne_de_plus_vient_chercher_lea(personnes):
    parent, agent = personnes
    parent.connecter("durand")
    page = parent.ouvrir("/mes-enfants/")
    page.get_by_role("link", name="Léa Durand").click()
    page.get_by_role("link", name="Dossier", exact=True).click()
    page.get_by_role("link", name="Personnes autorisées").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Personnes autorisées")
    page.wait_for_load_state()  # the button is made by JavaScript
    if page.get_by_role("button", name="Ajouter une personne").count():
        page.get_by_role("button", name="Ajouter une personne").click()
    ligne = page.locator("[data-portail-ligne]").last
    ligne.get_by_label("Prénom").fill("Nora")
    ligne.locator("[name$='-nom']").fill("Blin")
    ligne.get_by_label("Lien avec l'enfant").fill("Nounou")
    ligne.get_by_label("Téléphone").fill("0639984010")
    ligne.get_by_label("Peut venir chercher l'enfant").check()
    envoyer(page)
    assert parent.deborde() == 0
    agent.connecter("agent")
    accepter(agent, "Personnes autorisées de Léa")
    page = parent.ouvrir("/mes-enfants/")
    page.get_by_role("link", name="Léa Durand").click()
    page.get_by_role("link", name="Dossier", exact=True).click()
    expect(page.get_by_text("Nounou, 06 39 98 40 10, peut venir chercher")).to_be_visible()
    assert parent.plaintes + agent.plaintes == []


def test_un_vaccin_avec_la_photo_du_carnet(personnes, photo):
    parent, agent = personnes
    parent.connecter("durand")
    page = parent.ouvrir("/mes-enfants/")
    page.get_by_role("link", name="Tom Durand").click()
    page.get_by_role("link", name="Données sanitaires").first.click()
    page.get_by_label("Rougeole").fill("2023-03-14")
    page.get_by_label("Pages de vaccination").set_input_files(photo)
    envoyer(page)
    agent.connecter("agent")
    page = agent.ouvrir("/admin/demandes/demande/")
    page.get_by_role("link", name="Données sanitaires de Tom").click()
    expect(page.get_by_role("row", name="Rougeole")).to_contain_text("14 mars 2023")
    expect(page.locator("[name=vaccins_etat]")).to_have_value("PROVISOIRE")
    page.get_by_role("button", name="Accepter la demande").click()
    expect(page.get_by_text("La famille est prévenue.")).to_be_visible()
    tom = Enfant.objects.get(prenom="Tom")
    assert tom.sante.vaccinations == {"ROUGEOLE": "2023-03-14"}
    page = parent.ouvrir(f"/mes-enfants/{tom.uuid}/dossier/")
    expect(page.get_by_role("link", name="carnet.jpg")).to_be_visible()
    page = parent.ouvrir(f"/mes-enfants/{tom.uuid}/consultations/")
    expect(page.get_by_text("Nadia Petit").first).to_be_visible()
    assert parent.plaintes + agent.plaintes == []


def test_ajouter_un_enfant(personnes):
    parent, agent = personnes
    parent.connecter("durand")
    page = parent.ouvrir("/mes-enfants/")
    page.get_by_role("link", name="Ajouter un enfant").first.click()
    page.get_by_label("Prénom").fill("lou")
    page.locator("[name=nom]").fill("Durand")
    page.get_by_label("Date de naissance").fill("2023-05-14")
    page.get_by_label("Niveau").select_option("Petite section")
    envoyer(page)
    assert parent.deborde() == 0
    agent.connecter("agent")
    accepter(agent, "Ajouter un enfant : Lou")
    page = parent.ouvrir("/mes-enfants/")
    page.get_by_role("link", name="Lou Durand").click()
    page.get_by_role("link", name="Dossier", exact=True).click()
    expect(page.get_by_text("Petite section").first).to_be_visible()
    assert parent.plaintes + agent.plaintes == []
