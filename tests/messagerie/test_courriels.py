"""The outbox: a mail is written with what it tells, leaves later, is not lost (docs/decisions/003, qualite.md C12)."""

import logging
import re
import socket
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from cryptography.fernet import Fernet
from django.core import mail
from django.core.mail import BadHeaderError, EmailMessage, EmailMultiAlternatives, send_mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from demandes import actions
from messagerie.actions import clore
from messagerie.actions import ecrire as ecrire_a_la_mairie
from messagerie.boite_envoi import PieceJointeRefusee
from messagerie.models import Courriel, Fil, ServiceMairie
from messagerie.taches import envoyer_courriels
from portail.echeances import envoyer_resumes, faire_le_menage

pytestmark = pytest.mark.django_db

MIDI = datetime(2026, 11, 24, 11, tzinfo=UTC)  # a Tuesday in winter: noon in Paris


def ecrire(destinataire="claire@famille.example", objet="Bonjour", corps="Un message vous attend.", *, le=None):
    """A mail written ``le`` an instant: the default of a column does not know a patched clock."""
    send_mail(objet, corps, None, [destinataire])
    courriel = Courriel.objects.latest("pk")
    if le:
        Courriel.objects.filter(pk=courriel.pk).update(cree_le=le, prochain_essai_le=le)
        courriel.refresh_from_db()
    return courriel


# --- Writing ---------------------------------------------------------------------------------------------


def test_un_courriel_est_une_ligne_pas_encore_un_envoi(settings, distribution):
    reveils = DBTaskResult.objects.count()
    courriel = ecrire()
    assert (courriel.destinataire, courriel.objet, courriel.corps, courriel.expediteur) == (
        "claire@famille.example",
        "Bonjour",
        "Un message vous attend.",
        settings.DEFAULT_FROM_EMAIL,
    )
    assert (courriel.tentatives, courriel.envoye_le, mail.outbox) == (0, None, [])
    assert DBTaskResult.objects.count() == reveils + 1, "personne n'est réveillé"


def test_un_geste_annule_n_ecrit_a_personne(distribution):
    reveils = DBTaskResult.objects.count()

    @transaction.atomic
    def geste():
        ecrire()
        assert (Courriel.objects.count(), DBTaskResult.objects.count()) == (1, reveils + 1)
        raise LookupError

    with pytest.raises(LookupError):
        geste()
    assert (Courriel.objects.count(), DBTaskResult.objects.count()) == (0, reveils)


def test_chaque_destinataire_a_son_courriel(distribution):
    message = EmailMessage("Bonjour", "…", None, ["a@ex.fr", "b@ex.fr"], cc=["c@ex.fr"], bcc=["d@ex.fr"])
    message.send()
    envoyer_courriels()
    assert [m.recipients() for m in mail.outbox] == [["a@ex.fr"], ["b@ex.fr"], ["c@ex.fr"], ["d@ex.fr"]]
    assert len({m.extra_headers["Message-ID"] for m in mail.outbox}) == 4


def test_la_version_mise_en_forme_part_aussi(distribution):
    message = EmailMultiAlternatives("Bonjour", "Texte", None, ["a@ex.fr"])
    message.attach_alternative("<p>Texte</p>", "text/html")
    message.send()
    envoyer_courriels()
    assert [tuple(a) for a in mail.outbox[0].alternatives] == [("<p>Texte</p>", "text/html")]


def test_un_courriel_ne_porte_pas_de_piece_jointe(distribution):
    message = EmailMessage("Bonjour", "…", None, ["a@ex.fr"], attachments=[("facture.pdf", b"%PDF", "application/pdf")])
    with pytest.raises(PieceJointeRefusee):
        message.send()
    assert Courriel.objects.count() == 0


INTRUS = "Bonjour\nBcc: tous@ex.fr"


