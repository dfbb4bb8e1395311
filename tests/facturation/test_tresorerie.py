"""What the trésorerie reads, and what agents note of what it says."""

import csv
import io
from datetime import date
from decimal import Decimal
from html import unescape

import pytest
from django.utils import timezone

from enfants.models import Enfant
from facturation import actions, comptes, etats
from facturation.models import Article, Ecriture, Facture, Role, SuiviFacture
from familles.models import Utilisateur
from tests.facturation.essai import facture_essai, regie_essai, titre_essai
from tests.parcours import parcourir

pytestmark = pytest.mark.django_db
SEPTEMBRE, OCTOBRE = date(2026, 9, 1), date(2026, 10, 1)
LISTE = "/admin/facturation/suivifacture/"


@pytest.fixture
def cantine(distribution, horloge):
    horloge("2026-11-23T10:00")
    return titre_essai()


@pytest.fixture
def agent(distribution):
    return Utilisateur.objects.get(identifiant="comptable")


@pytest.fixture
def factures(cantine, famille_durand, famille_martin):
    """The canteen: September of both households, October of one. The ALSH: September of one."""
    lea = Enfant.objects.get(prenom="Léa")
    return [
        facture_essai(famille_durand, cantine, "30.00", mois=SEPTEMBRE, enfant=lea),
        facture_essai(famille_martin, cantine, "20.00", mois=SEPTEMBRE),
        facture_essai(famille_durand, cantine, "40.00", mois=OCTOBRE, enfant=lea),
        facture_essai(famille_durand, regie_essai(), "12.00", mois=SEPTEMBRE),
    ]


@pytest.fixture
def comptable(connecter, factures):
    return connecter("comptable")


@pytest.fixture
def tresorerie(connecter, factures):
    return connecter("tresorerie")


def prendre(factures, agent, numero="7"):
    options = {"regie": factures[0].regie, "numero": numero, "exercice": 2026, "le": date(2026, 11, 20)}
    return actions.prendre_en_role(factures, par=agent, **options)


def numeros(reponse):
    return sorted(facture.numero for facture in reponse.context["cl"].queryset)


# --- What the trésorerie reads -----------------------------------------------------------------------------


@pytest.fixture
def regie_payee(famille_durand, agent):
    regie = regie_essai("payee")
    for montant in (1, 2, 3):
        recu = {"moyen": "CHEQUE", "montant": Decimal(montant), "recu_le": date(2026, 11, 3), "par": agent}
        actions.encaisser(famille_durand, regie=regie, **recu)
    return regie


def test_qui_n_a_pas_paye_septembre_se_trouve_en_deux_clics(tresorerie, factures, agent):
    role = prendre(factures[:2], agent)
    article = role.articles.get(facture=factures[1])
    actions.marquer_article(article, etat="PAYE", paye=Decimal(20), le=date(2026, 11, 22), par=agent)
    liste = tresorerie.get(LISTE)
    assert (numeros(liste), liste.context["totaux"]) == (
        [1, 2, 3, 4],
        [("Facturé", "102,00\u00a0€"), ("Reçu", "20,00\u00a0€"), ("Reste à recevoir", "82,00\u00a0€")],
    )
    for clic in ("?mois=2026-09", "?mois=2026-09&paiement=non"):
        assert clic.partition("&")[0] in unescape(liste.content.decode())
        liste = tresorerie.get(LISTE + clic)
    assert (numeros(liste), liste.context["totaux"][2]) == ([1, 4], ("Reste à recevoir", "42,00\u00a0€"))


def test_le_bureau_mene_en_deux_clics_a_qui_n_a_pas_paye_septembre(tresorerie, factures, agent):
    article = prendre(factures[:2], agent).articles.get(facture=factures[1])
    actions.marquer_article(article, etat="PAYE", paye=Decimal(20), le=date(2026, 11, 22), par=agent)
    assert f'href="{LISTE}?paiement=non"' in tresorerie.get("/admin/").content.decode()
    page = tresorerie.get(f"{LISTE}?paiement=non").content.decode()
    assert "?mois=2026-09&paiement=non" in unescape(page)
    assert numeros(tresorerie.get(f"{LISTE}?paiement=non&mois=2026-09")) == [1, 4]


@pytest.mark.parametrize(
    ("liste", "pied"),
    [
        (LISTE, "4 factures"),
        (f"{LISTE}?mois=2026-10", "1 facture"),
        (f"{LISTE}?mois=2026-10&paiement=oui", "0 facture"),
        ("/admin/facturation/suivireglement/", "0 règlement"),
    ],
)
def test_le_pied_d_une_liste_compte_des_factures_ou_des_reglements(liste, pied, tresorerie):
    page = tresorerie.get(liste).content.decode()
    assert " ".join(page.partition('<p class="paginator">')[2].partition("</p>")[0].split()) == pied


