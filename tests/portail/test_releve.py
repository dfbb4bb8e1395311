"""Relevé de compte: the operations, the invoices and the payments of a school year, and who reads them."""

import csv
import io
from datetime import date
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from enfants.actions import separer
from facturation import actions
from facturation.models import Article, Facture, Reglement
from portail.mesures import PAGES
from portail.outils.pdf import PdfIndisponible
from portail.pages import releve
from tests.facturation.essai import facture_essai, factures_en_nombre, regie_essai, titre_essai
from tests.test_requetes import comptees, lister

pytestmark = pytest.mark.django_db
ANNEE = "/releve/2026-2027/"
TRESORERIE = "la commune ne gère pas directement les encaissements, et le suivi de vos règlements et de votre solde "
TRESORERIE += "n'est pas possible avec ce portail. Demandez ces informations à la trésorerie des Aix-d'Angillon, au "


def texte(reponse):
    return " ".join(unescape(reponse.content.decode()).replace("\u00a0", " ").split())


def page(navigateur, adresse="/releve/"):
    reponse = navigateur.get(adresse)
    assert reponse.status_code == 200
    return reponse.context["page"]


def simple(valeurs):
    return [valeur.replace("\u00a0", " ") if isinstance(valeur, str) else valeur for valeur in valeurs]


@pytest.fixture
def regie(distribution, horloge):
    horloge("2026-11-23T10:00")
    return regie_essai(payfip="REDIRECTION", payfip_client="018110")


@pytest.fixture
def titre(regie):
    return titre_essai(payfip="SAISIE", payfip_client="018110", ordre=1)


@pytest.fixture
def payer(regie, comptes):
    def payer(famille, montant, le=date(2026, 11, 10), moyen="CHEQUE"):
        valeurs = {"regie": regie, "moyen": moyen, "montant": Decimal(montant), "recu_le": le}
        return actions.encaisser(famille, par=comptes["comptable"], **valeurs)

    return payer


@pytest.fixture
def prendre(titre, comptes):
    def prendre(facture, numero="7"):
        role = {"regie": titre, "exercice": 2026, "le": date(2026, 11, 12), "par": comptes["comptable"]}
        return actions.prendre_en_role([facture], numero=numero, **role)

    return prendre


# --- What it tells ---------------------------------------------------------------------------------------


def test_chaque_operation_de_l_annee_avec_le_solde_apres_elle(connecter, famille_durand, regie, titre, payer, prendre):
    facture_essai(famille_durand, regie, "22.00", mois=date(2026, 6, 1), emise_le=date(2026, 7, 3))
    facture_essai(famille_durand, regie, "30.00", mois=date(2026, 9, 1), emise_le=date(2026, 10, 1))
    prendre(facture_essai(famille_durand, titre, "54.40"))
    payer(famille_durand, "40.00")
    lue = page(connecter("durand"))
    assert [simple(operation[1:3] + operation[4:]) for operation in lue.operations] == [
        ["01/10/2026", "Facture 2026-000002", "En partie", "30,00 €", "", "52,00 €"],
        ["02/11/2026", "Facture 2026-000003", "Titre émis", "54,40 €", "", "106,40 €"],
        ["10/11/2026", "Règlement : chèque", "", "", "40,00 €", "66,40 €"],
        ["12/11/2026", "Titre émis (ORMC n° 7)", "", "", "54,40 €", "12,00 €"],
    ]
    assert simple([lue.ancien_solde, lue.debit, lue.credit, lue.solde]) == ["22,00 €", "84,40 €", "94,40 €", "12,00 €"]
    ancienne = page(connecter("durand"), "/releve/2025-2026/")
    assert ([o.libelle for o in ancienne.operations], ancienne.ancien_solde[:4]) == (["Facture 2026-000001"], "0,00")


