"""Mails written from a pair of templates; they go to the outbox and leave with the worker."""

from collections.abc import Iterable

from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string

from portail.commune import Commune
from portail.outils.liens import absolu


def envoyer_modele(nom: str, destinataire: str, *, reveiller: bool = True, desabonnement: str = "", **contexte) -> None:
    """File the mail ``courriels/<nom>_{objet,corps}.txt`` in the outbox, in the current transaction.

    :param reveiller: False to leave it to the next round of the clock, without waking the worker for it.
    :param desabonnement: absolute address that a mail program may post to, for its reader to stop these mails.
    """
    envoyer_a_tous(nom, [(destinataire, desabonnement)], reveiller=reveiller, **contexte)


def envoyer_a_tous(nom: str, destinataires: Iterable[tuple[str, str]], *, reveiller: bool = True, **contexte) -> None:
    """The same text to each, a mail each, in as many queries for one as for a thousand.

    :param destinataires: e-mail address, and address of unsubscription or "".
    """
    commune = Commune.actuelle()
    contexte |= {"commune": commune, "portail": absolu("/")}
    objet = " ".join(render_to_string(f"courriels/{nom}_objet.txt", contexte).split())
    corps = render_to_string(f"courriels/{nom}_corps.txt", contexte)
    repondre_a = [commune.courriel] if commune.courriel else None
    get_connection(reveiller=reveiller).send_messages(
        [
            EmailMultiAlternatives(
                objet,
                corps,
                None,
                [adresse],
                reply_to=repondre_a,
                headers={"List-Unsubscribe": f"<{desabonnement}>"} if desabonnement else None,
            )
            for adresse, desabonnement in destinataires
        ]
    )
