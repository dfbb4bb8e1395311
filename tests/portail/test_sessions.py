"""Sessions, redirects and headers (qualite.md A10, A13, C9): what opens, what closes, what leads away."""

import re
import time
from types import SimpleNamespace
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext

from demandes.models import Demande, PieceJointe
from familles import acces
from familles.models import Utilisateur
from portail import intergiciels
from portail.outils import pdf
from portail.outils.fichiers import ranger
from tests.conftest import ClientVerifie

pytestmark = pytest.mark.django_db

NOUVEAU = "Coquelicot2027"
FERMEE = "/connexion/?next=/mon-compte/"


@pytest.fixture
def entrer(distribution, mot_de_passe):
    """``entrer("durand")``: a browser that went through the login page."""

    def entrer(identifiant, navigateur=None):
        navigateur = navigateur or ClientVerifie()
        reponse = navigateur.post("/connexion/", {"username": identifiant, "password": mot_de_passe})
        assert reponse.status_code == 302, "connexion refusée"
        return navigateur

    return entrer


def cle(navigateur):
    return navigateur.cookies["sessionid"].value


def ou_mene(navigateur, adresse="/mon-compte/"):
    """Address of the redirect, or the status when the page opens."""
    reponse = navigateur.get(adresse)
    return reponse.get("Location", reponse.status_code)


def avec_la_cle(cle):
    """Another browser that holds this session's key."""
    navigateur = ClientVerifie()
    navigateur.cookies["sessionid"] = cle
    return navigateur


# --- Opening and closing ---------------------------------------------------------------------------------


def test_la_cle_de_session_change_a_la_connexion(entrer, client):
    """A key planted before the login (session fixation) must open nothing after it."""
    client.get("/mot-de-passe/nouveau/MQ/jeton-quelconque/")
    plantee = cle(client)
    entrer("durand", client)
    assert cle(client) != plantee
    assert ou_mene(client) == 200
    assert ou_mene(avec_la_cle(plantee)) == FERMEE
    assert not Session.objects.filter(session_key=plantee).exists()


def test_le_temoin_de_session_est_illisible_des_scripts_et_part_avec_le_navigateur(entrer):
    temoin = entrer("durand").cookies["sessionid"]
    assert (temoin["httponly"], temoin["samesite"], temoin["max-age"], temoin["expires"]) == (True, "Lax", "", "")


def test_la_deconnexion_tue_la_session_et_ramene_a_la_connexion(entrer):
    navigateur = entrer("durand")
    ancienne = cle(navigateur)
    assert navigateur.post("/deconnexion/")["Location"] == "/connexion/"
    assert ou_mene(avec_la_cle(ancienne)) == FERMEE
    assert not Session.objects.filter(session_key=ancienne).exists()


def test_un_lien_ne_suffit_pas_a_deconnecter(entrer):
    navigateur = entrer("durand")
    assert navigateur.get("/deconnexion/").status_code == 405
    assert ou_mene(navigateur) == 200


def test_un_compte_ferme_perd_l_acces_a_la_requete_suivante(entrer):
    navigateur, autre = entrer("durand"), entrer("durand2")
    Utilisateur.objects.filter(identifiant="durand").update(is_active=False)
    assert (ou_mene(navigateur), ou_mene(autre)) == (FERMEE, 200)


def test_un_agent_qui_n_est_plus_agent_perd_l_administration_a_la_requete_suivante(entrer):
    navigateur = entrer("agent")
    assert ou_mene(navigateur, "/admin/") == 200
    Utilisateur.objects.filter(identifiant="agent").update(is_staff=False)
    assert ou_mene(navigateur, "/admin/") == 404


def test_changer_de_mot_de_passe_ferme_les_autres_sessions_et_garde_celle_ci(entrer, mot_de_passe):
    ici, ailleurs = entrer("durand"), entrer("durand")
    ancienne = cle(ici)
    saisie = {"ancien": mot_de_passe, "new_password1": NOUVEAU, "new_password2": NOUVEAU}
    assert ici.post("/mot-de-passe/", saisie)["Location"] == "/"
    assert (ou_mene(ici), ou_mene(ailleurs)) == (200, FERMEE)
    assert cle(ici) != ancienne
    assert ou_mene(avec_la_cle(ancienne)) == FERMEE


