"""Models of the project itself, each beside what it serves."""

from portail.commune import Commune
from portail.minuterie import Minuterie
from portail.publications import Actualite, Document, FichierPublie

__all__ = ["Actualite", "Commune", "Document", "FichierPublie", "Minuterie"]