@pytest.mark.parametrize(
    ("objet", "expediteur", "destinataire"),
    [
        (INTRUS, None, "a@ex.fr"),
        ("Bonjour\r\n\r\nUn autre texte", None, "a@ex.fr"),
        ("Bonjour", "mairie@ex.fr\nBcc: tous@ex.fr", "a@ex.fr"),
        ("Bonjour", None, "a@ex.fr\nBcc: tous@ex.fr"),
    ],
)
def test_un_en_tete_glisse_est_refuse_au_depot(objet, expediteur, destinataire, distribution):
    with pytest.raises(BadHeaderError), transaction.atomic():
        send_mail(objet, "…", expediteur, [destinataire])
    assert Courriel.objects.count() == 0


def test_le_texte_est_chiffre_dans_la_base(distribution):
    ecrire(corps="https://portail.example/mot-de-passe/nouveau/x/")
    with connection.cursor() as curseur:
        curseur.execute("SELECT corps FROM messagerie_courriel")
        ((garde,),) = curseur.fetchall()
    assert garde.startswith("gAAAA")
    assert "nouveau" not in garde


# --- Leaving, failing, trying again ----------------------------------------------------------------------


class Facteur(BaseEmailBackend):
    """A carrier that fails as told, and remembers what it was handed."""

    pannes: list = []
    vus: list = []

    def send_messages(self, messages):
        for message in messages:
            Facteur.vus.append(message)
            if Facteur.pannes:
                panne = Facteur.pannes.pop(0)
                if panne:
                    raise panne
        return len(messages)


@pytest.fixture
def facteur(settings, distribution):
    settings.COURRIEL_BACKEND = f"{__name__}.Facteur"
    Facteur.pannes, Facteur.vus = [], []
    return Facteur


@pytest.fixture
def a(monkeypatch):
    """``a(instant)``: the time it is."""
    return lambda instant: monkeypatch.setattr("django.utils.timezone.now", lambda: instant)


def test_les_essais_s_espacent_puis_le_courriel_est_abandonne(facteur, a):
    courriel = ecrire(le=MIDI)
    facteur.pannes = [ConnectionRefusedError("personne")] * 20
    instant, attentes = MIDI, []
    for _ in range(8):
        a(instant - timedelta(seconds=1))
        envoyer_courriels()
        a(instant)
        envoyer_courriels()
        courriel.refresh_from_db()
        if courriel.abandonne_le:
            break
        attentes.append(courriel.prochain_essai_le - instant)
        instant = courriel.prochain_essai_le
    minutes = [1, 5, 15, 60, 4 * 60, 12 * 60, 24 * 60]
    assert attentes == [timedelta(minutes=m) for m in minutes]
    assert (courriel.tentatives, courriel.abandonne_le, len(facteur.vus)) == (8, instant, 8)
    assert courriel.erreur == "ConnectionRefusedError : personne"
    a(instant + timedelta(days=30))
    assert (envoyer_courriels(), len(facteur.vus)) == (0, 8)


def test_un_envoi_reussi_efface_l_erreur(facteur, a):
    courriel = ecrire(le=MIDI)
    facteur.pannes = [TimeoutError("trop long"), None]
    a(MIDI)
    envoyer_courriels()
    courriel.refresh_from_db()
    assert (courriel.erreur, courriel.envoye_le) == ("TimeoutError : trop long", None)
    a(MIDI + timedelta(minutes=1))
    assert envoyer_courriels() == 1
    courriel.refresh_from_db()
    assert (courriel.erreur, courriel.envoye_le) == ("", MIDI + timedelta(minutes=1))


def test_un_courriel_parti_ne_repart_pas(facteur):
    ecrire()
    assert (envoyer_courriels(), envoyer_courriels(), len(facteur.vus)) == (1, 0, 1)