def test_le_lien_de_mot_de_passe_oublie_ferme_toutes_les_sessions(entrer, client):
    ailleurs = entrer("durand")
    lien = acces.lien_mot_de_passe(Utilisateur.objects.get(identifiant="durand"))
    page = client.get(urlsplit(lien).path, follow=True)
    choisi = client.post(page.request["PATH_INFO"], {"new_password1": NOUVEAU, "new_password2": NOUVEAU})
    assert choisi["Location"] == "/connexion/"
    assert ou_mene(ailleurs) == FERMEE


def test_une_nouvelle_lettre_ferme_les_sessions(entrer, comptes):
    navigateur = entrer("durand")
    acces.donner_mot_de_passe_provisoire(comptes["durand"])
    assert ou_mene(navigateur) == FERMEE


# --- Idle sessions ---------------------------------------------------------------------------------------


@pytest.fixture
def horloge(monkeypatch):
    """``horloge.avancer(60)``: the clock that measures idle time, and it alone, moves."""

    class Horloge:
        def __init__(self):
            self.instant = time.time()

        def time(self):
            return self.instant

        def avancer(self, secondes):
            self.instant += secondes

    horloge = Horloge()
    monkeypatch.setattr(intergiciels, "time", SimpleNamespace(time=horloge.time))
    return horloge


INACTIVITE = [("durand", "/mon-compte/", 30), ("agent", "/admin/", 15)]


@pytest.mark.parametrize(("identifiant", "page", "minutes"), INACTIVITE)
def test_une_session_inactive_se_ferme(identifiant, page, minutes, connecter, horloge):
    navigateur = connecter(identifiant)
    assert ou_mene(navigateur, page) == 200
    ancienne = cle(navigateur)
    horloge.avancer(minutes * 60 + 1)
    reponse = navigateur.get(page, follow=True)
    assert urlsplit(reponse.redirect_chain[-1][0]).path == "/connexion/"
    assert f"Votre session s&#x27;est fermée après {minutes} minutes sans activité." in reponse.content.decode()
    assert "_auth_user_id" not in navigateur.session
    assert not Session.objects.filter(session_key=ancienne).exists()


@pytest.mark.parametrize(("identifiant", "page", "minutes"), INACTIVITE)
def test_une_session_inactive_n_ouvre_rien_depuis_la_page_de_connexion(identifiant, page, minutes, connecter, horloge):
    navigateur = connecter(identifiant)
    assert ou_mene(navigateur, page) == 200
    horloge.avancer(minutes * 60 + 1)
    assert ou_mene(navigateur, "/connexion/") == 200
    assert ou_mene(navigateur, page) != 200


@pytest.mark.parametrize(("identifiant", "page", "minutes"), INACTIVITE)
def test_une_session_active_reste_ouverte(identifiant, page, minutes, connecter, horloge):
    navigateur = connecter(identifiant)
    for _ in range(6):
        assert ou_mene(navigateur, page) == 200
        horloge.avancer(minutes * 60)


def test_ce_qui_etait_tape_attend_sur_la_page_quand_la_session_s_est_fermee(connecter, horloge):
    navigateur = connecter("durand")
    assert ou_mene(navigateur) == 200
    horloge.avancer(30 * 60 + 1)
    demandes = Demande.objects.count()
    reponse = navigateur.post(
        "/mon-compte/responsable/",
        {"profession": "Luthière d'essai"},
        headers={"origin": "http://testserver"},
    )
    assert (reponse.status_code, Demande.objects.count()) == (403, demandes)
    assert "Luthière d&#x27;essai" in reponse.content.decode()


def test_l_activite_ne_s_ecrit_qu_une_fois_par_minute(connecter, horloge):
    navigateur = connecter("durand")

    def ecritures():
        with CaptureQueriesContext(connection) as captees:
            assert ou_mene(navigateur) == 200
        return sum("django_session" in r["sql"] and not r["sql"].startswith("SELECT") for r in captees)

    assert ecritures() > 0  # the first page stamps
    horloge.avancer(59)
    assert [ecritures() for _ in range(5)] == [0] * 5
    horloge.avancer(1)
    assert [ecritures() > 0, ecritures()] == [True, 0]


# --- Redirects -------------------------------------------------------------------------------------------

