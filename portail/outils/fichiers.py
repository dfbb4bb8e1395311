"""Papers that families send: checked by content, stored privately under a name nobody can guess.

Writing order: the file first, then its row, so that a kill leaves at worst a file without a row, which
``balayer_orphelins`` removes a day later.
"""

import io
import uuid as uuid_
from datetime import timedelta
from pathlib import PurePosixPath

import filetype
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models
from django.http import FileResponse, Http404
from django.utils import timezone
from PIL import Image, ImageOps, UnidentifiedImageError

TYPES_ACCEPTES = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
EXTENSIONS = {"pdf": "application/pdf", "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"}
PIXELS_MAX = 50_000_000  # a phone's 48-megapixel photo passes, a decompression bomb does not
PAGES_MAX = 50
OBJETS_MAX = 20_000  # a long scan has some hundreds
COTE_MAX = 2_400  # pixels of the longer side kept: a page stays readable
# Names that make a PDF act when opened (ISO 32000-2 §12.6): a paper has no use for them.
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
}


class Piece(models.Model):
    """One paper. The owner app adds the link to what it belongs to, and the right to see it."""

    uuid = models.UUIDField(default=uuid_.uuid4, unique=True, editable=False)
    nom = models.CharField("nom du fichier", max_length=120)
    type_mime = models.CharField("type", max_length=40)
    taille = models.PositiveIntegerField("taille en octets")
    fichier = models.FileField(max_length=120)
    cree_le = models.DateTimeField("ajoutée le", auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self):
        return self.nom

    @property
    def taille_texte(self):
        """Size the French way: « 240 ko », « 1,2 Mo »."""
        if self.taille < 1_000_000:
            return f"{max(1, round(self.taille / 1000))} ko"
        return f"{self.taille / 1_000_000:.1f} Mo".replace(".", ",")


def controler(envoi) -> tuple[str, str, bytes]:
    """Read what a family uploaded and return ``(name, mime type, bytes to keep)``.

    An image is re-encoded, which drops its position and camera data; a PDF is kept as it is once it is
    shown to be one, without active content or password.

    :param envoi: Django's ``UploadedFile``.
    :raises ValidationError: one French sentence that says what to do instead.
    """
    nom = nom_propre(envoi.name)
    if envoi.size > settings.TAILLE_MAX_PIECE:
        mega = settings.TAILLE_MAX_PIECE // (1024 * 1024)
        raise ValidationError(f"« {nom} » dépasse {mega} Mo. Envoyez une photo moins lourde ou plusieurs fichiers.")
    contenu = envoi.read()
    if not contenu:
        raise ValidationError(f"« {nom} » est vide. Choisissez-le de nouveau.")
    deduit = filetype.guess(contenu)
    type_mime = deduit.mime if deduit else ""
    annonce = EXTENSIONS.get(PurePosixPath(nom).suffix.lower().lstrip("."))
    if type_mime in ("image/heic", "image/heif"):
        raise ValidationError(
            f"« {nom} » est une photo au format HEIC, que nous ne savons pas lire. "
            "Réglez l'appareil photo sur « Le plus compatible » ou envoyez une capture d'écran."
        )
    if type_mime not in TYPES_ACCEPTES or annonce != type_mime:
        raise ValidationError(f"« {nom} » n'est pas accepté. Envoyez un PDF, ou une photo JPEG ou PNG.")
    if type_mime == "application/pdf":
        _controler_pdf(nom, contenu)
        return nom, type_mime, contenu
    return nom, type_mime, _reencoder(nom, contenu, type_mime)


def nom_propre(nom: str) -> str:
    """The last part of the name, printable and short, with its ending kept."""
    nom = "".join(c for c in nom.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable()).strip() or "document"
    chemin = PurePosixPath(nom)
    return f"{chemin.stem[:80]}{chemin.suffix[:10]}"


