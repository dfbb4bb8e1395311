"""The rentrée as the agent goes through it: list, recap, done, undone, and the families asked to confirm."""

import json
from datetime import date
from html import unescape
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enfants import rentree as actions
from enfants.models import Classe, ConfirmationDossier, Ecole, Enfant, Rentree
from enfants.prevision import cle_enfant
from messagerie.models import Fil
from portail.pages import rentree as page
from portail.pages import rentree_presentation as presentation
from tests.conftest import ClientVerifie

pytestmark = pytest.mark.django_db

PAGE, ANNEE = "/admin/rentree/", 2027


@pytest.fixture(autouse=True)
def fin_aout(monkeypatch):
    """The page is read a week before the rentrée 2027-2028."""
    monkeypatch.setattr(page, "timezone", SimpleNamespace(localdate=lambda: date(2027, 8, 25)))


@pytest.fixture
def agent(connecter):
    return connecter("agent")


class Formulaire(HTMLParser):
    """What a browser would send of the first form that has fields of choices, or of the page's only one."""

    def __init__(self, page):
        super().__init__()
        self.champs, self._select = {}, None
        self.feed(page)
        self.close()

    def handle_starttag(self, balise, attributs):
        attributs = dict(attributs)
        if balise == "input" and attributs.get("name") not in (None, "csrfmiddlewaretoken"):
            self.champs[attributs["name"]] = attributs.get("value", "")
        elif balise == "select" and attributs.get("name"):
            self._select = attributs["name"]
        elif balise == "option" and self._select and (self._select not in self.champs or "selected" in attributs):
            self.champs[self._select] = attributs["value"]

    def handle_endtag(self, balise):
        if balise == "select":
            self._select = None


def texte(reponse):
    return unescape(reponse.content.decode()).replace("\u00a0", " ")


def champs(reponse):
    """The fields of the main form, as they are on the page."""
    contenu = reponse.content.decode()
    formulaire = contenu[contenu.index('<div class="rentree">') :]
    return Formulaire(formulaire[: formulaire.index("</form>")]).champs


def envoyer(agent, reponse, action, **choix):
    """Press a button of the page, after having changed some of its fields."""
    return agent.post(PAGE, {**champs(reponse), **choix, "action": action})


def exception(prenom):
    return cle_enfant(Enfant.objects.get(prenom=prenom).pk)


def niveaux():
    return dict(Enfant.objects.presents().order_by("pk").values_list("prenom", "niveau"))


AVANT = {"Léa": "CE2", "Tom": "GS", "Zoé": "CP", "Inès": "CM1", "Adam": "PS"}
APRES = {"Léa": "CM1", "Tom": "CP", "Zoé": "CE1", "Inès": "CM2", "Adam": "MS"}


def test_de_la_liste_a_la_rentree_faite(agent):
    liste = agent.get(PAGE)
    assert (liste.status_code, liste.context["totaux"]) == (200, "5 montent")
    recapitulatif = envoyer(agent, liste, "verifier", **{exception("Zoé"): "redouble", exception("Inès"): "part"})
    assert (recapitulatif.context["totaux"], niveaux()) == ("3 montent, 1 redouble, 1 part", AVANT)
    assert recapitulatif.context["exceptions"] == [
        "Zoé Martin redouble le CP (CP de Mme Faure).",
        "Inès Benali part.",
    ]
    faite = envoyer(agent, recapitulatif, "faire", archive_le="2027-07-02")
    assert (faite.status_code, faite["Location"]) == (302, PAGE)
    assert niveaux() == {"Léa": "CM1", "Tom": "CP", "Zoé": "CP", "Adam": "MS"}
    assert Enfant.objects.get(prenom="Inès").archive_le == date(2027, 7, 2)
    etat = texte(agent.get(PAGE))
    assert "Rentrée 2027-2028 faite : 3 sont montés, 1 est parti." in etat
    assert "Par Nadia Petit, aujourd'hui à" in etat


