"""A household reads a child's file again before the new year, and confirms it in one click."""

from datetime import date
from html import unescape
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from demandes.types import MES_ENFANTS, types_de
from enfants import actions as enfants
from enfants import rentree
from enfants.models import ConfirmationDossier, DocumentEnfant, Enfant, PersonneAutorisee
from portail.pages import confirmation

pytestmark = pytest.mark.django_db

ANNEE = 2027


@pytest.fixture(autouse=True)
def fin_aout(monkeypatch):
    """The pages are read a week before the rentrée 2027-2028."""
    monkeypatch.setattr(confirmation, "timezone", SimpleNamespace(localdate=lambda: date(2027, 8, 25)))


@pytest.fixture
def ouverte(comptes):
    rentree.ouvrir_confirmations(ANNEE, par=comptes["agent"])


def enfant(prenom):
    return Enfant.objects.get(prenom=prenom)


def page(prenom):
    return f"/mes-enfants/{enfant(prenom).uuid}/confirmer/"


def texte(reponse):
    return unescape(reponse.content.decode()).replace("\u00a0", " ")


def fiches(navigateur, prenom):
    """``{title: {label: text}}`` of the page."""
    return {fiche.titre: dict(fiche.lignes) for fiche in navigateur.get(page(prenom)).context["fiches"]}


def confirmees():
    return {
        (c.enfant.prenom, c.famille.nom, c.confirmee_par.identifiant)
        for c in ConfirmationDossier.objects.exclude(confirmee_le=None).select_related(
            "enfant", "famille", "confirmee_par"
        )
    }


def test_un_clic_confirme_et_dit_ce_qui_reste(ouverte, connecter):
    claire = connecter("durand")
    assert "Tout est juste : je confirme" in texte(claire.get(page("Léa")))
    reponse = claire.post(page("Léa"), follow=True)
    assert reponse.redirect_chain == [(f"/mes-enfants/{enfant('Léa').uuid}/dossier/", 302)]
    assert "Merci, le dossier de Léa est confirmé pour 2027-2028. Il reste à confirmer : Tom." in texte(reponse)
    dernier = texte(claire.post(page("Tom"), follow=True))
    assert ("le dossier de Tom est confirmé" in dernier, "Il reste à confirmer" in dernier) == (True, False)
    assert confirmees() == {("Léa", "Durand", "durand"), ("Tom", "Durand", "durand")}


def test_confirmer_deux_fois_n_ecrit_qu_une_fois(ouverte, connecter):
    connecter("durand").post(page("Léa"))
    julien = connecter("durand2")
    contenu = texte(julien.get(page("Léa")))
    assert ("Claire Durand, aujourd'hui à" in contenu, "je confirme" in contenu) == (True, False)
    assert julien.post(page("Léa")).status_code == 302
    assert confirmees() == {("Léa", "Durand", "durand")}


def test_chaque_foyer_confirme_pour_lui(ouverte, connecter):
    connecter("benali").post(page("Inès"))
    assert confirmees() == {("Inès", "Benali", "benali")}
    elena = connecter("rossi")
    assert "je confirme" in texte(elena.get(page("Inès")))
    elena.post(page("Inès"))
    assert confirmees() == {("Inès", "Benali", "benali"), ("Inès", "Rossi", "rossi")}


def test_sans_confirmation_demandee_il_n_y_a_pas_de_page(connecter):
    claire = connecter("durand")
    assert (claire.get(page("Léa")).status_code, claire.post(page("Léa")).status_code) == (404, 404)


@pytest.mark.parametrize(("jour", "statut"), [(date(2028, 2, 29), 200), (date(2028, 3, 1), 404)])
def test_une_annee_passee_n_est_plus_demandee(jour, statut, ouverte, connecter, monkeypatch):
    """From 1 March on, families register for the next year."""
    monkeypatch.setattr(confirmation, "timezone", SimpleNamespace(localdate=lambda: jour))
    assert connecter("durand").get(page("Léa")).status_code == statut


# --- What the page shows -----------------------------------------------------------------------------------


def test_tout_le_dossier_est_sur_la_page_chaque_champ_une_fois(ouverte, connecter):
    affichees = fiches(connecter("durand"), "Léa")
    genres = [genre for genre in types_de(MES_ENFANTS) if genre.par_enfant and not genre.par_objet]
    attendues = {genre.libelle: genre for genre in genres}
    assert set(affichees) == set(attendues)
    for titre, genre in attendues.items():
        libelles = [lbl for nom, lbl in genre.libelles().items() if nom not in ("personnes", "vaccinations")]
        assert set(libelles) <= set(affichees[titre]), titre
    assert affichees["État civil"] == {
        "Prénom": "Léa",
        "Nom": "Durand",
        "Sexe": "Fille",
        "Date de naissance": affichees["État civil"]["Date de naissance"],
        "Lieu de naissance": "",
        "École": "École élémentaire du Bourg",
        "Niveau": "CE2",
        "Classe": "CE1-CE2 de M. Blanc",
    }
    assert affichees["Personnes autorisées"]["Marc Durand"].startswith("Oncle, 06 39 98 10 12, peut venir chercher")
    assert affichees["Informations"]["Assureur"] == "Assurances du Berry"
    assert affichees["Informations"]["Rentrer seul à la maison"] == "Non"
    assert affichees["Données sanitaires"]["Médecin traitant"] == "Dr Hélène Garnier"
    assert "Rougeole" in affichees["Données sanitaires"]


