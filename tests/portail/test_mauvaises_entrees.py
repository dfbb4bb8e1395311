"""Bad input: a clear French page, nothing written, nothing lost of what was typed (qualite.md C1, C5)."""

import io
import random
import re
import struct
import zlib
from contextlib import contextmanager
from html import unescape
from html.parser import HTMLParser
from urllib.parse import quote_from_bytes

import pytest
from django.conf import settings as reglages
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as essais
from PIL import Image
from pypdf import PdfWriter

from demandes.models import Demande, PieceJointe
from demandes.types import TYPES
from familles.models import Famille, OubliMotDePasse
from tests.conftest import ClientVerifie

pytestmark = pytest.mark.django_db

ICI = {"HTTP_ORIGIN": "http://testserver"}
CAF = {"caisse": "MSA Beauce", "numero_allocataire": "7654321", "quotient": "812", "mois": "01/2020"}


def titre(reponse):
    return unescape(re.search(r"<h1>(.*?)</h1>", reponse.content.decode())[1])


def texte(reponse):
    return unescape(reponse.content.decode())


def ecrits():
    """What a form of a family may have written."""
    demandes = Demande.objects.order_by("pk").values_list("pk", "version", "etat", "valeurs_demandees")
    return list(demandes), PieceJointe.objects.count(), list(fichiers())


def fichiers(dossier="pieces"):
    if default_storage.exists(dossier):
        sous_dossiers, noms = default_storage.listdir(dossier)
        yield from noms
        for sous_dossier in sous_dossiers:
            yield from fichiers(f"{dossier}/{sous_dossier}")


class Formulaire(HTMLParser):
    """The main form of a page as a browser would send it: its address, its named inputs in order."""

    def __init__(self, reponse):
        super().__init__()
        self.formulaires, self.courant = [], None
        self.feed(reponse.content.decode())
        (formulaire,) = [f for f in self.formulaires if f["action"] != "/deconnexion/"]
        self.action, self.champs = formulaire["action"], formulaire["champs"]

    def handle_starttag(self, balise, attributs):
        attributs = dict(attributs)
        if balise == "form":
            self.courant = {"action": attributs.get("action", ""), "champs": []}
            self.formulaires.append(self.courant)
        elif balise == "input" and self.courant and attributs.get("name"):
            self.courant["champs"].append((attributs["name"], attributs.get("value", "")))

    def handle_endtag(self, balise):
        if balise == "form":
            self.courant = None

    def saisie(self):
        """Values by name, several to a name, without the token."""
        valeurs = {}
        for nom, valeur in self.champs:
            if nom != "csrfmiddlewaretoken":
                valeurs.setdefault(nom, []).append(valeur)
        return valeurs

    def renvoyer(self, navigateur):
        return navigateur.post(self.action, {**self.saisie(), "csrfmiddlewaretoken": self.jeton()}, **ICI)

    def jeton(self):
        return dict(self.champs)["csrfmiddlewaretoken"]


# --- The page that stood open too long ---------------------------------------------------------------------


@pytest.fixture
def durand(comptes):
    """Claire's browser, which checks the tokens of the forms like a real one; nothing of hers waits."""
    Demande.objects.update(etat="RETIREE", traitee_le="2020-01-01T00:00Z", traitee_par=comptes["durand"])
    navigateur = ClientVerifie(enforce_csrf_checks=True)
    navigateur.force_login(comptes["durand"], "familles.connexion.CompteActif")
    return navigateur


PAGE = "/mon-compte/caf/"


def test_une_page_expiree_rend_la_saisie_et_la_renvoie(durand):
    avant = ecrits()
    reponse = durand.post(PAGE, {**CAF, "caisse": "L'« école » <b>&amp;"}, **ICI)
    assert (reponse.status_code, titre(reponse), ecrits()) == (403, "Cette page a expiré", avant)
    assert ("votre saisie est gardée" in texte(reponse), b"<b>" in reponse.content) == (True, False)
    rendu = Formulaire(reponse)
    assert rendu.action == PAGE
    assert rendu.saisie() == {nom: [valeur] for nom, valeur in CAF.items()} | {"caisse": ["L'« école » <b>&amp;"]}
    assert rendu.renvoyer(durand).status_code == 302
    demandees = Demande.objects.en_attente().get().valeurs_demandees
    assert (demandees["caisse"], demandees["numero_allocataire"]) == ("L'« école » <b>&amp;", "7654321")