def test_le_recapitulatif_dit_ou_va_chaque_classe(agent):
    bourg = Ecole.objects.get(nom="École élémentaire du Bourg")
    liste = agent.get(PAGE)
    grande_section = next(nom for nom in champs(liste) if nom.endswith("-GS"))
    recapitulatif = envoyer(agent, liste, "verifier", **{grande_section: f"ecole:{bourg.pk}"})
    lignes = [
        (ligne.classe, ligne.niveau, ligne.destination, ligne.choisie) for ligne in recapitulatif.context["lignes"]
    ]
    assert lignes == [
        ("Petite et moyenne sections de Mme Lopez", "Petite section → Moyenne section", "classe à donner", False),
        (
            "Grande section de M. Prat",
            "Grande section → CP",
            "École élémentaire du Bourg, classe à donner",
            True,
        ),
        ("CP de Mme Faure", "CP → CE1", "classe à donner", False),
        ("CE1-CE2 de M. Blanc", "CE2 → CM1", "CM1-CM2 de Mme Roy", False),
        ("CM1-CM2 de Mme Roy", "CM1 → CM2", "classe à donner", False),
    ]


def test_corriger_et_se_tromper_de_date_gardent_les_choix(agent):
    voulus = {exception("Zoé"): "redouble", exception("Léa"): "part"}
    recapitulatif = envoyer(agent, agent.get(PAGE), "verifier", **voulus)
    for mauvaise, phrase in [("", "Écrivez une date."), ("hier", "sous la forme 31/08/2027"), ("2026-08-31", "2027")]:
        refus = envoyer(agent, recapitulatif, "faire", archive_le=mauvaise)
        assert (refus.status_code, niveaux()) == (422, AVANT)
        assert phrase in texte(refus)
        assert json.loads(champs(refus)["choix"]) == voulus
    liste = envoyer(agent, recapitulatif, "corriger")
    assert {nom: valeur for nom, valeur in champs(liste).items() if nom in voulus} == voulus


@pytest.mark.parametrize("action", ["verifier", "faire"])
def test_une_liste_qui_a_change_se_relit_avec_les_choix(action, agent):
    voulus = {exception("Zoé"): "redouble"}
    page_lue = agent.get(PAGE) if action == "verifier" else envoyer(agent, agent.get(PAGE), "verifier", **voulus)
    Enfant.objects.filter(prenom="Léa").update(niveau="CM1")
    reponse = envoyer(agent, page_lue, action, **voulus)
    assert (reponse.status_code, Rentree.objects.count()) == (409, 0)
    assert "La liste a changé pendant que vous la lisiez" in texte(reponse)
    assert champs(reponse)[exception("Zoé")] == "redouble"
    assert envoyer(agent, reponse, "verifier").status_code == 200


def test_la_liste_peut_changer_dans_l_instant_ou_la_rentree_se_fait(agent, monkeypatch):
    recapitulatif = envoyer(agent, agent.get(PAGE), "verifier", **{exception("Zoé"): "redouble"})

    def changer_puis_lire():
        Enfant.objects.filter(prenom="Léa").update(niveau="CM1")
        return list(Enfant.objects.presents())

    monkeypatch.setattr(actions, "verrouiller_les_presents", changer_puis_lire)
    reponse = envoyer(agent, recapitulatif, "faire")
    assert (reponse.status_code, Rentree.objects.count()) == (409, 0)
    assert champs(reponse)[exception("Zoé")] == "redouble"


def test_les_choix_d_une_page_passent_a_l_autre(agent, monkeypatch):
    monkeypatch.setattr(presentation, "ENFANTS_PAR_PAGE", 2)
    premiere = agent.get(PAGE)
    assert [(p.numero, p.titre) for p in premiere.context["pages"]] == [
        (1, "École des Pommiers"),
        (2, "École élémentaire du Bourg"),
        (3, "École élémentaire du Bourg (suite)"),
    ]
    seconde = agent.post(PAGE, {**champs(premiere), exception("Tom"): "redouble", "page": "2"})
    assert exception("Tom") not in [nom for nom in champs(seconde) if nom != "choix"]
    recapitulatif = envoyer(agent, seconde, "verifier", **{exception("Zoé"): "saute"})
    assert recapitulatif.context["exceptions"] == [
        "Tom Durand redouble la grande section (Grande section de M. Prat).",
        "Zoé Martin saute une classe et passe en CE2 (CE1-CE2 de M. Blanc).",
    ]
    # Taken back on its own page, it is gone.
    premiere = agent.post(PAGE, {**champs(recapitulatif), "page": "1"})
    reprise = agent.post(PAGE, {**champs(premiere), exception("Tom"): "", "page": "3"})
    assert json.loads(champs(reprise)["choix"]) == {exception("Zoé"): "saute"}