def test_chaque_essai_porte_le_meme_message_id_et_la_meme_date(facteur, a):
    ecrire(le=MIDI)
    facteur.pannes = [OSError("coupé"), OSError("coupé")]
    for minutes in (0, 1, 6):
        a(MIDI + timedelta(minutes=minutes))
        envoyer_courriels()
    en_tetes = [m.extra_headers for m in facteur.vus]
    assert en_tetes == [en_tetes[0]] * 3
    assert re.fullmatch(r"<\S+@example\.org>", en_tetes[0]["Message-ID"])
    assert en_tetes[0]["Date"] == "Tue, 24 Nov 2026 12:00:00 +0100"
    assert en_tetes[0]["Auto-Submitted"] == "auto-generated"


def test_une_adresse_refusee_n_arrete_pas_les_suivantes(facteur):
    for destinataire in ("un@ex.fr", "deux@ex.fr", "trois@ex.fr"):
        ecrire(destinataire)
    facteur.pannes = [OSError("refusée")]
    assert envoyer_courriels() == 2
    assert list(Courriel.objects.filter(envoye_le=None).values_list("destinataire", flat=True)) == ["un@ex.fr"]


def test_un_courriel_illisible_n_arrete_pas_les_suivants(facteur, settings):
    connues = settings.CLES_CHIFFREMENT
    settings.CLES_CHIFFREMENT = [Fernet.generate_key().decode()]
    arret = {"List-Unsubscribe": "<https://portail.example/courriels/x/>"}  # encrypted as the text is
    EmailMessage("Perdu", "…", None, ["perdu@ex.fr"], headers=arret).send()
    settings.CLES_CHIFFREMENT = connues
    ecrire("suivant@ex.fr")
    assert envoyer_courriels() == 1


def test_le_journal_d_un_echec_ne_dit_ni_a_qui_ni_quoi(facteur, caplog):
    caplog.set_level(logging.DEBUG)
    courriel = ecrire("claire@famille.example", corps="https://portail.example/jeton-secret/")
    facteur.pannes = [OSError("550 claire@famille.example jeton-secret")]
    envoyer_courriels()
    assert f"Courriel {courriel.pk} non envoyé : OSError" in caplog.text
    assert [dit for dit in ("claire", "jeton-secret") if dit in caplog.text] == []


def test_les_courriels_partis_s_oublient_apres_trente_jours(facteur):
    parti, recent, en_echec = ecrire("parti@ex.fr"), ecrire("recent@ex.fr"), ecrire("echec@ex.fr")
    for courriel, jours in ((parti, 31), (recent, 29)):
        Courriel.objects.filter(pk=courriel.pk).update(envoye_le=MIDI - timedelta(days=jours))
    Courriel.objects.filter(pk=en_echec.pk).update(cree_le=MIDI - timedelta(days=90))
    faire_le_menage(maintenant=MIDI)
    assert list(Courriel.objects.order_by("pk")) == [recent, en_echec]


# --- A real server ---------------------------------------------------------------------------------------


class Serveur:
    """An SMTP server that answers each mail as told: an SMTP reply, or None to cut the line."""

    def __init__(self):
        self.reponses, self.recus, self.essais = [], [], 0

    async def handle_DATA(self, server, session, envelope):
        self.essais += 1
        reponse = self.reponses.pop(0) if self.reponses else "250 OK"
        if reponse is None:
            server.transport.abort()
            return "421 adieu"
        if reponse.startswith("250"):
            self.recus.append(envelope)
        return reponse


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


def test_un_serveur_qui_refuse_coupe_puis_accepte(serveur, a):
    courriel = ecrire("claire@famille.example", "Un message vous attend à l'école", "Accentué : été.", le=MIDI)
    serveur.reponses = ["451 4.3.0 plus tard", None, "250 OK"]
    erreurs = []
    for minutes in (0, 1, 6):
        a(MIDI + timedelta(minutes=minutes))
        envoyer_courriels()
        courriel.refresh_from_db()
        erreurs.append(courriel.erreur.partition("\u00a0")[0])
    assert erreurs == ["SMTPDataError", "SMTPServerDisconnected", ""]
    assert (courriel.tentatives, courriel.envoye_le, serveur.essais) == (2, MIDI + timedelta(minutes=6), 3)
    (recu,) = serveur.recus
    assert recu.rcpt_tos == ["claire@famille.example"]
    assert f"Message-ID: {courriel.message_id}".encode() in recu.content


