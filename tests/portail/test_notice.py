"""The notice for parents: what it shows, what it says of the pages, the PDF."""

import io
import re
from html import unescape

import pytest
from django.contrib.messages import get_messages
from django.core.cache import cache
from PIL import Image
from pypdf import PdfReader

from demandes.types import TYPES
from portail import notice
from portail.commune import Commune
from portail.outils import pdf

pytestmark = pytest.mark.django_db
ADRESSE = "/documents/notice.pdf"
CAPTURES = notice.NOTICE.parent / "captures"


@pytest.fixture
def texte(monkeypatch, tmp_path):
    """``texte("# Titre\\n…")``: this notice instead."""

    def texte(contenu):
        fichier = tmp_path / "notice.md"
        fichier.write_text(contenu)
        monkeypatch.setattr(notice, "NOTICE", fichier)

    return texte


@pytest.fixture
def impressions(monkeypatch):
    """What is printed, noted instead."""
    notees = []
    monkeypatch.setattr(pdf, "rendre", lambda modele, contexte: notees.append((modele, contexte)) or b"%PDF-essai")
    return notees


# --- The pictures ----------------------------------------------------------------------------------------


def test_chaque_image_nommee_existe_et_chaque_image_sert():
    nommees = {image.name for image in notice.images()}
    assert nommees == {image.name for image in CAPTURES.iterdir()}
    assert len(nommees) >= 10


def test_chaque_image_se_dit_en_mots():
    legendes = re.findall(r"!\[([^]]*)\]", notice.NOTICE.read_text())
    assert [legende for legende in legendes if len(legende) < 15] == []


@pytest.mark.parametrize("image", sorted(CAPTURES.iterdir()), ids=lambda image: image.stem)
def test_une_image_est_legere_et_etroite(image):
    with Image.open(image) as ouverte:
        assert (ouverte.format, ouverte.mode, ouverte.width <= 700) == ("PNG", "P", True)
    assert image.stat().st_size < 60_000


@pytest.mark.parametrize(
    "adresse", ["/etc/passwd", "captures/../secret.png", "https://a.example/x.png", "captures/x.svg"]
)
def test_une_image_venue_d_ailleurs_arrete_tout(adresse, texte):
    texte(f"# Titre\n\n![x]({adresse})")
    with pytest.raises(notice.ImageInconnue, match=re.escape(adresse)):
        notice.corps()


# --- What it says ----------------------------------------------------------------------------------------


def test_les_sections_suivent_les_onglets():
    titres = re.findall(r"^## (.*)$", notice.NOTICE.read_text(), re.M)
    assert titres == [
        "Se connecter",
        "Onglet Accueil",
        "Onglet Mon compte",
        "Onglet Mes enfants",
        "Onglet Relevé de compte",
        "Onglet Boîte de réception",
        "Onglet Liste des demandes",
        "Les e-mails du portail",
        "Déconnexion",
    ]


def test_les_onglets_et_les_icones_nommes_sont_ceux_du_portail(connecter):
    dite = notice.NOTICE.read_text()
    onglets = [onglet.libelle for onglet in connecter("durand").get("/").context["onglets"]]
    assert [nom for nom in onglets if f"Onglet {nom}" not in dite] == []
    icones = [genre.libelle_icone for genre in TYPES.values() if not genre.au_planning]
    assert [nom for nom in icones if nom not in dite] == []
    rail = [icone.libelle for icone in connecter("durand").get("/").context["rail"]]
    assert [nom for nom in rail if nom not in dite] == []