def test_l_exercice_d_un_role_s_ecrit_comme_une_annee(tresorerie, factures, agent):
    role = prendre(factures[:2], agent)
    for adresse in ("/admin/facturation/role/", f"/admin/facturation/role/{role.pk}/change/"):
        page = unescape(tresorerie.get(adresse).content.decode())
        assert [mot in page for mot in ("2 026", "2 026", "Regie", ">2026<")] == [False, False, False, True]


def test_le_fichier_est_la_liste_filtree_que_le_tableur_additionne(tresorerie, factures, agent):
    prendre(factures[:2], agent)
    liste = tresorerie.get(f"{LISTE}?mois=2026-09&q=durand")
    fichier = tresorerie.get(liste.context["csv"]).content.decode("utf-8-sig")
    lignes = list(csv.reader(io.StringIO(fichier), delimiter=";"))
    assert [ligne[0] for ligne in lignes] == ["Numéro", "2026-000004", "2026-000001"]
    assert lignes[2] == [
        *(
            "2026-000001",
            "202600000001",
            "Madame Claire Durand, Monsieur Julien Durand",
            "Restauration scolaire",
            "septembre 2026",
        ),
        *("30,00", "02/11/2026", "02/12/2026", "7 (2026)", "Titre émis, à payer à la trésorerie", "0,00", "30,00"),
    ]


def test_un_long_fichier_se_lit_par_morceaux_et_dit_tout(
    tresorerie, factures, famille_durand, regie_payee, monkeypatch
):
    monkeypatch.setattr("facturation.admin.tresorerie.PAR_LECTURE", 2)
    adresses = (f"{LISTE}export.csv", "/admin/facturation/suivireglement/export.csv")
    lus = [tresorerie.get(adresse).content.decode().splitlines() for adresse in adresses]
    assert [len(lignes) - 1 for lignes in lus] == [Facture.objects.emises().count(), 3]
    assert all("Claire Durand" in ligne for ligne in lus[1][1:])


def test_un_mois_qui_n_a_que_des_brouillons_n_est_pas_propose(tresorerie, cantine, famille_durand):
    facture_essai(famille_durand, cantine, mois=date(2026, 8, 1), emise=False)
    filtre = tresorerie.get("/admin/facturation/suivifacture/").context["cl"].filter_specs[0]
    assert [mois for mois, _ in filtre.lookup_choices] == ["2026-10", "2026-09"]


def test_un_nom_qui_serait_une_formule_reste_un_texte_et_un_avoir_un_nombre(tresorerie, famille_durand, agent):
    regie = regie_essai("formule", nom="=HYPERLINK(1)")
    facture = facture_essai(famille_durand, regie, "12.00", mois=date(2026, 8, 1))
    actions.creer_avoir(facture, motif="Erreur", par=agent)
    fichier = tresorerie.get("/admin/facturation/suivifacture/export.csv?mois=2026-08").content.decode()
    assert (fichier.count(";'=HYPERLINK(1);"), ";août 2026;-12,00;" in fichier) == (2, True)


def test_aucun_prenom_d_enfant_n_est_sur_une_page_ou_dans_un_fichier_de_la_tresorerie(connecter, factures, agent):
    prenom = "Zqenfantunique"
    Enfant.objects.update(prenom=prenom)
    factures.append(facture_essai(factures[0].famille, regie_essai("b"), "9.00", enfant=Enfant.objects.first()))
    actions.creer_avoir(factures[-1], motif=f"Absence de {prenom}", par=agent)
    reglement = {"regie": factures[3].regie, "moyen": "CHEQUE", "montant": Decimal(5), "recu_le": SEPTEMBRE}
    paye = actions.encaisser(factures[3].famille, par=agent, **reglement)
    actions.annuler_reglement(paye, motif=f"Erreur pour {prenom}", par=agent)
    prendre(factures[:2], agent)
    pages, refus = parcourir(connecter("tresorerie"), "/admin/")
    assert {page for page, lu in pages.items() if prenom.lower() in str(lu).lower()} == set()
    assert refus == {}
    # Not blind: it has read invoices one by one, payments and files.
    cle = factures[0].pk
    attendues = {f"{LISTE}{cle}/change/", "/admin/facturation/suivireglement/", f"{LISTE}export.csv"}
    assert attendues <= {page.partition("?")[0] for page in pages}
    assert any("Durand" in str(lu) or "durand" in str(lu) for lu in pages.values())


def test_la_recherche_de_la_tresorerie_ne_trouve_pas_par_l_enfant(tresorerie):
    Enfant.objects.filter(prenom="Léa").update(prenom="Zqunique")
    assert numeros(tresorerie.get(f"{LISTE}?q=zqunique")) == []


@pytest.mark.parametrize(
    "adresse", ["/admin/comptes/", "/admin/roles/nouveau/", "/admin/facturation/facture/", "/admin/reglements/nouveau/"]
)
def test_la_tresorerie_n_entre_que_dans_ses_listes(adresse, tresorerie):
    assert tresorerie.get(adresse).status_code == 403


# --- Filters say what pages say ----------------------------------------------------------------------------


