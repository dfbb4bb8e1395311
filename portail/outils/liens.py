"""Absolute addresses for mails, letters and PDFs, where no request tells the host."""

from django.conf import settings


def absolu(chemin: str) -> str:
    """``chemin`` (« /connexion/ ») on the portal's public address."""
    return settings.URL_PORTAIL.rstrip("/") + chemin
