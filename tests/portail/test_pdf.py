"""PDFs: our stylesheets are read, and nothing else is (qualite.md C6)."""

import io
import logging
import socketserver
import threading
from base64 import b64encode
from contextlib import suppress
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from itertools import cycle
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.db.models import CharField, TextField
from django.template.loader import render_to_string
from django.utils import timezone
from pypdf import PdfReader
from pypdf.generic import StreamObject

from enfants import fiches
from enfants.models import Enfant, Informations, PersonneAutorisee, Sante, Service
from enfants.regles.annees import annee_scolaire, libelle
from facturation import attestations, documents
from facturation.actions import encaisser
from facturation.models import Moyen, Reglement
from familles import lettres
from familles.models import Famille, Responsable, Utilisateur
from portail.commune import Commune
from portail.outils import pdf
from portail.outils.chiffrement import ValeursChiffrees
from tests.facturation.essai import regie_essai
from tests.facturation.papiers_essai import facturer, ligne

try:
    pdf.verifier()
except pdf.PdfIndisponible as absence:
    pytest.skip(f"BIBLIOTHÈQUES PDF ABSENTES : {absence}", allow_module_level=True)

from weasyprint.urls import URLFetcher, URLFetchingError  # without its libraries, the import fails

pytestmark = pytest.mark.django_db

CANARI = "CANARI-SECRET"


@pytest.fixture
def rendre(settings, tmp_path, distribution):
    """``rendre(html)``: the PDF of a template with this body."""
    dossier = tmp_path / "gabarits"
    dossier.mkdir()
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [dossier]}]

    def rendre(corps):
        nom = f"essai{len(list(dossier.iterdir()))}.html"  # templates are cached by name
        (dossier / nom).write_text(
            f'<!doctype html><html lang="fr"><head><title>Essai</title></head><body>{corps}</body></html>'
        )
        return pdf.rendre(nom, {})

    return rendre