def test_une_page_tient_dans_ce_qu_un_formulaire_peut_porter(agent):
    """Two thousand children without class: the lot is cut, and each of them is on one page."""
    Enfant.objects.bulk_create(Enfant(prenom=f"E{n}", nom="Essai", niveau="CE1") for n in range(2000))
    premiere = agent.get(PAGE)
    vus = []
    for numero in range(1, len(premiere.context["pages"]) + 1):
        noms = champs(agent.post(PAGE, {"page": str(numero)}))
        assert len(noms) < settings.DATA_UPLOAD_MAX_NUMBER_FIELDS / 2
        vus += [nom for nom in noms if nom.startswith("enfant-")]
    assert len(vus) == len(set(vus)) == 2005


ILLISIBLES = ["{", "[]", "null", '"x"', "[" * 50_000, '{"enfant-1": 3}', '{"groupe-1": {"a": 1}}', "\x00"]
HOSTILES = [{"choix": choix} for choix in ILLISIBLES] + [
    {"page": numero} for numero in ("0", "-1", "99999", "9" * 5000, "²", "\x00")
]


@pytest.mark.parametrize("donnees", HOSTILES, ids=range(len(HOSTILES)))
def test_des_choix_illisibles_ne_cassent_rien(donnees, agent):
    reponse = agent.post(PAGE, {"action": "inconnue", **donnees})
    assert (reponse.status_code, champs(reponse)["choix"], niveaux()) == (200, "{}", AVANT)


# --- Once done -------------------------------------------------------------------------------------------


@pytest.fixture
def faite(agent):
    assert envoyer(agent, envoyer(agent, agent.get(PAGE), "verifier"), "faire").status_code == 302
    assert niveaux() == APRES
    return Rentree.objects.get()


def test_une_rentree_faite_ne_se_refait_pas(faite, agent):
    for action in ("", "verifier", "faire"):
        reponse = agent.post(PAGE, {"action": action, "empreinte": "x"})
        assert (reponse.status_code, niveaux()) == (409, APRES)
        assert "La rentrée 2027-2028 est déjà faite par Nadia Petit" in texte(reponse)


def test_un_collegue_plus_rapide_se_lit_en_une_phrase(agent, monkeypatch):
    recapitulatif = envoyer(agent, agent.get(PAGE), "verifier")
    envoyer(agent, recapitulatif, "faire")
    monkeypatch.setattr(page.actions, "en_vigueur", _d_abord_rien(page.actions.en_vigueur))
    donnees = {**champs(recapitulatif), "action": "faire", "empreinte": actions.prevoir(ANNEE).empreinte}
    reponse = agent.post(PAGE, donnees, follow=True)
    assert "La rentrée 2027-2028 est déjà faite par Nadia Petit" in texte(reponse)
    assert niveaux() == APRES


def _d_abord_rien(lire):
    """The view finds nothing, the action, a moment later, finds the colleague's."""
    reponses = iter([None])
    return lambda annee: next(reponses, Rentree.objects.select_related("faite_par").first())


def test_annuler_dit_avant_et_apres_ce_qui_reste(faite, agent):
    Enfant.objects.filter(prenom="Tom").update(ecole=Ecole.objects.get(nom="École élémentaire du Bourg"))
    avant = texte(agent.get(PAGE))
    assert "4 enfants retrouvent le niveau, l'école et la classe de 2026-2027." in avant
    assert "Restent comme ils sont, car leur dossier a changé depuis la rentrée : Tom Durand." in avant
    apres = agent.post(PAGE, {"action": "annuler", "rentree": faite.pk}, follow=True)
    assert "Rentrée 2027-2028 annulée" in texte(apres)
    assert "Restés comme ils étaient, car leur dossier a changé depuis la rentrée : Tom Durand." in texte(apres)
    assert niveaux() == AVANT | {"Tom": "CP"}


def test_annuler_deux_fois_ou_une_autre_n_annule_rien(faite, agent):
    assert "elle l'est peut-être déjà" in texte(agent.post(PAGE, {"action": "annuler"}, follow=True))
    assert niveaux() == APRES
    for _ in range(2):
        reponse = agent.post(PAGE, {"action": "annuler", "rentree": faite.pk}, follow=True)
    assert "elle l'est peut-être déjà" in texte(reponse)
    assert niveaux() == AVANT


