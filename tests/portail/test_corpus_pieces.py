"""Sixty kinds of papers and more, each with its verdict, word for word (qualite.md C5)."""

import io
import re
import resource
import subprocess

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from demandes.models import Demande
from portail.outils import examen
from portail.outils.fichiers import controler, nom_propre
from tests.fabrique import COULEUR, PDF_SAIN, image, png, unie
from tests.portail.conftest import CAF, ecrits, gardee, texte
from tests.portail.corpus import (
    BOMBES,
    IMAGES_GARDEES,
    MIO,
    NOM,
    PAS_ACCEPTE,
    PDF_GARDES,
    REFUSES,
    TROP_COMPLIQUE,
    TROP_LOURDE,
)

pytestmark = pytest.mark.lecture_a_part


def verdict(nom, contenu):
    """``(name, type, bytes)`` of what is kept, or the sentence after the name."""
    try:
        return controler(SimpleUploadedFile(nom, contenu))
    except ValidationError as erreur:
        (phrase,) = erreur.messages
        debut = f"« {nom_propre(nom)} » "
        assert phrase.startswith(debut)
        return phrase.removeprefix(debut)


# --- Verdicts ----------------------------------------------------------------------------------------------


def test_le_corpus_compte_bien_plus_de_soixante_pieces_toutes_differentes():
    gardees = {**{nom: ("rib.pdf", contenu) for nom, contenu in PDF_GARDES.items()}, **IMAGES_GARDEES}
    envois = {envoi[:2] for envoi in (*REFUSES.values(), *gardees.values())}
    assert len(envois) == len(REFUSES) + len(gardees) > 150


@pytest.mark.parametrize(("nom", "contenu", "phrase"), REFUSES.values(), ids=REFUSES)
def test_une_piece_deguisee_abimee_ou_active_est_refusee(nom, contenu, phrase):
    assert verdict(nom, contenu) == phrase


@pytest.mark.parametrize("contenu", PDF_GARDES.values(), ids=PDF_GARDES)
def test_un_pdf_sain_est_garde_tel_quel(contenu):
    assert verdict("rib.pdf", contenu) == ("rib.pdf", "application/pdf", contenu)


def morceaux_de(contenu):
    """Names of the parts of a PNG, or marks of those of a JPEG's head."""
    if contenu.startswith(b"\x89PNG"):
        place, noms = 8, []
        while place < len(contenu):
            noms.append(contenu[place + 4 : place + 8])
            place += 12 + int.from_bytes(contenu[place : place + 4], "big")
        return noms
    place, marques = 2, []
    while marques[-1:] != [0xDA]:
        marques.append(contenu[place + 1])
        place += 2 + int.from_bytes(contenu[place + 2 : place + 4], "big")
    return marques


@pytest.mark.parametrize(("nom", "contenu", "couleur"), IMAGES_GARDEES.values(), ids=IMAGES_GARDEES)
def test_une_photo_est_redessinee_sans_rien_de_plus_que_ses_pixels(nom, contenu, couleur):
    nom_garde, type_mime, garde = verdict(nom, contenu)
    est_png = nom.endswith("png")
    assert (nom_garde, type_mime) == (nom, "image/png" if est_png else "image/jpeg")
    # JFIF, tables, size, scan; nothing named APP1, APP2, APP13, COM, tEXt, eXIf, iCCP.
    assert set(morceaux_de(garde)) == ({b"IHDR", b"IDAT", b"IEND"} if est_png else {0xE0, 0xDB, 0xC0, 0xC4, 0xDA})
    assert garde.endswith(b"IEND\xaeB`\x82" if est_png else b"\xff\xd9")
    assert (NOM in garde, b"PDF" in garde, garde.count(b"\xff\xd8\xff")) == (False, False, not est_png)
    with Image.open(io.BytesIO(contenu)) as envoyee, Image.open(io.BytesIO(garde)) as relue:
        assert (relue.format, relue.mode, relue.size) == ("PNG" if est_png else "JPEG", "RGB", envoyee.size)
        assert (dict(relue.getexif()), [dit for dit in relue.info if not dit.startswith("jfif")]) == ({}, [])
        vue = relue.getpixel((4, 4))
    assert max(abs(a - b) for a, b in zip(vue, couleur, strict=True)) <= 3, vue