def test_une_page_expiree_garde_les_cases_cochees_plusieurs_fois(durand):
    reponse = durand.post(f"{PAGE}?de=loin", {"retirer": ["un", "deux"], "caisse": ""}, **ICI)
    rendu = Formulaire(reponse)
    assert (rendu.action, rendu.saisie()) == (f"{PAGE}?de=loin", {"retirer": ["un", "deux"], "caisse": [""]})


def test_une_page_expiree_dit_que_les_fichiers_sont_a_rajouter(durand):
    reponse = durand.post(PAGE, {**CAF, "pieces": SimpleUploadedFile("rib.pdf", b"%PDF")}, **ICI)
    assert (reponse.status_code, "Les fichiers joints ne peuvent pas être gardés" in texte(reponse)) == (403, True)


@pytest.mark.parametrize(
    "origine",
    [
        {"HTTP_ORIGIN": "https://ailleurs.example"},
        {"HTTP_ORIGIN": "http://testserver.ailleurs.example"},
        {"HTTP_ORIGIN": "http://testserver:8080"},
        {"HTTP_ORIGIN": "http://ailleurs.example@testserver"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": "null", "HTTP_REFERER": "http://testserver/mon-compte/"},
        {"HTTP_REFERER": "https://ailleurs.example/testserver"},
        {},
    ],
)
def test_un_formulaire_forge_ailleurs_ne_se_fait_rien_rendre(origine, durand):
    avant = ecrits()
    reponse = durand.post(PAGE, CAF, **origine)
    assert (reponse.status_code, titre(reponse), ecrits()) == (403, "Cette page a expiré", avant)
    assert [valeur for valeur in ("MSA Beauce", "7654321") if valeur in texte(reponse)] == []


def test_une_origine_illisible_ne_casse_pas_la_page_expiree(durand):
    assert durand.post(PAGE, CAF, HTTP_ORIGIN="http://[").status_code == 403


def test_a_defaut_d_origine_la_page_precedente_fait_foi(durand):
    reponse = durand.post(PAGE, CAF, HTTP_REFERER="http://testserver/mon-compte/caf/")
    assert Formulaire(reponse).saisie() == {nom: [valeur] for nom, valeur in CAF.items()}


@pytest.mark.parametrize(
    ("page", "saisie"),
    [
        ("/connexion/", {"username": "durand", "password": "MotSecret18"}),
        ("/mot-de-passe/", {"ancien": "MotSecret17", "new_password1": "MotSecret18", "new_password2": "MotSecret18"}),
        ("/mot-de-passe/nouveau/MQ/choisir/", {"new_password1": "MotSecret18", "new_password2": "MotSecret18"}),
    ],
)
def test_un_mot_de_passe_n_est_jamais_rendu(page, saisie, durand):
    reponse = durand.post(page, saisie, **ICI)
    assert (reponse.status_code, "MotSecret" in texte(reponse)) == (403, False)


def couper(navigateur):
    Session.objects.all().delete()


def laisser_dormir(navigateur):
    session = navigateur.session
    session["vu_le"] -= 31 * 60
    session.save()


@pytest.mark.parametrize("fin", [couper, laisser_dormir])
def test_une_session_fermee_au_milieu_d_un_formulaire_n_en_perd_rien(fin, durand, comptes, mot_de_passe):
    jeton = Formulaire(durand.get(PAGE)).jeton()
    fin(durand)
    avant = ecrits()
    reponse = durand.post(PAGE, {**CAF, "csrfmiddlewaretoken": jeton}, **ICI)
    assert (reponse.status_code, titre(reponse), ecrits()) == (403, "Cette page a expiré", avant)
    assert "Reconnectez-vous dans un nouvel onglet" in texte(reponse)
    en_attente = Formulaire(reponse)
    assert en_attente.saisie() == {nom: [valeur] for nom, valeur in CAF.items()}

    connexion = Formulaire(durand.get("/connexion/"))
    acces = {"username": "durand", "password": mot_de_passe, "csrfmiddlewaretoken": connexion.jeton()}
    assert durand.post("/connexion/", acces, **ICI).url == "/"

    # Logging in renews the token: the page that waits is sent once more, with the values and the new token.
    encore = en_attente.renvoyer(durand)
    assert Formulaire(encore).saisie() == en_attente.saisie()
    assert "Reconnectez-vous" not in texte(encore)
    assert Formulaire(encore).renvoyer(durand).status_code == 302
    assert Demande.objects.en_attente().get().valeurs_demandees["numero_allocataire"] == "7654321"


# --- Addresses and fields that no browser sends ------------------------------------------------------------


@pytest.mark.parametrize(
    "adresse",
    ["/%00", "/mon-compte/%00caf/", "/demandes/?page=%00", "/messagerie/?page=1&x=a%00b", "/connexion/?next=/%00"],
)
def test_un_nul_dans_une_adresse_est_refuse(adresse, connecter):
    for navigateur in (Client(), connecter("durand")):
        reponse = sans_controle(navigateur, adresse)
        assert (reponse.status_code, titre(reponse)) == (400, "Adresse illisible")


def sans_controle(navigateur, adresse):
    """The page alone: its headers have a test of their own, below."""
    simple = Client()
    simple.cookies = navigateur.cookies
    return simple.get(adresse)


@pytest.mark.parametrize("requete", [{"path": "/%00"}, {"path": "/", "CONTENT_LENGTH": str(300 * 1024 * 1024)}])
def test_une_entree_illisible_a_les_memes_en_tetes_que_les_autres_pages(requete, distribution):
    assert ClientVerifie().get(**requete).status_code in (400, 413)


@pytest.mark.parametrize("type_", TYPES)
def test_un_nul_dans_un_champ_est_dit_et_rien_n_est_ecrit(type_, connecter):
    navigateur = connecter("martin")
    champs = TYPES[type_].formulaire.base_fields
    textes = {nom: "a\x00b" for nom, champ in champs.items() if not hasattr(champ, "choices")}
    reponse = navigateur.post(f"/mon-compte/{type_}/", textes)
    assert reponse.status_code == 422
    assert "rien n'est envoyé pour l'instant" in texte(reponse)
    assert not Famille.objects.get(responsables__utilisateur__identifiant="martin").demandes.exists()


def test_un_nul_a_l_entree_est_dit(client, distribution):
    for page, saisie in {
        "/connexion/": {"username": "dur\x00and", "password": "x\x00"},
        "/mot-de-passe/oublie/": {"saisie": "dur\x00and"},
    }.items():
        reponse = client.post(page, saisie)
        assert (reponse.status_code, "Le caractère nul n’est pas autorisé." in texte(reponse)) == (200, True)
    assert not OubliMotDePasse.objects.exists()


INCONNU = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("qui", [None, "durand", "agent"])
def test_une_adresse_inconnue_est_une_page_claire(qui, client, connecter):
    navigateur = connecter(qui) if qui else client
    inconnues = ["/inconnue/", "/mes-enfants/abc/", "/demandes/abc/", "/wp-login.php", "/é/", "/mon-compte/caf/x/"]
    if qui == "durand":
        inconnues += ["/mon-compte/inconnu/", "/admin/", "/admin/inconnue/"]
        inconnues += [f"/{quoi}/{INCONNU}/" for quoi in ("demandes", "demandes/pieces", "messagerie", "mes-enfants")]
    vues = {adresse: navigateur.get(adresse) for adresse in inconnues}
    lues = {adresse: (reponse.status_code, titre(reponse)) for adresse, reponse in vues.items()}
    assert lues == dict.fromkeys(inconnues, (404, "Page introuvable"))
    assert ["Revenir à l'accueil" in texte(reponse) for reponse in vues.values()] == [True] * len(inconnues)


def test_un_formulaire_demesure_est_refuse(connecter):
    navigateur, avant = connecter("durand"), ecrits()
    trop_long = b"caisse=" + b"x" * 3_000_000
    trop_de_champs = b"&".join(b"c%d=x" % n for n in range(2500))
    for corps in (trop_long, trop_de_champs):
        reponse = navigateur.generic("POST", PAGE, corps, "application/x-www-form-urlencoded")
        assert (reponse.status_code, "Rien n'a été enregistré" in texte(reponse)) == (400, True)
    assert ecrits() == avant


def test_un_envoi_demesure_est_refuse_avant_d_etre_lu(distribution):
    reponse = Client().post(PAGE, CAF, CONTENT_LENGTH=str(300 * 1024 * 1024))
    assert (reponse.status_code, titre(reponse)) == (413, "Envoi trop lourd")


def test_un_iban_faux_garde_le_reste_de_la_saisie(connecter):
    navigateur, avant = connecter("durand"), ecrits()
    saisie = {"titulaire": "Claire et Julien D.", "iban": "FR76 3000 6000 0112 3456 7890 188", "bic": "AGRIFRPP"}
    reponse = navigateur.post("/mon-compte/bancaires/", saisie)
    page = texte(reponse)
    assert (reponse.status_code, ecrits()) == (422, avant)
    assert "Cet IBAN n'est pas valable" in page
    assert [valeur for valeur in saisie.values() if f'value="{valeur}"' not in page] == []
    assert "FR1420041010050500013M02606" not in page, "l'IBAN du dossier paraît en entier"


# --- Papers ------------------------------------------------------------------------------------------------


def brut(*objets):
    """A PDF made of these objects by hand, the catalogue first."""
    corps, places = b"%PDF-1.7\n", []
    for numero, objet in enumerate(objets, 1):
        places.append(len(corps))
        corps += b"%d 0 obj\n%s\nendobj\n" % (numero, objet)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    fin = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objets) + 1, len(corps))
    return corps + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objets) + 1) + table + fin


