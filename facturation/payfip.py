"""Talking to PayFiP: its addresses and its web service. What is said is in ``regles/payfip.py``.

In demo mode the simulator is called within the process, never by HTTP: one worker alone would wait for itself.
"""

from datetime import datetime
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings
from django.urls import reverse

from facturation import simulateur
from facturation.regles import payfip
from facturation.regles.payfip import DemandeInvalide, Issue, Paiement, ReponseIllisible, Resultat

PATIENCE = 5  # seconds: a family or PayFiP itself is waiting
TAILLE_MAX = 64 * 1024  # bytes of an answer


class PayFipIndisponible(Exception):
    """PayFiP does not answer, or not as it should: try later."""


class _SansDetour(HTTPRedirectHandler):
    """A redirection is followed nowhere: the answer must come from PayFiP itself."""

    def redirect_request(self, *args, **kwargs):
        return None


OUVREUR = build_opener(_SansDetour)


def est_simule() -> bool:
    return settings.PAYFIP_MODE == "simulateur"


def base() -> str:
    """Address before ``/paiement.web``; the simulator's is on this very site."""
    return reverse("simulateur").rstrip("/") if est_simule() else settings.PAYFIP_BASE_URL


def adresse_de_saisie() -> str:
    """Where a family types the n° client, the reference and the amount."""
    return f"{base()}/accueilportail.web"


def adresse_de_redirection(paiement: Paiement) -> str:
    """:raises DemandeInvalide: PayFiP would refuse it."""
    return payfip.adresse_de_redirection(base(), paiement)


def adresse_de_l_operation(operation: str) -> str:
    return payfip.adresse_de_l_operation(base(), operation)


def creer_operation(paiement: Paiement) -> str:
    """The ``idOp`` of a new operation of the web service.

    :raises DemandeInvalide: PayFiP refuses it.
    :raises PayFipIndisponible: no answer.
    """
    message = payfip.creer_operation(paiement)
    try:
        operation = payfip.lire_operation(_appeler(message))
    except ReponseIllisible as erreur:
        raise PayFipIndisponible(str(erreur)) from erreur
    if len(operation) > 36:
        raise PayFipIndisponible("idOp")
    return operation


def resultat(operation: str, *, demandee_le: datetime, maintenant: datetime) -> Resultat | Issue:
    """What became of an operation.

    :raises PayFipIndisponible: no answer, or none that says it.
    """
    try:
        reponse = _appeler(payfip.demander_resultat(operation))
        return payfip.lire_resultat(reponse, demandee_le=demandee_le, maintenant=maintenant)
    except (ReponseIllisible, DemandeInvalide) as erreur:
        raise PayFipIndisponible(str(erreur)) from erreur


def _appeler(message: bytes) -> bytes:
    """:raises PayFipIndisponible: no answer in time, a redirection, an answer beyond any use."""
    if est_simule():
        return simulateur.repondre(message)
    adresse = f"{settings.PAYFIP_BASE_URL}/services/securite"
    if not adresse.startswith("https://"):
        raise PayFipIndisponible("adresse sans https")
    requete = Request(  # noqa: S310 https alone
        adresse, data=message, headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    )
    try:
        with OUVREUR.open(requete, timeout=PATIENCE) as reponse:
            return _lire(reponse)
    except HTTPError as erreur:
        if erreur.code == 500:  # how SOAP tells a fault
            with erreur:
                return _lire(erreur)
        raise PayFipIndisponible(f"HTTP {erreur.code}") from erreur
    except (URLError, OSError, HTTPException) as erreur:
        raise PayFipIndisponible(type(erreur).__name__) from erreur


def _lire(reponse):
    corps = reponse.read(TAILLE_MAX + 1)
    if len(corps) > TAILLE_MAX:
        raise PayFipIndisponible("réponse trop longue")
    return corps
