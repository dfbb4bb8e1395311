"""A real SMTP server that refuses, is late, cuts; and what it reads on the wire (qualite.md C12)."""

import asyncio
import smtplib
import socket
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from django.core.mail import send_mail

from messagerie.actions import notifier
from messagerie.models import Courriel
from messagerie.pannes import raison
from messagerie.taches import envoyer_courriels
from portail.commune import Commune
from portail.outils.courriels import envoyer_modele

pytestmark = pytest.mark.django_db

MIDI = datetime(2026, 11, 24, 11, tzinfo=UTC)
COUPER = "couper"


class Serveur:
    """Answers as told: by recipient, then by mail. ``acceptes``: what it took, even when it never said so."""

    def __init__(self):
        self.destinataires, self.reponses, self.retard = {}, [], 0
        self.acceptes, self.liaisons, self.remises_a_zero = [], set(), 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.liaisons.add(session.peer)
        session.host_name = hostname
        return responses

    async def handle_RSET(self, server, session, envelope):
        self.remises_a_zero += 1
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        reponse = self.destinataires.get(address, "250 OK")
        if reponse.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reponse

    async def handle_DATA(self, server, session, envelope):
        if self.retard:
            await asyncio.sleep(self.retard)
        reponse = self.reponses.pop(0) if self.reponses else "250 OK"
        if reponse in ("250 OK", COUPER):
            self.acceptes.append(envelope)
        if reponse == COUPER:
            server.transport.abort()
        return reponse

    def lus(self):
        """The mails as a mail program reads them."""
        return [message_from_bytes(envelope.content, policy=policy.default) for envelope in self.acceptes]


@pytest.fixture
def serveur(settings, distribution):
    with closing(socket.socket()) as libre:
        libre.bind(("127.0.0.1", 0))
        port = libre.getsockname()[1]
    tenu = Serveur()
    ecoute = Controller(tenu, hostname="127.0.0.1", port=port)
    ecoute.start()
    settings.COURRIEL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5
    yield tenu
    ecoute.stop()


@pytest.fixture
def a(monkeypatch):
    """``a(instant)``: the time it is."""
    return lambda instant: monkeypatch.setattr("django.utils.timezone.now", lambda: instant)


def ecrire(destinataire="claire@famille.example", corps="Un message vous attend."):
    send_mail("Bonjour", corps, None, [destinataire])
    courriel = Courriel.objects.latest("pk")
    Courriel.objects.filter(pk=courriel.pk).update(cree_le=MIDI, prochain_essai_le=MIDI)
    courriel.refresh_from_db()
    return courriel


def suivre(courriel, a, instant):
    """One sweep at this instant; (tries, time to the next one, sentence for the agents)."""
    a(instant)
    envoyer_courriels()
    courriel.refresh_from_db()
    attente = None if courriel.abandonne_le or courriel.envoye_le else courriel.prochain_essai_le - instant
    return courriel.tentatives, attente, raison(courriel.erreur)


# --- It refuses ------------------------------------------------------------------------------------------


def test_un_destinataire_refuse_pour_de_bon_n_a_que_deux_essais(serveur, a):
    courriel = ecrire("inconnu@ex.fr")
    serveur.destinataires["inconnu@ex.fr"] = "550 5.1.1 User unknown"
    assert [suivre(courriel, a, MIDI + timedelta(minutes=m)) for m in (0, 60, 120)] == [
        (1, timedelta(hours=1), "L'adresse n'existe pas"),
        (2, None, "L'adresse n'existe pas"),
        (2, None, "L'adresse n'existe pas"),
    ]
    assert (courriel.abandonne_le, serveur.acceptes) == (MIDI + timedelta(hours=1), [])
    assert "5.1.1 User unknown" in courriel.erreur


def test_un_destinataire_refuse_pour_l_instant_est_reessaye(serveur, a):
    courriel = ecrire("lent@ex.fr")
    serveur.destinataires["lent@ex.fr"] = "451 4.7.1 Greylisted, try again later"
    essais = [suivre(courriel, a, MIDI + timedelta(minutes=m)) for m in (0, 1, 6)]
    assert essais == [
        (n, timedelta(minutes=m), "Le serveur du destinataire demande de réessayer plus tard")
        for n, m in ((1, 1), (2, 5), (3, 15))
    ]
    del serveur.destinataires["lent@ex.fr"]
    assert suivre(courriel, a, MIDI + timedelta(minutes=21)) == (3, None, "")
    assert courriel.envoye_le == MIDI + timedelta(minutes=21)


