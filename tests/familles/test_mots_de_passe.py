"""Passwords: the rules told to parents, the first one on paper, the padlock, the forgotten one (qualite.md A5, A10)."""

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import mail
from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone

from familles.acces import donner_mot_de_passe_provisoire, inviter, lien_mot_de_passe, traiter_oublis
from familles.models import OubliMotDePasse, Utilisateur
from messagerie.models import Courriel
from messagerie.taches import envoyer_courriels
from tests.conftest import ClientVerifie

pytestmark = pytest.mark.django_db

NEUF = "Cerisier18"


@pytest.fixture(autouse=True)
def hachage_rapide(settings, distribution, mot_de_passe):
    """Argon2 has its own tests; here passwords are set by the dozen."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    Utilisateur.objects.update(password=make_password(mot_de_passe))


def compte(identifiant):
    return Utilisateur.objects.select_related("responsable__famille").get(identifiant=identifiant)


def entrer(identifiant, mot):
    """A browser after its try to log in, and whether it is in."""
    navigateur = ClientVerifie()
    navigateur.post("/connexion/", {"username": identifiant, "password": mot})
    return navigateur, "_auth_user_id" in navigateur.session


def peut_entrer(identifiant, mot):
    return entrer(identifiant, mot)[1]


# --- The rules ---------------------------------------------------------------------------------------------

NOM_INTERDIT = "contient votre identifiant ou un nom de votre famille"


def jugement(mot, utilisateur):
    try:
        validate_password(mot, utilisateur)
    except ValidationError as erreur:
        return " ".join(erreur.messages)
    return ""


@pytest.mark.parametrize(
    ("mot", "reproche"),
    [
        ("Cerise18", ""),
        ("Ceris18", "Il manque à ce mot de passe : 8 caractères au moins."),
        ("cerise18", "Il manque à ce mot de passe : au moins une majuscule."),
        ("CERISE18", "Il manque à ce mot de passe : au moins une minuscule."),
        ("Cerisier", "Il manque à ce mot de passe : au moins un chiffre."),
        ("cerise", "8 caractères au moins, au moins une majuscule, au moins un chiffre."),
        ("Église18", ""),
        ("éGLISE18", ""),
        ("Un deux 3", ""),
        ("Password1", "trop courant"),
        ("Football1", "trop courant"),
        ("", "8 caractères au moins, au moins une majuscule, au moins une minuscule, au moins un chiffre."),
    ],
)
def test_la_regle_des_notices(mot, reproche):
    juge = jugement(mot, compte("durand"))
    assert (juge == "") == (reproche == ""), juge
    assert reproche in juge


@pytest.mark.parametrize(
    ("mot", "interdit"),
    [
        ("Durand18", True),  # the identifiant, and the name
        ("dURAND18", True),
        ("18Durand!", True),
        ("MaDurande7", True),
        ("Éloïse2026", True),
        ("Eloise2026", True),
        ("ELOISEs7", True),
        ("Elöïse99", True),
        ("Julien2026", True),  # the other adult
        ("1julienA", True),
        ("Lou-2026!", True),  # a short name, and nothing else but digits and signs
        ("Louange18", False),  # a short name within a word
        ("Martin2026", False),  # another family
        ("Cerisier18", False),
    ],
)
def test_ni_l_identifiant_ni_un_nom_de_la_famille(mot, interdit):
    Utilisateur.objects.filter(identifiant="durand").update(prenom="Éloïse")
    Utilisateur.objects.filter(identifiant="durand2").update(nom="Lou")
    assert (NOM_INTERDIT in jugement(mot, compte("durand"))) == interdit


def test_ni_le_prenom_d_un_enfant():
    assert NOM_INTERDIT in jugement("Ines2026a", compte("benali"))


@pytest.mark.parametrize(
    ("mot", "accepte"), [("Cerise18", False), ("Cerise-2018", False), ("Cerises-2018", True), ("Agent-2026-ete", False)]
)
def test_un_agent_compte_douze_caracteres(mot, accepte):
    assert (jugement(mot, compte("agent")) == "") == accepte


@pytest.mark.parametrize(("identifiant", "longueur"), [("durand", 8), ("agent", 12)])
def test_la_page_dit_la_regle_avant_qu_on_tape(identifiant, longueur, connecter):
    page = connecter(identifiant).get("/mot-de-passe/").content.decode()
    regles = re.findall(r"<li data-regle=\"\w+\">(.*?)</li>", page)
    assert regles == [
        f"{longueur} caractères au moins",
        "au moins une majuscule",
        "au moins une minuscule",
        "au moins un chiffre",
        "ni votre identifiant, ni un nom de votre famille",
        "pas un mot de passe courant",
    ]


# --- The first password, on paper --------------------------------------------------------------------------


@pytest.fixture
def lettre():
    """The password on Claire's letter."""
    return donner_mot_de_passe_provisoire(compte("durand"))