def test_ouvrir_les_confirmations_puis_suivre_leur_avancement(faite, agent, famille_durand):
    Fil.objects.all().delete()
    avant = texte(agent.get(PAGE))
    assert ("Prévenir 4 foyers" in avant, "dossiers confirmés" in avant) == (True, False)
    reponse = texte(agent.post(PAGE, {"action": "ouvrir"}, follow=True))
    assert "4 foyers sont prévenus : chacun peut relire et confirmer ses dossiers." in reponse
    assert "0 dossier confirmé sur 6" in reponse
    lea = Enfant.objects.get(prenom="Léa")
    actions.confirmer(lea, famille_durand, ANNEE, par=famille_durand.responsables.first().utilisateur)
    assert "1 dossier confirmé sur 6" in texte(agent.get(PAGE))
    assert "Tous les foyers sont déjà prévenus." in texte(agent.post(PAGE, {"action": "ouvrir"}, follow=True))
    assert (Fil.objects.count(), ConfirmationDossier.objects.count()) == (4, 6)


def test_une_tres_grande_commune_ouvre_en_plusieurs_fois(faite, agent, monkeypatch):
    monkeypatch.setattr(page, "FOYERS_PAR_CLIC", 3)
    assert "Il reste 1 foyer à prévenir : continuez." in texte(agent.post(PAGE, {"action": "ouvrir"}, follow=True))
    assert "1 foyer est prévenu" in texte(agent.post(PAGE, {"action": "ouvrir"}, follow=True))


# --- Warnings, doors, cost ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jour", "phrase"),
    [
        (date(2027, 8, 31), None),
        (date(2027, 9, 1), "l'année 2027-2028 est commencée"),
        (date(2028, 2, 29), "l'année 2027-2028 est commencée"),
        (date(2028, 3, 1), None),
    ],
)
def test_une_annee_commencee_se_signale(jour, phrase, agent, monkeypatch):
    Enfant.objects.update(date_naissance=None)
    monkeypatch.setattr(page, "timezone", SimpleNamespace(localdate=lambda: jour))
    contenu = texte(agent.get(PAGE))
    assert ("est commencée" in contenu) == bool(phrase)
    assert phrase is None or phrase in contenu


def test_des_niveaux_deja_a_jour_se_signalent_et_laissent_ouvrir_les_confirmations(agent):
    Enfant.objects.update(niveau="CE1", date_naissance=date(2020, 5, 1))
    contenu = texte(agent.get(PAGE))
    assert "la plupart des enfants ont déjà le niveau de leur âge pour 2027-2028" in contenu
    assert "Ouvrir la confirmation des dossiers" in contenu


def test_sans_enfant_a_l_ecole_rien_a_preparer(agent):
    Enfant.objects.update(niveau="", classe=None)
    assert "il n'y a pas de rentrée à préparer" in texte(agent.get(PAGE))
    Classe.objects.all().delete()
    assert agent.post(PAGE, {"action": "verifier"}).status_code == 409


@pytest.mark.parametrize(("identifiant", "voit"), [("agent", True), ("admin", True), ("comptable", False)])
def test_le_lien_est_sur_le_bureau_de_qui_fait_la_rentree(identifiant, voit, connecter):
    assert (PAGE in connecter(identifiant).get("/admin/").content.decode()) is voit


def test_la_rentree_demande_un_jeton(comptes):
    navigateur = ClientVerifie(enforce_csrf_checks=True)
    navigateur.force_login(comptes["agent"], "familles.connexion.CompteActif")
    assert navigateur.post(PAGE, {"action": "ouvrir"}).status_code == 403
    assert ConfirmationDossier.objects.count() == 0


def test_la_liste_ne_coute_pas_plus_avec_plus_de_classes_et_d_enfants(agent):
    def requetes():
        agent.get(PAGE)
        with CaptureQueriesContext(connection) as captees:
            agent.get(PAGE)
        return len(captees)

    peu = requetes()
    for n in range(3):
        ecole = Ecole.objects.create(nom=f"École {n}")
        classe = Classe.objects.create(ecole=ecole, nom="Classe")
        Enfant.objects.bulk_create(
            Enfant(prenom=f"E{k}", nom="Essai", niveau="CP", classe=classe, ecole=ecole) for k in range(3)
        )
    assert requetes() == peu
