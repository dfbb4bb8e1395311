"""Canaries (qualite.md A2): words that exist nowhere else, put in each family's file, then looked for everywhere else.

``CANARIS_FAMILLES`` sets the number of families: 3 here, 30 in ``script/epreuves``.
"""

import html
import io
import itertools
import os
from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pytest
from django.apps import apps
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from pypdf import PdfReader
from schwifty import IBAN

from demandes import actions as demandes
from demandes.models import Demande
from enfants.actions import ajouter_enfant
from enfants.models import Enfant, Rattachement
from familles import acces
from familles import actions as familles
from familles.actions import PERIODE_HABITUELLE
from familles.champs import masquer_iban
from familles.models import CoordonneesBancaires, Utilisateur
from messagerie.actions import notifier
from messagerie.models import Courriel
from messagerie.taches import envoyer_courriels
from tests.conftest import ClientVerifie

pytestmark = pytest.mark.django_db

NOMBRE = int(os.environ.get("CANARIS_FAMILLES", "3"))
PAGES_MAX = 5_000  # of one crawl: a calendar without end must not run for ever
SANS_EFFET = {"o", "_changelist_filters", "_facets"}  # the admin's: order, way back, counts beside the filters

# Which classes of data each member of staff may meet; a class not named here must never show.
TOUTES = {"adresse", "banque", "caf", "courriel", "demande", "enfant", "fiscal", "message", "metier", "motif", "nom"}
TOUTES |= {"papier", "piece", "sujet", "telephone"}  # what a joined paper holds, what it is called
PERMISES = {
    "agent": TOUTES,
    "comptable": TOUTES - {"enfant", "message", "sujet"},
    "animateur": {"enfant"},
    "tresorerie": {"nom", "adresse"},
}


# --- The canaries ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Canari:
    """A value that belongs to ``proprietaires`` (logins) alone.

    ``formes``: how a page may spell it. ``secret``: the database holds it encrypted.
    """

    classe: str
    proprietaires: frozenset[str]
    formes: tuple[str, ...]
    secret: bool

    def est_dans(self, texte: str) -> bool:
        return any(forme in texte for forme in self.formes)


def plier(texte: str) -> str:
    """Without entities, spaces or capitals: « 4&nbsp;001,37 » and « 4001,37 » are one."""
    return "".join(html.unescape(texte).casefold().split())


