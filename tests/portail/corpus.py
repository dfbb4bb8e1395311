"""The corpus of papers: what each is called, its bytes, and the verdict (qualite.md C5)."""

import random
import zlib

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.fabrique import (
    CATALOGUE,
    COULEUR,
    FEUILLES,
    PDF_SAIN,
    archive,
    avec,
    avec_morceaux,
    brut,
    catalogue,
    flux,
    image,
    linearise,
    morceau,
    page,
    pdf,
    pdf_a_objets_ranges,
    png,
    revision,
    segment,
    unie,
)

MIO = 1024 * 1024
COPIE = "Imprimez-le en PDF, puis envoyez cette copie."

PAS_ACCEPTE = "n'est pas accepté. Envoyez un PDF, ou une photo JPEG ou PNG."
HEIC = (
    "est une photo au format HEIC, que nous ne savons pas lire. "
    "Réglez l'appareil photo sur « Le plus compatible » ou envoyez une capture d'écran."
)
VIDE = "est vide. Choisissez-le de nouveau."
TROP_LOURD = "dépasse 5 Mo. Envoyez une photo moins lourde ou plusieurs fichiers."
PROTEGE = "est protégé par un mot de passe. Envoyez-le sans protection."
PAGES = "doit compter de 1 à 50 pages."
ACTIF = f"contient un programme ou un fichier caché. {COPIE}"
MELE = f"contient autre chose qu'un PDF. {COPIE}"
ABIME = "est abîmé et ne peut pas être lu. Enregistrez-le de nouveau."
TROP_COMPLIQUE = f"est trop compliqué à vérifier. {COPIE}"
ABIMEE = "est abîmée et ne peut pas être lue. Reprenez la photo."
TROP_GRANDE = "est une image trop grande. Envoyez-en une copie réduite."
TROP_LOURDE = "est une image trop lourde à lire. Envoyez-en une copie réduite."


def jpeg(**options):
    return image("JPEG", **options)


# --- Not a paper -------------------------------------------------------------------------------------------


def heif(marque):
    """The head of a photo of this brand."""
    return b"\0\0\0\x18ftyp" + marque + b"\0\0\0\0mif1" + marque + bytes(40)


PAGE_WEB = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'>%s</svg>"
SVG_ACTIF = SVG % b"<script>alert(1)</script>"
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
WINDOWS, LINUX, MAC = b"MZ\x90\0" + bytes(200), b"\x7fELF\2\1\1" + bytes(200), b"\xcf\xfa\xed\xfe" + bytes(200)
DOCX = archive("[Content_Types].xml", "word/document.xml")
XLSX = archive("[Content_Types].xml", "xl/workbook.xml")
XLSM = archive("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin")
ODT = archive("mimetype", "content.xml", contenu=b"application/vnd.oasis.opendocument.text")
VIEUX_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)

