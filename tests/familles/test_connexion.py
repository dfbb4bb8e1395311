"""The way in and out: who enters, what the refused read, what a guesser can do (qualite.md A5, A6, A10, C12)."""

import logging
import re
from datetime import timedelta
from html import unescape

import pytest
from axes.models import AccessAttempt
from django.conf import settings as reglages
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.db.models import F
from django.test import RequestFactory
from django.utils import timezone

from familles.acces import donner_mot_de_passe_provisoire, lien_mot_de_passe
from familles.connexion import Argon2id
from familles.models import Utilisateur
from portail.commune import Commune
from portail.outils.demonstration import IDENTIFIANTS
from tests.conftest import ClientVerifie

pytestmark = pytest.mark.django_db

FAUX = "Mauvais2026"
PHRASE = "Identifiant ou mot de passe incorrect. Après 10 essais, le compte se ferme 15 minutes"


@pytest.fixture
def hachage_rapide(settings, comptes, mot_de_passe):
    """For the tests that log in by the dozen; what Argon2 itself does is tested without it."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    Utilisateur.objects.update(password=make_password(mot_de_passe))


def entrer(identifiant, mot, navigateur=None, *, adresse="192.0.2.1", **autres):
    """The login form as it is sent from ``adresse``."""
    navigateur = navigateur or ClientVerifie()
    saisie = {"username": identifiant, "password": mot, **autres}
    return navigateur.post("/connexion/", saisie, REMOTE_ADDR=adresse)


def est_entre(reponse):
    return "_auth_user_id" in reponse.client.session


def echouer(fois, identifiant="durand"):
    for _ in range(fois):
        assert not est_entre(entrer(identifiant, FAUX))


def attendre(**duree):
    """Let time pass, as far as the lock is concerned."""
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(**duree))


# --- Entering ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tape", ["durand", "DURAND", "Durand", "  durand ", " DuRaND\t"])
def test_l_identifiant_se_tape_en_majuscules_ou_avec_des_espaces(tape, comptes, mot_de_passe, hachage_rapide):
    reponse = entrer(tape, mot_de_passe)
    assert reponse.client.session["_auth_user_id"] == str(comptes["durand"].pk)


@pytest.mark.parametrize("tape", ["portail2026", "Portail2026 ", " Portail2026", "PORTAIL2026", ""])
def test_le_mot_de_passe_se_tape_exactement(tape, hachage_rapide):
    reponse = entrer("durand", tape)
    assert (reponse.status_code, est_entre(reponse)) == (200, False)


@pytest.mark.parametrize(
    ("identifiant", "page"),
    [("durand", "/"), ("rossi", "/"), ("agent", "/admin/"), ("tresorerie", "/admin/"), ("admin", "/admin/")],
)
def test_les_parents_arrivent_a_l_accueil_et_les_agents_a_leur_bureau(identifiant, page, mot_de_passe, hachage_rapide):
    reponse = entrer(identifiant, mot_de_passe)
    assert (reponse.status_code, reponse.url) == (302, page)
    assert reponse.client.get(page).status_code == 200


def test_on_revient_a_la_page_demandee(client, mot_de_passe, hachage_rapide):
    renvoi = client.get("/mon-compte/caf/")
    assert renvoi.url == "/connexion/?next=/mon-compte/caf/"
    assert 'name="next" value="/mon-compte/caf/"' in client.get(renvoi.url).content.decode()
    assert entrer("durand", mot_de_passe, client, next="/mon-compte/caf/").url == "/mon-compte/caf/"


@pytest.mark.parametrize(
    "ailleurs",
    ["https://ailleurs.example/", "//ailleurs.example", r"/\ailleurs.example", "javascript:alert(1)", "http:///x"],
)
def test_la_connexion_ne_mene_pas_hors_du_portail(ailleurs, mot_de_passe, hachage_rapide):
    assert entrer("durand", mot_de_passe, next=ailleurs).url == "/"


def test_qui_est_deja_connecte_ne_revoit_pas_la_page_de_connexion(connecter):
    assert connecter("durand").get("/connexion/").url == "/"
    assert connecter("agent").get("/connexion/").url == "/admin/"


def test_la_page_de_connexion_ne_tourne_pas_en_rond(connecter):
    reponse = connecter("durand").get("/connexion/", {"next": "/connexion/"})
    assert (reponse.status_code, reponse.url) == (302, "/")


def test_la_page_dit_ou_l_on_est_et_qui_appeler_sans_identifiants(client, distribution):
    au_dessus_du_pied = unescape(client.get("/connexion/").content.decode()).partition("<footer")[0]
    commune = Commune.actuelle()
    dits = [commune.nom, commune.message_bienvenue, commune.telephone, commune.courriel]
    assert [dit for dit in dits if dit not in au_dessus_du_pied] == []


def test_les_comptes_de_demonstration_ne_paraissent_qu_en_demonstration(client, settings, mot_de_passe, distribution):
    montres = re.findall(r"<code>(.*?)</code>", client.get("/connexion/").content.decode())
    assert montres == [mot_de_passe, *(identifiant for identifiant, _ in IDENTIFIANTS)]
    settings.MODE_DEMO = False
    page = client.get("/connexion/").content.decode()
    assert [dit for dit in (mot_de_passe, "Claire Durand", "durand2", "tresorerie") if dit in page] == []


# --- Being refused -----------------------------------------------------------------------------------------


@pytest.fixture
def refus(comptes, mot_de_passe):
    """``(identifiant, password)`` of every reason to be refused."""
    Utilisateur.objects.filter(identifiant="martin").update(is_active=False)
    Utilisateur.objects.create_user("jamais.ouvert", prenom="Ana", nom="Roux")
    lettre = donner_mot_de_passe_provisoire(comptes["rossi"])
    Utilisateur.objects.filter(identifiant="rossi").update(mot_de_passe_expire_le=timezone.now())
    requete = RequestFactory().post("/connexion/")
    for _ in range(10):
        authenticate(requete, username="durand2", password=FAUX)
    return {
        "mot de passe faux": ("durand", FAUX),
        "identifiant inconnu": ("personne", mot_de_passe),
        "compte fermé": ("martin", mot_de_passe),
        "compte verrouillé": ("durand2", mot_de_passe),
        "compte verrouillé, mot de passe faux": ("durand2", FAUX),
        "accès jamais ouvert": ("jamais.ouvert", FAUX),
        "lettre périmée": ("rossi", lettre),
        "identifiant démesuré": ("d" * 5000, FAUX),
    }


def lu(reponse, identifiant):
    """What the person who tried gets, but for what they typed and the token of the form."""
    page = reponse.content.decode().replace(f'value="{identifiant}"', 'value=""')
    cookies = {nom: {**biscuit, "expires": ""} for nom, biscuit in reponse.cookies.items()}
    return reponse.status_code, re.sub(r'(name="csrfmiddlewaretoken" value=")\w+', r"\1", page), cookies


def test_tous_les_refus_se_ressemblent(refus):
    lus = {raison: lu(entrer(*acces), acces[0]) for raison, acces in refus.items()}
    statut, page, cookies = lus["mot de passe faux"]
    assert (statut, page.count(PHRASE), list(cookies)) == (200, 1, ["csrftoken"])
    assert {raison: vu == (statut, page, cookies) for raison, vu in lus.items()} == dict.fromkeys(refus, True)


def test_tous_les_refus_coutent_un_hachage(refus, monkeypatch):
    """Argon2 is nearly all the time of an answer: as much of it, as long a wait."""
    hachages = 0

    def compter(methode):
        def comptee(*args, **kwargs):
            nonlocal hachages
            hachages += 1
            return methode(*args, **kwargs)

        return comptee

    # `verify` hashes by itself, it does not call `encode`.
    monkeypatch.setattr(Argon2id, "encode", compter(Argon2id.encode))
    monkeypatch.setattr(Argon2id, "verify", compter(Argon2id.verify))
    couts = {}
    for raison, acces in refus.items():
        avant = hachages
        assert not est_entre(entrer(*acces))
        couts[raison] = hachages - avant
    assert couts == dict.fromkeys(refus, 1)


@pytest.mark.parametrize("longueur", [256, 5000])
def test_un_identifiant_demesure_est_refuse_comme_un_autre(longueur, hachage_rapide):
    reponse = entrer("d" * longueur, FAUX)
    assert (reponse.status_code, est_entre(reponse)) == (200, False)


def test_les_mots_de_passe_sont_haches_par_argon2id_a_19_mio(distribution, mot_de_passe):
    assert make_password(mot_de_passe).startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert reglages.PASSWORD_HASHERS == ["familles.connexion.Argon2id"]


def test_ni_les_journaux_ni_les_essais_ne_gardent_ce_qui_est_tape(caplog, refus, mot_de_passe):
    caplog.set_level(logging.DEBUG)
    for acces in refus.values():
        entrer(*acces)
    assert est_entre(entrer("benali", mot_de_passe))
    essais = str(list(AccessAttempt.objects.order_by("pk").values()))
    assert ("durand2" in essais, "login failure" in caplog.text) == (True, True)
    assert sorted(mot for _, mot in refus.values() if mot in caplog.text + essais) == []


# --- The lock after ten failures ---------------------------------------------------------------------------


def test_dix_echecs_ferment_le_compte_un_quart_d_heure(mot_de_passe, hachage_rapide):
    echouer(10)
    assert not est_entre(entrer("durand", mot_de_passe))
    attendre(minutes=14, seconds=50)
    assert not est_entre(entrer("durand", mot_de_passe))
    attendre(seconds=20)
    assert est_entre(entrer("durand", mot_de_passe))


def test_neuf_echecs_ne_ferment_rien_et_une_reussite_les_oublie(mot_de_passe, hachage_rapide):
    echouer(9)
    assert est_entre(entrer("durand", mot_de_passe))
    echouer(9)
    assert est_entre(entrer("durand", mot_de_passe))


def test_essayer_pendant_le_verrou_ne_le_prolonge_pas(mot_de_passe, hachage_rapide):
    echouer(10)
    attendre(minutes=14)
    echouer(5)
    attendre(minutes=1, seconds=10)
    assert est_entre(entrer("durand", mot_de_passe))


def test_vingt_adresses_ne_donnent_pas_plus_d_essais_qu_une(mot_de_passe, hachage_rapide):
    for numero in range(10):
        assert not est_entre(entrer("durand", FAUX, adresse=f"198.51.100.{numero}"))
    for numero in range(10, 20):
        assert not est_entre(entrer("durand", mot_de_passe, adresse=f"198.51.100.{numero}"))


def test_changer_la_casse_de_l_identifiant_ne_donne_pas_d_essais(mot_de_passe, hachage_rapide):
    for tape in ["durand", "DURAND", "Durand", " durand", "durand "] * 2:
        assert not est_entre(entrer(tape, FAUX))
    assert not est_entre(entrer("durand", mot_de_passe))


def test_le_verrou_d_un_compte_ne_ferme_pas_les_autres(mot_de_passe, hachage_rapide):
    echouer(12)
    assert est_entre(entrer("durand2", mot_de_passe))


def test_une_ecole_entiere_derriere_une_adresse_n_enferme_personne(mot_de_passe, hachage_rapide):
    hache = make_password(mot_de_passe)
    parents = [
        Utilisateur(identifiant=f"parent{n}", prenom="Parent", nom=f"Numéro {n}", password=hache) for n in range(200)
    ]
    Utilisateur.objects.bulk_create(parents)
    requete = RequestFactory().post("/connexion/", REMOTE_ADDR="203.0.113.7")
    for parent in parents * 2:
        assert authenticate(requete, username=parent.identifiant, password=FAUX) is None
    quelques_uns = parents[::20]
    entres = [authenticate(requete, username=p.identifiant, password=mot_de_passe) for p in quelques_uns]
    assert entres == quelques_uns
    assert est_entre(entrer("durand", mot_de_passe, adresse="203.0.113.7"))


def test_un_lien_recu_par_courriel_rouvre_aussitot_a_la_victime(mot_de_passe, hachage_rapide):
    echouer(10)
    echouer(10, "martin")
    victime = ClientVerifie()
    lien = lien_mot_de_passe(Utilisateur.objects.get(identifiant="durand"))
    page = victime.get(lien, follow=True).request["PATH_INFO"]
    victime.post(page, {"new_password1": "Cerisier18", "new_password2": "Cerisier18"})
    assert est_entre(entrer("durand", "Cerisier18"))
    assert not est_entre(entrer("martin", mot_de_passe)), "le verrou d'un autre compte est levé aussi"


# --- The session -------------------------------------------------------------------------------------------


def test_la_deconnexion_ramene_a_la_page_de_connexion(connecter):
    navigateur = connecter("durand")
    reponse = navigateur.post("/deconnexion/")
    assert (reponse.status_code, reponse.url) == (302, "/connexion/")
    assert navigateur.get("/mon-compte/").url == "/connexion/?next=/mon-compte/"


def test_un_lien_piege_ne_deconnecte_pas(connecter):
    navigateur = connecter("durand")
    assert navigateur.get("/deconnexion/").status_code == 405
    assert navigateur.get("/").status_code == 200


def test_la_session_d_avant_la_deconnexion_est_morte(connecter):
    navigateur = connecter("durand")
    ancienne = navigateur.cookies["sessionid"].value
    navigateur.post("/deconnexion/")
    navigateur.cookies["sessionid"] = ancienne
    assert navigateur.get("/").status_code == 302


def test_la_session_change_de_cle_a_la_connexion(client, comptes, mot_de_passe, hachage_rapide):
    client.get(lien_mot_de_passe(comptes["durand"]))  # an anonymous session exists
    posee = client.cookies["sessionid"].value
    assert est_entre(entrer("durand", mot_de_passe, client))
    assert client.cookies["sessionid"].value != posee
    client.cookies["sessionid"] = posee
    assert client.get("/").status_code == 302


def test_fermer_un_compte_ferme_ses_sessions(connecter):
    navigateur = connecter("durand")
    assert navigateur.get("/").status_code == 200
    Utilisateur.objects.filter(identifiant="durand").update(is_active=False)
    assert navigateur.get("/").url == "/connexion/?next=/"


@pytest.mark.parametrize(("identifiant", "page", "minutes"), [("durand", "/", 30), ("agent", "/admin/", 15)])
def test_une_session_oubliee_se_ferme(identifiant, page, minutes, connecter):
    navigateur = connecter(identifiant)

    def revenir_apres(secondes):
        navigateur.get(page)
        session = navigateur.session
        session["vu_le"] -= secondes
        session.save()
        return navigateur.get(page)

    assert revenir_apres(minutes * 60 - 10).status_code == 200
    assert revenir_apres(minutes * 60 + 10).status_code == 302
    reponse = navigateur.get(page, follow=True)
    assert reponse.redirect_chain[-1][0] == f"/connexion/?next={page}"
    assert f"après {minutes} minutes sans activité" in reponse.content.decode()


def test_le_navigateur_ne_garde_ni_les_pages_ni_la_session(connecter):
    navigateur = connecter("durand")
    assert navigateur.get("/mon-compte/")["Cache-Control"] == "no-store"
    biscuit = navigateur.cookies["sessionid"]
    assert (biscuit["httponly"], biscuit["samesite"]) == (True, "Lax")


def test_un_parent_renvoye_vers_l_administration_arrive_a_l_accueil(client, distribution, mot_de_passe):
    donnees = {"username": "durand", "password": mot_de_passe}
    reponse = client.post("/connexion/?next=/admin/familles/famille/", donnees)
    assert (reponse.status_code, reponse.url) == (302, "/")
