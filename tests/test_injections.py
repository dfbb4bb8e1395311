"""Texts that would act (qualite.md C2): typed in every field, they stay texts in pages, admin, mails, PDFs, calendars.

``INJECTIONS_TOURS`` rounds, in each of which every field holds other payloads: 1 here, 40 for all payloads × all fields
in ``script/epreuves``.
"""

import io
import os
import re
from email import message_from_bytes, policy
from html import unescape
from urllib.parse import quote

import icalendar
import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from demandes.models import Demande, PieceJointe
from enfants import abonnement, fiches
from enfants.models import Enfant
from facturation import attestations, documents
from facturation.models import AttestationFiscale, Facture, Reglement
from familles import acces, lettres
from familles.models import Utilisateur
from messagerie import actions as messagerie
from messagerie.actions import notifier
from messagerie.models import Courriel, ServiceMairie
from messagerie.taches import envoyer_courriels
from portail.commune import Commune
from portail.outils import pdf
from tests.canaris import papier
from tests.charges import CHARGES_XSS
from tests.papiers import sans_encre
from tests.parcours import parcourir
from tests.poison import Effets, demander_partout, empoisonner, poison_des_plannings
from tests.saisie import saisie

pytestmark = pytest.mark.django_db

TOURS = int(os.environ.get("INJECTIONS_TOURS", "1"))

# --- What a payload would do ------------------------------------------------------------------------------

# But for the three that html.parser, unlike old browsers, reads as an unknown element or as a comment.
BALISES = [c for c in CHARGES_XSS if re.match("[\"'>]*<", c) and not re.match(r"<scr<|<script\x0b|<!\[", c)]


@pytest.mark.parametrize("charge", BALISES)
def test_sans_echappement_chaque_balise_se_voit(charge):
    """Blind, the tests below would prove nothing."""
    assert Effets(f"<p>{charge}</p>").effets


@pytest.mark.parametrize("charge", [c for c in CHARGES_XSS if " on" in c and not c.startswith("<")])
def test_sans_echappement_chaque_attribut_se_voit(charge):
    guillemet = "'" if charge.startswith("'") else '"' if charge.startswith('"') else ""
    assert Effets(f"<input value={guillemet}{charge}{guillemet}>").effets


@pytest.mark.parametrize("charge", [c for c in CHARGES_XSS if re.match(r"\w+\s*\w*:", c)])
def test_chaque_adresse_active_se_voit(charge):
    assert Effets(f'<a href="{charge}">x</a>').effets