PAGES = ["/", "/mon-compte/", "/mon-compte/caf/", "/mes-enfants/", "/releve/", "/messagerie/", "/demandes/"]


def test_la_premiere_connexion_ne_mene_qu_au_choix_d_un_mot_de_passe(lettre):
    navigateur, entre = entrer("durand", lettre)
    assert entre
    menees = {page: navigateur.get(page).headers.get("Location") for page in [*PAGES, "/documents/", "/admin/"]}
    assert menees == dict.fromkeys(menees, "/mot-de-passe/")
    assert navigateur.post("/mon-compte/caf/", {"caisse": "CAF du Cher"}).url == "/mot-de-passe/"
    page = navigateur.get("/mot-de-passe/")
    assert page.status_code == 200
    assert "Choisissez votre mot de passe" in page.content.decode()
    assert list(page.context["form"].fields) == ["new_password1", "new_password2"]


def test_a_la_premiere_connexion_on_peut_aussi_s_en_aller(lettre):
    navigateur, _ = entrer("durand", lettre)
    assert navigateur.post("/deconnexion/").url == "/connexion/"
    assert navigateur.get("/").url == "/connexion/?next=/"


def test_le_mot_de_passe_choisi_remplace_celui_de_la_lettre(lettre):
    navigateur, _ = entrer("durand", lettre)
    reponse = navigateur.post("/mot-de-passe/", {"new_password1": NEUF, "new_password2": NEUF})
    assert reponse.url == "/"
    assert navigateur.get("/mon-compte/").status_code == 200
    assert (peut_entrer("durand", lettre), peut_entrer("durand", NEUF)) == (False, True)
    assert (compte("durand").mot_de_passe_provisoire, compte("durand").mot_de_passe_expire_le) == (False, None)


def test_un_choix_refuse_laisse_a_la_premiere_connexion(lettre):
    navigateur, _ = entrer("durand", lettre)
    for essai in [{"new_password1": "Durand18", "new_password2": "Durand18"}, {"new_password1": NEUF}]:
        assert navigateur.post("/mot-de-passe/", essai).status_code == 200
    assert navigateur.get("/").url == "/mot-de-passe/"
    assert peut_entrer("durand", lettre)


def test_le_mot_de_passe_de_la_lettre_ne_peut_pas_etre_garde(lettre):
    navigateur, _ = entrer("durand", lettre)
    navigateur.post("/mot-de-passe/", {"new_password1": lettre, "new_password2": lettre})
    assert navigateur.get("/").headers.get("Location") == "/mot-de-passe/"


def test_la_lettre_vaut_soixante_jours(lettre):
    Utilisateur.objects.update(mot_de_passe_expire_le=F("mot_de_passe_expire_le") - timedelta(days=60, minutes=-1))
    navigateur, entre = entrer("durand", lettre)
    assert entre
    Utilisateur.objects.update(mot_de_passe_expire_le=F("mot_de_passe_expire_le") - timedelta(minutes=2))
    assert not peut_entrer("durand", lettre)
    assert navigateur.get("/mot-de-passe/").url == "/connexion/?next=/mot-de-passe/", "la session survit à la lettre"