def test_un_serveur_qui_coupe_ne_perd_que_le_courriel_en_cours(serveur):
    for destinataire in ("un@ex.fr", "deux@ex.fr", "trois@ex.fr"):
        ecrire(destinataire)
    serveur.reponses = ["250 OK", None, "250 OK"]
    assert envoyer_courriels() == 2
    assert [recu.rcpt_tos for recu in serveur.recus] == [["un@ex.fr"], ["trois@ex.fr"]]
    assert list(Courriel.objects.filter(envoye_le=None).values_list("destinataire", flat=True)) == ["deux@ex.fr"]


# --- The agents see what failed --------------------------------------------------------------------------


@pytest.fixture
def en_echec(facteur):
    """A mail given up, another one that left."""
    ecrire("parti@ex.fr")
    ecrire("parti.aussi@ex.fr")
    envoyer_courriels()
    abandonne = ecrire("perdu@ex.fr", objet="Sujet perdu", corps="https://portail.example/jeton-secret/")
    Courriel.objects.filter(pk=abandonne.pk).update(
        abandonne_le=timezone.now(),
        tentatives=8,
        erreur="SMTPRecipientsRefused : {'perdu@ex.fr': (552, b'full')}",
    )
    return abandonne


def test_les_agents_voient_les_courriels_non_remis(en_echec, connecter):
    agent = connecter("agent")
    bureau = agent.get("/admin/")
    (compteur,) = [c for c in bureau.context["compteurs"] if "courriel" in c.libelle]
    assert (compteur.nombre, compteur.libelle) == (1, "courriel non remis")
    liste = agent.get(compteur.url)
    assert list(liste.context["cl"].queryset) == [en_echec]
    page = liste.content.decode()
    assert [dit for dit in ("Sujet perdu", "perdu@ex.fr", "La boîte est pleine") if dit not in page] == []


def test_les_agents_ne_lisent_pas_le_texte_qui_peut_ouvrir_un_compte(en_echec, connecter):
    agent = connecter("agent")
    pages = [agent.get(f"/admin/messagerie/courriel/{suite}") for suite in ("", f"{en_echec.pk}/change/")]
    assert [page.status_code for page in pages] == [200, 200]
    assert ["jeton-secret" in page.content.decode() for page in pages] == [False, False]


def test_reessayer_remet_a_l_envoi_ce_qui_n_est_pas_parti(en_echec, connecter, facteur):
    parti = Courriel.objects.get(destinataire="parti@ex.fr")
    choix = {"action": "reessayer", "_selected_action": [parti.pk, en_echec.pk]}
    reponse = connecter("agent").post("/admin/messagerie/courriel/", choix, follow=True)
    assert "Courriels remis à l’envoi : 1." in reponse.content.decode().replace("&#x27;", "’")
    facteur.vus.clear()
    assert (envoyer_courriels(), [m.to for m in facteur.vus]) == (1, [["perdu@ex.fr"]])
    en_echec.refresh_from_db()
    assert (en_echec.abandonne_le, en_echec.erreur, en_echec.envoye_le is None) == (None, "", False)


# --- The service is told of new demandes -----------------------------------------------------------------


@pytest.fixture
def personne_n_attend(distribution):
    """No demande of the cast waits, nor any message."""
    Fil.objects.all().delete()
    for demande in actions.Demande.objects.en_attente().order_by("pk"):
        actions.retirer(demande, par=demande.deposee_par)


def recus():
    return Counter(Courriel.objects.order_by("pk").values_list("destinataire", flat=True))


PERSONNEL = ("Durand", "Claire", "Sophie", "06 39", "Bourges", "900", "FR76")