def flux(entetes, contenu):
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entetes, len(contenu), contenu)


CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R %s >>"
FEUILLES = [
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
]
PDF_SAIN = brut(CATALOGUE % b"", *FEUILLES)


def pdf(*, pages=1, **changements):
    """A PDF of pypdf, after calls of its writer: ``pdf(encrypt=("mot",))``."""
    ecrivain, sortie = PdfWriter(), io.BytesIO()
    for _ in range(pages):
        ecrivain.add_blank_page(200, 200)
    for methode, arguments in changements.items():
        getattr(ecrivain, methode)(*arguments)
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
    corps, places = b"%PDF-1.7\n", [0]
    for numero, objet in enumerate((CATALOGUE % b"/OpenAction 5 0 R", *FEUILLES, flux(entetes, range_)), 1):
        places.append(len(corps))
        corps += b"%d 0 obj\n%s\nendobj\n" % (numero, objet)
    suivant = len(places) + len(objets)
    lignes = [struct.pack(">BHB", 0, 0, 255)] + [struct.pack(">BHB", 1, place, 0) for place in places[1:]]
    lignes += [struct.pack(">BHB", 2, 4, rang) for rang in range(len(objets))]
    lignes.append(struct.pack(">BHB", 1, len(corps), 0))
    table = flux(b"/Type /XRef /W [1 2 1] /Size %d /Root 1 0 R" % (suivant + 1), b"".join(lignes))
    return corps + b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF" % (suivant, table, len(corps))


