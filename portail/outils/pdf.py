"""HTML to PDF/UA by WeasyPrint, which may read the portal's static files and nothing else."""

import mimetypes
import threading
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from PIL import ImageFile

from portail.commune import Commune

BASE = "http://statique.invalid/"  # never fetched: urljoin resolves relative links for schemes it knows only


class PdfIndisponible(Exception):
    """The system libraries of WeasyPrint are missing on this machine."""


def _weasyprint():
    try:
        import weasyprint  # 1 s: only where a PDF is made
    except OSError as erreur:
        raise PdfIndisponible(
            "Les PDF sont désactivés sur ce serveur : il manque les bibliothèques listées par script/server."
        ) from erreur
    # WeasyPrint lets every image of the process be cut short; what families send must not be.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    return weasyprint


def verifier() -> None:
    """Raise PdfIndisponible where no PDF can be made."""
    _weasyprint()


@cache
def _lecteur():
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Lecteur(URLFetcher):
        """Only ``data:`` and files that ``{% static %}`` would find; no network, no file://, no redirect."""

        def fetch(self, url, headers=None):
            morceaux = urlsplit(url)
            if morceaux.scheme == "data":
                return super().fetch(url, headers)
            if not url.startswith(BASE):
                raise ValueError(f"Adresse refusée dans un PDF : {url}")
            chemin = finders.find(unquote(morceaux.path).lstrip("/"))
            if chemin is None:
                raise ValueError(f"Fichier absent : {url}")
            type_mime = mimetypes.guess_type(chemin)[0] or "application/octet-stream"
            return URLFetcherResponse(url, Path(chemin).read_bytes(), {"Content-Type": type_mime})

    return Lecteur(allowed_protocols=("data",), allow_redirects=False)


def rendre(modele: str, contexte: dict, *, feuilles: tuple[str, ...] = ()) -> bytes:
    """The PDF of the template ``modele``, accessible (PDF/UA-1), under the commune's letterhead.

    :param feuilles: stylesheets of a template that links none, for what is printed by the hundred: they are read once.
    :raises PdfIndisponible: the libraries are missing.
    """
    verifier()
    return dessiner(composer(modele, contexte), feuilles)


def composer(modele: str, contexte: dict) -> str:
    """The page that becomes a PDF."""
    return render_to_string(modele, {**contexte, "commune": Commune.actuelle()})


def dessiner(html: str, feuilles: tuple[str, ...] = ()) -> bytes:
    """The PDF of a page."""
    document = _weasyprint().HTML(string=html, base_url=BASE, url_fetcher=_lecteur())
    styles, polices = _styles(feuilles)
    return document.write_pdf(pdf_variant="pdf/ua-1", stylesheets=styles, font_config=polices)


_du_fil = threading.local()


def _styles(feuilles):
    """Read once for each thread, with the fonts that they name: Pango does not share them between threads."""
    if not feuilles:
        return None, None
    lues = _du_fil.__dict__.setdefault("feuilles", {})
    if feuilles not in lues:
        from weasyprint import CSS
        from weasyprint.text.fonts import FontConfiguration

        polices = FontConfiguration()
        lus = [CSS(url=BASE + nom, url_fetcher=_lecteur(), font_config=polices) for nom in feuilles]
        lues[feuilles] = lus, polices
    return lues[feuilles]
