"""PDFs: our stylesheet is read, and nothing else is (qualite.md C6)."""

import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from portail.outils import pdf

try:
    pdf.verifier()
except pdf.PdfIndisponible as absence:
    pytest.skip(f"BIBLIOTHÈQUES PDF ABSENTES : {absence}", allow_module_level=True)

pytestmark = pytest.mark.django_db


@pytest.fixture
def rendre(settings, tmp_path, distribution):
    """``rendre(html)``: the PDF of a template with this body."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]

    def rendre(corps):
        (tmp_path / "essai.html").write_text(
            f'<!doctype html><html lang="fr"><head><title>Essai</title></head><body>{corps}</body></html>'
        )
        return pdf.rendre("essai.html", {})

    return rendre


@pytest.fixture
def espion():
    """A web server on the loopback that notes who came."""
    venus = []

    class Reponse(BaseHTTPRequestHandler):
        def do_GET(self):
            venus.append(self.path)
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()

        def log_message(self, *args):
            pass

    serveur = HTTPServer(("127.0.0.1", 0), Reponse)
    fil = threading.Thread(target=serveur.serve_forever)
    fil.start()
    yield f"http://127.0.0.1:{serveur.server_port}/", venus
    serveur.shutdown()
    fil.join()
    serveur.server_close()


def test_la_feuille_de_style_du_papier_est_lue(rendre, caplog):
    with caplog.at_level(logging.WARNING, "weasyprint"):
        rendre('<link rel="stylesheet" href="css/papier.css"><p>Bonjour</p>')
    assert caplog.messages == []


CHARGES = [
    '<img src="{}" alt="">',
    '<link rel="stylesheet" href="{}">',
    '<object data="{}"></object>',
    '<embed src="{}">',
    '<style>@import url("{}");</style>',
    "<style>body {{ background: url({}) }}</style>",
    "<style>@font-face {{ font-family: x; src: url({}) }} p {{ font-family: x }}</style><p>x</p>",
    '<a rel="attachment" href="{}">x</a>',
    '<svg xmlns="http://www.w3.org/2000/svg"><image href="{}" width="9" height="9"/></svg>',
]


@pytest.mark.parametrize("charge", CHARGES)
def test_un_pdf_n_atteint_ni_le_reseau_ni_le_disque(rendre, espion, charge, tmp_path):
    adresse, venus = espion
    secret = tmp_path / "secret.txt"
    secret.write_text("CANARI-SECRET")
    cibles = (adresse + "x.css", secret.as_uri(), "file:///etc/passwd", "/etc/passwd", "../../../etc/passwd")
    document = rendre("".join(charge.format(cible) for cible in cibles))
    assert b"CANARI-SECRET" not in document
    assert b"root:x:0" not in document
    assert b"/EmbeddedFile" not in document
    assert venus == []
