"""Papers in the tests that are about rights: who may print or send, not what is printed, nor how it is read."""

from portail.outils import examen, fichiers, pdf
from tests.fabrique import PDF_SAIN


def sans_encre(monkeypatch):
    """No PDF is drawn; what printing notes is noted."""
    monkeypatch.setattr(pdf, "verifier", lambda: None)
    monkeypatch.setattr(pdf, "rendre", lambda modele, contexte, **options: PDF_SAIN)


def sans_processus(monkeypatch):
    """The same reading of what families send, without a process for each; with them, see test_corpus_pieces.py."""
    monkeypatch.setattr(fichiers, "_lire_a_part", _lire_sur_place)


def _lire_sur_place(type_mime, contenu):
    mot, garde = examen.examiner(type_mime, contenu)
    return mot.encode() + b"\n" + garde
