"""What a production needs: settings given, data encrypted under keys that turn, a clock that doubles nothing."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import settings as reglages
from django.core.exceptions import FieldError
from django.db import connection
from django.test import Client

from demandes.models import Demande
from familles.actions import ecrire
from familles.models import CoordonneesBancaires, DossierCaf, Famille
from portail.minuterie import Minuterie, executer_si_due
from portail.outils import secrets_demo
from portail.outils.chiffrement import DonneeIllisible, chiffrer, dechiffrer

# --- Starting ----------------------------------------------------------------------------------------------

CLE = Fernet.generate_key().decode()
COMPLETS = {
    "PORTAIL_MODE": "production",
    "SECRET_KEY": "une-clef-de-plus-de-cinquante-caracteres-0123456789-abcdefghij",
    "CLES_CHIFFREMENT": CLE,
    "ALLOWED_HOSTS": "portail.mairie.example.fr",
    "URL_PORTAIL": "https://portail.mairie.example.fr",
    "DATABASE_URL": "postgres://portail@127.0.0.1/portail",
    "EMAIL_URL": "smtp+tls://portail:x@smtp.mairie.example.fr:587",
    "COURRIEL_EXPEDITEUR": "portail@mairie.example.fr",
}
DE_DEMO = secrets_demo.lire(reglages.VAR_DIR)


def lancer(*arguments, **changements):
    """``manage.py`` with a whole production's environment but for ``changements`` (None: not given)."""
    environnement = {**COMPLETS, "PATH": os.environ["PATH"], **changements}
    environnement = {nom: valeur for nom, valeur in environnement.items() if valeur is not None}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=reglages.BASE_DIR,
        env=environnement,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def phrases(execution):
    return [ligne[2:] for ligne in execution.stderr.splitlines() if ligne.startswith("- ")]


SECRETE = "SECRET_KEY manque ou vaut celle de la démonstration : donnez 50 caractères au hasard."
CHIFFREMENT = "CLES_CHIFFREMENT manque ou n'est pas une clé Fernet : elle protège IBAN et santé."
CHIFFREMENT_DEMO = "CLES_CHIFFREMENT est celle de la démonstration : créez-en une pour la production."
HOTES = "ALLOWED_HOSTS manque ou vaut « * » : donnez le nom de domaine du portail."
BASE = "DATABASE_URL manque : donnez une base PostgreSQL, l'embarquée ne sert qu'à la démonstration."
SERVEUR = "EMAIL_URL manque : donnez le serveur de courriel (smtp+tls://…)."
EXPEDITEUR = "COURRIEL_EXPEDITEUR manque : donnez l'adresse d'expéditeur de la commune."
ADRESSE = "URL_PORTAIL manque : donnez l'adresse publique du portail, en https."
SIMULATEUR = "PAYFIP_MODE vaut « simulateur » : ses paiements sont faux, donnez « reel »."
PAYFIP = "PAYFIP_BASE_URL n'est pas en https : donnez l'adresse de PayFiP."


@pytest.mark.parametrize(
    ("changements", "phrase"),
    [
        ({"SECRET_KEY": None}, SECRETE),
        ({"SECRET_KEY": "trop-courte"}, SECRETE),
        ({"SECRET_KEY": DE_DEMO.cle_secrete}, SECRETE),
        ({"CLES_CHIFFREMENT": None}, CHIFFREMENT),
        ({"CLES_CHIFFREMENT": f"{CLE},pas-une-clef"}, CHIFFREMENT),
        ({"CLES_CHIFFREMENT": f"{CLE},{DE_DEMO.cles_chiffrement[0]}"}, CHIFFREMENT_DEMO),
        ({"ALLOWED_HOSTS": None}, HOTES),
        ({"ALLOWED_HOSTS": "portail.mairie.example.fr,*"}, HOTES),
        ({"DATABASE_URL": None}, BASE),
        ({"EMAIL_URL": None}, SERVEUR),
        ({"EMAIL_URL": "consolemail://"}, SERVEUR),
        ({"COURRIEL_EXPEDITEUR": None}, EXPEDITEUR),
        ({"URL_PORTAIL": None}, ADRESSE),
        ({"URL_PORTAIL": "http://portail.mairie.example.fr"}, ADRESSE),
        ({"DATABASE_URL": "sqlite:////tmp/portail.sqlite3"}, BASE),
        ({"PAYFIP_MODE": "simulateur"}, SIMULATEUR),
        ({"PAYFIP_BASE_URL": "http://www.payfip.gouv.fr/tpa"}, PAYFIP),
    ],
    ids=lambda valeur: "-".join(valeur) if isinstance(valeur, dict) else "",
)
def test_la_production_refuse_de_demarrer_et_dit_pourquoi(changements, phrase):
    assert DE_DEMO != secrets_demo.VIDES, "sans secrets de démonstration, l'essai ne prouverait rien"
    execution = lancer("check", **changements)
    assert (execution.returncode, phrases(execution)) == (1, [phrase])


