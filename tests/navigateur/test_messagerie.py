"""A parent writes with a photo, the mairie answers, the parent answers back, deletes, restores."""

import re

import pytest
from playwright.sync_api import expect

from enfants.models import Enfant
from messagerie.models import Fil, Message
from tests.fabrique import image
from tests.navigateur.test_pages import defauts

pytestmark = pytest.mark.django_db(transaction=True)

ECRANS = [("telephone", True), ("bureau", True), ("telephone", False), ("bureau", False)]
PHOTO = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": image()}


@pytest.fixture(params=ECRANS, ids=["telephone", "bureau", "telephone-sans-js", "bureau-sans-js"])
def ecran(request):
    return request.param


@pytest.fixture
def parent(ecran, visiteur):
    """Claire, on the screen under test, with or without JavaScript; her box is empty."""
    taille, javascript = ecran
    Fil.objects.all().delete()
    claire = visiteur(taille, javascript=javascript)
    claire.connecter("durand")
    return claire


@pytest.fixture
def agent(ecran, visiteur):
    """Nadia, at her desk; with JavaScript when the parent has it."""
    nadia = visiteur("bureau", javascript=ecran[1])
    nadia.connecter("agent")
    return nadia


def repondre_en_agent(agent, sujet, texte):
    """From the first page of the admin to the conversation, a ready-made answer and these words after it."""
    page = agent.ouvrir("/admin/")
    page.get_by_role("link", name="message à lire").click()
    page.get_by_role("link", name=sujet).click()
    expect(page.get_by_role("link", name="photo.jpg")).to_be_visible()
    page.get_by_label("Réponse toute prête").select_option("Bien reçu")
    page.get_by_role("button", name="Insérer").click()
    reponse = page.get_by_label("Votre réponse")
    expect(reponse).to_have_value(re.compile("Nous avons bien reçu votre message"))
    reponse.fill(f"{reponse.input_value()}\n\n{texte}")
    page.get_by_role("button", name="Envoyer la réponse").click()
    expect(page.get_by_text("Réponse envoyée à la famille Durand.")).to_be_visible()
    assert (agent.deborde(), agent.plaintes) == (0, [])


def ecrire_avec_une_photo(parent):
    page = parent.ouvrir("/messagerie/")
    page.get_by_role("link", name="Écrire à la mairie").click()
    page.get_by_label("Service Enfance Jeunesse").check()
    page.get_by_label("Sujet").fill("Le goûter de Léa")
    page.get_by_label("Votre message").fill("Bonjour,\nVoici la photo du gâteau.")
    page.get_by_label("Photos ou documents").set_input_files(PHOTO)
    assert parent.deborde() == 0
    page.get_by_role("button", name="Envoyer à la mairie").click()
    expect(page.get_by_text("Votre message est envoyé.")).to_be_visible()
    expect(page.get_by_text("En attente de réponse")).to_be_visible()
    expect(page.get_by_role("link", name="photo.jpg")).to_be_visible()


def non_lus(page):
    return page.locator(".onglet:visible .compteur")


def test_ecrire_lire_repondre_supprimer_restaurer(parent, agent):
    ecrire_avec_une_photo(parent)
    repondre_en_agent(agent, "Le goûter de Léa", "Merci, il a l'air bon. Voir https://cuisine.example/")

    page = parent.ouvrir("/messagerie/")
    expect(non_lus(page)).to_have_text(re.compile("^1"))
    ligne = page.get_by_role("listitem").filter(has_text="Le goûter de Léa")
    expect(ligne).to_contain_text("Non lu")
    expect(ligne).to_contain_text("Répondu")
    expect(ligne).to_contain_text("Pièce jointe")
    ligne.get_by_role("link").click()
    expect(page.get_by_text("Nous avons bien reçu votre message")).to_be_visible()
    expect(page.get_by_text("Merci, il a l'air bon.")).to_be_visible()
    expect(page.get_by_role("link", name="https://cuisine.example/")).to_be_visible()
    expect(page.get_by_text("Lu par la mairie")).to_be_visible()
    expect(non_lus(page)).to_have_count(0)
    assert parent.deborde() == 0

    page.get_by_label("Votre message").fill("À demain alors.")
    page.get_by_role("button", name="Envoyer ma réponse").click()
    expect(page.get_by_text("Votre réponse est envoyée.")).to_be_visible()
    expect(page.get_by_text("À demain alors.")).to_be_visible()

    page.get_by_role("button", name="Supprimer cet échange").click()
    expect(page.get_by_text("L'échange est supprimé.")).to_be_visible()
    expect(page.get_by_text("Vous n'avez pas de message.")).to_be_visible()
    page.get_by_role("link", name="Supprimés").click()
    page.get_by_label("Cocher « Le goûter de Léa »").check()
    page.get_by_role("button", name="Restaurer").click()
    expect(page.get_by_text("L'échange est restauré.")).to_be_visible()
    expect(page.get_by_text("Vous n'avez pas de message supprimé.")).to_be_visible()

    page = parent.ouvrir("/messagerie/")
    page.get_by_label("Cocher « Le goûter de Léa »").check()
    page.get_by_role("button", name="Marquer comme non lu").click()
    expect(non_lus(page)).to_have_text(re.compile("^1"))
    page.get_by_role("searchbox").fill("gateau")
    page.get_by_role("button", name="Rechercher").click()
    expect(page.get_by_text("1 échange avec")).to_be_visible()
    page.get_by_role("link", name="Effacer la recherche").click()
    expect(page.get_by_role("link", name="Le goûter de Léa")).to_be_visible()
    assert parent.plaintes == []