class Espion(Client):
    """A browser that notes what each page would do."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.effets, self.lus = {}, set()

    def request(self, **requete):
        reponse = super().request(**requete)
        if reponse.get("Content-Type", "").startswith("text/html") and not reponse.streaming:
            vu = Effets(reponse.content.decode())
            if vu.effets:
                self.effets[requete["PATH_INFO"]] = vu.effets[:3]
            self.lus |= {n for texte in vu.textes for n in re.findall(r"xq\(?(\d+)", texte)}
        return reponse


@pytest.fixture
def espion(distribution):
    """``espion("durand")``: such a browser, logged in."""

    def espion(identifiant):
        navigateur = Espion()
        compte = Utilisateur.objects.get(identifiant=identifiant)
        navigateur.force_login(compte, "familles.connexion.CompteActif")
        return navigateur

    return espion


# --- Every field ------------------------------------------------------------------------------------------


@pytest.fixture(params=range(TOURS))
def poison(request, distribution):
    """The cast, every text of it a payload."""
    demander_partout()
    poison_des_plannings()
    return empoisonner(request.param)


@pytest.fixture
def encre():
    try:
        pdf.verifier()
    except pdf.PdfIndisponible as absence:
        pytest.skip(f"BIBLIOTHÈQUES PDF ABSENTES : {absence}")


# --- Pages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("identifiant", ["durand", "benali", "agent", "comptable", "animateur", "admin"])
def test_aucune_page_ne_fait_ce_qu_on_y_a_tape(identifiant, poison, espion, monkeypatch):
    assert poison == [], "un texte qui n'a pas de ligne n'est pas essayé"
    navigateur = espion(identifiant)
    sans_encre(monkeypatch)
    staff = identifiant not in ("durand", "benali")
    pages, _ = parcourir(navigateur, "/admin/" if staff else "/")
    assert navigateur.effets == {}
    assert len(pages) > 10
    assert len(navigateur.lus) > 20, "le parcours ne rencontre pas ce qui a été tapé"


@pytest.mark.parametrize("charge", CHARGES_XSS)
def test_une_adresse_ne_fait_pas_ce_qu_elle_porte(charge, espion, famille_durand):
    """In the query of every page that reads one, and in the path."""
    parent, agent, mot = espion("durand"), espion("agent"), quote(charge, safe="")
    adresses = ["/demandes/?rubrique={0}&type={0}&page={0}&periode={0}", "/messagerie/?page={0}&q={0}", "/{0}/"]
    adresses += ["/connexion/?next={0}", "/mes-enfants/ajouter/?demande={0}", "/mes-enfants/semaine/{0}/"]
    adresses += ["/mes-enfants/absence/?enfant={0}&du={0}", "/courriels/{0}/", "/mon-compte/{0}/"]
    for adresse in adresses:
        assert parent.get(adresse.format(mot)).status_code < 500, adresse
    for liste in ("demandes/demande", "familles/famille", "enfants/enfant", "messagerie/fil", "messagerie/courriel"):
        assert agent.get(f"/admin/{liste}/?q={mot}").status_code < 500
        assert agent.get(f"/admin/{liste}/?famille={mot}").status_code < 500
    assert (parent.effets, agent.effets) == ({}, {})


@pytest.mark.parametrize("charge", CHARGES_XSS)
def test_un_formulaire_refuse_rend_ce_qui_a_ete_tape_en_texte(charge, espion, deposer):
    parent, agent = espion("durand"), espion("agent")
    for genre in ("responsable", "conjoint", "fiscales", "caf", "bancaires"):
        page = parent.get(f"/mon-compte/{genre}/")
        envoi = {nom: charge for nom, champ in page.context["form"].fields.items()}
        assert parent.post(f"/mon-compte/{genre}/", envoi).status_code in (302, 422)
    envoi = dict.fromkeys(parent.get("/mes-enfants/ajouter/").context["form"].fields, charge)
    assert parent.post("/mes-enfants/ajouter/", envoi).status_code == 422
    parent.post("/mes-enfants/absence/", {"enfants": charge, "du": charge, "retour": charge, "mot": charge})
    client = Espion()
    client.post("/connexion/", {"username": charge, "password": charge})
    demande = Demande.objects.en_attente().earliest("pk")
    for envoi in ({"apercu": "1", "motif": charge}, {"decision": "refuser", "motif": charge, "version": charge}):
        assert agent.post(f"/admin/demandes/demande/{demande.pk}/decider/", envoi).status_code in (200, 302, 409)
    assert (parent.effets, agent.effets, client.effets) == ({}, {}, {})


# --- Mails ------------------------------------------------------------------------------------------------

EN_TETES = {
    "Content-Type",
    "MIME-Version",
    "Subject",
    "From",
    "To",
    "Reply-To",
    "Message-ID",
    "Date",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
}


def test_aucun_courriel_ne_fait_ce_qu_on_a_tape(poison, famille_durand):
    """The commune's name, the services', are all that a mail prints of what is typed."""
    Courriel.objects.all().delete()
    Commune.objects.update(courriel="contact@mairie.example")
    Utilisateur.objects.filter(identifiant="durand").update(courriel="claire@famille.example")
    notifier(famille_durand, sujet="<script>xq(1)</script>\r\nBcc: tous@ex.fr", corps="c", par=None)
    acces.inviter(Utilisateur.objects.get(identifiant="durand"))
    for service in ServiceMairie.objects.order_by("pk"):
        service.courriel, service.rythme = "s@mairie.example", "IMMEDIAT"
        service.save()
        messagerie.prevenir_service(service, "nouvelle_demande")
    envoyer_courriels()
    assert len(mail.outbox) >= 4
    for envoye in mail.outbox:
        lu = message_from_bytes(envoye.message().as_bytes(), policy=policy.default)
        assert set(lu.keys()) <= EN_TETES
        assert all("\n" not in str(valeur) for valeur in lu.values())
        assert len(lu["To"].addresses) == 1
        html = lu.get_body(["html"]).get_content()
        assert Effets(html).effets == []
        assert "xq(" in lu.get_body(["plain"]).get_content()


INTRUS = ["a\r\nBcc: tous@ex.fr", "a\nX-Injecte: 1", "a\r\n\r\n<script>xq(1)</script>", "a\x0bBcc: x", "a\u2028Bcc: x"]


@pytest.mark.parametrize("intrus", INTRUS)
def test_aucun_texte_ne_glisse_un_en_tete(intrus, famille_durand, comptes):
    """Subjects of threads, names, services: in the inbox as they are, in the mails nowhere or on one line."""
    Courriel.objects.all().delete()
    Utilisateur.objects.filter(identifiant="durand").update(prenom=intrus, nom=intrus)
    ServiceMairie.objects.update(nom=intrus)
    commune = Commune.objects.get()
    commune.nom = commune.nom_portail = intrus
    commune.save()
    notifier(famille_durand, sujet=intrus, corps=intrus, par=comptes["agent"], service=ServiceMairie.objects.first())
    acces.inviter(Utilisateur.objects.get(identifiant="durand"))
    assert envoyer_courriels() == Courriel.objects.count() > 2
    for envoye in mail.outbox:
        lu = message_from_bytes(envoye.message().as_bytes(), policy=policy.default)
        assert set(lu.keys()) <= EN_TETES
        assert envoye.recipients() == [envoye.to[0]]
        assert all(not set(str(valeur)) & set("\r\n\x0b\u2028") for valeur in lu.values())


# --- PDFs, calendars, files -------------------------------------------------------------------------------


def test_un_pdf_montre_ce_qui_a_ete_tape_et_ne_le_fait_pas(poison, encre, famille_durand):
    lea = Enfant.objects.filter(rattachements__famille=famille_durand).first()
    jour = timezone.localdate()
    adultes = list(famille_durand.adultes())
    agent = Utilisateur.objects.get(identifiant="agent")
    for contenu in (
        fiches.imprimer_inscription(lea, famille_durand, jour=jour),
        fiches.imprimer_urgences(Enfant.objects.filter(pk=lea.pk), par=agent),
        lettres.imprimer(adultes),
        documents.imprimer(Facture.objects.emises().filter(famille=famille_durand, avoir_de=None).latest("pk")),
        documents.imprimer_recu(Reglement.objects.filter(famille=famille_durand).earliest("pk")),
        attestations.imprimer(AttestationFiscale.objects.get()),
    ):
        assert [
            mot for mot in (b"/JavaScript", b"/JS ", b"/Launch", b"/OpenAction", b"x.example") if mot in contenu
        ] == []
        pages = "".join(page.extract_text() for page in PdfReader(io.BytesIO(contenu)).pages)
        texte = "".join(pages.replace("\x00", "").split())  # pypdf leaves the zeros of some fonts
        assert re.search(r"xq\(?\d+", texte), "le papier ne porte rien de ce qui a été tapé"
        assert re.search(r"<\w+|javascript:|onerror=", texte)


NOMS = [*INTRUS, "a;ATTACH:http://x.example", "Léa\\nEND:VEVENT", "<script>xq(1)</script>", "END:VCALENDAR"]


@pytest.mark.parametrize("nom", NOMS)
def test_un_nom_ne_glisse_rien_dans_un_calendrier(nom, comptes, client):
    reservations = Enfant.objects.get(prenom="Léa").reservations
    assert reservations.exists()
    sain = _calendrier(comptes, client)
    Enfant.objects.filter(prenom="Léa").update(prenom=nom)
    piege = _calendrier(comptes, client)
    assert [type(c).__name__ for c in piege.walk()] == [type(c).__name__ for c in sain.walk()]
    assert {cle for c in piege.walk() for cle in c} == {cle for c in sain.walk() for cle in c}
    resumes = {str(c["SUMMARY"]) for c in piege.walk("VEVENT")}
    assert any(nom.split()[-1].replace("\\n", "\n")[-5:] in resume for resume in resumes), resumes


def _calendrier(comptes, client):
    reponse = client.get(reverse("calendrier", args=[abonnement.creer(comptes["durand"].adulte)]))
    assert reponse.status_code == 200
    return icalendar.Calendar.from_ical(reponse.content)


FICHIERS = [
    'a".pdf',
    'a"; filename="b.html',
    "a\r\nX-Injecte: 1.pdf",
    "a\nSet-Cookie: x=1.pdf",
    "../../etc/passwd.pdf",
    "a\\..\\b.pdf",
    "<script>xq(1)</script>.pdf",
    "a\u202efdp.html.pdf",
    "é" * 300 + ".pdf",
    ".pdf",
    "a;b,c%0d%0aX-Injecte:1.pdf",
]


@pytest.mark.parametrize("nom", FICHIERS)
def test_le_nom_d_une_piece_ne_glisse_ni_en_tete_ni_balise(nom, espion, famille_durand):
    parent = espion("durand")
    page = parent.get("/mon-compte/fiscales/")
    envoi = saisie(page.context["form"]) | {"pieces": SimpleUploadedFile("x.pdf", papier("x"), "application/pdf")}
    fichier = envoi["pieces"]
    fichier._name = nom  # as a browser that lies would send it
    assert parent.post("/mon-compte/fiscales/", envoi).status_code in (302, 422)
    for piece in PieceJointe.objects.filter(demande__famille=famille_durand):
        reponse = parent.get(piece.url)
        assert reponse.status_code == 200
        assert "X-Injecte" not in reponse.headers
        assert not reponse.cookies.get("x")
        assert reponse["Content-Type"] == "application/pdf"
        assert reponse["Content-Disposition"].startswith("inline")
        assert 'filename="b.html' not in reponse["Content-Disposition"]
        assert not set(reponse["Content-Disposition"]) & set("\r\n")
    parent.get("/mon-compte/fiscales/")
    assert parent.effets == {}


def test_les_liens_des_messages_restent_dans_le_portail(espion, famille_durand):
    """A message leads where the app that writes it says; whatever stands there, the page does not run it."""
    fil = notifier(famille_durand, sujet="s", corps="c", par=None, lien="/demandes/", lien_libelle="<b>xq(1)</b>").fil
    parent = espion("durand")
    page = unescape(parent.get(fil.get_absolute_url()).content.decode())
    assert ('href="/demandes/"' in page, parent.effets) == (True, {})
