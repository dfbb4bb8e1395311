"""Mails written from a pair of templates; they go to the outbox and leave with the worker."""

from django.core.mail import send_mail
from django.template.loader import render_to_string

from portail.commune import Commune
from portail.outils.liens import absolu


def envoyer_modele(nom: str, destinataire: str, **contexte) -> None:
    """File the mail ``courriels/<nom>_{objet,corps}.txt`` in the outbox, in the current transaction."""
    contexte |= {"commune": Commune.actuelle(), "portail": absolu("/")}
    objet = " ".join(render_to_string(f"courriels/{nom}_objet.txt", contexte).split())
    send_mail(objet, render_to_string(f"courriels/{nom}_corps.txt", contexte), None, [destinataire])
