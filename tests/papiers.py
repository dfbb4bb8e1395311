"""PDFs in the tests that are about rights: who may print, not what is printed."""

from portail.outils import pdf
from tests.fabrique import PDF_SAIN


def sans_encre(monkeypatch):
    """No PDF is drawn; what printing notes is noted."""
    monkeypatch.setattr(pdf, "verifier", lambda: None)
    monkeypatch.setattr(pdf, "rendre", lambda modele, contexte, **options: PDF_SAIN)