def test_mes_factures_disent_ou_elles_en_sont(connecter, famille_durand, regie, titre, payer, prendre, comptes):
    mois = {nom: date(2026, rang, 1) for rang, nom in enumerate(("juin", "juil", "aout", "sept", "oct", "nov"), 6)}
    emise = {"emise_le": date(2026, 10, 1)}
    for nom in ("juin", "juil"):
        facture_essai(famille_durand, regie, "10.00", mois=mois[nom], **emise)
    payer(famille_durand, "14.00")
    fausse = facture_essai(famille_durand, regie, "9.00", mois=mois["aout"], **emise)
    actions.creer_avoir(fausse, motif="Repas comptés deux fois", par=comptes["comptable"])
    facture_essai(famille_durand, regie, "20.00", mois=mois["nov"])
    prendre(facture_essai(famille_durand, titre, "54.40", mois=mois["sept"], **emise))
    facture_essai(famille_durand, titre, "47.60", mois=mois["oct"])
    petite = facture_essai(famille_durand, titre, "6.80", mois=mois["nov"], emise=False)
    Facture.objects.filter(pk=petite.pk).update(reporte_le=date(2026, 11, 20))
    lues = page(connecter("durand")).factures
    vues = [[*simple([f.titre, f.montant, f.code, f.detail]), bool(f.payer)] for f in lues]
    assert sorted(vues) == sorted(
        [
            [
                *("Restauration scolaire, novembre 2026", "6,80 €", "reportee"),
                *("Moins de 15 € : ajoutée à la facture suivante", False),
            ],
            ["Accueil de loisirs, novembre 2026", "20,00 €", "a-payer", "À régler avant le 2 décembre 2026", True],
            ["Restauration scolaire, octobre 2026", "47,60 €", "a-payer", "À régler avant le 2 décembre 2026", False],
            [
                *("Restauration scolaire, septembre 2026", "54,40 €", "titree"),
                *("À régler à la trésorerie avant le 31 octobre 2026", True),
            ],
            ["Accueil de loisirs, août 2026", "9,00 €", "annulee", "", False],
            ["Accueil de loisirs, août 2026", "-9,00 €", "avoir", "Repas comptés deux fois", False],
            [
                *("Accueil de loisirs, juillet 2026", "10,00 €", "en-retard"),
                *("Reste 6,00 €, à régler avant le 31 octobre 2026", True),
            ],
            ["Accueil de loisirs, juin 2026", "10,00 €", "payee", "", False],
        ]
    )
    html = texte(connecter("durand").get("/releve/"))
    assert f'data-facture="{petite.uuid}" data-etat="reportee"' in html
    assert f'href="/factures/{petite.uuid}/' not in html, "un brouillon ne s'ouvre pas"


def test_le_lien_de_paiement_suit_les_delais_de_payfip(connecter, famille_durand, regie, titre, prendre, horloge):
    facture_essai(famille_durand, regie, "20.00", mois=date(2026, 9, 1))
    facture_essai(famille_durand, regie, "0.50")
    prendre(facture_essai(famille_durand, titre, "30.00"))
    payables = {}
    for jour in ("2026-12-02", "2027-01-01", "2027-01-02"):
        horloge(f"{jour}T10:00")
        payables[jour] = [f.montant[:5] for f in page(connecter("durand")).factures if f.payer]
    assert payables == {"2026-12-02": ["30,00", "20,00"], "2027-01-01": ["30,00", "20,00"], "2027-01-02": []}
    Article.objects.update(etat="ANNONCE")
    horloge("2026-12-02T10:00")
    assert [f.montant[:5] for f in page(connecter("durand")).factures if f.payer] == ["20,00"]


def test_le_solde_se_dit_en_mots_et_la_tresorerie_ou_elle_encaisse(
    connecter, famille_durand, regie, titre, payer, prendre
):
    def soldes(adresse="/releve/"):
        lue = page(connecter("durand"), adresse)
        return [simple(solde[:2]) for solde in lue.soldes], lue.tresorerie and simple(lue.tresorerie)

    assert soldes() == ([], [""])  # nothing yet, and the commune says that it does not collect
    payer(famille_durand, "12.00")
    assert soldes() == ([["Accueil de loisirs", "Vous avez 12,00 € d'avance"]], None)
    facture = facture_essai(famille_durand, titre, "54.40")
    attendus = [["Restauration scolaire", "Vous devez 54,40 €"], ["Accueil de loisirs", "Vous avez 12,00 € d'avance"]]
    assert soldes() == (attendus, ["« Restauration scolaire »"])
    prendre(facture)
    attendus[0][1] = "Vos factures sont transmises à la trésorerie"
    assert soldes()[0] == attendus
    vue = texte(connecter("durand").get("/releve/"))
    assert f"« Restauration scolaire » : {TRESORERIE}" in vue
    assert '<a class="telephone" href="tel:0248644072">02 48 64 40 72</a>' in vue