AUTRES = {
    "vide": ("rib.pdf", b"", VIDE),
    "photo vide": ("photo.jpg", b"", VIDE),
    "un octet de trop": ("rib.pdf", PDF_SAIN.ljust(5 * MIO + 1), TROP_LOURD),
    "HEIC": ("photo.heic", heif(b"heic"), HEIC),
    "HEIC en .jpg": ("photo.jpg", heif(b"heic"), HEIC),
    "HEIC en .pdf": ("photo.pdf", heif(b"heic"), HEIC),
    "HEIC de 10 bits": ("IMG_0001.HEIC", heif(b"heix"), HEIC),
    "HEIF": ("photo.heif", heif(b"mif1"), HEIC),
    "HEIF en rafale": ("photo.jpeg", heif(b"msf1"), HEIC),
    "AVIF": ("photo.avif", image("AVIF"), PAS_ACCEPTE),
    "AVIF en .jpg": ("photo.jpg", image("AVIF"), PAS_ACCEPTE),
    "WebP": ("photo.webp", image("WEBP"), PAS_ACCEPTE),
    "WebP en .jpg": ("photo.jpg", image("WEBP"), PAS_ACCEPTE),
    "GIF": ("photo.gif", image("GIF"), PAS_ACCEPTE),
    "GIF en .png": ("photo.png", image("GIF"), PAS_ACCEPTE),
    "GIF qui est un programme": ("photo.png", b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)", PAS_ACCEPTE),
    "TIFF": ("scan.tiff", image("TIFF"), PAS_ACCEPTE),
    "TIFF en .pdf": ("scan.pdf", image("TIFF"), PAS_ACCEPTE),
    "BMP": ("photo.bmp", image("BMP"), PAS_ACCEPTE),
    "JPEG 2000 en .jpg": ("photo.jpg", image("JPEG2000"), PAS_ACCEPTE),
    "PNG animé": ("photo.png", image("PNG", save_all=True, append_images=[Image.new("RGB", (60, 40))]), PAS_ACCEPTE),
    "SVG": ("logo.svg", SVG % b"", PAS_ACCEPTE),
    "SVG à programme": ("logo.svg", SVG_ACTIF, PAS_ACCEPTE),
    "SVG en .png": ("logo.png", SVG % b"", PAS_ACCEPTE),
    "SVG à programme en .png": ("logo.png", SVG_ACTIF, PAS_ACCEPTE),
    "page web": ("facture.html", PAGE_WEB, PAS_ACCEPTE),
    "page web en .pdf": ("facture.pdf", PAGE_WEB, PAS_ACCEPTE),
    "page web en .jpg": ("photo.jpg", PAGE_WEB, PAS_ACCEPTE),
    "texte en .pdf": ("rib.pdf", b"IBAN FR14", PAS_ACCEPTE),
    "essai d'antivirus": ("virus.com", EICAR, PAS_ACCEPTE),
    "essai d'antivirus en .pdf": ("virus.pdf", EICAR, PAS_ACCEPTE),
    "essai d'antivirus en archive": ("virus.zip", archive("virus.com", contenu=EICAR), PAS_ACCEPTE),
    "essai d'antivirus en archive, en .pdf": ("virus.pdf", archive("virus.com", contenu=EICAR), PAS_ACCEPTE),
    "archive": ("papiers.zip", archive("rib.pdf"), PAS_ACCEPTE),
    "archive en .png": ("papiers.png", archive("rib.pdf"), PAS_ACCEPTE),
    "Word": ("lettre.docx", DOCX, PAS_ACCEPTE),
    "Word en .pdf": ("lettre.pdf", DOCX, PAS_ACCEPTE),
    "vieux Word": ("lettre.doc", VIEUX_WORD, PAS_ACCEPTE),
    "Excel": ("budget.xlsx", XLSX, PAS_ACCEPTE),
    "Excel à macros": ("budget.xlsm", XLSM, PAS_ACCEPTE),
    "OpenDocument": ("lettre.odt", ODT, PAS_ACCEPTE),
    "RTF": ("lettre.rtf", rb"{\rtf1 bonjour}", PAS_ACCEPTE),
    "programme Windows": ("rib.exe", WINDOWS, PAS_ACCEPTE),
    "programme Windows en .pdf": ("rib.pdf", WINDOWS, PAS_ACCEPTE),
    "programme Linux": ("rib", LINUX, PAS_ACCEPTE),
    "programme Linux en .jpg": ("photo.jpg", LINUX, PAS_ACCEPTE),
    "programme Mac en .png": ("photo.png", MAC, PAS_ACCEPTE),
    "script": ("rib.sh", b"#!/bin/sh\nrm -rf ~\n", PAS_ACCEPTE),
    "script en .pdf": ("rib.pdf", b"#!/bin/sh\nrm -rf ~\n", PAS_ACCEPTE),
    "script PHP en .jpg": ("photo.jpg", b"<?php system($_GET[0]); ?>", PAS_ACCEPTE),
    "double extension .exe": ("photo.jpg.exe", jpeg(), PAS_ACCEPTE),
    "double extension .html": ("facture.pdf.html", PDF_SAIN, PAS_ACCEPTE),
    "programme à double extension": ("rib.exe.pdf", WINDOWS, PAS_ACCEPTE),
    "JPEG en .png": ("photo.png", jpeg(), PAS_ACCEPTE),
    "PNG en .jpg": ("photo.jpg", image("PNG"), PAS_ACCEPTE),
    "PNG en .pdf": ("photo.pdf", image("PNG"), PAS_ACCEPTE),
    "PDF en .jpg": ("rib.jpg", PDF_SAIN, PAS_ACCEPTE),
    "PDF en .docx": ("rib.docx", PDF_SAIN, PAS_ACCEPTE),
    "PDF sans extension": ("rib", PDF_SAIN, PAS_ACCEPTE),
    "JPEG sans extension": ("photo", jpeg(), PAS_ACCEPTE),
    "PDF au nom tout en extension": (".pdf", PDF_SAIN, PAS_ACCEPTE),
}


