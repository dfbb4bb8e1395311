"""Read one paper apart from the server: ``python examen.py image/png 5 805306368 < photo.png``.

A forged file of 5 MB keeps any reader busy for an hour, or fills the memory, in more ways than a list of tricks
holds. So it is read by a process of its own, which the system stops after these seconds or bytes of memory, and
which is given neither the database nor the keys.

It answers a word, a line break and, for an image, the bytes to keep.
"""

import io
import resource
import sys

SECONDES_MAX = 5  # of computing: a dense PDF of 5 MB takes 2
MEMOIRE_MAX = 768 * 1024 * 1024  # bytes: a progressive JPEG of PIXELS_MAX takes 670 MB
PIXELS_MAX = 50_000_000  # a phone's 48-megapixel photo passes, a decompression bomb does not
PAGES_MAX = 50
COTE_MAX = 2_400  # pixels of the longer side kept: a page stays readable
# Names that make a PDF act when opened or clicked (ISO 32000-2 §12.6): a paper has no use for them. A link to a
# web page (/URI) is none: the browser asks or shows where it leads. One to another file (/GoToR, /GoToE) is: its
# path may be a stranger's server, to which Windows introduces itself with the agent's name and password.
NOMS_ACTIFS = {
    "/JavaScript",
    "/JS",
    "/Launch",
    "/EmbeddedFile",
    "/EmbeddedFiles",
    "/EF",
    "/RichMedia",
    "/XFA",
    "/SubmitForm",
    "/ImportData",
    "/GoToR",
    "/GoToE",
}


def examiner(type_mime: str, contenu: bytes) -> tuple[str, bytes]:
    """``("bon", bytes to keep)``, or why not: « protege », « pages », « actif », « abime », « grand », « long »."""
    try:
        return (examiner_pdf(contenu), b"") if type_mime == "application/pdf" else reencoder(type_mime, contenu)
    except MemoryError:
        return "long", b""
    except Exception:  # on forged files pypdf and Pillow raise anything, AssertionError included
        return "abime", b""


def examiner_pdf(contenu):
    from pypdf import PdfReader

    lecteur = PdfReader(io.BytesIO(contenu))
    if lecteur.is_encrypted and not lecteur.decrypt(""):  # locked against changes only, it opens for all
        return "protege"
    if not 1 <= len(lecteur.pages) <= PAGES_MAX:
        return "pages"
    return "actif" if _est_actif(lecteur) else "bon"


def _est_actif(lecteur):
    """True when an object of the PDF, compressed or not, in its table or only referred to, names an act."""
    from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject

    numeros = [(numero, generation) for generation, suite in lecteur.xref.items() for numero in suite]
    numeros += [(numero, 0) for numero in lecteur.xref_objStm]
    # The trailer may hold the catalogue itself, which then has no number.
    a_voir, vus = [lecteur.trailer, *(IndirectObject(*numero, lecteur) for numero in numeros)], set()
    while a_voir:
        objet = a_voir.pop()
        if isinstance(objet, IndirectObject):
            numero = (objet.idnum, objet.generation)
            if numero in vus:
                continue
            vus.add(numero)
            objet = lecteur.get_object(objet)
        if isinstance(objet, NameObject) and objet in NOMS_ACTIFS:
            return True
        if isinstance(objet, DictionaryObject):
            for nom in objet:
                a_voir += [nom, objet.raw_get(nom)]
        elif isinstance(objet, ArrayObject):
            a_voir += list.__iter__(objet)  # its own iteration follows the references
    return False


def reencoder(type_mime, contenu):
    """Draw the image anew, upright and no larger than needed: position, camera, notes and tails stay behind."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # PIXELS_MAX is the limit, said in a sentence
    format_ = {"image/jpeg": "JPEG", "image/png": "PNG"}[type_mime]
    with Image.open(io.BytesIO(contenu), formats=[format_]) as image:
        image.verify()  # the sums of a PNG, which drawing it ignores
    with Image.open(io.BytesIO(contenu), formats=[format_]) as image:
        if image.width * image.height > PIXELS_MAX:
            return "grand", b""
        mode = "RGBA" if format_ == "PNG" and image.has_transparency_data else "RGB"
        if image.mode in ("1", "P") or "transparency" in image.info:  # their values do not blend when it shrinks
            image = image.convert(mode)
        image.thumbnail((COTE_MAX, COTE_MAX))
        if image.mode.startswith("I"):  # grey of 16 bits, which Pillow would cut to the low ones: all white
            image = image.point(lambda gris: gris / 256).convert("L")
        image = ImageOps.exif_transpose(image).convert(mode)
        image.info.clear()
        sortie = io.BytesIO()
        image.save(sortie, format_, **({"quality": 85} if format_ == "JPEG" else {"optimize": True}))
    return "bon", sortie.getvalue()


if __name__ == "__main__":
    type_mime, *limites = sys.argv[1:]
    for quoi, limite in zip((resource.RLIMIT_CPU, resource.RLIMIT_AS), map(int, limites), strict=True):
        resource.setrlimit(quoi, (limite, limite))  # at the hard one, it is killed without a core file
    mot, garde = examiner(type_mime, sys.stdin.buffer.read())
    sys.stdout.buffer.write(mot.encode() + b"\n" + garde)