VERS_AILLEURS = [
    "https://voleur.example",
    "http://voleur.example/",
    "//voleur.example",
    "///voleur.example",
    "////voleur.example",
    "/\\voleur.example",
    "\\\\voleur.example",
    "\\/voleur.example",
    "/\t/voleur.example",
    "/\n/voleur.example",
    "\t//voleur.example",
    " //voleur.example",
    "https:voleur.example",
    "https:/voleur.example",
    "https:///voleur.example",
    "https:\\\\voleur.example",
    "HTTPS://VOLEUR.EXAMPLE",
    "//testserver@voleur.example",
    "https://testserver@voleur.example",
    "https://testserver:pw@voleur.example/",
    "https://testserver.voleur.example",
    "//voleur.example/testserver",
    "//voleur.example:80",
    "//[::1]/",
    "//2130706433/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "ftp://voleur.example/",
    "//voleur%E3%80%82example",
    "http://testserver\\@voleur.example",
    "/%2f%2fvoleur.example/%0d%0aLocation:%20https://voleur.example",
    "\x01//voleur.example",
]

# Address -> where the parameter goes, who asks: every view that redirects where a parameter says.
REDIRECTIONS = [
    ("GET", "/connexion/", "adresse", "durand"),
    ("POST", "/connexion/", "adresse", None),
    ("POST", "/connexion/", "corps", None),
    ("GET", "/admin/login/", "adresse", None),
    ("GET", "/admin/login/", "adresse", "agent"),
    ("POST", "/admin/login/", "adresse", None),
    ("POST", "/deconnexion/", "adresse", "durand"),
    ("POST", "/deconnexion/", "corps", "durand"),
    ("POST", "/admin/logout/", "adresse", "agent"),
    ("POST", "/admin/logout/", "corps", "agent"),
]