class Voliere:
    """Makes the values and remembers whose they are."""

    def __init__(self):
        self.canaris, self.numeros = [], itertools.count(1)

    def garder(self, classe, proprietaires, *formes, secret=False):
        formes = tuple(plier(forme) for forme in formes)
        self.canaris.append(Canari(classe, frozenset(proprietaires), formes, secret or classe == "demande"))

    def mot(self, classe, *proprietaires):
        """A made-up word of a fixed length, so that none is part of another."""
        numero = next(self.numeros)
        mot = "Zq" + "".join(chr(ord("a") + numero // 26**rang % 26) for rang in range(4)) + "x"
        self.garder(classe, proprietaires, mot)
        return mot

    def chiffres(self, classe, gabarit, *proprietaires, secret=False):
        """Digits in a shape that a form accepts: « 06 39 98 %04d »."""
        valeur = gabarit % next(self.numeros)
        self.garder(classe, proprietaires, valeur, secret=secret)
        return valeur

    def montant(self, classe, *proprietaires, secret=False):
        valeur = Decimal(70_000 + next(self.numeros)) + Decimal("0.37")
        self.garder(classe, proprietaires, f"{valeur}", f"{valeur}".replace(".", ","), secret=secret)
        return valeur

    def iban(self, classe, *proprietaires):
        compte = f"{next(self.numeros):08d}{7 * next(self.numeros) % 1000:03d}"
        iban = str(IBAN.generate("FR", bank_code="30006", branch_code="00001", account_code=compte))
        self.garder(classe, proprietaires, iban, masquer_iban(iban), secret=True)
        return iban


def papier(texte: str) -> bytes:
    """The smallest PDF with one line of text."""
    trait = f"BT /F1 12 Tf 72 720 Td ({texte}) Tj ET".encode()
    objets = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(trait), trait),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    corps, places = b"%PDF-1.4\n", []
    for numero, objet in enumerate(objets, 1):
        places.append(len(corps))
        corps += b"%d 0 obj\n%s\nendobj\n" % (numero, objet)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    fin = b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return corps + fin % (table, len(corps))


# --- The families ----------------------------------------------------------------------------------------


def _adulte(v, foyer):
    return {
        "prenom": v.mot("nom", *foyer),
        "nom": v.mot("nom", *foyer),
        "courriel": f"{v.mot('courriel', *foyer)}@famille.example".lower(),
        "telephone_mobile": v.chiffres("telephone", "06 39 98 %04d", *foyer),
        "telephone_fixe": v.chiffres("telephone", "02 61 91 %04d", *foyer),
        "telephone_travail": v.chiffres("telephone", "03 53 01 %04d", *foyer),
        "profession": v.mot("metier", *foyer),
        "employeur": v.mot("metier", *foyer),
    }


def _ouvrir(v, foyer):
    adresse = {
        "adresse": v.mot("adresse", *foyer),
        "complement": v.mot("adresse", *foyer),
        "code_postal": "18110",
        "ville": v.mot("adresse", *foyer),
    }
    un, deux = (_adulte(v, foyer) for _ in foyer)
    famille = familles.ouvrir_famille(responsable=un, conjoint=deux, adresse=adresse)
    for login, adulte in zip(foyer, famille.adultes(), strict=True):
        Utilisateur.objects.filter(pk=adulte.utilisateur_id).update(identifiant=login, password="!")
    familles.modifier_coordonnees_bancaires(
        famille, {"titulaire": v.mot("banque", *foyer), "iban": v.iban("banque", *foyer)}
    )
    fiscal = {
        "numero_fiscal": v.chiffres("fiscal", "30%011d", *foyer, secret=True),
        "annee": 2024,
        "parts": Decimal("2"),
    }
    agent = Utilisateur.objects.get(identifiant="agent")
    familles.modifier_situation_fiscale(
        famille,
        fiscal | {"revenu_fiscal": str(v.montant("fiscal", *foyer, secret=True))},
        par=agent,
        periode=PERIODE_HABITUELLE,
    )
    familles.modifier_dossier_caf(
        famille,
        {
            "caisse": v.mot("caf", *foyer),
            "numero_allocataire": v.chiffres("caf", "ZQ%06dK", *foyer, secret=True),
        },
        {"valeur": v.montant("caf", *foyer), "mois": timezone.localdate().replace(day=1)},
        par=agent,
        periode=PERIODE_HABITUELLE,
    )
    return famille


def _demander(navigateur, type_, **demandees):
    """Ask as a parent does, on the page, and join a paper to it."""
    page = navigateur.get(f"/mon-compte/{type_}/")
    form = page.context["form"]
    donnees = {nom: form[nom].value() or "" for nom in form.fields if form[nom].value() is not False}
    reponse = navigateur.post(f"/mon-compte/{type_}/", donnees | demandees)
    assert reponse.status_code == 302, reponse.context["form"].errors
    return Demande.objects.latest("pk")


def _vivre(v, famille, foyer):
    """Answered and pending demandes of every kind, papers, messages."""
    agent = Utilisateur.objects.get(identifiant="agent")
    navigateur = ClientVerifie()
    navigateur.force_login(Utilisateur.objects.get(identifiant=foyer[0]), "familles.connexion.CompteActif")

    def mot(classe):
        return v.mot(classe, *foyer)

    refusee = _demander(navigateur, "responsable", profession=mot("demande"))
    demandes.refuser(refusee.pk, par=agent, motif=mot("motif"))
    for champ, classe in (("employeur", "metier"), ("ville", "adresse")):  # from now on, the file's
        acceptee = _demander(navigateur, "responsable", **{champ: mot(classe)})
        demandes.accepter(acceptee.pk, par=agent, mot=mot("motif"))
    iban = _demander(navigateur, "bancaires", iban=v.iban("banque", *foyer))
    demandes.accepter(iban.pk, par=agent)
    pieces = [SimpleUploadedFile(f"{mot('piece')}.pdf", papier(mot("papier")), "application/pdf") for _ in range(2)]
    _demander(
        navigateur,
        "responsable",
        employeur=mot("demande"),
        courriel=f"{mot('demande')}@neuf.example".lower(),
        telephone_fixe=v.chiffres("demande", "04 65 71 %04d", *foyer),
        pieces=pieces,
    )
    _demander(navigateur, "conjoint", profession=mot("demande"))
    _demander(
        navigateur,
        "fiscales",
        numero_fiscal=v.chiffres("demande", "31%011d", *foyer),
        revenu_fiscal=str(v.montant("demande", *foyer)),
    )
    _demander(
        navigateur,
        "caf",
        numero_allocataire=v.chiffres("demande", "ZD%06dK", *foyer),
        quotient=str(v.montant("demande", *foyer)),
    )
    _demander(navigateur, "bancaires", titulaire=mot("demande"), iban=v.iban("demande", *foyer))
    notifier(famille, sujet=mot("sujet"), corps=f"Bonjour, {mot('message')}.", par=agent)
    seul = famille.responsables.get(utilisateur__identifiant=foyer[0])
    notifier(famille, sujet="Pour vous", corps=v.mot("message", foyer[0]), par=agent, destinataire=seul)


@pytest.fixture
def canaris(distribution):
    """The canaries of NOMBRE families; the first two share a child."""
    v, foyers = Voliere(), [(f"serin{n}a", f"serin{n}b") for n in range(NOMBRE)]
    ouvertes = []
    for foyer in foyers:
        famille = _ouvrir(v, foyer)
        ajouter_enfant(famille, prenom=v.mot("enfant", *foyer), nom=v.mot("enfant", *foyer))
        ouvertes.append(famille)
    deux_foyers = foyers[0] + foyers[1]
    partage = ajouter_enfant(ouvertes[0], prenom=v.mot("enfant", *deux_foyers), nom=v.mot("enfant", *deux_foyers))
    Rattachement.objects.create(enfant=partage, famille=ouvertes[1])
    for famille, foyer in zip(ouvertes, foyers, strict=True):
        _vivre(v, famille, foyer)
    acces.signaler_oubli(foyers[0][0])
    acces.inviter(Utilisateur.objects.get(identifiant=foyers[1][1]))
    return v.canaris


# --- The crawl -------------------------------------------------------------------------------------------


class Liens(HTMLParser):
    def __init__(self):
        super().__init__()
        self.trouves = []

    def handle_starttag(self, balise, attributs):
        attributs = dict(attributs)
        for nom in ("href", "src", "data"):
            if attributs.get(nom) and (balise, nom) != ("link", "href"):
                self.trouves.append(attributs[nom])


def _a_suivre(lien, depuis):
    """The address on this host, None for what leads elsewhere or only shows the same rows in another order."""
    morceaux = urlsplit(urljoin(f"http://testserver{depuis}", lien))
    if morceaux.netloc != "testserver" or morceaux.scheme != "http" or morceaux.path.startswith("/static/"):
        return None
    parametres = parse_qsl(morceaux.query, keep_blank_values=True)
    if morceaux.path.startswith("/admin/"):
        parametres = [(nom, valeur) for nom, valeur in parametres if nom not in SANS_EFFET]
        if len(parametres) > 1:
            return None
    return f"{morceaux.path}?{urlencode(parametres)}" if parametres else morceaux.path


def lire(reponse) -> str:
    """The words of an answer; those of a PDF lie compressed."""
    contenu = b"".join(reponse.streaming_content) if reponse.streaming else reponse.content
    if reponse["Content-Type"] == "application/pdf":
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(contenu)).pages)
    return contenu.decode("utf-8", "replace")


