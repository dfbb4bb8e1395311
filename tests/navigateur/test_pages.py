"""Every page of a parent: fits the screen, is accessible, breaks no security policy, ends at the login page."""

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from enfants.models import Enfant
from facturation import paiements
from tests.enfants.service_essai import CODE, demander, jour_ouvert, ouvrir
from tests.facturation.essai import facture_essai, regie_essai

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = [
    "/",
    "/mon-compte/",
    "/mon-compte/responsable/",
    "/mon-compte/caf/",
    "/mon-compte/bancaires/",
    "/mes-enfants/",
    "/mes-enfants/ajouter/",
    "/releve/",
    "/messagerie/",
    "/demandes/",
    "/demandes/?periode=toutes&rubrique=mon-compte",
    "/mot-de-passe/",
    "/contact/",
    "/documents/",
    "/documents/formulaires/",
    "/accessibilite/",
    "/donnees-personnelles/",
    "/nulle-part/",
]
PUBLIQUES = ["/connexion/", "/mot-de-passe/oublie/", "/contact/"]


def defauts(page):
    """axe's violations, as ``rule: element``."""
    resultat = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    return [
        f"{violation['id']} : {noeud['html'][:120]}"
        for violation in resultat.response["violations"]
        for noeud in violation["nodes"]
    ]


def pages_du_planning(lea):
    """Whatever the date: Léa has a service open all year, one day booked, the next free."""
    ouvrir(note_retard="le jour coûte le double.")
    jour = jour_ouvert()
    demander("durand", "Léa", jour)
    voisin = jour_ouvert(dans=(jour - timezone.localdate()).days + 1)
    enfant = Enfant.objects.get(prenom="Léa").pk
    quand = f"enfants={enfant}&du={jour}&retour={voisin}"
    return [
        f"{lea}planning/{jour:%Y-%m}/",
        f"{lea}planning/{jour}/{CODE}/",
        f"{lea}planning/{voisin}/{CODE}/",
        f"{lea}planning/{timezone.localdate() - timedelta(days=3)}/{CODE}/",
        f"{lea}inscriptions/",
        f"/mes-enfants/semaine/{jour}/",
        "/mes-enfants/repeter/",
        f"/mes-enfants/malade/?enfant={enfant}",
        f"/mes-enfants/absence/?{quand}",
        f"/mes-enfants/absence/?{quand}&maladie=1",
        f"/mes-enfants/absence/?du={jour}",
        "/mes-enfants/abonnement/",
    ]


def etapes_du_planning(parent):
    """What a click alone shows: the menu over the grid, the summary, an absence that lacks its proof."""
    trouves, jour = {}, jour_ouvert()
    lea = Enfant.objects.get(prenom="Léa")
    page = parent.ouvrir(f"/mes-enfants/{lea.uuid}/planning/{jour:%Y-%m}/")
    page.locator(f'[data-jour="{jour}"][data-service="{CODE}"]').click()
    expect(page.get_by_role("dialog")).to_be_visible()
    trouves["menu d'une case"] = (parent.deborde(), defauts(page))
    page = parent.ouvrir(f"/mes-enfants/semaine/{jour}/")
    page.locator(f'[value="{lea.pk}.{CODE}.{jour}"][name=c]').uncheck()
    page.get_by_role("button", name="Voir le récapitulatif").click()
    expect(page.get_by_role("heading", name="Vérifiez avant d'envoyer")).to_be_visible()
    trouves["récapitulatif"] = (parent.deborde(), defauts(page))
    page = parent.ouvrir(f"/mes-enfants/absence/?enfants={lea.pk}&du={jour}&retour={jour + timedelta(days=1)}")
    page.get_by_label("Enfant malade").check()
    page.get_by_role("button", name="Déclarer l'absence").click()
    expect(page.get_by_text("Joignez le justificatif").first).to_be_visible()
    trouves["absence sans justificatif"] = (parent.deborde(), defauts(page))
    return trouves


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("taille", ["telephone", "bureau"])
def test_les_pages_tiennent_dans_l_ecran_et_se_lisent(visiteur, taille, theme):
    parent = visiteur(taille, theme=theme)
    trouves = {}
    for chemin in PUBLIQUES:
        page = parent.ouvrir(chemin)
        trouves[chemin] = (parent.deborde(), defauts(page))
    parent.connecter("durand")
    lea = f"/mes-enfants/{Enfant.objects.get(prenom='Léa').uuid}/"
    suites = ("", "dossier/", "etat-civil/", "autorisations/", "informations/", "sante/", "consultations/")
    for chemin in [*PAGES, *(lea + suite for suite in suites), *pages_du_planning(lea)]:
        page = parent.ouvrir(chemin)
        assert page.locator("h1").count() == 1, chemin
        trouves[chemin] = (parent.deborde(), defauts(page))
    trouves |= etapes_du_planning(parent)
    mere = visiteur(taille, theme=theme)
    mere.connecter("rossi")
    garde = f"/mes-enfants/{Enfant.objects.get(prenom='Inès').uuid}/garde/"
    page = mere.ouvrir(garde)
    trouves[garde] = (mere.deborde(), defauts(page))
    assert {chemin: vu for chemin, vu in trouves.items() if vu != (0, [])} == {}
    assert parent.plaintes + mere.plaintes == []