@pytest.fixture
def empreinte_rapide(settings, comptes, mot_de_passe):
    """Three hundred logins: the cost of the real hash is another test's business."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    for identifiant in ("durand", "agent"):
        comptes[identifiant].set_password(mot_de_passe)
        comptes[identifiant].save(update_fields=["password"])


def hote(adresse):
    """Host where a browser would go from the login page: it drops controls and takes \\ for /."""
    propre = re.sub(r"[\x00-\x20]", "", adresse).replace("\\", "/")
    morceaux = urlsplit(urljoin("http://testserver/connexion/", propre))
    return morceaux.scheme, morceaux.netloc


def demander(methode, adresse, ou, suite, navigateur, mot_de_passe):
    donnees = {"username": "durand", "password": mot_de_passe} if methode == "POST" else {}
    options = {"query_params": {"next": suite}} if ou == "adresse" else {}
    if ou == "corps":
        donnees["next"] = suite
    if methode == "GET":
        return navigateur.get(adresse, **options)
    return navigateur.post(adresse, donnees, **options)


@pytest.mark.parametrize(("methode", "adresse", "ou", "compte"), REDIRECTIONS)
def test_aucune_redirection_ne_mene_ailleurs(methode, adresse, ou, compte, connecter, empreinte_rapide, mot_de_passe):
    assert len(VERS_AILLEURS) >= 30
    for suite in VERS_AILLEURS:
        navigateur = connecter(compte) if compte else ClientVerifie()
        reponse = demander(methode, adresse, ou, suite, navigateur, mot_de_passe)
        assert reponse.status_code == 302, f"{suite!r} : {reponse.status_code}"
        assert hote(reponse["Location"]) == ("http", "testserver"), f"{suite!r} mène à {reponse['Location']}"
        if adresse == "/admin/login/":  # carried on to the login page, which must not follow it either
            porte = parse_qs(urlsplit(reponse["Location"]).query)
            derniere = demander("POST", "/connexion/", "corps", porte["next"][0], ClientVerifie(), mot_de_passe)
            assert hote(derniere["Location"]) == ("http", "testserver"), f"{suite!r} après l'administration"


def test_la_page_demandee_s_ouvre_apres_la_connexion(client, empreinte_rapide, mot_de_passe):
    reponse = demander("POST", "/connexion/", "corps", "/messagerie/?page=2", client, mot_de_passe)
    assert reponse["Location"] == "/messagerie/?page=2"


# --- Headers ---------------------------------------------------------------------------------------------

CSP = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}
TOUJOURS = {
    "Content-Security-Policy": CSP,
    "Content-Type": "text/html; charset=utf-8",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
JAMAIS_GARDEE = {"Cache-Control": "no-store", "Vary": "Cookie"}
PAPIER = {
    **TOUJOURS,
    **JAMAIS_GARDEE,
    "Content-Security-Policy": {"default-src": "'none'", "sandbox": ""},
    "Content-Type": "application/pdf",
    "Content-Disposition": 'inline; filename="avis.pdf"',
}
VARIABLES = {"Content-Length", "Expires", "Location"}


def entetes(reponse):
    """The headers, the policy taken apart: django-csp writes its directives in any order."""
    lues = {nom: valeur for nom, valeur in reponse.items() if nom not in VARIABLES}
    regles = (regle.strip().partition(" ") for regle in lues["Content-Security-Policy"].split(";"))
    return lues | {"Content-Security-Policy": {nom: valeur for nom, _, valeur in regles}}


PAGES = {
    "page d'un parent": ("durand", "/", TOUJOURS | JAMAIS_GARDEE),
    "page d'un agent": ("agent", "/admin/", TOUJOURS | JAMAIS_GARDEE),
    "page inconnue d'un parent": ("durand", "/inconnue/", TOUJOURS | JAMAIS_GARDEE),
    "page interdite d'un agent": ("animateur", "/admin/familles/famille/", TOUJOURS | JAMAIS_GARDEE),
    "renvoi d'un agent": ("agent", "/", TOUJOURS | JAMAIS_GARDEE),
    "connexion": (
        None,
        "/connexion/",
        TOUJOURS | {"Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private", "Vary": "Cookie"},
    ),
    "page publique": (None, "/contact/", TOUJOURS | {"Vary": "Cookie"}),
    "renvoi à la connexion": (None, "/mon-compte/", TOUJOURS | {"Vary": "Cookie"}),
    "page inconnue": (None, "/inconnue/", TOUJOURS | {"Vary": "Cookie"}),
    "couleurs": (
        None,
        "/theme.css",
        TOUJOURS | {"Content-Type": "text/css; charset=utf-8", "Cache-Control": "public, max-age=300"},
    ),
    "vie": (None, "/etat/", TOUJOURS | {"Content-Type": "text/plain"}),
}


@pytest.mark.parametrize("page", PAGES)
def test_les_entetes_de_chaque_sorte_de_reponse(page, connecter, client):
    compte, adresse, attendus = PAGES[page]
    assert entetes((connecter(compte) if compte else client).get(adresse)) == attendus


def test_les_entetes_d_une_piece_jointe(connecter, comptes, famille_durand):
    demande = famille_durand.demandes.get(etat="EN_ATTENTE")
    piece = PieceJointe.objects.create(
        demande=demande, deposee_par=comptes["durand"], **ranger("avis.pdf", "application/pdf", b"%PDF-1.4")
    )
    for compte in ("durand", "agent"):
        reponse = connecter(compte).get(f"/demandes/pieces/{piece.uuid}/")
        assert b"".join(reponse.streaming_content) == b"%PDF-1.4"
        assert entetes(reponse) == PAPIER


def test_les_entetes_des_lettres_d_acces(connecter, famille_durand, monkeypatch):
    monkeypatch.setattr(pdf, "verifier", lambda: None)
    monkeypatch.setattr(pdf, "rendre", lambda modele, contexte: b"%PDF-")
    Utilisateur.objects.filter(identifiant="durand").update(password="!")
    donnees = {"action": "lettres", "_selected_action": [famille_durand.pk]}
    reponse = connecter("agent").post("/admin/familles/famille/", donnees)
    attendus = {"Content-Type": "application/pdf", "Content-Disposition": 'attachment; filename="lettres-acces.pdf"'}
    assert entetes(reponse) == TOUJOURS | JAMAIS_GARDEE | attendus


@pytest.mark.parametrize(
    "entree", [{"QUERY_STRING": "page=%00"}, {"CONTENT_LENGTH": "9" * 12}, {"HTTP_HOST": "voleur.example"}]
)
def test_une_entree_refusee_d_emblee_porte_les_memes_entetes(entree, client, distribution):
    reponse = client.get("/connexion/", **entree)
    assert reponse.status_code in (400, 413)
    assert entetes(reponse) == TOUJOURS


def test_ce_qui_est_rendu_sur_la_page_expiree_n_est_pas_garde_par_le_navigateur(client, distribution):
    saisie = {"iban": "FR7630006000011234567890189"}
    reponse = client.post("/mon-compte/bancaires/", saisie, headers={"origin": "http://testserver"})
    assert saisie["iban"] in reponse.content.decode()
    assert "no-store" in reponse.get("Cache-Control", "")