def parcourir(navigateur, depart) -> tuple[dict[str, str], dict[str, str]]:
    """Breadth first through every link, as a reader who tries everything.

    Returns ``{address: folded text of the answer, headers included}`` and ``{refused address: page that links it}``.
    """
    pages, refus, file = {}, {}, deque([(depart, "")])
    while file:
        adresse, origine = file.popleft()
        if adresse in pages:
            continue
        assert len(pages) < PAGES_MAX, "le parcours ne finit pas"
        reponse = navigateur.get(adresse)
        texte = lire(reponse)
        pages[adresse] = plier(f"{sorted(reponse.headers.items())} {texte}")
        if reponse.status_code >= 400:
            refus[adresse] = origine
        liens = [reponse["Location"]] if "Location" in reponse else []
        if reponse["Content-Type"].startswith("text/html"):
            lecteur = Liens()
            lecteur.feed(texte)
            liens += lecteur.trouves
        file += ((suite, adresse) for suite in (_a_suivre(lien, adresse) for lien in liens) if suite)
    return pages, refus


def vus(pages, canaris):
    """The canaries met, each with the first page that shows it."""
    trouves = {}
    for canari in canaris:
        for adresse, texte in pages.items():
            if canari.est_dans(texte):
                trouves[canari] = adresse
                break
    return trouves


# --- The tests -------------------------------------------------------------------------------------------


def test_aucun_parent_ne_lit_rien_d_une_autre_famille(canaris, connecter):
    # The second adult of the first household: a message is for the first alone.
    for login in ["serin0b", *(f"serin{n}a" for n in range(NOMBRE))]:
        pages, refus = parcourir(connecter(login), "/")
        trouves = vus(pages, canaris)
        assert {c: page for c, page in trouves.items() if login not in c.proprietaires} == {}
        # Blind, the crawl would prove nothing: it must meet the parent's own.
        assert {c.classe for c in trouves} == TOUTES, f"{login} n'a pas tout vu"
        assert {c for c in canaris if c.classe == "enfant" and login in c.proprietaires} <= set(trouves)
        assert refus == {}, "un lien mène à une porte fermée"


