"""Sends the outbox. A task only wakes the sweep; ``manage.py horloge`` runs it too."""

import logging
from contextlib import suppress
from datetime import timedelta
from email.utils import format_datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.utils import timezone
from django_tasks import task

from messagerie.models import Courriel
from messagerie.pannes import a_garde_la_liaison, est_definitive

journal = logging.getLogger(__name__)

# Delay before each new try; past the last one the mail is given up and shown to the agents.
DELAIS = [timedelta(minutes=m) for m in (1, 5, 15, 60, 240, 720, 1440)]
# A recipient refused for good is tried once more, when a relay set up wrongly may have been mended.
DELAIS_SI_DEFINITIF = [timedelta(hours=1)]


@task()
def balayer_courriels():
    envoyer_courriels()


@task()
def balayer_diffusions():
    from messagerie.diffusions import poursuivre

    poursuivre()


def reveiller() -> None:
    """Have the outbox sent as soon as the current transaction is committed."""
    balayer_courriels.enqueue()


def envoyer_courriels() -> int:
    """Send every mail that is due and return how many left.

    One transaction a mail, its row locked: two workers share the work, a kill sends at most one mail twice,
    under the same Message-ID. One connection for all of them, as long as the server keeps it; a server that cannot
    be reached is left alone until the next sweep.
    """
    envoyes = 0
    connexion = get_connection(settings.COURRIEL_BACKEND)
    while (suite := _envoyer_le_suivant(connexion)) is not None:
        envoyes += suite
    _raccrocher(connexion)
    return envoyes


def _envoyer_le_suivant(connexion):
    """1 when a mail left, 0 when it failed, None when nothing is due or no server answers."""
    maintenant = timezone.now()
    with transaction.atomic():
        # The text is decrypted where its failure is caught: one unreadable mail does not stop the others.
        a_envoyer = Courriel.objects.a_envoyer(maintenant).defer("corps", "corps_html", "desabonnement")
        courriel = a_envoyer.select_for_update(skip_locked=True).first()
        if courriel is None:
            return None
        try:
            connexion.open()
        except Exception as erreur:
            _reporter(courriel, erreur, maintenant)
            return None
        try:
            _composer(courriel, connexion).send()
        except Exception as erreur:
            _reporter(courriel, erreur, maintenant)
            if not a_garde_la_liaison(erreur):
                _raccrocher(connexion)
            return 0
        courriel.envoye_le = timezone.now()
        courriel.erreur = ""
        courriel.save(update_fields=["envoye_le", "erreur"])
        return 1


def _raccrocher(connexion):
    with suppress(OSError):  # smtplib's errors are: the server may be gone already
        connexion.close()


def _composer(courriel, connexion):
    entetes = {
        "Message-ID": courriel.message_id,
        "Date": format_datetime(timezone.localtime(courriel.cree_le)),
        "Auto-Submitted": "auto-generated",
    }
    if courriel.desabonnement:  # one click, without logging in: RFC 8058
        entetes["List-Unsubscribe"] = f"<{courriel.desabonnement}>"
        entetes["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message = EmailMultiAlternatives(
        courriel.objet,
        courriel.corps,
        courriel.expediteur,
        [courriel.destinataire],
        connection=connexion,
        reply_to=[courriel.repondre_a] if courriel.repondre_a else None,
        headers=entetes,
    )
    if courriel.corps_html:
        message.attach_alternative(courriel.corps_html, "text/html")
    return message


def _reporter(courriel, erreur, maintenant):
    journal.warning("Courriel %s non envoyé : %s", courriel.pk, type(erreur).__name__)
    courriel.erreur = f"{type(erreur).__name__} : {erreur}"[:1000]
    delais = DELAIS_SI_DEFINITIF if est_definitive(erreur) else DELAIS
    if courriel.tentatives < len(delais):
        courriel.prochain_essai_le = maintenant + delais[courriel.tentatives]
    else:
        courriel.abandonne_le = maintenant
    courriel.tentatives += 1
    courriel.save(update_fields=["erreur", "prochain_essai_le", "abandonne_le", "tentatives"])