def _controler_pdf(nom, contenu):
    from pypdf import PdfReader

    abime = ValidationError(f"« {nom} » est abîmé et ne peut pas être lu. Enregistrez-le de nouveau.")
    try:
        lecteur = PdfReader(io.BytesIO(contenu))
        if lecteur.is_encrypted:
            raise ValidationError(f"« {nom} » est protégé par un mot de passe. Envoyez-le sans protection.")
        if not 1 <= len(lecteur.pages) <= PAGES_MAX:
            raise ValidationError(f"« {nom} » doit compter de 1 à {PAGES_MAX} pages.")
        actif = _est_actif(lecteur)
    except ValidationError:
        raise
    except Exception as erreur:  # on forged files pypdf raises anything, AssertionError included
        raise abime from erreur
    if actif:
        raise ValidationError(
            f"« {nom} » contient un programme ou un fichier caché. Imprimez-le en PDF, puis envoyez cette copie."
        )


def _est_actif(lecteur):
    """True when an object of the PDF, compressed or not, names an action or an embedded file."""
    from pypdf.generic import IndirectObject

    numeros = [(numero, generation) for generation, suite in lecteur.xref.items() for numero in suite]
    numeros += [(numero, 0) for numero in lecteur.xref_objStm]
    if len(numeros) > OBJETS_MAX:
        return True
    return any(_nomme_un_acte(lecteur.get_object(IndirectObject(*numero, lecteur))) for numero in numeros)


def _nomme_un_acte(objet):
    """Look through an object's own names, without following its references: each object has its turn."""
    from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject

    a_voir = [objet]
    while a_voir:
        objet = a_voir.pop()
        if isinstance(objet, NameObject) and objet in NOMS_ACTIFS:
            return True
        if isinstance(objet, DictionaryObject):
            for nom in objet:
                valeur = objet.raw_get(nom)
                a_voir += [NameObject(nom)] if isinstance(valeur, IndirectObject) else [NameObject(nom), valeur]
        elif isinstance(objet, ArrayObject):
            a_voir += [element for element in list.__iter__(objet) if not isinstance(element, IndirectObject)]
    return False


def _reencoder(nom, contenu, type_mime):
    try:
        with Image.open(io.BytesIO(contenu)) as image:
            if image.width * image.height > PIXELS_MAX:
                raise ValidationError(f"« {nom} » est une image trop grande. Envoyez-en une copie réduite.")
            image = ImageOps.exif_transpose(image)
            image.thumbnail((COTE_MAX, COTE_MAX))
            format_ = "JPEG" if type_mime == "image/jpeg" else "PNG"
            image = image.convert("RGB" if format_ == "JPEG" else "RGBA" if "A" in image.getbands() else "RGB")
            image.info.clear()
            sortie = io.BytesIO()
            image.save(sortie, format_, **({"quality": 85} if format_ == "JPEG" else {"optimize": True}))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as erreur:
        raise ValidationError(f"« {nom} » est abîmée et ne peut pas être lue. Reprenez la photo.") from erreur
    return sortie.getvalue()


def ranger(nom: str, type_mime: str, contenu: bytes) -> dict:
    """Write the file and return the columns of its ``Piece``; to call before the row is made."""
    chemin = f"pieces/{timezone.now():%Y/%m}/{uuid_.uuid4().hex}.{TYPES_ACCEPTES[type_mime]}"
    nom_range = default_storage.save(chemin, ContentFile(contenu))
    return {"nom": nom, "type_mime": type_mime, "taille": len(contenu), "fichier": nom_range}


def servir(piece: Piece):
    """The file as the browser may safely show it; the caller has checked the right to see it."""
    try:
        fichier = piece.fichier.open("rb")
    except FileNotFoundError:
        raise Http404("Fichier absent du stockage") from None
    reponse = FileResponse(fichier, filename=piece.nom, content_type=piece.type_mime)
    reponse["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return reponse


def balayer_orphelins(modeles, *, maintenant):
    """Remove the files older than a day that no row of ``modeles`` names; returns how many went."""
    connus = {nom for modele in modeles for nom in modele.objects.values_list("fichier", flat=True).order_by()}
    partis = 0
    for chemin in _parcourir("pieces"):
        if chemin not in connus and default_storage.get_modified_time(chemin) < maintenant - timedelta(days=1):
            default_storage.delete(chemin)
            partis += 1
    return partis


def _parcourir(dossier):
    if not default_storage.exists(dossier):
        return
    sous_dossiers, fichiers = default_storage.listdir(dossier)
    yield from (f"{dossier}/{fichier}" for fichier in fichiers)
    for sous_dossier in sous_dossiers:
        yield from _parcourir(f"{dossier}/{sous_dossier}")
