"""What the tests of forms and of papers share: a form that takes papers, and what it may have written."""

from html import unescape

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from demandes.models import Demande, PieceJointe

PAGE = "/mon-compte/caf/"
CAF = {"caisse": "MSA Beauce", "numero_allocataire": "7654321", "quotient": "812", "mois": "01/2020"}


def texte(reponse):
    return unescape(reponse.content.decode())


def ecrits():
    """What a form of a family may have written."""
    demandes = Demande.objects.order_by("pk").values_list("pk", "version", "etat", "valeurs_demandees")
    return list(demandes), PieceJointe.objects.count(), list(fichiers())


def fichiers(dossier="pieces"):
    if default_storage.exists(dossier):
        sous_dossiers, noms = default_storage.listdir(dossier)
        yield from noms
        for sous_dossier in sous_dossiers:
            yield from fichiers(f"{dossier}/{sous_dossier}")


@pytest.fixture
def joindre(connecter):
    """``joindre(("rib.pdf", b"…"))``: Sophie Martin's CAF form with these papers, or another parent's."""

    def joindre(*envois, qui="martin", **saisie):
        pieces = [SimpleUploadedFile(nom, contenu) for nom, contenu in envois]
        return connecter(qui).post(PAGE, {**CAF, "pieces": pieces, **saisie})

    return joindre


def gardee(reponse):
    """The paper that the form kept."""
    assert reponse.status_code == 302, texte(reponse)
    return PieceJointe.objects.latest("pk")
