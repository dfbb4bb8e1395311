"""Who reads, what was written, in the tests of the messages."""

import pytest

from familles.models import Responsable
from messagerie.actions import notifier
from messagerie.models import Fil


@pytest.fixture
def adulte(distribution):
    """``adulte("durand")``: the adult of an account, with its household and its account."""
    return lambda identifiant: Responsable.objects.select_related("famille", "utilisateur").get(
        utilisateur__identifiant=identifiant
    )


@pytest.fixture
def ecrire(adulte):
    """``ecrire("durand", "Sujet")``: a message of the mairie to a household, or to one of its adults alone."""
    Fil.objects.all().delete()

    def ecrire(identifiant, sujet, *, seul=False, **autres):
        destinataire = adulte(identifiant)
        return notifier(
            destinataire.famille,
            sujet=sujet,
            **{"corps": f"Bonjour, voici {sujet}.", "par": None, **autres},
            destinataire=destinataire if seul else None,
        ).fil

    return ecrire


@pytest.fixture
def sujets(connecter):
    """``sujets("durand", "envoyes/")``: the subjects of a box, sorted."""

    def sujets(identifiant, boite="", **recherche):
        page = connecter(identifiant).get(f"/messagerie/{boite}", recherche).context["page"]
        return sorted(fil.sujet for fil in page)

    return sujets