# --- PDF ---------------------------------------------------------------------------------------------------

JS = b"<< /S /JavaScript /JS (app.alert(1)) >>"
JS_MASQUE = b"<< /S /J#61vaScript /J#53 (app.alert(1)) >>"
ACTION = b"/OpenAction " + JS
NOTE = b"/Annots [<< /Type /Annot /Subtype /%s /Rect [0 0 9 9] %s >>]"
LIEN = b"/A << /S /%s /%s >>"


def kids(*references, compte):
    """A PDF whose page tree is this one."""
    noeud = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(b"%d 0 R" % r for r in references), compte)
    return brut(CATALOGUE % b"", noeud, FEUILLES[1])


PDF_REFUSES = {
    # Programs: in clear, with the name written otherwise, out of sight, in each place that starts one.
    "à programme à l'ouverture": (catalogue(ACTION), ACTIF),
    "à programme masqué": (catalogue(b"/OpenAction " + JS_MASQUE), ACTIF),
    "à programme rangé": (pdf_a_objets_ranges(JS), ACTIF),
    "à programme rangé et masqué": (pdf_a_objets_ranges(JS_MASQUE), ACTIF),
    "à programme, catalogue hors table": (PDF_SAIN.replace(b"/Root 1 0 R", b"/Root " + CATALOGUE % ACTION), ACTIF),
    "à programme hors table": (catalogue(b"/OpenAction 9 0 R", b"null\nendobj\n9 0 obj\n" + JS), ACTIF),
    "à programme, table perdue": (catalogue(ACTION).replace(b"startxref\n", b"startxref\n9"), ACTIF),
    "à programme ajouté après coup": (revision(PDF_SAIN, 1, CATALOGUE % ACTION), ACTIF),
    "à programme nommé": (catalogue(b"/Names << /JavaScript << /Names [(a) 4 0 R] >> >>", JS), ACTIF),
    "à programme à la page": (page(b"/AA << /O %s >>" % JS), ACTIF),
    "à programme au champ": (
        catalogue(b"/AcroForm << /Fields [4 0 R] >>", b"<< /FT /Tx /AA << /K %s >> >>" % JS),
        ACTIF,
    ),
    "à programme au lien": (page(NOTE % (b"Link", b"/A " + JS)), ACTIF),
    "à programme au film": (page(NOTE % (b"Screen", b"/A << /S /Rendition /JS (x) >>")), ACTIF),
    "qui lance": (catalogue(b"/OpenAction << /S /Launch /F (cmd.exe) >>"), ACTIF),
    "qui lance au lien": (page(NOTE % (b"Link", LIEN % (b"Launch", b"F (cmd.exe)"))), ACTIF),
    "à fichier caché": (pdf(add_attachment={"filename": "x.exe", "data": WINDOWS}), ACTIF),
    "à fichier en note": (page(NOTE % (b"FileAttachment", b"/FS << /EF << /F 4 0 R >> >>"), flux(b"", EICAR)), ACTIF),
    "à film": (page(NOTE % (b"RichMedia", b"/RichMediaContent << >>")), ACTIF),
    "à formulaire XFA": (catalogue(b"/AcroForm << /XFA 4 0 R /Fields [] >>", flux(b"", b"<xdp/>")), ACTIF),
    "qui envoie": (page(NOTE % (b"Widget", LIEN % (b"SubmitForm", b"F (http://a.example)"))), ACTIF),
    "qui importe": (page(NOTE % (b"Widget", LIEN % (b"ImportData", b"F (a.fdf)"))), ACTIF),
    "à lien vers un fichier": (page(NOTE % (b"Link", LIEN % (b"GoToR", rb"F (\\\\a.example\\x.pdf)"))), ACTIF),
    "à lien vers un fichier caché": (page(NOTE % (b"Link", LIEN % (b"GoToE", b"T << /R /C >>"))), ACTIF),
    # Locked, or with too few or too many pages.
    "protégé": (pdf(encrypt={"user_password": "mot"}), PROTEGE),
    "protégé par AES": (pdf(encrypt={"user_password": "mot", "algorithm": "AES-256"}), PROTEGE),
    "de 51 pages": (pdf(pages=51), PAGES),
    "de 51 pages qui en dit une": (kids(*[3] * 51, compte=1), PAGES),
    "sans page": (pdf(pages=0), PAGES),
    "sans page qui en dit une": (kids(compte=1), PAGES),
    # Broken.
    "coupé": (PDF_SAIN[: len(PDF_SAIN) // 2], ABIME),
    "coupé à la fin": (PDF_SAIN[:-6], ABIME),
    "réduit à son début et à sa fin": (b"%PDF-1.7\n%%EOF", ABIME),
    "aux pages en rond": (brut(CATALOGUE % b"", b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"), ABIME),
    "aux pages en grand rond": (
        brut(CATALOGUE % b"", *[b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % n for n in (3, 4, 2)]),
        ABIME,
    ),
    "aux crochets sans fond": (catalogue(b"", b"[" * 100_000), ABIME),
    "à objets mal rangés": (pdf_a_objets_ranges(b"<< >>", type_=b"/ObjStn"), ABIME),
    "à filtre inconnu": (pdf_a_objets_ranges(b"<< >>", filtre=b"/FlateDecod"), ABIME),
    # Two files in one: the other one is what somebody else's program would open.
    "après une page web": (PAGE_WEB + PDF_SAIN, MELE),
    "après une ligne vide": (b"\n" + PDF_SAIN, MELE),
    "après une marque d'Unicode": (b"\xef\xbb\xbf" + PDF_SAIN, MELE),
    "après un programme Windows": (WINDOWS + PDF_SAIN, MELE),
    "dans une photo": (avec(jpeg(), segment(0xFE, PDF_SAIN)), MELE),
    "après 2 ko d'autre chose": (b"x" * 2048 + PDF_SAIN, PAS_ACCEPTE),
    "suivi d'une page web": (PDF_SAIN + PAGE_WEB, MELE),
    "suivi d'un programme PHP": (PDF_SAIN + b"\n<?php system($_GET[0]); ?>", MELE),
    "suivi d'une photo": (PDF_SAIN + jpeg(), MELE),
    "suivi d'une archive": (PDF_SAIN + archive("a.exe"), MELE),
    "suivi d'une archive qui finit en PDF": (
        PDF_SAIN + archive("a.exe", commentaire=PDF_SAIN[PDF_SAIN.index(b"startxref") :]),
        MELE,
    ),
}

FORMULAIRE = catalogue(b"/AcroForm << /Fields [4 0 R] >>", b"<< /FT /Tx /T (nom) /V (Durand) >>")
PDF_GARDES = {
    "fermé aux changements, ouvert à tous": pdf(encrypt={"user_password": "", "owner_password": "maître"}),
    "d'une page": PDF_SAIN,
    "de 50 pages": pdf(pages=50),
    "numérisé": image("PDF"),
    "de version 2.0": PDF_SAIN.replace(b"%PDF-1.7", b"%PDF-2.0"),
    "de version 1.3": PDF_SAIN.replace(b"%PDF-1.7", b"%PDF-1.3"),
    "préparé pour le web": linearise(),
    "complété après coup": revision(PDF_SAIN, 4, b"<< /Producer (b) >>"),
    "à objets rangés": pdf_a_objets_ranges(b"<< /S /GoTo /D [3 0 R /Fit] >>"),
    "à formulaire": FORMULAIRE,
    # A link waits for a click, and the reader or the browser shows where it leads.
    "à lien": page(NOTE % (b"Link", LIEN % (b"URI", b"URI (https://www.caf.fr/)"))),
    "ouvert à une page": catalogue(b"/OpenAction << /S /GoTo /D [3 0 R /Fit] >>"),
    # « /JS » comes by chance in the bytes of one scan in some hundreds.
    "aux octets /JS": catalogue(b"", flux(b"/Filter /DCTDecode", b"\xff\xd8 \x91/JS\x07 /Launch\xff\xd9")),
    "à référence perdue": catalogue(b"/Outlines 77 0 R"),
    "à table mal placée": PDF_SAIN.replace(b"startxref\n", b"startxref\n9"),
    # Its first bytes say PDF, and so does the header it is served with: no browser reads the comment.
    "à commentaire de page web": PDF_SAIN.replace(b"\n", b"\n%" + PAGE_WEB + b"\n", 1),
    "aux lignes vides à la fin": PDF_SAIN + b"\r\n\r\n" + bytes(512),
    "de 5 Mo juste": PDF_SAIN.ljust(5 * MIO),
    # 100 MB of blanks on the page: never inflated here, and a browser draws them or gives up.
    "à page gonflée": page(b"/Contents 4 0 R", flux(b"/Filter /FlateDecode", zlib.compress(bytes(100 * MIO), 1))),
}


# --- Images ------------------------------------------------------------------------------------------------

NOM = b"Claire Durand"  # what must be gone
GRIS = (90, 90, 90)  # of teal
NOIRE = Image.new("RGB", (60, 40))
EXIF = Image.Exif()
EXIF[0x010F], EXIF[0x013B] = "Canon", NOM.decode()
EXIF.get_ifd(0x8825).update({1: "N", 2: (47.0, 12.0, 11.0), 3: "E", 4: (2.0, 24.0, 55.0)})
VIGNETTE = segment(0xE1, b"Exif\0\0" + EXIF.tobytes().removeprefix(b"Exif\0\0") + jpeg())
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><creator>%s</creator></x:xmpmeta>" % NOM
NOTES = PngInfo()
NOTES.add_text("Author", NOM.decode())
NOTES.add_text("Comment", NOM.decode(), zip=True)
NOTES.add_itxt("XML:com.adobe.xmp", XMP.decode())
PHP = b"<?php /* %s */ system($_GET[0]); ?>" % NOM
PASSES = [(1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4)]  # of an interlaced PNG of 8 by 8: width, height
ENTRELACE = b"".join((b"\0" + bytes(COULEUR) * large) * haut for large, haut in PASSES)

IMAGES_GARDEES = {
    "JPEG": ("photo.jpg", jpeg(), COULEUR),
    "JPEG en .jpeg": ("photo.jpeg", jpeg(), COULEUR),
    "JPEG en .JPG": ("PHOTO.JPG", jpeg(), COULEUR),
    "JPEG progressif": ("photo.jpg", jpeg(progressive=True), COULEUR),
    "JPEG d'imprimeur": ("photo.jpg", jpeg(dessin=unie("CMYK")), COULEUR),
    "JPEG gris": ("photo.jpg", jpeg(dessin=unie("L")), GRIS),
    "JPEG à position": ("photo.jpg", jpeg(exif=EXIF), COULEUR),
    "JPEG à vignette": ("photo.jpg", avec(jpeg(), VIGNETTE), COULEUR),
    "JPEG à profil": ("photo.jpg", jpeg(icc_profile=ICC), COULEUR),
    "JPEG à XMP": ("photo.jpg", avec(jpeg(), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)), COULEUR),
    "JPEG à légende": ("photo.jpg", avec(jpeg(), segment(0xED, b"Photoshop 3.0\x008BIM" + NOM)), COULEUR),
    "JPEG à commentaire": ("photo.jpg", jpeg(comment=NOM), COULEUR),
    "JPEG à deux vues": ("photo.jpg", image("MPO", save_all=True, append_images=[NOIRE]), COULEUR),
    "JPEG à double extension": ("photo.php.jpg", avec(jpeg(), segment(0xFE, PHP)), COULEUR),
    "JPEG suivi de PHP": ("photo.jpg", jpeg() + PHP, COULEUR),
    "JPEG suivi d'une archive": ("photo.jpg", jpeg() + archive("a.exe", contenu=NOM), COULEUR),
    "JPEG qui est un PDF": ("photo.jpg", avec(jpeg(), segment(0xFE, PDF_SAIN + NOM)), COULEUR),
    "PNG": ("photo.png", image("PNG"), COULEUR),
    "PNG à palette": ("photo.png", image("PNG", unie().quantize(2)), COULEUR),
    "PNG gris": ("photo.png", image("PNG", unie("L")), GRIS),
    "PNG gris de 16 bits": ("photo.png", png((b"\0" + b"\x5a\0" * 8) * 8, profondeur=16, genre=0), GRIS),
    "PNG de 16 bits": ("photo.png", png((b"\0" + b"\0\0\x80\0\x80\0" * 8) * 8, profondeur=16), COULEUR),
    "PNG entrelacé": ("photo.png", png(ENTRELACE, entrelace=1), COULEUR),
    "PNG à notes": ("photo.png", image("PNG", pnginfo=NOTES, exif=EXIF, icc_profile=ICC), COULEUR),
    "PNG à morceau inconnu": ("photo.png", avec_morceaux(image("PNG"), morceau(b"prVt", NOM)), COULEUR),
    "PNG suivi de PHP": ("photo.png", image("PNG") + PHP, COULEUR),
    # What is beyond the pixels announced is never inflated.
    "PNG qui gonfle": ("photo.png", png(bytes(100 * MIO)), (0, 0, 0)),
}

GRANDE_JPEG = jpeg(dessin=unie(taille=(400, 400)), quality=95)
GRAND_PNG = image("PNG", Image.frombytes("RGB", (60, 40), random.Random(1).randbytes(7200)))
FAUSSE_SOMME = bytearray(GRAND_PNG)
FAUSSE_SOMME[-13] ^= 1  # last byte before IEND: the sum of the pixels
FAUX_ENTETE = bytearray(GRAND_PNG)
FAUX_ENTETE[32] ^= 1


def jpeg_de(cote):
    """A JPEG that announces ``cote`` by ``cote`` pixels."""
    taille = b"\xff\xc0\x00\x11\x08"
    return jpeg().replace(taille + b"\x00\x28\x00\x3c", taille + cote.to_bytes(2, "big") * 2)


IMAGES_REFUSEES = {
    "JPEG coupé": ("photo.jpg", GRANDE_JPEG[:900], ABIMEE),
    "JPEG réduit à son début": ("photo.jpg", jpeg()[:20], ABIMEE),
    "JPEG brouillé": ("photo.jpg", jpeg()[:300] + random.Random(1).randbytes(300), ABIMEE),
    "JPEG sans pixel": ("photo.jpg", jpeg_de(0), ABIMEE),
    "JPEG de 65 535 pixels de côté": ("photo.jpg", jpeg_de(65_535), TROP_GRANDE),
    "PNG coupé": ("photo.png", GRAND_PNG[:3000], ABIMEE),
    "PNG réduit à son début": ("photo.png", GRAND_PNG[:20], ABIMEE),
    "PNG à somme fausse": ("photo.png", bytes(FAUSSE_SOMME), ABIMEE),
    "PNG à en-tête faux": ("photo.png", bytes(FAUX_ENTETE), ABIMEE),
    "PNG sans pixel": ("photo.png", png(b"", 100), ABIMEE),
    "PNG à note qui gonfle": (
        "photo.png",
        avec_morceaux(image("PNG"), morceau(b"zTXt", b"a\0\0" + zlib.compress(bytes(50 * MIO), 1))),
        ABIMEE,
    ),
    "PNG de 8 000 pixels de côté": ("photo.png", png(b"", 8_000), TROP_GRANDE),
    "PNG de 10 000 pixels de côté": ("photo.png", png(b"", 10_000), TROP_GRANDE),
    "PNG de 30 000 pixels de côté": ("photo.png", png(b"", 30_000), TROP_GRANDE),
}


# --- Bombs -------------------------------------------------------------------------------------------------


def jpeg_de_passes(nombre):
    """A progressive JPEG whose last scan comes again and again: each one draws the whole image."""
    photo = jpeg(dessin=unie(taille=(2000, 2000)), progressive=True)
    return photo[:-2] + photo[photo.rindex(b"\xff\xc4") : -2] * nombre + photo[-2:]


NOMBRES = b"[" + b"1 " * 90_000 + b"]"
OBJETS_GONFLES = flux(b"/Type /ObjStm /N 1 /First 5 /Filter /FlateDecode", zlib.compress(b"1 1 " * 2_000_000))
BOMBES = {
    "PDF à table menteuse": (
        "a.pdf",
        brut(CATALOGUE % b"", *FEUILLES, flux(b"", b"9" * MIO), faux_numeros=9000),
        TROP_COMPLIQUE,
    ),
    "PDF à objets gonflés": (
        "a.pdf",
        catalogue(b"", *[OBJETS_GONFLES] * 20).replace(b"startxref\n", b"startxref\n9"),
        TROP_COMPLIQUE,
    ),
    "PDF à deux millions de nombres": ("a.pdf", catalogue(b"", *[NOMBRES] * 25), TROP_COMPLIQUE),
    "JPEG à 3 000 passes": ("a.jpg", jpeg_de_passes(3000), TROP_LOURDE),
    "PNG à 3 000 profils": (
        "a.png",
        avec_morceaux(image("PNG"), morceau(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**6))) * 3000),
        TROP_LOURDE,
    ),
}


# --- All that is refused -----------------------------------------------------------------------------------

REFUSES = {
    **AUTRES,
    **{f"PDF {nom}": ("rib.pdf", contenu, phrase) for nom, (contenu, phrase) in PDF_REFUSES.items()},
    **IMAGES_REFUSEES,
}
