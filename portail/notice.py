"""The notice for parents: docs/notice-parents.md and its pictures, as a PDF."""

import base64
import re
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from portail.commune import Commune
from portail.outils import pdf
from portail.outils.francais import insecables

NOTICE = settings.BASE_DIR / "docs" / "notice-parents.md"
DUREE_CACHE = 24 * 3600  # seconds; what changes on the page changes the key
IMAGE = re.compile(r"captures/[a-z0-9-]+\.png")


class ImageInconnue(Exception):
    """The notice names a picture that is not one of docs/captures/."""


def imprimer() -> bytes:
    """The PDF, printed once for each text and each letterhead.

    :raises portail.outils.pdf.PdfIndisponible: no PDF on this machine.
    """
    cle = f"notice-{_empreinte()}"
    deja = cache.get(cle)
    if deja is None:
        deja = pdf.rendre("pdf/notice.html", {"texte": corps(), "titre": titre()})
        cache.set(cle, deja, DUREE_CACHE)
    return deja


def titre() -> str:
    """The first line of the notice."""
    return NOTICE.read_text().partition("\n")[0].removeprefix("# ")


def corps() -> SafeString:
    """The notice as HTML, its title aside, its pictures within.

    The text is ours, not an agent's: pictures are allowed, those of docs/captures/ alone.
    """
    lecteur = MarkdownIt("commonmark", {"html": False})
    lecteur.add_render_rule("image", _image)
    return mark_safe(lecteur.render(insecables(NOTICE.read_text().partition("\n")[2])))


def images() -> list[Path]:
    """The pictures that the notice shows."""
    return [NOTICE.parent / adresse for adresse in re.findall(r"!\[[^]]*\]\(([^)]+)\)", NOTICE.read_text())]


def _image(rendu, jetons, rang, options, env):
    """Within the page: a PDF reads the files of ``{% static %}`` and nothing else."""
    jeton = jetons[rang]
    adresse = jeton.attrGet("src")
    if not IMAGE.fullmatch(adresse):
        raise ImageInconnue(adresse)
    contenu = base64.b64encode((NOTICE.parent / adresse).read_bytes()).decode()
    jeton.attrSet("src", f"data:image/png;base64,{contenu}")
    return rendu.image(jetons, rang, options, env)


def _empreinte():
    """Of all that the PDF shows: the text, the pictures, the letterhead."""
    commune = Commune.actuelle()
    tete = [commune.nom, commune.adresse, commune.code_postal, commune.ville, commune.telephone, commune.courriel]
    fichiers = [NOTICE, *(image for image in images() if image.exists())]
    dates = [f"{chemin.name} {chemin.stat().st_mtime_ns}" for chemin in fichiers]
    return sha256("\n".join([*tete, *dates]).encode()).hexdigest()