def test_une_question_posee_depuis_l_enfant_le_sait(parent):
    lea = Enfant.objects.get(prenom="Léa")
    page = parent.ouvrir(f"/mes-enfants/{lea.uuid}/dossier/")
    page.get_by_role("contentinfo").get_by_role("link", name="Nous contacter").click()
    expect(page.get_by_text("À propos de")).to_be_visible()
    page.get_by_role("link", name="Écrire à la mairie").click()
    expect(page.get_by_label("Sujet")).to_have_value("Question au sujet de Léa")
    page.get_by_label("Votre message").fill("Peut-elle nager ?")
    page.get_by_label("Ne montrer cet échange qu'à moi").check()
    page.get_by_role("button", name="Envoyer à la mairie").click()
    expect(page.get_by_text("Votre message est envoyé.")).to_be_visible()
    expect(page.get_by_text("Entre vous et la mairie")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name="Léa", exact=True)).to_be_visible()
    assert (Message.objects.count(), parent.plaintes) == (1, [])


def test_une_erreur_garde_ce_qui_est_ecrit_et_dit_que_la_photo_est_a_remettre(parent):
    page = parent.ouvrir("/messagerie/nouveau/")
    page.get_by_label("Votre message").fill("Un long texte.")
    page.get_by_label("Photos ou documents").set_input_files(PHOTO)
    page.get_by_role("button", name="Envoyer à la mairie").click()
    expect(page.get_by_text("Choisissez le service.").first).to_be_visible()
    expect(page.get_by_label("Votre message")).to_have_value("Un long texte.")
    expect(page.get_by_text("ajoutez-les de nouveau")).to_be_visible()
    assert (Fil.objects.exists(), parent.plaintes) == (False, [])


def test_un_long_nom_de_fichier_ne_pousse_pas_le_message_hors_de_l_ecran(visiteur):
    parent = visiteur("telephone")
    parent.connecter("durand")
    page = parent.ouvrir("/messagerie/nouveau/")
    page.get_by_label("Service Enfance Jeunesse").check()
    page.get_by_label("Sujet").fill("Certificat")
    page.get_by_label("Votre message").fill("https://ecole.example/" + "une-page-" * 12)
    photo = {**PHOTO, "name": "photo du certificat de vaccination de Léa, novembre 2026.jpg"}
    page.get_by_label("Photos ou documents").set_input_files(photo)
    page.get_by_role("button", name="Envoyer à la mairie").click()
    message = page.locator("article.message").bounding_box()
    assert (message["x"] >= 0, message["x"] + message["width"] <= 360, parent.deborde()) == (True, True, 0)


def test_choisir_ses_courriels(parent):
    page = parent.ouvrir("/mon-compte/")
    page.get_by_role("navigation", name="Dans cette rubrique").get_by_role("link", name="Mes courriels").click()
    page.get_by_label("Un résumé par jour").check()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Votre choix est enregistré.")).to_be_visible()
    expect(page.get_by_label("Un résumé par jour")).to_be_checked()
    assert (parent.deborde(), parent.plaintes) == (0, [])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("taille", ["telephone", "bureau"])
def test_les_pages_des_messages_tiennent_dans_l_ecran_et_se_lisent(visiteur, taille, theme):
    parent, trouves = visiteur(taille, theme=theme), {}
    parent.connecter("durand")
    fils = [f"/messagerie/{fil.uuid}/" for fil in Fil.objects.order_by("pk") if fil.destinataire_id is None]
    boites = ["/messagerie/", "/messagerie/envoyes/", "/messagerie/supprimes/", "/messagerie/?q=gourde"]
    for chemin in [*boites, *fils, "/messagerie/?q=rien", "/messagerie/nouveau/", "/mon-compte/courriels/"]:
        page = parent.ouvrir(chemin)
        assert page.locator("h1").count() == 1, chemin
        trouves[chemin] = (parent.deborde(), defauts(page))
    page = parent.ouvrir("/messagerie/nouveau/")
    page.get_by_role("button", name="Envoyer à la mairie").click()
    expect(page.get_by_text("Choisissez le service.").first).to_be_visible()
    trouves["refusé"] = (parent.deborde(), defauts(page))
    assert {chemin: vu for chemin, vu in trouves.items() if vu != (0, [])} == {}
    assert parent.plaintes == []
