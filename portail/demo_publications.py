"""What the commune of the demonstration publishes: two pieces of news, its rules, a form, a link."""

from datetime import timedelta

from django.utils import timezone

from enfants.models import Ecole, Reglement, Service
from enfants.regles.annees import annee_scolaire, libelle
from portail.demo_enfants import ECOLES
from portail.publications import Actualite, Document, noter_la_cible, remplacer_fichier

MENUS = """La cantine sert un **repas végétarien chaque jeudi**.

- les menus sont affichés à l'école ;
- les allergènes sont indiqués plat par plat.

[Les repères de la restauration scolaire](https://www.economie.gouv.fr/dgccrf)"""
PHOTOS = """Le photographe passe à l'école **mardi prochain**, dès 9 h.

Vous pouvez refuser la photo dans le dossier de votre enfant, page *Informations*."""
ATTESTATION = [
    "À faire remplir par l'employeur, puis à joindre à votre demande.",
    "",
    "Nom et prénom du salarié : .................................................",
    "Horaires de travail : ......................................................",
    "Date et signature de l'employeur :",
]


def animer() -> None:
    """To call once the schools and the services are there."""
    aujourdhui = timezone.localdate()
    annee = annee_scolaire(aujourdhui)
    Actualite.objects.create(
        titre="Un repas végétarien par semaine",
        corps=MENUS,
        epinglee=True,
        publie_du=aujourdhui - timedelta(days=12),
        publie_au=aujourdhui + timedelta(days=60),
    )
    photos = Actualite.objects.create(
        titre="Photos de classe à l'École des Pommiers",
        corps=PHOTOS,
        publie_du=aujourdhui - timedelta(days=2),
        publie_au=aujourdhui + timedelta(days=12),
    )
    photos.ecoles.add(Ecole.objects.get(nom=ECOLES[1]))
    noter_la_cible(photos)
    reglement = Document.objects.create(titre="Règlement des services périscolaires", annee=annee, ordre=1)
    texte = Reglement.objects.get(annee=annee).texte.replace(". ", ".\n").splitlines()
    _joindre(reglement, "reglement.pdf", [f"Règlement {libelle(annee)}", "", *texte])
    formulaire = Document.objects.create(
        genre=Document.Genre.FORMULAIRE,
        titre="Attestation d'horaires de travail",
        description="Demandée quand vous déclarez une absence pour un changement d'horaires.",
    )
    formulaire.services.add(Service.objects.get(code="accueil-matin"), Service.objects.get(code="accueil-soir"))
    noter_la_cible(formulaire)
    _joindre(formulaire, "attestation-employeur.pdf", ["Attestation d'horaires de travail", "", *ATTESTATION])
    Document.objects.create(
        genre=Document.Genre.LIEN,
        titre="Calendrier des vacances scolaires",
        description="Sur le site du ministère de l'Éducation nationale.",
        lien="https://www.education.gouv.fr/calendrier-scolaire-100148",
    )


def _joindre(document, nom, lignes):
    remplacer_fichier(document, (nom, "application/pdf", petit_pdf(lignes)))


def petit_pdf(lignes: list[str]) -> bytes:
    """A page of text as a PDF, written by hand: the demonstration starts on machines that print none."""
    protegees = [ligne.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for ligne in lignes]
    texte = "".join(f"({ligne}) Tj T*\n" for ligne in protegees).encode("cp1252")
    contenu = b"BT /F1 12 Tf 18 TL 60 780 Td\n" + texte + b"ET"
    objets = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(contenu), contenu),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    corps, places = b"%PDF-1.4\n", []
    for numero, objet in enumerate(objets, 1):
        places.append(len(corps))
        corps += b"%d 0 obj\n%s\nendobj\n" % (numero, objet)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    taille = len(objets) + 1
    entete = b"xref\n0 %d\n0000000000 65535 f \n" % taille
    fin = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (taille, len(corps))
    return corps + entete + table + fin