# How a photo lies in its file when its tag says how to turn it (EXIF 2.3, tag 0x0112).
COUCHEE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("sens", range(1, 9))
@pytest.mark.parametrize(("nom", "format_"), [("photo.jpg", "JPEG"), ("photo.png", "PNG")])
def test_une_photo_garde_son_sens(nom, format_, sens):
    coins = {(5, 5): "red", (54, 5): "lime", (5, 34): "blue", (54, 34): "white"}
    droite = Image.new("RGB", (60, 40))
    for (x, y), couleur in coins.items():
        droite.paste(couleur, (x // 30 * 30, y // 20 * 20, x // 30 * 30 + 30, y // 20 * 20 + 20))
    exif = Image.Exif()
    exif[0x0112] = sens
    envoi = image(format_, droite.transpose(COUCHEE[sens]) if sens > 1 else droite, exif=exif)
    with Image.open(io.BytesIO(verdict(nom, envoi)[2])) as relue:
        vus = {place: [valeur > 128 for valeur in relue.getpixel(place)] for place in coins}
        assert (relue.size, dict(relue.getexif())) == ((60, 40), {})
    rouge, vert, bleu, blanc = [True, False, False], [False, True, False], [False, False, True], [True] * 3
    assert list(vus.values()) == [rouge, vert, bleu, blanc]


TRANSPARENTE = Image.new("RGBA", (60, 40), (*COULEUR, 0))


@pytest.mark.parametrize(
    "envoi",
    [
        image("PNG", TRANSPARENTE),
        image("PNG", TRANSPARENTE.quantize(2)),
        image("PNG", transparency=COULEUR),
        image("PNG", Image.new("LA", (60, 40), (90, 0))),
    ],
    ids=["de couleur", "à palette", "à couleur transparente", "grise"],
)
def test_une_image_reste_transparente(envoi):
    with Image.open(io.BytesIO(verdict("photo.png", envoi)[2])) as relue:
        assert (relue.mode, relue.getpixel((4, 4))[3], relue.info) == ("RGBA", 0, {})


def test_un_scan_en_noir_et_blanc_reste_lisible_reduit():
    """One line of two is black: half as tall, it is grey, and not all black or all white."""
    raye = Image.new("1", (4800, 100))
    raye.paste(1, (0, 0, 2400, 100))
    for x in range(2400, 4800, 2):
        raye.paste(1, (x, 0, x + 1, 100))
    with Image.open(io.BytesIO(verdict("scan.png", image("PNG", raye))[2])) as relue:
        blanc, gris = (relue.getpixel((x, 20))[0] for x in (500, 1800))
        assert (relue.size, blanc, 100 < gris < 160) == ((2400, 50), 255, True)


@pytest.mark.parametrize(
    ("nom", "envoi", "taille"),
    [
        ("photo.jpg", image(dessin=unie(taille=(3000, 1500))), (2400, 1200)),
        ("photo.png", image("PNG", unie(taille=(1500, 3000))), (1200, 2400)),
        ("photo.png", png((b"\0" + bytes(7000)) * 7000, 7000, genre=0), (2400, 2400)),
    ],
    ids=["JPEG", "PNG", "PNG de 49 mégapixels"],
)
def test_une_grande_photo_est_reduite(nom, envoi, taille):
    with Image.open(io.BytesIO(verdict(nom, envoi)[2])) as relue:
        assert relue.size == taille


# --- Names -------------------------------------------------------------------------------------------------

NOMS = {
    "rib.pdf": "rib.pdf",
    "RIB.PDF": "RIB.PDF",
    "le rib d'été.pdf": "le rib d'été.pdf",
    "Imprimé – 50 €.pdf": "Imprimé – 50 €.pdf",
    "rib\u00a0de\u202fmai.pdf": "rib de mai.pdf",  # as macOS names its screenshots
    "../../etc/rib.pdf": "rib.pdf",
    r"..\..\windows\rib.pdf": "rib.pdf",
    r"C:\rib.pdf": "rib.pdf",
    "/etc/rib.pdf": "rib.pdf",
    "rib\0.pdf": "rib.pdf",
    "rib.exe\0.pdf": "rib.exe.pdf",
    "rib\r\nSet-Cookie: a=b.pdf": "rib Set-Cookie: a=b.pdf",
    "rib\x1b[31m.pdf": "rib[31m.pdf",
    "rib\u202efdp.pdf": "ribfdp.pdf",  # what follows the mark reads backwards
    "\u200b\ufeffrib.pdf": "rib.pdf",
    "\ud800rib.pdf": "rib.pdf",
    "a" * 300 + ".pdf": "a" * 80 + ".pdf",
    "é" * 200 + ".pdf": "é" * 80 + ".pdf",
    "  rib.pdf  ": "rib.pdf",
    '<b>"rib".pdf': '<b>"rib".pdf',
}


@pytest.mark.parametrize(("envoye", "garde"), NOMS.items())
def test_un_nom_est_garde_propre(envoye, garde):
    """However the browser or the server cut it before: ``nom_propre`` sees the worst alone."""
    assert nom_propre(envoye) == garde
    assert verdict(envoye, PDF_SAIN)[0] == garde


@pytest.mark.parametrize(
    "nom", ["rib.pdf\u202efdp.exe", "photo\u202egpj.exe", "rib.pdf\0.exe", "rib.pdf.", "\u200b.pdf"]
)
def test_un_nom_ne_cache_pas_son_extension(nom):
    assert verdict(nom, PDF_SAIN) == PAS_ACCEPTE


# --- Bombs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("nom", "contenu", "phrase"), BOMBES.values(), ids=BOMBES)
def test_une_bombe_ne_prend_que_les_secondes_prevues(nom, contenu, phrase, monkeypatch):
    monkeypatch.setattr(examen, "SECONDES_MAX", 1)
    debut = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert verdict(nom, contenu) == phrase
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - debut < 2


@pytest.mark.parametrize(
    ("nom", "contenu", "phrase"),
    [
        ("a.png", png((b"\0" + bytes(21_000)) * 7000, 7000), TROP_LOURDE),
        BOMBES["PDF à deux millions de nombres"],
    ],
    ids=["PNG", "PDF"],
)
def test_une_bombe_ne_prend_que_la_memoire_prevue(nom, contenu, phrase, monkeypatch):
    monkeypatch.setattr(examen, "MEMOIRE_MAX", 160 * MIO)
    monkeypatch.setattr(examen, "SECONDES_MAX", 60)
    assert verdict(nom, contenu) == phrase


def test_les_limites_sont_celles_d_un_serveur_modeste():
    assert (examen.SECONDES_MAX, examen.MEMOIRE_MAX // MIO) == (5, 768)


def test_un_examen_qui_dure_est_abandonne(monkeypatch):
    """Seconds of the clock too: asleep, it would use none of its own."""

    def attendre(*_, timeout, **__):
        raise subprocess.TimeoutExpired("examen", timeout)

    monkeypatch.setattr(subprocess, "run", attendre)
    assert verdict("rib.pdf", PDF_SAIN) == TROP_COMPLIQUE


def test_un_examen_qui_ne_demarre_pas_n_accuse_personne(monkeypatch):
    monkeypatch.setattr(examen, "__file__", "/inconnu/examen.py")
    with pytest.raises(subprocess.CalledProcessError):
        verdict("rib.pdf", PDF_SAIN)


def test_l_examen_ne_recoit_ni_la_base_ni_les_cles(monkeypatch):
    recus, lancer = [], subprocess.run
    monkeypatch.setattr(
        subprocess, "run", lambda *args, **options: recus.append(options["env"]) or lancer(*args, **options)
    )
    verdict("rib.pdf", PDF_SAIN)
    assert recus == [{}]


# --- Through the page --------------------------------------------------------------------------------------


@pytest.fixture
def sans_demande(comptes):
    """Nothing of the Durands' waits: their CAF form is open."""
    Demande.objects.update(etat="RETIREE", traitee_le="2020-01-01T00:00Z", traitee_par=comptes["durand"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "quoi",
    ["vide", "un octet de trop", "HEIC", "SVG à programme en .png", "double extension .exe", "PNG coupé"]
    + [f"PDF {quoi}" for quoi in ("à programme rangé", "protégé", "de 51 pages", "coupé", "suivi d'une archive")],
)
def test_le_formulaire_dit_le_verdict_et_garde_la_saisie(quoi, joindre, sans_demande):
    nom, contenu, phrase = REFUSES[quoi]
    avant = ecrits()
    reponse = joindre((nom, contenu), qui="durand")
    assert (reponse.status_code, ecrits()) == (422, avant)
    assert reponse.context["pieces"].errors["pieces"] == [f"« {nom} » {phrase}"]
    assert f"« {nom} » {phrase}" in texte(reponse)
    assert [valeur for valeur in CAF.values() if f'value="{valeur}"' not in texte(reponse)] == []


@pytest.mark.django_db
@pytest.mark.parametrize("nom", ["rib.pdf", "../../etc/rib.pdf", "rib\u202ed'été.pdf", "é" * 200 + ".pdf"])
def test_un_pdf_joint_est_rendu_tel_quel(nom, joindre, connecter, sans_demande):
    piece = gardee(joindre((nom, PDF_SAIN), qui="durand"))
    assert piece.nom == nom_propre(nom)
    assert re.fullmatch(r"pieces/\d{4}/\d{2}/[0-9a-f]{32}\.pdf", piece.fichier.name)
    vue = connecter("durand").get(piece.url)
    assert (b"".join(vue.streaming_content), vue["Content-Type"]) == (PDF_SAIN, "application/pdf")
    assert vue["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.django_db
def test_une_photo_jointe_perd_sa_position(joindre, connecter, sans_demande):
    nom, envoi, _ = IMAGES_GARDEES["JPEG à position"]
    assert NOM in envoi
    piece = gardee(joindre((nom, envoi), qui="durand"))
    vue = connecter("durand").get(piece.url)
    servie = b"".join(vue.streaming_content)
    assert (vue["Content-Type"], piece.taille, NOM in servie) == ("image/jpeg", len(servie), False)