@pytest.fixture
def espion():
    """A port of the loopback that notes who knocks, whatever the protocol, and sends to a file."""
    venus = []

    class Visite(socketserver.StreamRequestHandler):
        timeout = 1

        def handle(self):
            venus.append(self.rfile.readline())
            self.wfile.write(b"HTTP/1.0 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Visite) as serveur:
        fil = threading.Thread(target=serveur.serve_forever, kwargs={"poll_interval": 0.05})
        fil.start()
        yield f"127.0.0.1:{serveur.server_address[1]}", venus
        serveur.shutdown()
        fil.join()


@pytest.fixture
def secrets(tmp_path):
    """Files that a PDF would betray, whatever takes them: a style, an image, a paper joined."""
    contenus = {
        "secret.txt": CANARI,
        "secret.css": f'body::before {{ content: "{CANARI}" }}',
        "secret.svg": f'<svg {XMLNS} width="300" height="20"><text y="9">{CANARI}</text></svg>',
    }
    for nom, contenu in contenus.items():
        (tmp_path / nom).write_text(contenu)
    return [tmp_path / nom for nom in contenus]


def cibles(hote, fichiers):
    """Addresses that must not be read: of the network, of the disk, and those that try to look like ours."""
    reseau = [
        f"http://{hote}/x.css",
        f"HTTP://{hote}/x.svg",
        f"https://{hote}/x.png",
        f"ftp://{hote}/x",
        f"//{hote}/x.css",
        f"\\\\{hote}\\x",
        f"http:{hote}/x",
        f"http://statique.invalid@{hote}/x.css",
        f"http://statique.invalid:80@{hote}/x.css",
        f"http://{hote}\t/x.css",
        f"ｈttp://{hote}/x.css",
        f"http://{hote}/x.css#http://statique.invalid/",
        f"url:http://{hote}/x",
    ]
    disque = [forme for fichier in fichiers for forme in (fichier.as_uri(), str(fichier), f"FILE://localhost{fichier}")]
    montees = ["../" * 12, "..%2f" * 12, "%2e%2e/" * 12, "..\\" * 12, "static/" + "../" * 12, "css/" + "..%2F" * 12]
    disque += [f"{montee}{fichier}".replace("//", "/") for montee in montees for fichier in fichiers]
    disque += [f"http://statique.invalid/{'..%2f' * 12}{fichier}" for fichier in fichiers]
    disque += [f"http://statique.invalid/{fichier}" for fichier in fichiers]
    disque += [
        "file:/etc/passwd",
        "file:///etc/passwd",
        "ﬁle:///etc/passwd",
        "file:///etc/passwd%00.css",
        "/etc/passwd",
    ]
    return reseau + disque


XMLNS = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def _en_svg(contenu, entete=""):
    """An image in the page itself, which may name others."""

    def charge(cible):
        svg = f'{entete}<svg {XMLNS} width="9" height="9">{contenu}</svg>'.replace("CIBLE", cible)
        return f'<img alt="" src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}">'

    return charge


def _en_data(balise, contenu):
    return lambda cible: balise % quote(contenu.replace("CIBLE", cible))


# What asks for an address, CIBLE; the first ones live in WeasyPrint, the others asleep as long as it does not grow.
VIVES = {
    "image": '<img src="CIBLE" alt="">',
    "image en jeu": '<picture><source srcset="CIBLE 1x"><img srcset="CIBLE 1x" src="CIBLE" alt=""></picture>',
    "feuille de style": '<link rel="stylesheet" href="CIBLE">',
    "pièce jointe au document": '<link rel="attachment" href="CIBLE" title="x">',
    "pièce jointe à un lien": '<a rel="attachment" href="CIBLE">x</a>',
    "objet": '<object data="CIBLE"></object>',
    "greffon": '<embed src="CIBLE">',
    "base": '<base href="CIBLE"><img src="x.svg" alt=""><link rel="stylesheet" href="x.css">',
    "import": '<style>@import url("CIBLE"); @import "CIBLE";</style>',
    "fond": '<p style="background: url(CIBLE)">x</p><style>body { background: url("CIBLE") }</style>',
    "fond de page": '<style>@page { background: url("CIBLE"); @top-left { content: url("CIBLE") } }</style>',
    "contenu": '<style>p::before { content: url("CIBLE") }</style><p>x</p>',
    "puce": '<ul style="list-style: url(CIBLE)"><li>x</li></ul><p style="border-image-source: url(CIBLE)">x</p>',
    "masque": '<p style="mask: url(CIBLE); mask-border-source: url(CIBLE); cursor: url(CIBLE), auto">x</p>',
    "police": "<style>@font-face { font-family: x; src: url(CIBLE) } p { font-family: x }</style><p>x</p>",
    "profil de couleur": '<style>@color-profile --x { src: url("CIBLE") } p { color: color(--x 1 0 0) }</style>',
    "svg dans la page": f'<svg {XMLNS} width="9" height="9"><image href="CIBLE" width="9"/><use href="CIBLE#x"/></svg>',
    "svg en image": _en_svg('<image href="CIBLE" width="9" height="9"/>'),
    "svg, ancien lien": _en_svg('<image xlink:href="CIBLE" width="9" height="9"/><use xlink:href="CIBLE#x"/>'),
    "style en data": _en_data('<link rel="stylesheet" href="data:text/css,%s">', "@import url(CIBLE);"),
}
ENDORMIES = {
    "bouton image": '<input type="image" src="CIBLE" alt="">',
    "affiche": '<video poster="CIBLE" src="CIBLE"></video><audio src="CIBLE"></audio>',
    "autre feuille": '<link rel="alternate stylesheet" href="CIBLE"><link rel="icon" href="CIBLE">',
    "cadre": '<iframe src="CIBLE"></iframe><frameset><frame src="CIBLE"></frameset>',
    "cadre écrit": "<iframe srcdoc=\"<img src='CIBLE'>\"></iframe>",
    "redirection": '<meta http-equiv="refresh" content="0;url=CIBLE"><script src="CIBLE"></script>',
    "svg et son style": _en_svg('<style>@import url("CIBLE"); rect { fill: url("CIBLE#x") }</style><rect width="9"/>'),
    "svg et sa feuille": _en_svg("", '<?xml-stylesheet href="CIBLE"?>'),
    "svg, entité": _en_svg("<text>&x;</text>", '<!DOCTYPE svg [<!ENTITY x SYSTEM "CIBLE">]>'),
    "html en data": _en_data('<object data="data:text/html,%s"></object>', "<img src=CIBLE>"),
    "chiffres pleins": "＜img src=CIBLE＞ \u202e<img src='CIBLE' alt=''>",
    "texte": "CIBLE",
}
CHARGES = VIVES | ENDORMIES


def charger(charge, cible):
    """The payload on this target."""
    return charge(cible) if callable(charge) else charge.replace("CIBLE", cible)


def tout_lire(document: bytes) -> str:
    """What the PDF shows, and the inside of its every stream, joined files included."""
    lecteur = PdfReader(io.BytesIO(document))
    textes = [page.extract_text() for page in lecteur.pages]
    for numero in range(1, lecteur.trailer["/Size"]):
        objet = lecteur.get_object(numero)
        if isinstance(objet, StreamObject) and objet.get("/Subtype") != "/Image":
            textes.append(objet.get_data().decode("latin-1"))
        elif isinstance(objet, dict) and objet.get("/Type") == "/Filespec":
            textes.append("pièce jointe")
    return "\n".join(textes)


def est_muet(document: bytes) -> bool:
    lu = tout_lire(document)
    return not any(secret in lu for secret in (CANARI, "root:x:0", "pièce jointe"))


# --- The reader ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("feuille", ["css/papier.css", "css/fiche.css", "css/facture.css"])
def test_les_feuilles_de_style_du_papier_sont_lues(feuille, rendre, caplog):
    with caplog.at_level(logging.WARNING, "weasyprint"):
        rendre(f'<link rel="stylesheet" href="{feuille}"><p>Bonjour</p>')
    assert caplog.messages == []


@pytest.mark.parametrize("charge", CHARGES)
def test_un_pdf_n_atteint_ni_le_reseau_ni_le_disque(charge, rendre, espion, secrets):
    hote, venus = espion
    corps = "".join(charger(CHARGES[charge], cible) for cible in cibles(hote, secrets))
    if charge == "profil de couleur":  # refused like the others, but WeasyPrint stops there
        with pytest.raises(URLFetchingError, match="Adresse refusée dans un PDF"):
            rendre(corps)
    else:
        assert est_muet(rendre(corps))
    assert venus == []


def test_des_feuilles_lues_une_fois_n_ouvrent_rien_de_plus(espion, secrets):
    """What is printed by the hundred gets its styles otherwise, and the same reader."""
    hote, venus = espion
    charges = [CHARGES[nom] for nom in ("image", "feuille de style", "import", "svg en image")]
    corps = "".join(charger(charge, cible) for charge in charges for cible in cibles(hote, secrets))
    page = f'<!doctype html><html lang="fr"><head><title>Essai</title></head><body>{corps}</body></html>'
    assert est_muet(pdf.dessiner(page, ("css/papier.css", "css/facture.css")))
    assert venus == []


def test_l_espion_voit_qui_vient(espion):
    hote, venus = espion
    with pytest.raises(OSError, match="file"):  # urllib refuses to be sent to a file
        urlopen(f"http://{hote}/x")
    assert venus == [b"GET /x HTTP/1.1\r\n"]


@pytest.mark.parametrize("charge", VIVES)
def test_sans_notre_lecteur_la_charge_mord(charge, espion, secrets, monkeypatch, rendre):
    """The payloads are live ones: with the reader of WeasyPrint they knock at the door or take the file."""
    monkeypatch.setattr(pdf, "_lecteur", URLFetcher)
    hote, venus = espion
    adresses = [f"http://{hote}/x.css", *(secret.as_uri() for secret in secrets)]
    with suppress(URLFetchingError):
        assert not est_muet(rendre("".join(charger(VIVES[charge], adresse) for adresse in adresses))) or venus
        return
    assert venus


# --- The papers ------------------------------------------------------------------------------------------

# What a family writes: every text of these tables, choices aside.
ECRITS = (Utilisateur, Responsable, Famille, Enfant, PersonneAutorisee, Informations, Sante)
PAS_ECRITS = {"identifiant", "password"}


def colonnes(modele):
    for champ in modele._meta.concrete_fields:
        texte = isinstance(champ, CharField | TextField) and not isinstance(champ, ValeursChiffrees)
        if texte and not champ.choices and champ.name not in PAS_ECRITS:
            yield champ


def ecrire(charges, depart=0):
    """Each column gets a payload, the first one for ``depart``; a short column gets its beginning."""
    suite = cycle([*charges[depart:], *charges[:depart]])
    for modele in ECRITS:
        modele.objects.update(
            **{champ.name: next(suite)[: champ.max_length] for champ in sorted(colonnes(modele), key=lambda c: c.name)}
        )


@pytest.fixture
def papiers(comptes, connecter):
    """Name of a template -> what prints it for the Durands."""
    lea, famille = Enfant.objects.get(prenom="Léa"), comptes["durand"].responsable.famille
    fiches_de = Enfant.objects.select_related("ecole", "classe", "sante", "informations")
    annee = libelle(annee_scolaire(timezone.localdate()))
    return {
        **_papiers_de_facturation(famille, lea),
        "pdf/releve.html": lambda: connecter("durand").get(f"/releve/{annee}/releve.pdf").content,
        "pdf/lettre_acces.html": lambda: lettres.imprimer(list(famille.adultes())),
        "pdf/fiche_inscription.html": lambda: fiches.imprimer_inscription(
            fiches_de.get(pk=lea.pk), famille.__class__.objects.get(pk=famille.pk), jour=timezone.localdate()
        ),
        "pdf/fiche_urgence.html": lambda: fiches.imprimer_urgences([fiches_de.get(pk=lea.pk)], par=comptes["agent"]),
    }


def _papiers_de_facturation(famille, enfant):
    """Of last year, when the child was small; each copies the file as it is when it is printed."""
    annee, regie = timezone.localdate().year - 1, regie_essai("papiers")
    Enfant.objects.filter(pk=enfant.pk).update(date_naissance=date(annee - 3, 5, 1))

    def facture():
        relu, foyer = Enfant.objects.get(pk=enfant.pk), Famille.objects.get(pk=famille.pk)
        soirs = ligne("Soir", "40", enfant=relu, service=Service.objects.get(code="accueil-soir"), part_garde=100)
        return facturer(foyer, regie, soirs, mois=date(annee, 4, 1), emise_le=date(annee, 5, 2))

    def attestation():
        claire = Responsable.objects.select_related("famille").get(famille=famille, rang=1)
        return attestations.imprimer(attestations.attester(claire, enfant.uuid, annee, par=claire.utilisateur))

    facture()
    virement = {"moyen": Moyen.VIREMENT, "montant": Decimal(40), "recu_le": date(annee, 6, 1)}
    cle = encaisser(famille, regie=regie, par=None, **virement).pk
    return {
        "pdf/facture.html": lambda: documents.imprimer(facture()),
        "pdf/recu.html": lambda: documents.imprimer_recu(Reglement.objects.get(pk=cle)),
        "pdf/attestation.html": attestation,
    }


PAPIERS = [
    *("pdf/lettre_acces.html", "pdf/fiche_inscription.html", "pdf/fiche_urgence.html"),
    *("pdf/facture.html", "pdf/recu.html", "pdf/attestation.html", "pdf/releve.html"),
]
SANS_FAMILLE = {"pdf/notice.html"}  # holds nothing that a family writes


def test_chaque_gabarit_de_pdf_est_attaque(papiers):
    gabarits = {f"pdf/{chemin.name}" for chemin in (settings.BASE_DIR / "templates/pdf").glob("[!_]*.html")}
    assert gabarits - SANS_FAMILLE == set(PAPIERS) == set(papiers)


class Balises(HTMLParser):
    """The elements of a page and the names of their attributes."""

    def __init__(self, page):
        super().__init__()
        self.trouvees = []
        self.feed(page)

    def handle_starttag(self, balise, attributs):
        self.trouvees.append((balise, *sorted(nom for nom, _ in attributs)))


@pytest.mark.parametrize("papier", PAPIERS)
def test_ce_qu_ecrit_une_famille_n_ajoute_aucune_balise(papier, papiers, monkeypatch):
    rendues = []

    class Assez(Exception):
        """The page is written: no need to print it."""

    def garder(modele, contexte, **options):
        rendues.append((modele, render_to_string(modele, {**contexte, "commune": Commune.actuelle()})))
        raise Assez

    monkeypatch.setattr(pdf, "rendre", garder)
    attendues = None
    for charge in ["Bonjour", *(charger(charge, "http://127.0.0.1/") for charge in CHARGES.values())]:
        ecrire([charge])
        with pytest.raises(Assez):
            papiers[papier]()
        modele, page = rendues.pop()
        assert modele == papier
        attendues = attendues or Balises(page).trouvees
        assert Balises(page).trouvees == attendues, charge


@pytest.mark.parametrize("papier", PAPIERS)
def test_ce_qu_ecrit_une_famille_ne_fait_rien_lire_au_pdf(papier, papiers, espion, secrets):
    hote, venus = espion
    adresses = cycle([f"http://{hote}/x.css", *(secret.as_uri() for secret in secrets)])
    charges = [charger(charge, next(adresses)) for charge in CHARGES.values()]
    for depart in (0, len(charges) // 2):
        ecrire(charges, depart)
        document = papiers[papier]()
        assert est_muet(document)
        assert "<" in PdfReader(io.BytesIO(document)).pages[0].extract_text()  # the payloads are there, as words
        assert venus == []