def image(format_="JPEG", taille=(60, 40), **options):
    sortie = io.BytesIO()
    Image.new("RGB", taille, "teal").save(sortie, format_, **options)
    return sortie.getvalue()


def png_de(cote):
    """A PNG that announces ``cote`` by ``cote`` pixels and holds none."""
    entete = struct.pack(">IIBBBBB", cote, cote, 8, 2, 0, 0, 0)
    morceaux = b""
    for nom, contenu in ((b"IHDR", entete), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
        morceaux += struct.pack(">I", len(contenu)) + nom + contenu + struct.pack(">I", zlib.crc32(nom + contenu))
    return b"\x89PNG\r\n\x1a\n" + morceaux


ACTION = b"/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"
ACTION_MASQUEE = b"/OpenAction << /S /J#61vaScript /J#53 (app.alert(1)) >>"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(40)
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
PAS_ACCEPTE = "n'est pas accepté. Envoyez un PDF, ou une photo JPEG ou PNG."
ABIME = "est abîmé et ne peut pas être lu. Enregistrez-le de nouveau."
IMAGE_ABIMEE = "est abîmée et ne peut pas être lue. Reprenez la photo."
ACTIF = "contient un programme ou un fichier caché."

REFUSES = {
    "vide": ("rib.pdf", b"", "est vide"),
    "trop lourd": ("rib.pdf", PDF_SAIN + b"%" * 5 * 1024 * 1024, "dépasse 5 Mo."),
    "programme en .pdf": ("rib.pdf", b"MZ\x90\x00" + bytes(200), PAS_ACCEPTE),
    "programme": ("rib.exe", b"MZ\x90\x00" + bytes(200), PAS_ACCEPTE),
    "double extension": ("rib.pdf.exe", PDF_SAIN, PAS_ACCEPTE),
    "sans extension": ("rib", PDF_SAIN, PAS_ACCEPTE),
    "page web en .jpg": ("photo.jpg", b"<html><script>alert(1)</script></html>", PAS_ACCEPTE),
    "page web devant un PDF": ("rib.pdf", b"<html><script>alert(1)</script>" + PDF_SAIN, PAS_ACCEPTE),
    "image vectorielle": ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", PAS_ACCEPTE),
    "image vectorielle en .png": ("logo.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", PAS_ACCEPTE),
    "archive": ("rib.pdf", b"PK\x03\x04" + bytes(200), PAS_ACCEPTE),
    "GIF en .png": ("photo.png", image("GIF"), PAS_ACCEPTE),
    "JPEG en .png": ("photo.png", image("JPEG"), PAS_ACCEPTE),
    "PNG en .pdf": ("photo.pdf", image("PNG"), PAS_ACCEPTE),
    "essai d'antivirus": ("virus.pdf", EICAR, PAS_ACCEPTE),
    "photo d'iPhone": ("photo.heic", HEIC, "format HEIC, que nous ne savons pas lire"),
    "photo d'iPhone en .jpg": ("photo.jpg", HEIC, "format HEIC, que nous ne savons pas lire"),
    "PDF protégé": ("rib.pdf", pdf(encrypt=("mot",)), "est protégé par un mot de passe."),
    "PDF protégé sans mot": ("rib.pdf", pdf(encrypt=("", "maître")), "est protégé par un mot de passe."),
    "PDF de 51 pages": ("rib.pdf", pdf(pages=51), "doit compter de 1 à 50 pages."),
    "PDF sans page": ("rib.pdf", pdf(pages=0), "doit compter de 1 à 50 pages."),
    "PDF à programme": ("rib.pdf", brut(CATALOGUE % ACTION, *FEUILLES), ACTIF),
    "PDF à programme rangé": ("rib.pdf", pdf_a_objets_ranges(b"<< /S /JavaScript /JS (app.alert(1)) >>"), ACTIF),
    "PDF à programme rangé et masqué": ("rib.pdf", pdf_a_objets_ranges(b"<< /S /J#61vaScript /J#53 (x) >>"), ACTIF),
    "PDF à fichier caché": ("rib.pdf", pdf(add_attachment=("x.exe", b"MZ")), ACTIF),
    "PDF qui lance": ("rib.pdf", brut(CATALOGUE % b"/OpenAction << /S /Launch /F (cmd.exe) >>", *FEUILLES), ACTIF),
    "PDF tronqué": ("rib.pdf", b"%PDF-1.7\n%%EOF", ABIME),
    "PDF en rond": ("rib.pdf", brut(CATALOGUE % b"", b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"), ABIME),
    "JPEG tronqué": ("photo.jpg", image(taille=(400, 400), quality=95)[:900], IMAGE_ABIMEE),
    "JPEG brouillé": ("photo.jpg", image()[:300] + random.Random(1).randbytes(300), IMAGE_ABIMEE),
    "PNG sans pixel": ("photo.png", png_de(100), IMAGE_ABIMEE),
    "bombe de 30 000 pixels de côté": ("photo.png", png_de(30_000), "est "),  # too big or unreadable: Pillow decides
    "bombe de 8 000 pixels de côté": ("photo.png", png_de(8_000), "est une image trop grande."),
    "PDF à programme masqué": ("rib.pdf", brut(CATALOGUE % ACTION_MASQUEE, *FEUILLES), ACTIF),
    "PDF à objets mal rangés": ("rib.pdf", pdf_a_objets_ranges(b"<< >>", type_=b"/ObjStn"), ABIME),
    "PDF à filtre inconnu": ("rib.pdf", pdf_a_objets_ranges(b"<< >>", filtre=b"/FlateDecod"), ABIME),
}


@pytest.fixture
def joindre(connecter):
    """``joindre(("rib.pdf", b"…"))``: Sophie Martin's CAF form with these papers."""

    def joindre(*envois, **saisie):
        pieces = [SimpleUploadedFile(nom, contenu) for nom, contenu in envois]
        return connecter("martin").post(PAGE, {**CAF, "pieces": pieces, **saisie})

    return joindre


@pytest.mark.parametrize(("nom", "contenu", "phrase"), REFUSES.values(), ids=REFUSES)
def test_une_piece_deguisee_ou_abimee_est_refusee(nom, contenu, phrase, joindre):
    avant = ecrits()
    reponse = joindre((nom, contenu))
    page = texte(reponse)
    assert (reponse.status_code, ecrits()) == (422, avant)
    (erreur,) = reponse.context["pieces"].errors["pieces"]
    assert erreur.startswith(f"« {nom} » ")
    assert phrase in erreur
    assert erreur in page
    assert [valeur for valeur in CAF.values() if f'value="{valeur}"' not in page] == []


def test_chaque_mauvaise_piece_est_nommee(joindre):
    reponse = joindre(("un.exe", b"MZ"), ("bon.pdf", PDF_SAIN), ("deux.pdf", b""))
    erreurs = reponse.context["pieces"].errors["pieces"]
    assert [erreur.split(" »")[0] for erreur in erreurs] == ["« un.exe", "« deux.pdf"]


def gardee(reponse):
    assert reponse.status_code == 302, texte(reponse)
    return PieceJointe.objects.latest("pk")


@pytest.mark.parametrize("nom", ["rib.pdf", "RIB.PDF", "le rib d'été.pdf", "../../etc/rib.pdf", "C:\\rib.pdf"])
def test_un_pdf_sain_est_garde_tel_quel(nom, joindre, connecter):
    piece = gardee(joindre((nom, PDF_SAIN)))
    assert piece.nom == re.split(r"[/\\]", nom)[-1]
    assert re.fullmatch(r"pieces/\d{4}/\d{2}/[0-9a-f]{32}\.pdf", piece.fichier.name)
    vue = connecter("martin").get(piece.url)
    assert (b"".join(vue.streaming_content), vue["Content-Type"]) == (PDF_SAIN, "application/pdf")
    assert vue["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_un_scan_qui_contient_les_octets_js_par_hasard_est_accepte(joindre):
    photo = flux(b"/Type /XObject /Subtype /Image /Filter /DCTDecode", b"\xff\xd8 \x91/JS\x07 \xff\xd9")
    assert gardee(joindre(("scan.pdf", brut(CATALOGUE % b"", *FEUILLES, photo)))).nom == "scan.pdf"


def test_une_photo_perd_sa_position_et_garde_son_sens(joindre):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Canon d'Auxigny", 6  # taken upright
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 12.0, 11.0), 3: "E", 4: (2.0, 24.0, 55.0)})
    envoi = image(exif=exif, comment=b"Claire")
    assert b"Canon" in envoi
    piece = gardee(joindre(("photo.jpeg", envoi)))
    with piece.fichier.open() as fichier:
        contenu = fichier.read()
    with Image.open(io.BytesIO(contenu)) as relue:
        assert (dict(relue.getexif()), relue.info.get("comment"), relue.size) == ({}, None, (40, 60))
    assert (b"Canon" in contenu, b"Exif" in contenu, piece.taille) == (False, False, len(contenu))


def test_un_png_perd_ses_notes(joindre):
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Auteur", "Claire Durand")
    piece = gardee(joindre(("photo.png", image("PNG", pnginfo=notes))))
    with piece.fichier.open() as fichier, Image.open(fichier) as relue:
        assert (relue.format, relue.info, relue.size) == ("PNG", {}, (60, 40))


def test_une_grande_photo_est_reduite(joindre):
    piece = gardee(joindre(("photo.jpg", image(taille=(3000, 1500)))))
    with piece.fichier.open() as fichier, Image.open(fichier) as relue:
        assert relue.size == (2400, 1200)


def test_cinq_pieces_pas_six(joindre):
    avant = ecrits()
    reponse = joindre(*[(f"{n}.pdf", PDF_SAIN) for n in range(6)])
    assert (reponse.status_code, ecrits()) == (422, avant)
    assert "Une demande porte 5 pièces au plus." in texte(reponse)
    gardee(joindre(*[(f"{n}.pdf", PDF_SAIN) for n in range(5)]))
    assert joindre(("6.pdf", PDF_SAIN)).status_code == 422
    premiere = PieceJointe.objects.earliest("pk")
    gardee(joindre(("6.pdf", PDF_SAIN), retirer=str(premiere.uuid)))
    assert sorted(PieceJointe.objects.values_list("nom", flat=True)) == [f"{n}.pdf" for n in (1, 2, 3, 4, 6)]


def test_on_ne_retire_pas_la_piece_d_une_autre_famille(joindre, connecter):
    piece = gardee(joindre(("rib.pdf", PDF_SAIN)))
    reponse = connecter("durand").post(PAGE, {**CAF, "retirer": str(piece.uuid)})
    assert (reponse.status_code, list(PieceJointe.objects.order_by("pk"))) == (422, [piece])


# --- Whatever a parent can send, an agent can read and decide ----------------------------------------------


DECISION = {"decision": "accepter", "version": "1", "source": "ATTESTATION"}
DECISION |= {"effet": "2026-12-01", "expiration": "2027-08-31"}


@pytest.mark.parametrize(
    ("type_", "saisie"),
    [
        ("fiscales", {"revenu_fiscal": "9999999,99", "parts": "0,5", "annee": "2019"}),
        ("responsable", {"telephone_mobile": "06 39 98 10 99 x1234"}),
        ("responsable", {"courriel": "a" * 60 + "@" + ".".join(["b" * 59] * 4) + ".fr"}),
    ],
    ids=["quotient de 1 666 666 €", "téléphone avec poste", "adresse e-mail de 300 caractères"],
)
def test_ce_qu_un_parent_peut_demander_un_agent_peut_l_accepter(type_, saisie, connecter, familles_de):
    famille = familles_de("martin")
    depot = connecter("martin").post(f"/mon-compte/{type_}/", {**TYPES[type_].actuelles(famille), **saisie})
    if depot.status_code == 422:  # refused at once, and nothing to decide
        assert not famille.demandes.exists()
        return
    demande = famille.demandes.get()
    reponse = connecter("agent").post(f"/admin/demandes/demande/{demande.pk}/decider/", DECISION)
    demande.refresh_from_db()
    assert (reponse.status_code, demande.etat) == (302, "ACCEPTEE")


def test_une_version_demesuree_ne_casse_pas_la_decision(connecter):
    demande = Demande.objects.en_attente().first()
    decision = {"decision": "refuser", "motif": "Illisible", "version": "9" * 5000}
    reponse = connecter("agent").post(f"/admin/demandes/demande/{demande.pk}/decider/", decision)
    demande.refresh_from_db()
    assert (reponse.status_code, demande.etat) == (409, "EN_ATTENTE")


# --- Anything at all ---------------------------------------------------------------------------------------

MEGAOCTET = "<1 Mo>"  # written out when sent: hypothesis prints what it tries
N_IMPORTE_QUOI = [
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\ufeff", "\u202e", "\u0660\u0661", "²", "é" * 300, "x" * 5000,
    MEGAOCTET, "9" * 5000, "NaN", "-NaN", "Infinity", "-1", "-0", "1e400", "1E5", "0,001", str(2**31), str(2**63),
    str(-(2**63) - 1), "0001-01-01", "9999-12-31", "01/0001", "12/9999", "0000-00-00", "2026-02-30", "06 39 98 10 99",
    "FR1420041010050500013M02606", "CAF", "on", "<script>alert(1)</script>", "' OR 1=1 --", "%s%n%00",
    "\r\nBcc: tous@ex.fr", "../../etc/passwd", "a@b.fr", "٣@٣.fr", INCONNU, "[]", "javascript:alert(1)",
    "//ailleurs.example",
]  # fmt: skip
valeurs = strategies.sampled_from(N_IMPORTE_QUOI) | strategies.text(max_size=40)


def encoder(paires):
    """As a form is sent, lone surrogates and duplicate keys included, which a careful client would not send."""
    return "&".join(f"{_encoder(nom)}={_encoder(valeur)}" for nom, valeur in paires)


def _encoder(texte):
    return quote_from_bytes(texte.replace(MEGAOCTET, "x" * 1_000_000).encode("utf-8", "surrogatepass"))


def paires(noms, nombre):
    """Up to ``nombre`` of these names, sometimes twice, sometimes another, each with any value."""
    nom = strategies.sampled_from([*noms, *noms, "inconnu\x00"])
    return strategies.lists(strategies.tuples(nom, valeurs), min_size=1, max_size=nombre)


def suivies(formulaires, nombre=5):
    """A page and what is sent to it."""
    return strategies.sampled_from(sorted(formulaires)).flatmap(
        lambda page: strategies.tuples(strategies.just(page), paires(formulaires[page], nombre))
    )


def n_importe_quoi(nombre):
    return essais(
        max_examples=nombre,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@contextmanager
def sans_suite():
    """Each request starts from the same database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


FORMULAIRES = {
    **{f"/mon-compte/{code}/": [*genre.formulaire.base_fields, "retirer", "pieces"] for code, genre in TYPES.items()},
    "/mot-de-passe/": ["ancien", "new_password1", "new_password2"],
    f"/demandes/{INCONNU}/retirer/": ["x"],
}
PORTES = {
    "/connexion/": ["username", "password", "next"],
    "/mot-de-passe/oublie/": ["saisie"],
    "/mot-de-passe/nouveau/MQ/choisir/": ["new_password1", "new_password2"],
    "/adresse-e-mail/jeton/": ["x"],
}
LISTES = {
    "/demandes/": ["rubrique", "type", "periode", "page"],
    "/messagerie/": ["page"],
    "/mon-compte/": ["page"],
    "/mon-compte/caf/": ["type", "quotient"],
    "/mes-enfants/": ["jour"],
    "/releve/": ["annee"],
    "/documents/": ["page"],
    "/": ["next"],
}


def envoyer(navigateur, page, saisie):
    return navigateur.generic("POST", page, encoder(saisie).encode(), "application/x-www-form-urlencoded")


def attendus(saisie, statuts):
    """Beyond two megabytes, the form is not read at all."""
    return {400} if len(encoder(saisie)) > reglages.DATA_UPLOAD_MAX_MEMORY_SIZE else statuts


@n_importe_quoi(80)
@given(suivies(FORMULAIRES, 3))
def test_n_importe_quoi_dans_un_formulaire_de_parent(connecter, familles_de, envoi):
    """Mostly valid, so that much is filed: what is filed can be read by the family, read and accepted by the mairie."""
    page, changees = envoi
    with sans_suite():
        navigateur, famille = connecter("martin"), familles_de("martin")
        genre = TYPES.get(page.split("/")[2])
        valides = {nom: str(valeur or "") for nom, valeur in genre.actuelles(famille).items()} if genre else {}
        saisie = [(nom, valeur) for nom, valeur in valides.items() if nom not in dict(changees)] + changees
        reponse = envoyer(navigateur, page, saisie)
        assert reponse.status_code in attendus(saisie, {200, 302, 404, 422})
        if demande := famille.demandes.first():
            assert navigateur.get(reponse.url).status_code == 200
            agent, adresse = connecter("agent"), f"/admin/demandes/demande/{demande.pk}"
            assert agent.get(f"{adresse}/change/").status_code == 200
            assert agent.post(f"{adresse}/decider/", DECISION).status_code in {302, 422}


@n_importe_quoi(50)
@given(suivies(PORTES))
def test_n_importe_quoi_a_l_entree(settings, distribution, envoi):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with sans_suite():
        assert envoyer(ClientVerifie(), *envoi).status_code in attendus(envoi[1], {200, 302, 410})


@n_importe_quoi(80)
@given(suivies(LISTES))
def test_n_importe_quoi_dans_une_adresse(connecter, envoi):
    with sans_suite():
        page, requete = envoi[0], encoder(envoi[1])
        reponse = sans_controle(connecter("durand"), f"{page}?{requete}")
        assert reponse.status_code == (400 if "%00" in requete else 200)