def test_chaque_facture_est_dans_un_filtre_et_c_est_l_etat_qu_on_lit(factures, famille_durand, agent):
    jour, regie = timezone.localdate(), factures[3].regie
    prendre(factures[:2], agent)
    passee = {"emise_le": date(2026, 9, 1)}
    facture_essai(famille_durand, regie, "5.00", mois=date(2026, 8, 1), **passee)
    annulee = facture_essai(famille_durand, regie, "6.00", mois=date(2026, 7, 1))
    actions.creer_avoir(annulee, motif="Erreur", par=agent)
    facture_essai(famille_durand, regie, "7.00", mois=date(2026, 6, 1), emise=False)
    payer = {"regie": regie, "moyen": "CHEQUE", "recu_le": jour, "par": agent}
    actions.encaisser(famille_durand, montant=Decimal(1), parts=[(factures[3], Decimal(1))], **payer)
    payee = facture_essai(famille_durand, regie, "8.00", mois=date(2026, 5, 1))
    actions.encaisser(famille_durand, montant=Decimal(8), parts=[(payee, Decimal(8))], **payer)
    Article.objects.filter(facture=factures[0]).update(etat="ANNONCE")
    lues = list(Facture.objects.avec_reste().select_related("article"))
    filtres = {
        facture.pk: [code for code, q in etats.conditions(jour).items() if _dans(facture, q)] for facture in lues
    }
    assert filtres == {facture.pk: [comptes.etat(facture, jour).code] for facture in lues}
    assert {code for codes in filtres.values() for code in codes} == {
        *("annoncee", "titree", "a-payer", "en-partie", "en-retard", "annulee", "avoir", "brouillon", "payee"),
    }
    for facture in etats.avec_suivi(SuiviFacture.objects.emises()):
        assert (facture.attendu > 0) == (filtres[facture.pk][0] in etats.NON_PAYEES)


def _dans(facture, condition):
    return Facture.objects.avec_reste().filter(condition, pk=facture.pk).exists()


# --- Rôles -------------------------------------------------------------------------------------------------


def page_du_role(regie, mois="2026-09"):
    return f"/admin/roles/nouveau/?regie={regie.pk}&mois={mois}"


ROLE = {"numero": "7", "exercice": "2026", "le": "2026-11-20"}


def test_un_mois_est_pris_en_charge_dans_un_role_et_une_seule_fois(comptable, cantine, factures, famille_durand):
    page = comptable.get(page_du_role(cantine))
    assert (page.context["nombre"], page.context["total"]) == ("2 factures", "50,00\u00a0€")
    envoi = ROLE | {"vue": page.context["vue"]}
    suite = comptable.post(page_du_role(cantine), envoi)
    role = Role.objects.get()
    assert suite["Location"] == f"/admin/roles/{role.pk}/"
    assert Ecriture.objects.filter(nature="TITRE", libelle="Titre émis (ORMC n°\u00a07)").count() == 2
    assert comptes.soldes(famille_durand)[cantine] == 40
    assert comptable.post(page_du_role(cantine), envoi).status_code in (200, 409)
    assert Role.objects.count() == 1


def test_une_liste_qui_a_change_se_relit_avant_d_etre_prise(comptable, cantine, factures, famille_martin):
    vue = comptable.get(page_du_role(cantine)).context["vue"]
    facture_essai(famille_martin, cantine, "15.00", mois=SEPTEMBRE, emise_le=date(2026, 11, 3))
    reponse = comptable.post(page_du_role(cantine), ROLE | {"vue": vue})
    assert (reponse.status_code, Role.objects.count()) == (409, 0)
    assert 'value="7"' in reponse.content.decode()


def test_un_numero_d_ormc_deja_pris_se_dit(comptable, cantine, factures, agent):
    prendre(factures[2:3], agent)
    page = comptable.get(page_du_role(cantine))
    reponse = comptable.post(page_du_role(cantine), ROLE | {"vue": page.context["vue"]})
    assert (reponse.status_code, "existe déjà" in unescape(reponse.content.decode())) == (422, True)


def test_ce_que_dit_la_tresorerie_se_note_titre_par_titre_sans_toucher_au_compte(comptable, factures, agent):
    role = prendre(factures[:2], agent)
    premier, second = role.articles.order_by("pk")
    page, ecritures = f"/admin/roles/{role.pk}/", Ecriture.objects.count()
    assert comptable.post(page, {"le": "2026-11-22"}).status_code == 422, "rien n'est coché"
    trop = {"le": "2026-11-22", f"dit-{premier.pk}": "on", f"paye-{premier.pk}": "30,01"}
    assert comptable.post(page, trop).status_code == 422
    envoi = {f"paye-{premier.pk}": "30", f"dit-{second.pk}": "on", f"paye-{second.pk}": "5,50"}
    comptable.post(page, trop | envoi)
    assert list(role.articles.order_by("pk").values_list("etat", "paye")) == [("PAYE", 30), ("A_PAYER", Decimal("5.5"))]
    assert Ecriture.objects.count() == ecritures