def test_apres_un_refus_la_meme_liaison_porte_les_suivants(serveur, a):
    a(MIDI)
    courriels = [ecrire(f"{nom}@ex.fr") for nom in ("un", "refuse", "trois", "plus-tard", "cinq")]
    serveur.destinataires |= {"refuse@ex.fr": "550 non", "plus-tard@ex.fr": "451 attendez"}
    assert envoyer_courriels() == 3
    assert [envelope.rcpt_tos for envelope in serveur.acceptes] == [["un@ex.fr"], ["trois@ex.fr"], ["cinq@ex.fr"]]
    assert (len(serveur.liaisons), serveur.remises_a_zero) == (1, 2)
    partis = Courriel.objects.filter(envoye_le__isnull=False).order_by("pk")
    assert list(partis) == [courriels[0], courriels[2], courriels[4]]


def test_un_texte_refuse_laisse_passer_les_suivants_par_la_meme_liaison(serveur, a):
    a(MIDI)
    premier = ecrire("un@ex.fr")
    ecrire("deux@ex.fr")
    serveur.reponses = ["554 5.7.1 Message looks like spam"]
    assert envoyer_courriels() == 1
    premier.refresh_from_db()
    assert (premier.tentatives, raison(premier.erreur)) == (1, "Refusé comme indésirable")
    assert len(serveur.liaisons) == 1


def test_un_421_ferme_la_liaison_et_le_suivant_en_ouvre_une(serveur, a):
    a(MIDI)
    ecrire("un@ex.fr")
    ecrire("deux@ex.fr")
    serveur.reponses = ["421 4.3.2 trop de courriels"]
    assert (envoyer_courriels(), len(serveur.liaisons)) == (1, 2)


# --- It is late, it cuts, it is not there ----------------------------------------------------------------


def test_un_serveur_trop_lent_est_quitte_et_le_courriel_reessaye(serveur, a, settings):
    settings.EMAIL_TIMEOUT = 0.3
    serveur.retard = 2
    courriel = ecrire()
    assert suivre(courriel, a, MIDI) == (1, timedelta(minutes=1), "Le serveur de courriel ne répond pas")
    serveur.retard = 0
    assert suivre(courriel, a, MIDI + timedelta(minutes=1)) == (1, None, "")


def test_un_serveur_qui_coupe_apres_avoir_accepte_recoit_le_meme_courriel(serveur, a):
    """Nobody knows that it took the mail: it leaves again, and the receiver knows it by its Message-ID."""
    courriel = ecrire()
    serveur.reponses = [COUPER]
    assert suivre(courriel, a, MIDI) == (1, timedelta(minutes=1), "Le serveur de courriel a coupé la liaison")
    assert suivre(courriel, a, MIDI + timedelta(minutes=1)) == (1, None, "")
    recus = serveur.lus()
    assert [m["Message-ID"] for m in recus] == [courriel.message_id] * 2
    assert recus[0].as_bytes() == recus[1].as_bytes()


def test_une_coupure_ne_prend_que_le_courriel_en_cours(serveur, a):
    a(MIDI)
    for nom in ("un", "deux", "trois"):
        ecrire(f"{nom}@ex.fr")
    serveur.reponses = ["250 OK", COUPER]
    assert (envoyer_courriels(), len(serveur.liaisons)) == (2, 2)
    assert list(Courriel.objects.filter(envoye_le=None).values_list("destinataire", flat=True)) == ["deux@ex.fr"]


def test_un_serveur_absent_n_use_les_essais_que_d_un_courriel(serveur, settings, a):
    settings.EMAIL_PORT = 1
    premier, second = ecrire("un@ex.fr"), ecrire("deux@ex.fr")
    assert suivre(premier, a, MIDI) == (1, timedelta(minutes=1), "Le serveur de courriel ne répond pas")
    second.refresh_from_db()
    assert (second.tentatives, second.erreur) == (0, "")


# --- On the wire -----------------------------------------------------------------------------------------


def envoyer(serveur, nom="nouveau_message", desabonnement="", **contexte):
    envoyer_modele(nom, "claire@famille.example", desabonnement=desabonnement, **contexte)
    assert envoyer_courriels() == 1
    return serveur.lus()[-1]