def test_une_nouvelle_lettre_annule_l_ancienne(lettre):
    navigateur, _ = entrer("durand", lettre)
    nouvelle = donner_mot_de_passe_provisoire(compte("durand"))
    assert navigateur.get("/mot-de-passe/").status_code == 302
    assert (peut_entrer("durand", lettre), peut_entrer("durand", nouvelle)) == (False, True)


def test_le_mot_de_passe_d_une_lettre_se_lit_et_se_dicte(lettre):
    tires = {donner_mot_de_passe_provisoire(compte("durand")) for _ in range(20)} | {lettre}
    assert len(tires) == 21
    assert [
        mot for mot in tires if not re.fullmatch(r"[A-Z][aeiou]([b-z][aeiou]){2}-[2-9]{4}-([b-z][aeiou]){3}", mot)
    ] == []
    assert [mot for mot in tires if set("lh01IO") & set(mot)] == []
    assert [mot for mot in tires if jugement(mot, compte("durand"))] == []


# --- The padlock -------------------------------------------------------------------------------------------


def changer(navigateur, ancien, nouveau, encore=None):
    saisie = {"ancien": ancien, "new_password1": nouveau, "new_password2": encore or nouveau}
    return navigateur.post("/mot-de-passe/", saisie)


@pytest.mark.parametrize(
    ("ancien", "nouveau", "encore", "phrase"),
    [
        ("Faux2026", NEUF, NEUF, "Ce n'est pas votre mot de passe actuel."),
        ("", NEUF, NEUF, "Ce champ est obligatoire."),
        ("Portail2026", NEUF, "Cerisier19", "Les deux mots de passe ne correspondent pas."),
        ("Portail2026", "Portail2026", "Portail2026", "Choisissez un mot de passe différent de l'actuel."),
        ("Portail2026", "Durand18", "Durand18", NOM_INTERDIT),
    ],
)
def test_le_cadenas_refuse_et_dit_pourquoi(ancien, nouveau, encore, phrase, connecter, mot_de_passe):
    reponse = changer(connecter("durand"), ancien, nouveau, encore)
    erreurs = " ".join(e for es in reponse.context["form"].errors.values() for e in es)
    assert phrase in erreurs
    assert (peut_entrer("durand", mot_de_passe), peut_entrer("durand", nouveau)) == (True, nouveau == mot_de_passe)


def test_le_cadenas_change_le_mot_de_passe_et_ferme_les_autres_sessions(connecter, mot_de_passe):
    ici, ailleurs, conjoint = connecter("durand"), connecter("durand"), connecter("durand2")
    assert changer(ici, mot_de_passe, NEUF).url == "/"
    assert [n.get("/mon-compte/").status_code for n in (ici, ailleurs, conjoint)] == [200, 302, 200]
    assert (peut_entrer("durand", mot_de_passe), peut_entrer("durand", NEUF)) == (False, True)


def test_un_agent_revient_a_son_bureau_apres_le_cadenas(connecter, mot_de_passe):
    assert changer(connecter("agent"), mot_de_passe, "Cerisier-2018").url == "/admin/"


# --- Forgotten ---------------------------------------------------------------------------------------------


def oublier(saisie):
    return ClientVerifie().post("/mot-de-passe/oublie/", {"saisie": saisie})


def courriels_partis():
    """What the worker answers to the forgotten ones: ``{address: text}``; one mail an address."""
    mail.outbox.clear()
    traiter_oublis()
    envoyer_courriels()
    destinataires = [message.to[0] for message in mail.outbox]
    assert len(destinataires) == len(set(destinataires)), "deux courriels à la même adresse"
    return {message.to[0]: message.body for message in mail.outbox}


def liens(texte, settings):
    return re.findall(re.escape(settings.URL_PORTAIL) + r"(/mot-de-passe/nouveau/\S+)", texte)


def suivre(lien):
    """A browser that followed the link of a mail, and the page it is on."""
    navigateur = ClientVerifie()
    reponse = navigateur.get(lien, follow=True)
    return navigateur, reponse