def lignes_des_onglets(page):
    """How many lines the words of each tab of the bar take, at most."""
    mots = page.locator(".onglets > ul > li:not(.onglet-second) > .onglet > span:not(.compteur)")
    return max(mots.evaluate_all("mots => mots.map(m => m.offsetHeight / parseFloat(getComputedStyle(m).lineHeight))"))


def a_la_largeur(parent, chemin, large):
    """Pixels that a page sticks out of a screen so wide."""
    avant = parent.page.viewport_size
    parent.page.set_viewport_size({"width": large, "height": 800})
    parent.ouvrir(chemin)
    depasse = parent.deborde()
    parent.page.set_viewport_size(avant)
    return depasse


@pytest.mark.parametrize(("taille", "theme"), [("telephone", "dark"), ("bureau", "light")])
def test_les_pages_de_la_facturation_tiennent_dans_l_ecran_et_se_lisent(
    visiteur, taille, theme, famille_durand, comptes
):
    regie = regie_essai(payfip="SERVICE", payfip_client="018110", payfip_saisie="A")
    jour = timezone.localdate()
    facture = facture_essai(famille_durand, regie, "1230.50", emise_le=jour, echeance=jour + timedelta(days=30))
    tentative = paiements.commencer(facture, par=comptes["durand"])
    parent = visiteur(taille, theme=theme)
    parent.connecter("durand")
    pages = {
        parent: [f"/factures/{facture.uuid}/", "/releve/", "/releve/attestations/", f"/paiement/{tentative.uuid}/"]
    }
    if taille == "bureau":
        agent = visiteur(taille, theme=theme)
        agent.connecter("comptable")
        compte = f"/admin/comptes/{famille_durand.pk}/"
        pages[agent] = ["/admin/facturer/", "/admin/simuler/", compte, "/admin/cheques/"]
    else:
        assert lignes_des_onglets(parent.ouvrir("/releve/")) < 2.5
    trouves = {f"/releve/ sur {large} px": (a_la_largeur(parent, "/releve/", large), 1, []) for large in (768, 992)}
    for qui, chemins in pages.items():
        for chemin in chemins:
            page = qui.ouvrir(chemin)
            trouves[chemin] = (qui.deborde(), page.locator("h1").count(), defauts(page))
    assert {chemin: vu for chemin, vu in trouves.items() if vu != (0, 1, [])} == {}
    assert parent.plaintes == []  # axe itself makes Chromium complain of the admin's pages


def test_apres_la_deconnexion_le_bouton_retour_montre_la_page_de_connexion(visiteur):
    parent = visiteur("bureau")
    page = parent.connecter("durand")
    parent.ouvrir("/mon-compte/")
    page.get_by_role("button", name="Déconnexion").first.click()
    expect(page).to_have_url(parent.adresse + "/connexion/")
    page.go_back()
    expect(page.get_by_role("button", name="Connexion")).to_be_visible()
    expect(page.get_by_text("06 39 98 10 01")).to_have_count(0)


def test_le_mot_de_passe_se_verifie_en_le_tapant(visiteur):
    parent = visiteur("telephone")
    parent.connecter("durand")
    page = parent.ouvrir("/mot-de-passe/")
    respectees = page.locator("[data-regle]", has_text="c'est fait")
    expect(respectees).to_have_count(0)
    page.get_by_label("Nouveau mot de passe").fill("Portail")
    expect(respectees).to_have_text([re.compile("majuscule"), re.compile("minuscule")])
    page.get_by_label("Nouveau mot de passe").fill("Portail2027")
    expect(respectees).to_have_count(4)


def test_tout_se_fait_au_clavier(visiteur):
    parent = visiteur("bureau")
    page = parent.ouvrir("/connexion/")
    page.keyboard.type("durand")
    page.keyboard.press("Tab")
    page.keyboard.type("Portail2026")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Bonjour Claire")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Aller au contenu")


def test_une_erreur_garde_ce_qui_a_ete_saisi(visiteur):
    parent = visiteur("telephone")
    parent.connecter("durand")
    page = parent.ouvrir("/mon-compte/bancaires/")
    page.get_by_label("Titulaire du compte").fill("Claire Durand-Neuve")
    page.get_by_label("IBAN").fill("FR76 3000 6000 0112 3456 7890 188")
    page.get_by_role("button", name="Envoyer à la mairie").click()
    expect(page.get_by_text("Cet IBAN n'est pas valable").first).to_be_visible()
    expect(page.get_by_label("Titulaire du compte")).to_have_value("Claire Durand-Neuve")
    expect(page.get_by_label("IBAN")).to_have_value("FR76 3000 6000 0112 3456 7890 188")
    assert parent.deborde() == 0
