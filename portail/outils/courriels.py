"""Mails written from a pair of templates; they go to the outbox and leave with the worker."""

from collections.abc import Iterable

from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string

from portail.commune import Commune
from portail.outils.liens import absolu


def envoyer_modele(nom: str, destinataire: str, *, reveiller: bool = True, **contexte) -> None:
    """File the mail ``courriels/<nom>_{objet,corps}.txt`` in the outbox, in the current transaction.

    :param reveiller: False to leave it to the next round of the clock, without waking the worker for it.
    """
    envoyer_a_tous(nom, [destinataire], reveiller=reveiller, **contexte)


def envoyer_a_tous(nom: str, destinataires: Iterable[str], *, reveiller: bool = True, **contexte) -> None:
    """The same text to each, a mail each, in as many queries for one as for a thousand."""
    contexte |= {"commune": Commune.actuelle(), "portail": absolu("/")}
    objet = " ".join(render_to_string(f"courriels/{nom}_objet.txt", contexte).split())
    corps = render_to_string(f"courriels/{nom}_corps.txt", contexte)
    get_connection(reveiller=reveiller).send_messages(
        [EmailMessage(objet, corps, None, [adresse]) for adresse in destinataires]
    )