def choisir(lien, mot=NEUF):
    navigateur, reponse = suivre(lien)
    return navigateur.post(reponse.request["PATH_INFO"], {"new_password1": mot, "new_password2": mot})


CLAIRE = "claire.durand@famille.example"


def test_l_oubli_repond_pareil_que_le_compte_existe_ou_non():
    Utilisateur.objects.filter(identifiant="martin").update(is_active=False)
    saisies = ["durand", CLAIRE, "personne", "personne@famille.example", "martin", "admin", "<b>?", "a" * 254]
    vues = set()
    for saisie in saisies:
        navigateur = ClientVerifie()
        reponse = navigateur.post("/mot-de-passe/oublie/", {"saisie": saisie})
        page = navigateur.get(reponse.url).content
        vues.add((reponse.status_code, reponse.url, reponse.content, page, tuple(sorted(navigateur.cookies))))
    assert len(vues) == 1
    assert vues.pop()[:2] == (302, "/mot-de-passe/oublie/envoye/")
    assert [o.saisie for o in OubliMotDePasse.objects.order_by("pk")] == saisies
    assert Courriel.objects.count() == 0, "la page fait le travail du courriel : elle répond plus lentement"


@pytest.mark.parametrize("saisie", ["durand", "DURAND", " durand ", CLAIRE, CLAIRE.title(), f"  {CLAIRE}"])
def test_l_oubli_envoie_l_identifiant_et_un_lien(saisie, settings):
    oublier(saisie)
    partis = courriels_partis()
    assert list(partis) == [CLAIRE]
    assert re.findall(r"Identifiant : (\S+)", partis[CLAIRE]) == ["durand"]
    assert len(liens(partis[CLAIRE], settings)) == 1


def test_l_oubli_d_un_inconnu_d_un_compte_ferme_ou_sans_adresse_n_envoie_rien():
    Utilisateur.objects.filter(identifiant="martin").update(is_active=False)
    Utilisateur.objects.filter(identifiant="benali").update(courriel="")
    for saisie in ["personne", "personne@famille.example", "martin", "sophie.martin@famille.example", "benali"]:
        oublier(saisie)
    assert courriels_partis() == {}
    assert not OubliMotDePasse.objects.filter(traite_le=None).exists()


def test_deux_adultes_a_la_meme_adresse_recoivent_un_seul_courriel(settings):
    Utilisateur.objects.filter(identifiant="durand2").update(courriel=CLAIRE.upper())
    oublier(CLAIRE)
    partis = courriels_partis()
    assert list(partis) == [CLAIRE]
    assert re.findall(r"Identifiant : (\S+)", partis[CLAIRE]) == ["durand", "durand2"]
    pour_claire, pour_julien = liens(partis[CLAIRE], settings)
    assert choisir(pour_julien).url == "/connexion/"
    assert (peut_entrer("durand2", NEUF), peut_entrer("durand", NEUF)) == (True, False)
    assert suivre(pour_claire)[1].status_code == 200


def test_l_identifiant_tape_ne_donne_que_son_propre_lien():
    Utilisateur.objects.filter(identifiant="durand2").update(courriel=CLAIRE)
    oublier("durand2")
    assert re.findall(r"Identifiant : (\S+)", courriels_partis()[CLAIRE]) == ["durand2"]


def test_le_courriel_ne_part_qu_une_fois():
    oublier("durand")
    assert list(courriels_partis()) == [CLAIRE]
    assert courriels_partis() == {}


def test_le_lien_ouvre_le_choix_puis_ne_sert_plus(mot_de_passe):
    lien = lien_mot_de_passe(compte("durand"))
    assert choisir(lien).url == "/connexion/"
    assert (peut_entrer("durand", mot_de_passe), peut_entrer("durand", NEUF)) == (False, True)
    _, reponse = suivre(lien)
    assert reponse.status_code == 410
    page = reponse.content.decode()
    assert ("Ce lien ne sert plus" in page, 'href="/mot-de-passe/oublie/"' in page) == (True, True)