def test_tout_ce_qui_manque_est_dit_en_une_fois():
    manquants = dict.fromkeys(nom for nom in COMPLETS if nom != "PORTAIL_MODE")
    execution = lancer("check", **manquants)
    attendues = [SECRETE, CHIFFREMENT, HOTES, BASE, SERVEUR, EXPEDITEUR, ADRESSE]
    assert (execution.returncode, phrases(execution)) == (1, attendues)
    assert "Le portail ne démarre pas en production." in execution.stderr


def test_un_mode_mal_ecrit_n_est_pas_une_demonstration():
    execution = lancer("check", PORTAIL_MODE="prod")
    assert execution.returncode == 1
    assert "PORTAIL_MODE vaut « demo » ou « production »." in execution.stderr


@pytest.mark.parametrize(
    ("donnes", "attendu"),
    [
        ({}, "['simulateur', \"'self'\"]"),
        (
            {"PAYFIP_MODE": "reel", "PAYFIP_BASE_URL": "https://essai.example/tpa/"},
            "['reel', \"'self'\", 'https://essai.example']",
        ),
    ],
    ids=["demonstration", "reel"],
)
def test_un_formulaire_ne_mene_qu_au_portail_et_au_vrai_payfip(donnes, attendu):
    dire = "from portail import settings as s; d = s.CONTENT_SECURITY_POLICY['DIRECTIVES']"
    dire += "; print([s.PAYFIP_MODE, *d['form-action']])"
    environnement = {"PATH": os.environ["PATH"], **donnes}
    execution = subprocess.run(
        [sys.executable, "-c", dire],
        cwd=reglages.BASE_DIR,
        env=environnement,
        capture_output=True,
        text=True,
        check=True,
    )
    assert execution.stdout.strip() == attendu


def test_une_production_complete_n_a_aucun_avertissement():
    execution = lancer("check", "--deploy", "--fail-level", "WARNING")
    assert (execution.returncode, execution.stderr) == (0, "")
    assert "no issues" in execution.stdout


def test_la_production_ne_charge_pas_la_demonstration():
    execution = lancer("demo")
    assert execution.returncode == 1
    assert "ne se chargent pas en production" in execution.stderr


# --- Encryption at rest ------------------------------------------------------------------------------------

IBAN = "FR7630006000011234567890189"


def garde(modele, colonne, pk):
    """What the database holds."""
    with connection.cursor() as curseur:
        curseur.execute(f'SELECT "{colonne}" FROM "{modele._meta.db_table}" WHERE id = %s', [pk])  # noqa: S608
        return curseur.fetchone()[0]


@pytest.fixture
def compte(famille_martin):
    """Sophie's bank details, as read again from the database."""
    compte = CoordonneesBancaires.objects.create(famille=famille_martin, titulaire="Sophie Martin", iban=IBAN)
    return CoordonneesBancaires.objects.get(pk=compte.pk)


@pytest.mark.django_db
def test_la_base_ne_montre_ni_iban_ni_demande(compte, deposer):
    chiffre = garde(CoordonneesBancaires, "iban", compte.pk)
    demande = deposer("durand", "bancaires", iban=IBAN)
    demandees = garde(Demande, "valeurs_demandees", demande.pk)
    assert [(texte[:5], IBAN[4:] in texte) for texte in (chiffre, demandees)] == [("gAAAA", False)] * 2
    assert (compte.iban, Demande.objects.get(pk=demande.pk).valeurs_demandees) == (IBAN, {"iban": IBAN})


@pytest.mark.django_db
def test_enregistrer_sans_rien_changer_ne_reecrit_rien(compte, deposer):
    demande = Demande.objects.get(pk=deposer("durand", "bancaires", iban=IBAN).pk)
    objets = [(compte, "iban"), (demande, "valeurs_demandees"), (demande, "valeurs_avant")]
    avant = [garde(type(objet), colonne, objet.pk) for objet, colonne in objets]
    historique = apps.get_model("familles", "CoordonneesBancairesEvent").objects
    evenements = historique.count()
    compte.save()
    demande.save()
    assert ecrire(compte, {"iban": "".join(IBAN)}) == []
    assert [garde(type(objet), colonne, objet.pk) for objet, colonne in objets] == avant
    assert historique.count() == evenements
    compte.iban = "FR1420041010050500013M02606"
    compte.save()
    assert garde(CoordonneesBancaires, "iban", compte.pk) != avant[0]
    assert historique.count() == evenements + 1


@pytest.mark.django_db
def test_changer_une_seule_valeur_d_une_demande_la_rechiffre(deposer):
    demande = Demande.objects.get(pk=deposer("durand", "bancaires", titulaire="Claire D.", iban=IBAN).pk)
    avant = garde(Demande, "valeurs_demandees", demande.pk)
    demande.valeurs_demandees["titulaire"] = "Julien D."
    demande.save()
    assert garde(Demande, "valeurs_demandees", demande.pk) != avant
    assert Demande.objects.get(pk=demande.pk).valeurs_demandees == {"titulaire": "Julien D.", "iban": IBAN}


