"""Files as families might send them, made byte by byte: PDF, JPEG and PNG, sound or forged."""

import io
import struct
import zlib
from zipfile import ZipFile

from PIL import Image
from pypdf import PdfWriter

# --- PDF ---------------------------------------------------------------------------------------------------

CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R %s >>"
FEUILLES = [
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
]


def flux(entetes, contenu):
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entetes, len(contenu), contenu)


def brut(*objets, faux_numeros=0):
    """A PDF made of these objects by hand, the catalogue first.

    :param faux_numeros: entries added to the table, which all point at the first object.
    """
    corps, places = _ecrire(objets)
    places += places[:1] * faux_numeros
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    fin = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(places) + 1, len(corps))
    return corps + b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1) + table + fin


def _ecrire(objets):
    corps, places = b"%PDF-1.7\n", []
    for numero, objet in enumerate(objets, 1):
        places.append(len(corps))
        corps += b"%d 0 obj\n%s\nendobj\n" % (numero, objet)
    return corps, places


def catalogue(ajout, *objets):
    """A PDF of one page whose catalogue also says ``ajout``; ``objets`` are numbered from 4."""
    return brut(CATALOGUE % ajout, *FEUILLES, *objets)


def page(ajout, *objets):
    """The same, for the page."""
    return brut(CATALOGUE % b"", FEUILLES[0], FEUILLES[1].replace(b" >>", b" %s >>" % ajout), *objets)


PDF_SAIN = catalogue(b"")


def revision(ancien, numero, objet):
    """A PDF saved once more on top of itself, with this object new or changed."""
    precedent = int(ancien.rpartition(b"startxref\n")[2].partition(b"\n")[0])
    corps = ancien + b"\n%d 0 obj\n%s\nendobj\n" % (numero, objet)
    place = len(ancien) + 1
    fin = b"trailer\n<< /Size 10 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (precedent, len(corps))
    return corps + b"xref\n%d 1\n%010d 00000 n \n" % (numero, place) + fin


def linearise():
    """As servers write it: the last objects and the first table at the head, the main table at the end."""
    tete = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n4 0 obj\n<< /Linearized 1 /L 0 /N 1 >>\nendobj\n"
    table_4 = b"xref\n4 1\n%010d 00000 n \ntrailer\n<< /Size 5 /Root 1 0 R /Prev %010d >>\nstartxref\n0\n%%%%EOF\n"
    corps, places = tete + table_4 % (tete.index(b"4 0 obj"), 0), []
    for numero, objet in enumerate((CATALOGUE % b"", *FEUILLES), 1):
        places.append(len(corps))
        corps += b"%d 0 obj\n%s\nendobj\n" % (numero, objet)
    corps = corps.replace(b"/Prev %010d" % 0, b"/Prev %010d" % len(corps))
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    fin = b"trailer\n<< /Size 4 >>\nstartxref\n%d\n%%%%EOF\n" % len(tete)
    return corps + b"xref\n0 4\n0000000000 65535 f \n" + table + fin


def pdf(*, pages=1, **changements):
    """A PDF of pypdf, after calls of its writer: ``pdf(encrypt={"user_password": "mot"})``."""
    ecrivain, sortie = PdfWriter(), io.BytesIO()
    for _ in range(pages):
        ecrivain.add_blank_page(200, 200)
    for methode, arguments in changements.items():
        getattr(ecrivain, methode)(**arguments)
    ecrivain.write(sortie)
    return sortie.getvalue()


def pdf_a_objets_ranges(*objets, type_=b"/ObjStm", filtre=b"/FlateDecode"):
    """The objects numbered from 5 lie compressed in an object stream, where no search of bytes sees them."""
    ranges, index, place = b"", b"", 0
    for numero, objet in enumerate(objets, 5):
        index += b"%d %d " % (numero, place)
        ranges += objet + b" "
        place = len(ranges)
    range_ = zlib.compress(index + ranges)
    entetes = b"/Type %s /N %d /First %d /Filter %s" % (type_, len(objets), len(index), filtre)
    corps, places = _ecrire((CATALOGUE % b"/OpenAction 5 0 R", *FEUILLES, flux(entetes, range_)))
    suivant = 1 + len(places) + len(objets)
    lignes = [struct.pack(">BHB", 0, 0, 255)] + [struct.pack(">BHB", 1, place, 0) for place in places]
    lignes += [struct.pack(">BHB", 2, 4, rang) for rang in range(len(objets))]
    lignes.append(struct.pack(">BHB", 1, len(corps), 0))
    table = flux(b"/Type /XRef /W [1 2 1] /Size %d /Root 1 0 R" % (suivant + 1), b"".join(lignes))
    return corps + b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF" % (suivant, table, len(corps))


# --- Images ------------------------------------------------------------------------------------------------

COULEUR = (0, 128, 128)


def unie(mode="RGB", taille=(60, 40)):
    """A plain image: teal, or the grey of it."""
    return Image.new("RGB", taille, COULEUR).convert(mode)


def image(format_="JPEG", dessin=None, **options):
    """The bytes of an image, a plain one if none is given."""
    sortie = io.BytesIO()
    (dessin or unie()).save(sortie, format_, **options)
    return sortie.getvalue()


def segment(marque, contenu):
    """A part of a JPEG's head: ``segment(0xE1, b"Exif…")``."""
    return b"\xff%c%s%s" % (marque, struct.pack(">H", len(contenu) + 2), contenu)


def avec(jpeg, *segments):
    """The JPEG with these parts before its own."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def morceau(nom, contenu):
    """A part of a PNG."""
    return struct.pack(">I", len(contenu)) + nom + contenu + struct.pack(">I", zlib.crc32(nom + contenu))


def png(lignes, cote=8, *, profondeur=8, genre=2, entrelace=0):
    """A square PNG of these bytes, made by hand: ``genre`` 0 is grey, 2 colours."""
    entete = struct.pack(">IIBBBBB", cote, cote, profondeur, genre, 0, 0, entrelace)
    donnees = zlib.compress(lignes, 1)
    return b"\x89PNG\r\n\x1a\n" + morceau(b"IHDR", entete) + morceau(b"IDAT", donnees) + morceau(b"IEND", b"")


def avec_morceaux(png_, *morceaux):
    """The PNG with these parts after its head."""
    return png_[:33] + b"".join(morceaux) + png_[33:]


# --- Archives ----------------------------------------------------------------------------------------------


def archive(*noms, contenu=b"x", commentaire=b""):
    """A ZIP that holds these names, as office documents are."""
    sortie = io.BytesIO()
    with ZipFile(sortie, "w") as zip_:
        zip_.comment = commentaire
        for nom in noms:
            zip_.writestr(nom, contenu)
    return sortie.getvalue()