@pytest.mark.parametrize(
    ("page", "boutons"),
    [
        ("/connexion/", ["Connexion", "Identifiant ou mot de passe oublié"]),
        (
            "/",
            ["À votre attention", "Message de la commune", "Vos enfants", "Informations compte", "Factures impayées"],
        ),
        ("/", ["Vos demandes en attente", "Réserver à la semaine", "Déconnexion"]),
        ("/documents/", ["Formulaires", "Notice d'utilisation du portail famille"]),
        ("/mes-enfants/", ["Mon enfant est malade", "Répéter des jours", "Ajouter un enfant"]),
        ("/mon-compte/caf/", ["Envoyer à la mairie"]),
        ("/mon-compte/", ["Mes courriels"]),
        ("/messagerie/", ["Reçus", "Envoyés", "Supprimés", "Écrire à la mairie"]),
        ("/demandes/?rubrique=mon-compte", ["Responsable", "Conjoint", "Fiscales", "CAF", "Bancaires"]),
        (
            "/demandes/?rubrique=mes-enfants",
            ["Personnes autorisées", "Informations", "Données sanitaires", "Réservations", "Absences"],
        ),
    ],
)
def test_ce_qu_elle_nomme_est_ecrit_sur_la_page(page, boutons, client, connecter):
    navigateur = client if page == "/connexion/" else connecter("martin")
    vue, dite = unescape(navigateur.get(page).content.decode()), notice.NOTICE.read_text()
    assert [mot for mot in boutons if mot not in vue or mot not in dite] == []


def test_un_signe_double_ne_commence_pas_une_ligne(texte):
    texte("# Titre\n\nVoici : « cela » ; oui ?")
    assert notice.corps() == "<p>Voici\u00a0: «\u00a0cela\u00a0»\u00a0; oui\u00a0?</p>\n"


# --- The PDF ---------------------------------------------------------------------------------------------


def test_la_notice_s_imprime_une_fois_par_texte_et_par_en_tete(connecter, impressions, texte):
    navigateur = connecter("martin")
    for _ in range(2):
        reponse = navigateur.get(ADRESSE)
        assert (reponse.content, reponse["Content-Type"]) == (b"%PDF-essai", "application/pdf")
        assert reponse["Content-Disposition"] == 'inline; filename="notice-portail-famille.pdf"'
    assert [modele for modele, _ in impressions] == ["pdf/notice.html"]
    commune = Commune.objects.get()
    commune.telephone = "02 48 00 00 00"
    commune.save()
    cache.delete("commune")
    navigateur.get(ADRESSE)
    texte("# Autre titre\n\nAutre texte")
    navigateur.get(ADRESSE)
    texte("# Autre titre\n\nTexte corrigé")
    navigateur.get(ADRESSE)
    titres = [contexte["titre"] for _, contexte in impressions]
    assert titres == [titres[0], titres[0], "Autre titre", "Autre titre"]


def test_sans_pdf_la_page_des_documents_le_dit(connecter, monkeypatch):
    def en_panne(*args):
        raise pdf.PdfIndisponible("Il manque des bibliothèques.")

    monkeypatch.setattr(pdf, "rendre", en_panne)
    reponse = connecter("durand").get(ADRESSE)
    assert (reponse.status_code, reponse["Location"]) == (302, "/documents/")
    assert [str(m) for m in get_messages(reponse.wsgi_request)] == ["Les PDF ne sont pas disponibles pour le moment."]


def test_le_pdf_porte_l_en_tete_de_la_commune_le_texte_et_les_images(connecter):
    try:
        pdf.verifier()
    except pdf.PdfIndisponible as absence:
        pytest.skip(f"BIBLIOTHÈQUES PDF ABSENTES : {absence}")
    lu = PdfReader(io.BytesIO(connecter("martin").get(ADRESSE).content))
    pages = [" ".join(page.extract_text().split()) for page in lu.pages]
    assert pages[0].startswith("Saint-Martin-d'Auxigny Place de la Mairie 18110")
    assert "Notice d'utilisation du portail famille" in pages[0]
    assert len({image.name for page in lu.pages for image in page.images}) == len(notice.images())
    assert (lu.metadata.title, lu.trailer["/Root"]["/Lang"]) == ("Notice d'utilisation du portail famille", "fr")
    assert b"pdfuaid:part" in lu.trailer["/Root"]["/Metadata"].get_data()
