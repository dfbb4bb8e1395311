"""A family pays on line, in a real browser: paid, refused, abandoned, too late."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from facturation.actions import prendre_en_role
from facturation.models import Reglement
from tests.facturation.essai import facture_essai, regie_essai, titre_essai

pytestmark = pytest.mark.django_db(transaction=True)
EN_LIGNE = {"payfip_client": "018110", "payfip_saisie": "A"}


@pytest.fixture
def jours(distribution):
    """``jours(-31)``: the day of the issue, and a due date so many days from today."""

    def jours(nombre):
        aujourdhui = timezone.localdate()
        return {"emise_le": aujourdhui - timedelta(days=70), "echeance": aujourdhui + timedelta(days=nombre)}

    return jours


@pytest.mark.parametrize(("taille", "javascript"), [("telephone", True), ("bureau", False)])
def test_durand_paie_une_facture_de_la_regie(taille, javascript, visiteur, famille_durand, jours):
    facture = facture_essai(famille_durand, regie_essai(payfip="SERVICE", **EN_LIGNE), "47.60", **jours(5))
    parent = visiteur(taille, javascript=javascript)
    parent.connecter("durand")
    adresse = f"/factures/{facture.uuid}/"
    for bouton, dit in (("Refuser la carte", "Paiement refusé"), ("Abandonner", "Paiement abandonné")):
        page = parent.ouvrir(adresse)
        page.get_by_role("button", name="Payer 47,60").click()
        page.get_by_role("button", name=bouton).click()
        page.get_by_role("link", name="Revenir au portail").click()
        expect(page.get_by_text(dit)).to_be_visible()
        expect(parent.ouvrir(adresse).locator("[data-etat]")).to_have_attribute("data-etat", "a-payer")
    page.get_by_role("button", name="Payer 47,60").click()
    expect(page.get_by_text("SIMULATION")).to_be_visible()
    page.get_by_role("button", name="Payer par carte").click()
    page.get_by_role("link", name="Revenir au portail").click()
    expect(page.get_by_text("Conservez le ticket de paiement.")).to_be_visible()
    assert parent.deborde() <= 0
    page = parent.ouvrir(adresse)
    expect(page.locator("[data-etat]")).to_have_attribute("data-etat", "payee")
    expect(page.locator("[data-paiement]")).to_have_count(0)
    page = parent.ouvrir("/releve/")
    expect(page.get_by_text("Votre compte est à jour")).to_be_visible()
    page.get_by_role("link", name="Mes règlements").click()
    expect(page.get_by_text("47,60").first).to_be_visible()
    assert ([r.montant for r in Reglement.objects.all()], parent.plaintes) == ([facture.total], [])


def test_le_titre_se_paie_ailleurs_par_ses_trois_valeurs_et_trop_tard_sans_lien(
    visiteur, famille_durand, jours, comptes
):
    regie, parent = titre_essai(payfip="SAISIE", **EN_LIGNE), visiteur("telephone")
    factures = [facture_essai(famille_durand, regie, "30.00", **jours(nombre)) for nombre in (-30, -31)]
    role = {"numero": "7", "exercice": 2026, "le": timezone.localdate(), "par": comptes["comptable"]}
    prendre_en_role(factures, regie=regie, **role)
    parent.connecter("durand")
    page = parent.ouvrir(f"/factures/{factures[0].uuid}/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copier le n° client").click()
    expect(page.get_by_role("button", name="Copié")).to_be_visible()
    assert (page.evaluate("navigator.clipboard.readText()"), parent.deborde() <= 0) == ("018110", True)
    with page.expect_popup() as onglet:
        page.get_by_role("link", name="Ouvrir PayFiP").click()
    for libelle, valeur in (
        ("n° client", "018110"),
        ("Référence", factures[0].reference),
        ("Montant", "30,00"),
        ("Adresse e-mail", "claire@famille.example"),
    ):
        onglet.value.get_by_label(libelle).fill(valeur)
    onglet.value.get_by_role("button", name="Continuer").click()
    onglet.value.get_by_role("button", name="Payer par carte").click()
    expect(onglet.value.get_by_role("heading", name="Ticket de paiement")).to_be_visible()
    trop_tard = parent.ouvrir(f"/factures/{factures[1].uuid}/").locator("[data-paiement]")
    expect(trop_tard).to_have_attribute("data-paiement", "ferme")
    expect(trop_tard).to_contain_text("appelez la trésorerie des Aix-d'Angillon au 02 48 64 40 72.")
    expect(trop_tard.get_by_role("link")).to_have_count(0)
    assert parent.plaintes == []