def test_un_service_est_prevenu_a_chaque_demande(personne_n_attend, deposer):
    deposer("durand", "responsable", telephone_mobile="06 39 98 10 99", ville="Bourges")
    assert recus() == {"enfance@mairie.example": 1}
    courriel = Courriel.objects.get()
    assert "/admin/demandes/demande/" in courriel.corps
    assert [dit for dit in PERSONNEL if dit in courriel.objet + courriel.corps] == []
    deposer("durand", "responsable", ville="Vierzon")
    assert recus() == {"enfance@mairie.example": 1}, "la même demande est annoncée deux fois"
    deposer("martin", "responsable", ville="Bourges")
    assert recus() == {"enfance@mairie.example": 2}


def matin(heure, minute=0, jour=24):
    """An hour of the winter morning in Paris, told in UTC."""
    return datetime(2026, 11, jour, heure - 1, minute, tzinfo=UTC)


def test_un_service_est_prevenu_une_fois_par_jour_a_huit_heures(personne_n_attend, deposer):
    deposer("durand", "caf", quotient="900", mois="01/2020")
    deposer("martin", "bancaires", titulaire="Sophie Martin", iban="FR7630006000011234567890189")
    assert recus() == {}
    deposer("martin", "responsable", ville="Bourges")  # for the other service
    passages = {}
    for heure, minute, jour in [(7, 59, 24), (8, 0, 24), (8, 10, 24), (20, 0, 24), (7, 59, 25), (8, 5, 25)]:
        envoyer_resumes(maintenant=matin(heure, minute, jour))
        passages[jour, heure, minute] = recus()["comptabilite@mairie.example"]
    assert passages == {(24, 7, 59): 0, (24, 8, 0): 1, (24, 8, 10): 1, (24, 20, 0): 1, (25, 7, 59): 1, (25, 8, 5): 2}
    courriel = Courriel.objects.filter(destinataire="comptabilite@mairie.example").earliest("pk")
    assert "Service Comptabilité : 2." in courriel.corps
    assert [dit for dit in PERSONNEL if dit in courriel.objet + courriel.corps] == []
    assert recus()["enfance@mairie.example"] == 1, "un service prévenu à chaque fois a aussi un résumé"


def test_un_jour_sans_demande_n_envoie_rien(personne_n_attend, deposer):
    envoyer_resumes(maintenant=matin(8))
    assert recus() == {}
    deposer("durand", "caf", quotient="900", mois="01/2020")
    envoyer_resumes(maintenant=matin(9))
    assert recus() == {}, "le service qui n'attendait rien à huit heures attend demain"
    envoyer_resumes(maintenant=matin(8, jour=25))
    assert recus() == {"comptabilite@mairie.example": 1}


def test_le_resume_dit_aussi_les_messages_qui_attendent(personne_n_attend, comptes):
    comptabilite = ServiceMairie.objects.get(code="comptabilite")
    claire = comptes["durand"].responsable
    Fil.objects.all().delete()
    fils = [ecrire_a_la_mairie(claire, service=comptabilite, sujet="x", corps="Secret", cle=uuid4()).fil for _ in "abc"]
    clore(fils[0], par=comptes["comptable"])
    envoyer_resumes(maintenant=matin(8))
    courriel = Courriel.objects.get(destinataire="comptabilite@mairie.example")
    assert "Messages de familles en attente d'une réponse de Service Comptabilité\u00a0: 2." in courriel.corps
    assert ("Demandes en attente" in courriel.corps, "Secret" in courriel.corps) == (False, False)


@pytest.mark.parametrize("service", [{"rythme": "JAMAIS"}, {"courriel": ""}])
def test_un_service_qui_ne_veut_rien_ou_sans_adresse_ne_recoit_rien(service, personne_n_attend, deposer):
    ServiceMairie.objects.update(**service)
    deposer("durand", "responsable", ville="Bourges")
    deposer("durand", "caf", quotient="900", mois="01/2020")
    envoyer_resumes(maintenant=matin(9))
    assert recus() == {}