def test_les_annees_a_choisir_sont_celles_ou_il_s_est_passe_quelque_chose(connecter, famille_durand, regie):
    facture_essai(famille_durand, regie, "22.00", mois=date(2024, 8, 1), emise_le=date(2024, 8, 31))
    facture_essai(famille_durand, regie, "22.00", mois=date(2024, 9, 1), emise_le=date(2024, 9, 1))
    navigateur = connecter("durand")
    assert page(navigateur).annees == [2026, 2024, 2023]
    assert navigateur.get("/releve/", {"annee": "2023-2024"}).url == "/releve/2023-2024/"
    assert navigateur.get(f"{ANNEE}reglements/", {"annee": "2024-2025"}).url == "/releve/2024-2025/reglements/"
    assert page(navigateur, "/releve/?annee=2025-2026").annee == 2026
    absentes = ["2025-2026", "2026-2028", "9999-10000", "0000-0001", "2027-2028"]
    assert {navigateur.get(f"/releve/{annee}/").status_code for annee in absentes} == {404}


def test_sans_operation_le_releve_s_ouvre(connecter, regie):
    vue = texte(connecter("martin").get("/releve/"))
    assert "Aucune facture pour l'année scolaire 2026-2027." in vue
    assert "Aucun règlement pour l'année scolaire" in texte(connecter("martin").get(f"{ANNEE}reglements/"))


# --- Mes règlements --------------------------------------------------------------------------------------


def test_mes_reglements_disent_ce_qu_ils_paient_et_pourquoi_ils_sont_annules(
    connecter, famille_durand, regie, titre, payer, prendre, comptes
):
    facture = facture_essai(famille_durand, regie, "30.00")
    rejete = payer(famille_durand, "30.00", date(2026, 11, 5))
    actions.annuler_reglement(rejete, motif="chèque sans provision", par=comptes["comptable"])
    payer(famille_durand, "35.00", date(2026, 11, 10), "CESU")
    titree = facture_essai(famille_durand, titre, "54.40")
    prendre(titree)
    lignes = connecter("durand").get(f"{ANNEE}reglements/").context["lignes"]
    vues = [
        [*simple(ligne[1:4]), [simple(p) for p in ligne.paye], *simple([ligne.reste, ligne.annule])] for ligne in lignes
    ]
    assert vues == [
        [
            *("12/11/2026", "Titre émis (ORMC n° 7)", "54,40 €"),
            [["Facture 2026-000002 : 54,40 €", f"/factures/{titree.uuid}/"]],
            *("", ""),
        ],
        [
            *("10/11/2026", "CESU", "35,00 €"),
            [["Facture 2026-000001 : 30,00 €", f"/factures/{facture.uuid}/"]],
            *("5,00 €", ""),
        ],
        ["05/11/2026", "Chèque", "30,00 €", [], "", "Annulation d'un règlement : chèque sans provision"],
    ]


# --- To keep ---------------------------------------------------------------------------------------------


def test_l_annee_pour_un_tableur(connecter, famille_durand, regie, payer, comptes):
    facture_essai(famille_durand, regie, "1234.50")
    rejete = payer(famille_durand, "1300.00")
    actions.annuler_reglement(rejete, motif="=1+1", par=comptes["comptable"])
    reponse = connecter("durand").get(f"{ANNEE}releve.csv")
    lignes = list(csv.reader(io.StringIO(reponse.content.decode("utf-8-sig")), delimiter=";"))
    assert lignes[0] == ["N° opération", "Date", "Description", "Réglé", "Débit", "Crédit", "Solde"]
    assert [simple(ligne[1:]) for ligne in lignes[1:]] == [
        ["", "Ancien solde", "", "", "", "0,00"],
        ["02/11/2026", "Facture 2026-000001", "Non", "1234,50", "0,00", "1234,50"],
        ["10/11/2026", "Règlement : chèque", "", "0,00", "1300,00", "-65,50"],
        ["23/11/2026", "Annulation d'un règlement : =1+1", "", "1300,00", "0,00", "1234,50"],
        ["", "Solde du compte pour l'année scolaire", "", "2534,50", "1300,00", "1234,50"],
    ]
    assert reponse["Content-Disposition"] == 'attachment; filename="releve-2026-2027.csv"'


