"""Models of the project itself, each beside what it serves."""

from portail.commune import Commune
from portail.minuterie import Minuterie

__all__ = ["Commune", "Minuterie"]
