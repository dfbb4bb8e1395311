"""The e-mail back end: every mail becomes a row in the transaction that wrote it."""

from email.utils import make_msgid

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import forbid_multi_line_headers

from messagerie.models import Courriel
from messagerie.taches import reveiller


class PieceJointeRefusee(Exception):
    """Papers stay in the portal: a mail only says that something awaits there."""


class BoiteDEnvoi(BaseEmailBackend):
    """:param reveiller: False for a mail that nobody is waiting for: the next round of the clock sends it."""

    def __init__(self, *args, reveiller=True, **kwargs):
        super().__init__(*args, **kwargs)
        self.reveiller = reveiller

    def send_messages(self, email_messages):
        courriels = [courriel for message in email_messages for courriel in self._courriels(message)]
        if courriels:
            Courriel.objects.bulk_create(courriels)
            if self.reveiller:
                reveiller()
        return len(email_messages)

    def _courriels(self, message: EmailMessage):
        if message.attachments:
            raise PieceJointeRefusee("Un courriel du portail ne porte pas de pièce jointe.")
        for entete in (message.subject, message.from_email, *message.recipients(), *message.reply_to):
            forbid_multi_line_headers("Subject", entete, message.encoding)  # fails now, not in the worker
        html = next((a.content for a in getattr(message, "alternatives", []) if a.mimetype == "text/html"), "")
        domaine = message.from_email.rpartition("@")[2].strip("> ") or "localhost"
        for destinataire in message.recipients():
            yield Courriel(
                destinataire=destinataire,
                objet=message.subject[:200],
                corps=message.body,
                corps_html=html,
                expediteur=message.from_email,
                repondre_a=", ".join(message.reply_to),
                desabonnement=message.extra_headers.get("List-Unsubscribe", "").strip("<>"),
                message_id=make_msgid(domain=domaine),
            )