def test_l_annee_sur_papier(connecter, famille_durand, regie, monkeypatch):
    facture_essai(famille_durand, regie, "30.00")
    reponse = connecter("durand").get(f"{ANNEE}releve.pdf")
    feuille = PdfReader(io.BytesIO(reponse.content)).pages[0].extract_text()
    mots = " ".join(feuille.replace("\u00a0", " ").split())
    attendus = [
        "Claire Durand",
        "année scolaire 2026-2027",
        "Arrêté le 23 novembre 2026",
        "Facture 2026-000001",
        "30,00 €",
    ]
    assert [mot for mot in attendus if mot not in mots] == []

    def sans_bibliotheque(*arguments):
        raise PdfIndisponible

    monkeypatch.setattr(releve.pdf, "rendre", sans_bibliotheque)
    assert connecter("durand").get(f"{ANNEE}releve.pdf").url == ANNEE


# --- Who reads it ----------------------------------------------------------------------------------------


def test_chaque_foyer_lit_son_compte_et_ses_deux_adultes_aussi(connecter, familles_de, regie):
    for foyer in ("durand", "benali", "rossi"):
        facture_essai(familles_de(foyer), regie, "30.00")
    lues = {
        qui: [o.libelle for o in page(connecter(qui)).operations]
        for qui in ("durand", "durand2", "benali", "rossi", "martin")
    }
    assert lues == {
        "durand": ["Facture 2026-000001"],
        "durand2": ["Facture 2026-000001"],
        "benali": ["Facture 2026-000002"],
        "rossi": ["Facture 2026-000003"],
        "martin": [],
    }


def test_apres_une_separation_l_ancien_adulte_garde_les_factures_d_avant(
    connecter, famille_durand, regie, payer, comptes
):
    facture_essai(famille_durand, regie, "30.00", mois=date(2026, 9, 1), emise_le=date(2026, 10, 1))
    separer(comptes["durand2"].adulte, le=date(2026, 11, 1), adresse={"ville": "Bourges"}, enfants={})
    facture_essai(famille_durand, regie, "40.00")
    payer(famille_durand, "30.00")
    julien = page(connecter("durand2"))
    assert (julien.operations, julien.factures, [f.numero[-11:] for f in julien.anciennes]) == ([], [], ["2026-000001"])
    claire = page(connecter("durand"))
    assert (len(claire.operations), len(claire.factures), claire.anciennes) == (3, 2, [])


# --- Its price -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nombre", [1, 300])
def test_le_releve_tient_son_budget_avec_une_ligne_ou_trois_cents(nombre, connecter, famille_durand, regie, payer):
    factures_en_nombre(famille_durand, regie, nombre)
    payer(famille_durand, "15.00")
    navigateur = connecter("durand")
    cout = {}
    for adresse in ("/releve/", f"{ANNEE}reglements/"):
        assert navigateur.get(adresse).status_code == 200
        with CaptureQueriesContext(connection) as captees:
            navigateur.get(adresse)
        cout[adresse] = len(comptees(captees))
        assert cout[adresse] <= 7, lister(comptees(captees))
    assert len(page(navigateur).lignes) == 2 * nombre + 1
    assert Reglement.objects.count() == 1


def test_le_banc_mesure_le_releve_contre_son_plancher():
    mesure = next(page for page in PAGES if page.nom == "Relevé de compte")
    assert (mesure.chargeur(), mesure.budget.requetes, mesure.budget.rapport) == (releve.charger_releve, 7, 2)
