"""A message to 500 families, its worker killed again and again: once in the portal, at least once by mail.

Two kills in the ordinary run, twenty with EPREUVES=1.
"""

import os
import random
import socket
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import closing
from email import message_from_bytes
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings as reglages
from django.db import connection

from familles.models import Famille, Responsable, Utilisateur
from messagerie.diffusions import preparer
from messagerie.models import Courriel, EnvoiDiffusion, Fil, Message

pytestmark = pytest.mark.django_db(transaction=True)

FOYERS = 500
MORTS = 20 if os.environ.get("EPREUVES") else 2
# What the worker does, in a process of its own: it says when it begins.
OUVRIER = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "portail.settings"
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
settings.COURRIEL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(sys.argv[2])
import django
django.setup()
from messagerie import diffusions
from messagerie.taches import envoyer_courriels
diffusions.LOT = 10  # more places where to die
print("prêt", flush=True)
diffusions.poursuivre()
envoyer_courriels()
"""


class Boites:
    """Who received which Message-ID, how many times."""

    def __init__(self):
        self.recus = defaultdict(Counter)

    async def handle_DATA(self, server, session, envelope):
        identifiant = message_from_bytes(envelope.content)["Message-ID"]
        for destinataire in envelope.rcpt_tos:
            self.recus[destinataire][identifiant] += 1
        return "250 OK"


@pytest.fixture
def boites():
    with closing(socket.socket()) as libre:
        libre.bind(("127.0.0.1", 0))
        port = libre.getsockname()[1]
    tenues = Boites()
    tenues.port = port
    ecoute = Controller(tenues, hostname="127.0.0.1", port=port)
    ecoute.start()
    yield tenues
    ecoute.stop()


@pytest.fixture
def foyers(distribution):
    """500 households, two adults in one of five; two of these adults may read alone."""
    familles = Famille.objects.bulk_create(Famille(nom=f"Foyer {n}") for n in range(FOYERS))
    adultes = [(famille, rang) for n, famille in enumerate(familles) for rang in ((1, 2) if n % 5 == 0 else (1,))]
    comptes = Utilisateur.objects.bulk_create(
        Utilisateur(identifiant=f"f{n}", prenom="A", nom="B", courriel=f"f{n}@famille.example", password="!")
        for n in range(len(adultes))
    )
    Responsable.objects.bulk_create(
        Responsable(utilisateur=compte, famille=famille, rang=rang)
        for compte, (famille, rang) in zip(comptes, adultes, strict=True)
    )
    seuls = dict(Responsable.objects.filter(famille__in=familles[:2], rang=1).values_list("famille", "pk"))
    return [(famille.pk, seuls.get(famille.pk)) for famille in familles]


def lancer(port):
    """The worker, at work."""
    ouvrier = subprocess.Popen(
        [sys.executable, "-c", OUVRIER, connection.settings_dict["NAME"], str(port)],
        cwd=reglages.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert ouvrier.stdout.readline() == "prêt\n"
    return ouvrier


def reste():
    """Households, then mails, that still wait."""
    return EnvoiDiffusion.objects.filter(fait_le=None).count(), Courriel.objects.filter(envoye_le=None).count()


def tuer_au_hasard(port, hasard):
    """Kill a worker a moment after it has done something; what was left then, None when it had finished before."""
    avant, ouvrier = reste(), lancer(port)
    try:
        while reste() == avant and ouvrier.poll() is None:
            pass
        ouvrier.wait(timeout=hasard.uniform(0, 0.15))
    except subprocess.TimeoutExpired:
        ouvrier.kill()
        ouvrier.wait()
        return reste()
    finally:
        ouvrier.stdout.close()
    return None


def test_un_ouvrier_tue_n_ecrit_ni_deux_fois_ni_zero(foyers, boites, comptes):
    Courriel.objects.all().delete()
    diffusion = preparer(
        sujet="Grève jeudi",
        corps="Bonjour",
        selection="Essai",
        destinataires=foyers,
        service=None,
        par=comptes["agent"],
        cle=uuid4(),
    )
    hasard = random.Random(int(os.environ.get("GRAINE", "7")))
    restes = [tuer_au_hasard(boites.port, hasard) for _ in range(MORTS)]
    assert None not in restes, "tout était fini avant la dernière mort"
    assert 0 < restes[0][0] < FOYERS, "la première mort ne tombe pas au milieu"
    while reste() != (0, 0):
        ouvrier = lancer(boites.port)
        assert ouvrier.wait(timeout=120) == 0
        ouvrier.stdout.close()

    fils = Fil.objects.filter(diffusion=diffusion)
    assert set(fils.values_list("famille", "destinataire")) == set(foyers)
    assert fils.count() == FOYERS
    assert Message.objects.filter(fil__in=fils).count() == FOYERS
    lecteurs = Responsable.objects.filter(famille__in=[famille for famille, _ in foyers])
    seuls = [(famille, adulte) for famille, adulte in foyers if adulte]
    absents = [a.pk for famille, adulte in seuls for a in lecteurs.filter(famille=famille).exclude(pk=adulte)]
    attendus = set(lecteurs.exclude(pk__in=absents).values_list("utilisateur__courriel", flat=True))
    assert len(attendus) == FOYERS + FOYERS // 5 - len(absents)
    assert set(boites.recus) == attendus
    assert {len(identifiants) for identifiants in boites.recus.values()} == {1}, "deux Message-ID à une adresse"