def test_ce_que_lit_un_programme_de_courriel(serveur, famille_durand):
    notifier(famille_durand, sujet="Sujet secret", corps="Corps secret", par=None)
    assert envoyer_courriels() == 2
    lu = serveur.lus()[0]
    assert lu["Subject"] == "Saint-Martin-d'Auxigny : un message vous attend"
    (de,) = lu["From"].addresses
    assert (de.display_name, de.addr_spec) == ("Saint-Martin-d'Auxigny – Portail famille", "portail@example.org")
    assert (lu["To"], lu["Reply-To"]) == ("claire.durand@famille.example", "contact@mairie.example")
    assert lu["Auto-Submitted"] == "auto-generated"
    assert lu["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    adresse = lu["List-Unsubscribe"].strip(" <>")
    assert adresse.startswith("http://localhost:8000/courriels/")
    assert [partie.get_content_type() for partie in lu.iter_parts()] == ["text/plain", "text/html"]
    texte, html = (lu.get_body([genre]).get_content() for genre in ("plain", "html"))
    for dit in ("boîte de réception", "http://localhost:8000/messagerie/", "/mon-compte/courriels/"):
        assert (dit in texte, dit in html) == (True, True), dit
    assert [secret for secret in ("Sujet secret", "Corps secret", "Durand", "Claire") if secret in texte + html] == []
    assert b"=?utf-8?" in serveur.acceptes[0].content, "un en-tête accentué passe tel quel"


def test_un_courriel_de_securite_ne_s_arrete_pas(serveur):
    lu = envoyer(serveur, "adresse_remplacee")
    assert (lu["List-Unsubscribe"], lu["List-Unsubscribe-Post"]) == (None, None)
    textes = [lu.get_body([genre]).get_content() for genre in ("plain", "html")]
    assert ["/mon-compte/courriels/" in texte for texte in textes] == [False, False]


@pytest.mark.parametrize(
    ("nom", "affiche"),
    [
        ("Bourges, ville d'art", "Bourges, ville d'art – Portail famille"),
        ('La "Grande" Motte', 'La "Grande" Motte – Portail famille'),
        ("Ville\r\nBcc: tous@ex.fr", "Ville Bcc: tous@ex.fr – Portail famille"),
        ("Ville <vrai@ex.fr>", "Ville <vrai@ex.fr> – Portail famille"),
        ("Ville\\", "Ville\\ – Portail famille"),
        ("Ville\u2028\x07suite", "Ville suite – Portail famille"),
        ("É" * 100, "É" * 80),
        ("=?utf-8?q?=0ABcc:tous=40ex.fr?=", "= ?utf-8?q?=0ABcc:tous=40ex.fr?= – Portail famille"),
    ],
)
def test_le_nom_de_la_commune_ne_glisse_rien_dans_les_en_tetes(nom, affiche, serveur):
    Commune.actuelle()
    commune = Commune.objects.get()
    commune.nom = nom
    commune.save()
    lu = envoyer(serveur)
    (de,) = lu["From"].addresses
    assert de.addr_spec == "portail@example.org"
    assert "".join(de.display_name.split()) == "".join(affiche.split())  # Python reads a folded name with spaces
    assert (lu["Bcc"], serveur.acceptes[0].rcpt_tos) == (None, ["claire@famille.example"])
    assert lu["Subject"].count("\n") == 0


# --- In words --------------------------------------------------------------------------------------------

REFUSE = smtplib.SMTPRecipientsRefused


@pytest.mark.parametrize(
    ("erreur", "phrase"),
    [
        (REFUSE({"a@ex.fr": (550, b"5.1.1 <a@ex.fr>: Recipient address rejected")}), "L'adresse n'existe pas"),
        (REFUSE({"a@ex.fr": (550, b"No such user here")}), "L'adresse n'existe pas"),
        (REFUSE({"a@ex.fr": (550, b"non")}), "L'adresse n'existe pas"),
        (REFUSE({"a@ex.fr": (552, b"5.2.2 Mailbox is over its limit")}), "La boîte est pleine"),
        (REFUSE({"a@ex.fr": (452, b"4.2.2 Mailbox full")}), "La boîte est pleine"),
        (REFUSE({"a@ex.fr": (550, b"5.2.1 The account is disabled")}), "La boîte est fermée"),
        (REFUSE({"a@ex.fr": (550, b"5.7.1 blocked using a list")}), "Refusé comme indésirable"),
        (
            REFUSE({"a@ex.fr": (451, b"4.7.1 blocked, greylisted")}),
            "Le serveur du destinataire demande de réessayer plus tard",
        ),
        (smtplib.SMTPDataError(554, b"Rejected as spam"), "Refusé comme indésirable"),
        (smtplib.SMTPDataError(554, b"Transaction failed"), "Le serveur du destinataire refuse ce courriel"),
        (smtplib.SMTPSenderRefused(550, b"no", "p@ex.fr"), "L'adresse d'expéditeur du portail est refusée"),
        (
            smtplib.SMTPAuthenticationError(535, b"bad"),
            "Le serveur de courriel refuse l'identifiant ou le mot de passe du portail",
        ),
        (smtplib.SMTPServerDisconnected("Connection unexpectedly closed"), "Le serveur de courriel a coupé la liaison"),
        (
            smtplib.SMTPServerDisconnected("Connection unexpectedly closed: timed out"),
            "Le serveur de courriel ne répond pas",
        ),
        (ConnectionRefusedError(111, "Connection refused"), "Le serveur de courriel ne répond pas"),
        (TimeoutError("timed out"), "Le serveur de courriel ne répond pas"),
        (socket.gaierror(-2, "Name or service not known"), "Le serveur de courriel ne répond pas"),
        (LookupError("?"), "L'envoi a échoué"),
    ],
)
def test_la_raison_d_un_echec_se_lit_en_francais(erreur, phrase):
    assert raison(f"{type(erreur).__name__}\u00a0: {erreur}") == phrase


def test_sans_echec_pas_de_raison():
    assert raison("") == ""
