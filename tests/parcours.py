"""The crawl: every link that a reader finds, followed; see test_canaris.py, test_liens.py and test_injections.py."""

import html
import io
import re
from collections import deque
from datetime import date
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from django.apps import apps
from django.db.models import BooleanField
from django.utils import timezone
from pypdf import PdfReader

from demandes.models import Demande
from tests.reponses import liens_de

PAGES_MAX = 5_000  # of one crawl: a calendar without end must not run for ever
SANS_EFFET = {"o", "_changelist_filters", "_facets"}  # the admin's: order, way back, counts beside the filters
CALENDRIERS = {"mois", "annee"}  # another month, another year of the same rows
# Rows that the portal makes many at a time, and what tells them apart beside their choices and their empty columns.
EN_NOMBRE = {
    "enfants/jourferie": (),
    "enfants/presence": ("enfant_id",),
    "enfants/regledelai": ("service_id",),
    "enfants/reservation": ("enfant_id",),
    "enfants/vaccin": (),
    "messagerie/courriel": ("objet",),
}


def plier(texte: str) -> str:
    """Without entities, spaces or capitals: « 4&nbsp;001,37 » and « 4001,37 » are one."""
    return "".join(html.unescape(texte).casefold().split())


def lire(reponse) -> str:
    """The words of an answer; those of a PDF lie compressed."""
    contenu = b"".join(reponse.streaming_content) if reponse.streaming else reponse.content
    if reponse["Content-Type"] == "application/pdf":
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(contenu)).pages)
    return contenu.decode("utf-8", "replace")


# --- Where to go -----------------------------------------------------------------------------------------


def _est_trop_loin(chemin):
    """Plannings have arrows without end: the months around this one, the days around this one, are enough."""
    trouve = re.search(r"/(20\d\d-\d\d)(-\d\d)?/", chemin)
    if trouve is None:
        return False
    aujourdhui = timezone.localdate()
    if trouve[2] is None:
        annee, mois = map(int, trouve[1].split("-"))
        return not -1 <= (annee - aujourdhui.year) * 12 + mois - aujourdhui.month <= 2
    ecart = abs((date.fromisoformat(trouve[1] + trouve[2]) - aujourdhui).days)
    return ecart > (7 if chemin.startswith("/mes-enfants/semaine/") else 2)


def _a_suivre(lien, depuis):
    """The address on this host, None for what leads elsewhere or only shows the same rows in another order."""
    morceaux = urlsplit(urljoin(f"http://testserver{depuis}", lien))
    if morceaux.netloc != "testserver" or morceaux.scheme != "http" or morceaux.path.startswith("/static/"):
        return None
    if _est_trop_loin(morceaux.path):
        return None
    parametres = [p for p in parse_qsl(morceaux.query, keep_blank_values=True) if p[0] not in CALENDRIERS]
    if morceaux.path.startswith("/admin/"):
        parametres = [(nom, valeur) for nom, valeur in parametres if nom not in SANS_EFFET]
        if len(parametres) > 1:
            return None
    return f"{morceaux.path}?{urlencode(sorted(parametres))}" if parametres else morceaux.path


def sorte(adresse) -> tuple | None:
    """What the page has in common with others that one of them stands for; None for a page that stands for itself.

    Of the admin's pages about the rows of ``EN_NOMBRE``, one for each page (change, history…), each choice and
    yes/no of the row, each set of empty columns and each child, service or subject. Of « Écrire à propos de cette
    demande », one for each kind and state of a demande. No longer seen: what a page would show or link wrongly for
    one of two rows alike in all this.
    """
    if ligne := re.fullmatch(r"/admin/(\w+)/(\w+)/(\d+)/(\w+)/", adresse):
        app, nom, cle, page = ligne.groups()
        propres = EN_NOMBRE.get(f"{app}/{nom}")
        return None if propres is None else (app, nom, page, *_allure(apps.get_model(app, nom), cle, propres))
    if question := re.fullmatch(r"(/contact/|/messagerie/nouveau/)\?demande=([0-9a-f-]{36})", adresse):
        demande = Demande.objects.filter(uuid=question[2]).values_list("type", "etat").first()
        return None if demande is None else (question[1], *demande)
    return None


def _allure(modele, cle, propres):
    valeurs = modele.objects.filter(pk=cle).values().first() or {}
    for champ in modele._meta.concrete_fields:
        valeur = valeurs.get(champ.attname)
        if champ.attname in propres or champ.choices or isinstance(champ, BooleanField):
            yield valeur
        else:
            yield valeur in (None, "")


# --- Going ------------------------------------------------------------------------------------------------


def _suites(reponse, texte, depuis, connues):
    """Addresses that the answer leads to; ``connues`` remembers the links that every page repeats."""
    liens = [reponse["Location"]] if "Location" in reponse else []
    if reponse["Content-Type"].startswith("text/html"):
        deja_lus = getattr(reponse, "liens", None)
        liens += liens_de(texte) if deja_lus is None else deja_lus
    for lien in liens:
        cle = (lien, "" if lien.startswith("/") else depuis)
        if cle not in connues:
            connues[cle] = _a_suivre(lien, depuis)
        if connues[cle]:
            yield connues[cle]


def parcourir(navigateur, depart) -> tuple[dict[str, str], dict[str, str]]:
    """Breadth first through every link, as a reader who tries everything; one page of each ``sorte``.

    Returns ``{address: folded text of the answer, headers included}`` and ``{refused address: page that links it}``.
    """
    pages, refus, file = {}, {}, deque([(depart, "")])
    connues, atteintes, sortes = {}, set(), set()
    while file:
        adresse, origine = file.popleft()
        if adresse in atteintes:
            continue
        atteintes.add(adresse)
        genre = sorte(adresse)
        if genre in sortes:
            continue
        if genre:
            sortes.add(genre)
        assert len(pages) < PAGES_MAX, "le parcours ne finit pas"
        reponse = navigateur.get(adresse)
        texte = lire(reponse)
        pages[adresse] = plier(f"{sorted(reponse.headers.items())} {texte}")
        if reponse.status_code >= 400:
            refus[adresse] = origine
        file += ((suite, adresse) for suite in _suites(reponse, texte, adresse, connues))
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