@pytest.mark.parametrize("agent", PERMISES)
def test_un_agent_ne_lit_que_ce_que_son_role_permet(agent, canaris, connecter):
    pages, _ = parcourir(connecter(agent), "/admin/")
    trouves = vus(pages, canaris)
    assert {c: page for c, page in trouves.items() if c.classe not in PERMISES[agent]} == {}
    assert {c.classe for c in trouves} == PERMISES[agent], "le parcours n'a pas tout vu"


def test_l_agent_lit_le_texte_des_messages_d_un_fil(famille_durand, connecter):
    fil = famille_durand.fils.get(sujet="Bienvenue sur le Portail Famille")
    page = connecter("agent").get(f"/admin/messagerie/fil/{fil.pk}/change/")
    assert "Votre dossier est ouvert." in page.content.decode()


def test_l_agent_lit_a_quels_foyers_un_enfant_est_rattache(connecter):
    ines = Enfant.objects.get(prenom="Inès")
    page = connecter("agent").get(f"/admin/enfants/enfant/{ines.pk}/change/").content.decode()
    assert ("Famille Benali" in page, "Famille Rossi" in page) == (True, True)


@pytest.mark.parametrize("agent", [*PERMISES, "admin"])
def test_aucun_lien_de_l_administration_ne_mene_a_une_porte_fermee(agent, distribution, connecter):
    pages, refus = parcourir(connecter(agent), "/admin/")
    assert len(pages) > 10
    assert refus == {}


def test_ni_les_courriels_ni_les_journaux_ne_disent_rien_de_personnel(canaris, connecter, caplog):
    caplog.set_level("DEBUG")
    acces.traiter_oublis()
    assert envoyer_courriels() == Courriel.objects.count() > 10 * NOMBRE
    parcourir(connecter("serin0a"), "/")
    connecter("serin0a").post("/mon-compte/bancaires/", {"titulaire": canaris[0].formes[0], "iban": "x"})
    connecter("agent").get("/admin/familles/famille/", {"q": canaris[0].formes[0]})
    lettres = plier(" ".join(f"{m.subject} {m.body} {getattr(m, 'alternatives', '')}" for m in mail.outbox))
    assert [c for c in canaris if c.est_dans(lettres)] == []
    assert [c for c in canaris if c.est_dans(plier(caplog.text))] == []
    assert "/connexion/" in lettres or "/messagerie/" in lettres


def lire_toute_la_base() -> dict[str, str]:
    """``table.column`` -> all its values, folded, as whoever holds a copy of the database reads them."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
        )
        colonnes, textes = curseur.fetchall(), {}
        for table, colonne in colonnes:
            curseur.execute(f'SELECT string_agg("{colonne}"::text, \' | \') FROM "{table}"')  # noqa: S608
            textes[f"{table}.{colonne}"] = plier(curseur.fetchone()[0] or "")
    return textes


def test_une_copie_de_la_base_ne_dit_ni_iban_ni_numero_fiscal_ni_demande_ni_courriel(canaris):
    base = lire_toute_la_base()
    assert base["familles_coordonneesbancairesevent.iban"], "l'historique fait partie de la lecture"
    trouves = {c: colonne for c in canaris for colonne, texte in base.items() if c.est_dans(texte)}
    assert {c: colonne for c, colonne in trouves.items() if c.secret} == {}
    corps = {plier(corps) for corps in Courriel.objects.values_list("corps", flat=True).order_by("pk")}
    assert [colonne for colonne, texte in base.items() if any(c in texte for c in corps)] == []
    # What is not secret is found, so the reading reads; what is secret is there, for who has the key.
    assert {c for c in canaris if not c.secret and c.classe != "papier"} <= set(trouves)
    ibans = {plier(i) for i in CoordonneesBancaires.objects.values_list("iban", flat=True).order_by("pk")}
    secrets = {forme for c in canaris if c.secret for forme in c.formes}
    assert len(ibans & secrets) == NOMBRE


def test_l_historique_garde_la_valeur_d_avant(famille_durand):
    familles.modifier_adresse(famille_durand, {"ville": "Bourges"})
    evenements = apps.get_model("familles", "FamilleEvent").objects.filter(pgh_obj=famille_durand).order_by("pk")
    assert "Saint-Martin-d'Auxigny" in [evenement.ville for evenement in evenements]