def test_le_lien_ouvre_aussi_un_premier_acces():
    nouveau = Utilisateur.objects.create_user("ana.roux", prenom="Ana", nom="Roux", courriel="ana@famille.example")
    inviter(nouveau)
    (lien,) = re.findall(r"\S+/mot-de-passe/nouveau/\S+", Courriel.objects.get().corps)
    assert choisir(lien).url == "/connexion/"
    assert peut_entrer("ana.roux", NEUF)


def test_un_choix_refuse_garde_le_lien():
    lien = lien_mot_de_passe(compte("durand"))
    assert choisir(lien, "Durand18").status_code == 200
    assert choisir(lien).status_code == 302


@pytest.mark.parametrize(
    ("apres", "statut"), [(timedelta(hours=23, minutes=59), 200), (timedelta(hours=24, minutes=1), 410)]
)
def test_le_lien_vaut_vingt_quatre_heures(apres, statut, monkeypatch):
    lien = lien_mot_de_passe(compte("durand"))
    maintenant = datetime.now() + apres  # noqa: DTZ005 - as the generator counts
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: maintenant)
    assert suivre(lien)[1].status_code == statut


def test_le_jeton_ne_reste_pas_dans_l_adresse():
    lien = lien_mot_de_passe(compte("durand"))
    jeton = lien.rstrip("/").rpartition("/")[2]
    _, reponse = suivre(lien)
    (etape,) = reponse.redirect_chain
    assert jeton not in etape[0] + reponse.content.decode()
    assert reponse["Referrer-Policy"] == "same-origin"
    assert ClientVerifie().get(etape[0]).status_code == 410, "l'adresse sans jeton suffit à un autre navigateur"


def test_un_lien_faux_est_une_page_claire():
    lien = lien_mot_de_passe(compte("durand"))
    debut, uid, jeton = lien.rstrip("/").rsplit("/", 2)
    autre = lien_mot_de_passe(compte("martin")).rstrip("/").rsplit("/", 2)[1]
    faux = {
        "jeton tronqué": (uid, jeton[:-1]),
        "jeton d'un autre compte": (autre, jeton),
        "jeton vide de sens": (uid, "0-0"),
        "jeton étrange": (uid, "é\u202e<b>"),
        "compte illisible": ("%%%", jeton),
        "compte en toutes lettres": ("YWJj", jeton),
        "compte trop grand": ("OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", jeton),
        "compte négatif": ("LTE", jeton),
        "adresse sans jeton": (uid, "choisir"),
    }
    statuts, titres = {}, set()
    for nom, (du_compte, du_lien) in faux.items():
        _, reponse = suivre(f"/mot-de-passe/nouveau/{du_compte}/{du_lien}/")
        statuts[nom] = reponse.status_code
        titres |= set(re.findall(r"<h1>(.*?)</h1>", reponse.content.decode()))
    assert debut.endswith("/mot-de-passe/nouveau")
    assert statuts == dict.fromkeys(faux, 410)
    assert titres == {"Ce lien ne sert plus"}


def test_fermer_un_compte_annule_son_lien():
    lien = lien_mot_de_passe(compte("durand"))
    Utilisateur.objects.filter(identifiant="durand").update(is_active=False)
    assert suivre(lien)[1].status_code == 410


def test_on_ne_remplit_pas_une_boite_de_courriels():
    for _ in range(8):
        oublier("durand")
    oublier("martin")
    traiter_oublis()
    envois = list(Courriel.objects.order_by("pk").values_list("destinataire", flat=True))
    assert envois == [CLAIRE] * 5 + ["sophie.martin@famille.example"]
    OubliMotDePasse.objects.update(demande_le=timezone.now() - timedelta(minutes=61))
    oublier("durand")
    traiter_oublis()
    assert Courriel.objects.filter(destinataire=CLAIRE).count() == 6


def test_identifiant_et_adresse_comptent_ensemble():
    for _ in range(5):
        oublier("durand")
        oublier(CLAIRE)
    traiter_oublis()
    assert Courriel.objects.filter(destinataire=CLAIRE).count() == 5
