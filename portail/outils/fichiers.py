"""Papers that families send: checked by content, stored encrypted under a name nobody can guess.

Writing order: the file first, then its row, so that a kill leaves at worst a file without a row, which
``balayer_orphelins`` removes a day later.
"""

import io
import logging
import subprocess
import sys
import uuid as uuid_
from datetime import timedelta
from pathlib import PurePosixPath
from zipfile import is_zipfile

import filetype
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models
from django.http import FileResponse, Http404
from django.utils import timezone

from portail.outils import examen
from portail.outils.chiffrement import DonneeIllisible, chiffrer_octets, dechiffrer_octets

logger = logging.getLogger(__name__)

TYPES_ACCEPTES = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
EXTENSIONS = {"pdf": "application/pdf", "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"}
BLANCS = b"\0\t\n\f\r "  # what PDF calls white space
# Brands of the ISO format that iPhones and Samsungs write (ISO 23008-12).
MARQUES_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
COPIE = "Imprimez-le en PDF, puis envoyez cette copie."
REFUS_PDF = {
    "protege": "« {} » est protégé par un mot de passe. Envoyez-le sans protection.",
    "pages": f"« {{}} » doit compter de 1 à {examen.PAGES_MAX} pages.",
    "actif": f"« {{}} » contient un programme ou un fichier caché. {COPIE}",
    "mele": f"« {{}} » contient autre chose qu'un PDF. {COPIE}",
    "abime": "« {} » est abîmé et ne peut pas être lu. Enregistrez-le de nouveau.",
    "long": f"« {{}} » est trop compliqué à vérifier. {COPIE}",
}
REFUS_IMAGE = {
    "grand": "« {} » est une image trop grande. Envoyez-en une copie réduite.",
    "abime": "« {} » est abîmée et ne peut pas être lue. Reprenez la photo.",
    "long": "« {} » est une image trop lourde à lire. Envoyez-en une copie réduite.",
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
    annonce = EXTENSIONS.get(PurePosixPath(nom).suffix.lower().lstrip("."))
    if contenu[4:8] == b"ftyp" and contenu[8:12] in MARQUES_HEIC:
        raise ValidationError(
            f"« {nom} » est une photo au format HEIC, que nous ne savons pas lire. "
            "Réglez l'appareil photo sur « Le plus compatible » ou envoyez une capture d'écran."
        )
    deduit = filetype.guess(contenu)
    type_mime = deduit.mime if deduit else ""
    if annonce == "application/pdf" and b"%PDF-" in contenu[:1024]:  # readers look for it that far
        type_mime = annonce
    if type_mime not in TYPES_ACCEPTES or annonce != type_mime:
        raise ValidationError(f"« {nom} » n'est pas accepté. Envoyez un PDF, ou une photo JPEG ou PNG.")
    if type_mime == "application/pdf":
        _controler_bornes(nom, contenu)
    return nom, type_mime, _examiner(nom, type_mime, contenu)


def nom_propre(nom: str) -> str:
    """The last part of the name, printable and short, with its ending kept."""
    nom = " ".join(nom.replace("\\", "/").rsplit("/", 1)[-1].split())  # no-break spaces count as unprintable
    nom = "".join(c for c in nom if c.isprintable()).strip() or "document"
    chemin = PurePosixPath(nom)
    return f"{chemin.stem[:80]}{chemin.suffix[:10]}"


def _controler_bornes(nom, contenu):
    """A PDF from its first byte to its last: what surrounds it makes another kind of file of it too."""
    fin = contenu.rfind(b"%%EOF")
    if fin < 0:
        raise ValidationError(REFUS_PDF["abime"].format(nom))
    if not contenu.startswith(b"%PDF-") or contenu[fin + 5 :].strip(BLANCS) or is_zipfile(io.BytesIO(contenu)):
        raise ValidationError(REFUS_PDF["mele"].format(nom))


def _lire_a_part(type_mime, contenu):
    """What ``examen.py`` answers, « long » when the system had to stop it."""
    limites = [str(examen.SECONDES_MAX), str(examen.MEMOIRE_MAX)]
    commande = [sys.executable, "-I", examen.__file__, type_mime, *limites]
    try:
        attente = 10 * examen.SECONDES_MAX  # the machine may be busy
        lu = subprocess.run(commande, input=contenu, capture_output=True, env={}, timeout=attente, check=False)
    except subprocess.TimeoutExpired:
        return b"long"
    if lu.returncode > 0:  # it does not even start: nobody's paper is at fault
        lu.check_returncode()
    return b"long" if lu.returncode else lu.stdout  # stopped by the system, with a negative code


def _examiner(nom, type_mime, contenu):
    """Have it read; returns the bytes to keep."""
    mot, _, garde = _lire_a_part(type_mime, contenu).partition(b"\n")
    est_pdf = type_mime == "application/pdf"
    if mot != b"bon":
        raise ValidationError((REFUS_PDF if est_pdf else REFUS_IMAGE)[mot.decode()].format(nom))
    if len(garde) > settings.TAILLE_MAX_PIECE:  # drawn anew, noise weighs more than it did
        raise ValidationError(REFUS_IMAGE["grand"].format(nom))
    return contenu if est_pdf else garde


def ranger(nom: str, type_mime: str, contenu: bytes) -> dict:
    """Write the file, encrypted, and return the columns of its ``Piece``; to call before the row is made."""
    chemin = f"pieces/{timezone.now():%Y/%m}/{uuid_.uuid4().hex}.{TYPES_ACCEPTES[type_mime]}"
    nom_range = default_storage.save(chemin, ContentFile(chiffrer_octets(contenu)))
    return {"nom": nom, "type_mime": type_mime, "taille": len(contenu), "fichier": nom_range}


def lire(piece: Piece) -> bytes:
    """What the family sent, deciphered.

    :raises FileNotFoundError: the storage lost it.
    """
    with piece.fichier.open("rb") as fichier:
        return dechiffrer_octets(fichier.read())


def servir(piece: Piece):
    """The file as the browser may safely show it; the caller has checked the right to see it."""
    try:
        contenu = lire(piece)
    except (FileNotFoundError, DonneeIllisible):
        logger.exception("Pièce illisible : %s", piece.fichier.name)
        raise Http404("Fichier absent du stockage, ou abîmé") from None
    reponse = FileResponse(io.BytesIO(contenu), filename=piece.nom, content_type=piece.type_mime)
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