def test_chaque_fiche_mene_a_sa_demande(ouverte, connecter):
    claire = connecter("durand")
    liens = [fiche.lien for fiche in claire.get(page("Léa")).context["fiches"]]
    base = f"/mes-enfants/{enfant('Léa').uuid}"
    assert liens == [f"{base}/{type_}/" for type_ in ("etat-civil", "autorisations", "informations", "sante")]
    assert {claire.get(lien).status_code for lien in liens} == {200}


def test_les_personnes_de_l_autre_foyer_ne_se_lisent_pas(ouverte, connecter, familles_de):
    PersonneAutorisee.objects.create(
        enfant=enfant("Inès"), famille=familles_de("rossi"), prenom="Ugo", nom="Bianchi", lien="Oncle"
    )
    assert set(fiches(connecter("benali"), "Inès")["Personnes autorisées"]) == {"Samia Benali"}
    assert set(fiches(connecter("rossi"), "Inès")["Personnes autorisées"]) == {"Ugo Bianchi"}


@pytest.mark.parametrize(
    ("nature", "fin", "attendu"),
    [
        ("ASSURANCE", date(2027, 8, 25), "Fourni, valable jusqu'au 25 août 2027"),
        ("ASSURANCE", date(2027, 8, 24), "Fourni, expiré depuis le 24 août 2027"),
        ("NAISSANCE", None, "Fourni"),
    ],
)
def test_les_papiers_se_lisent_avec_leur_fin(nature, fin, attendu, ouverte, connecter, famille_durand):
    DocumentEnfant.objects.create(
        enfant=enfant("Léa"), famille=famille_durand, nature=nature, expire_le=fin, nom="a.pdf", taille=1
    )
    titre, libelle = {
        "ASSURANCE": ("Informations", "Attestation d'assurance"),
        "NAISSANCE": ("État civil", "Acte de naissance ou livret de famille"),
    }[nature]
    assert fiches(connecter("durand"), "Léa")[titre][libelle] == attendu


def test_sans_papier_seuls_ceux_que_tous_doivent_sont_attendus(ouverte, connecter):
    affichees = fiches(connecter("martin"), "Zoé")
    assert affichees["Informations"]["Attestation d'assurance"] == "Pas encore fourni"
    assert affichees["Données sanitaires"]["Pages de vaccination du carnet de santé"] == "Pas encore fourni"
    assert "Jugement ou convention de garde" not in affichees["État civil"]
    assert "Aucune autre personne à appeler en urgence" in texte(connecter("martin").get(page("Zoé")))


def test_une_demande_en_attente_se_dit_et_n_empeche_pas_de_confirmer(ouverte, connecter, deposer):
    demande = deposer("durand", "sante", enfant=enfant("Léa"), medecin_nom="Dr Neuf")
    claire = connecter("durand")
    reponse = claire.get(page("Léa"))
    assert reponse.context["en_attente"] == [("Données sanitaires de Léa", f"/demandes/{demande.uuid}/")]
    assert "Vous pouvez confirmer sans attendre." in texte(reponse)
    assert claire.post(page("Léa")).status_code == 302
    assert confirmees() == {("Léa", "Durand", "durand")}
    assert claire.get(page("Tom")).context["en_attente"] == []


# --- What the other pages ask ------------------------------------------------------------------------------


def test_mes_enfants_et_sa_page_disent_ce_qui_reste_a_confirmer(ouverte, connecter):
    claire = connecter("durand")

    def annonces():
        return {carte.prenom: carte.a_confirmer for carte in claire.get("/mes-enfants/").context["enfants"]}

    assert annonces() == {"Léa": page("Léa"), "Tom": page("Tom")}
    claire.post(page("Léa"))
    assert annonces() == {"Léa": "", "Tom": page("Tom")}
    assert "Relire et confirmer" in texte(claire.get(f"/mes-enfants/{enfant('Tom').uuid}/dossier/"))


def test_la_page_ne_coute_pas_plus_avec_un_dossier_plus_plein(ouverte, connecter, famille_durand):
    claire = connecter("durand")

    def requetes():
        claire.get(page("Léa"))
        adresse = page("Léa")
        with CaptureQueriesContext(connection) as captees:
            claire.get(adresse)
        return len(captees)

    peu = requetes()
    for n in range(3):
        enfants.ajouter_enfant(famille_durand, prenom=f"E{n}", nom="Durand")
        PersonneAutorisee.objects.create(enfant=enfant("Léa"), famille=famille_durand, prenom=f"P{n}", nom="X", ordre=9)
        DocumentEnfant.objects.create(
            enfant=enfant("Léa"), famille=famille_durand, nature="ASSURANCE", nom="a.pdf", taille=1
        )
    assert requetes() == peu
    assert peu <= 20