@pytest.mark.django_db
def test_le_vide_reste_vide(famille_martin):
    dossier = DossierCaf.objects.create(famille=famille_martin, numero_allocataire="")
    assert garde(DossierCaf, "numero_allocataire", dossier.pk) == ""
    assert DossierCaf.objects.get(pk=dossier.pk).numero_allocataire == ""


@pytest.mark.django_db
def test_on_ne_cherche_pas_dans_une_colonne_chiffree(compte):
    """The same text has many ciphertexts: a filter would silently find nothing."""
    for recherche in ({"iban": IBAN}, {"iban__contains": "FR"}, {"iban__in": [IBAN]}):
        with pytest.raises(FieldError):
            CoordonneesBancaires.objects.filter(**recherche)
    assert CoordonneesBancaires.objects.filter(iban__isnull=False, pk=compte.pk).exists()


def test_les_cles_tournent_sans_rien_perdre(settings):
    ancienne, neuve = CLE, Fernet.generate_key().decode()
    settings.CLES_CHIFFREMENT = [ancienne]
    d_avant = chiffrer(IBAN)
    settings.CLES_CHIFFREMENT = [neuve, ancienne]
    d_apres = chiffrer(IBAN)
    assert (dechiffrer(d_avant), dechiffrer(d_apres)) == (IBAN, IBAN)
    settings.CLES_CHIFFREMENT = [neuve]
    assert dechiffrer(d_apres) == IBAN
    with pytest.raises(DonneeIllisible, match="Aucune clé de CLES_CHIFFREMENT"):
        dechiffrer(d_avant)


@pytest.mark.parametrize("abime", ["", "gAAAA", "x" * 40, IBAN])
def test_un_chiffre_abime_est_illisible(abime):
    with pytest.raises(DonneeIllisible):
        dechiffrer(abime)


@pytest.mark.django_db
def test_une_cle_perdue_se_dit_au_lieu_de_montrer_n_importe_quoi(compte, settings):
    settings.CLES_CHIFFREMENT = [Fernet.generate_key().decode()]
    with pytest.raises(DonneeIllisible):
        CoordonneesBancaires.objects.get(pk=compte.pk)


def test_deux_fois_le_meme_texte_ne_se_reconnait_pas():
    assert chiffrer(IBAN) != chiffrer(IBAN)


# --- The clock ---------------------------------------------------------------------------------------------

MIDI = datetime(2026, 11, 24, 11, tzinfo=UTC)
HEURE = timedelta(hours=1)


class Travail:
    """A timed job that notes when it ran, or fails."""

    def __init__(self, erreur=None):
        self.faits, self.erreur = [], erreur

    def __call__(self, *, maintenant):
        self.faits.append(maintenant)
        Famille.objects.create(nom="Faite par l'horloge")
        if self.erreur:
            raise self.erreur


@pytest.mark.django_db
def test_une_tache_se_fait_une_fois_par_periode():
    travail = Travail()
    secondes = [0, 1, 3599, 3600, 3601, 7200]
    faites = [executer_si_due("essai", HEURE, travail, maintenant=MIDI + timedelta(seconds=s)) for s in secondes]
    assert faites == [True, False, False, True, False, True]
    assert travail.faits == [MIDI, MIDI + HEURE, MIDI + 2 * HEURE]


@pytest.mark.django_db
def test_deux_taches_ont_chacune_leur_heure():
    un, deux = Travail(), Travail()
    assert executer_si_due("un", HEURE, un, maintenant=MIDI)
    assert executer_si_due("deux", HEURE, deux, maintenant=MIDI + timedelta(minutes=5))
    assert (un.faits, deux.faits) == ([MIDI], [MIDI + timedelta(minutes=5)])


@pytest.mark.django_db
def test_une_tache_en_erreur_reste_due_et_n_ecrit_rien():
    familles = Famille.objects.count()
    with pytest.raises(ZeroDivisionError):
        executer_si_due("essai", HEURE, Travail(ZeroDivisionError()), maintenant=MIDI)
    assert (Famille.objects.count(), Minuterie.objects.get(nom="essai").faite_le) == (familles, None)
    assert executer_si_due("essai", HEURE, Travail(), maintenant=MIDI + timedelta(seconds=20))


@pytest.mark.django_db(transaction=True)
def test_deux_serveurs_ne_font_jamais_la_meme_tache():
    second, vus = Travail(), []

    def sur_l_autre_serveur():
        try:
            vus.append(executer_si_due("essai", HEURE, second, maintenant=MIDI))
        finally:
            connection.close()

    def travail(*, maintenant):
        """While the first server works, the second one comes by."""
        fil = threading.Thread(target=sur_l_autre_serveur)
        fil.start()
        fil.join(timeout=20)
        assert not fil.is_alive(), "le second serveur attend le premier"

    assert executer_si_due("essai", HEURE, travail, maintenant=MIDI)
    sur_l_autre_serveur()
    assert (vus, second.faits) == ([False, False], [])


@pytest.mark.django_db
def test_la_surveillance_demande_si_le_portail_vit():
    reponse = Client().get("/etat/")
    assert (reponse.status_code, reponse.content) == (200, b"ok\n")
