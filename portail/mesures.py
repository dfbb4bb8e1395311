"""Measures of the pages: queries, size, time, and the ratio of a page to its floor. See ``manage.py bench``.

The floor of a page is what no page could cost less than: the same middleware, the same loading function, then a
response of one line per prepared row. A page is a row of ``PAGES``.
"""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import SimpleCookie
from importlib import import_module
from statistics import median
from time import perf_counter, process_time

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.db.models import Count
from django.http import HttpResponse
from django.test.client import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import path, resolve, reverse
from django.utils import timezone

from enfants.models import Enfant, Reservation
from familles.models import Famille, Utilisateur
from familles.pages import page_famille
from portail.urls import urlpatterns

COMPTEES = ("SELECT", "INSERT", "UPDATE", "DELETE")
A_VIDE = 20  # requests that warm a page up
ENFANTS = 6  # of the household that opens the pages of all the children
INVENTEE = r"^famille[0-9]{6}$"


class MesureImpossible(Exception):
    """Nothing was measured; the text says why."""


@dataclass(frozen=True)
class Banc:
    """Who asks for a page: an adult of an invented household, and one of its children."""

    compte: Utilisateur
    enfant: Enfant
    enfants: int


@dataclass(frozen=True)
class Budget:
    """What a page may cost; None where nothing was promised."""

    requetes: int | None = None
    ko: float | None = None
    temps: float | None = None  # ms
    processeur: float | None = None  # ms
    rapport: float | None = None  # to its floor


@dataclass(frozen=True)
class Page:
    """A page to measure.

    :param adresse: who asks -> address.
    :param charger: dotted name of the loading function of the page: called with what the view is called with, its
        result has the prepared rows as ``lignes``. Without it, or as long as it is not written, the page has no ratio.
    :param tous: asked by the household of most children; otherwise, by the one whose child is booked most days.
    """

    nom: str
    adresse: Callable[[Banc], str]
    budget: Budget = Budget()
    charger: str = ""
    tous: bool = False

    def chargeur(self) -> Callable | None:
        module, _, nom = self.charger.rpartition(".")
        return getattr(import_module(module), nom, None) if module else None


@dataclass(frozen=True)
class Mesure:
    """What a page costs, in the units of ``Budget``; medians."""

    requetes: int
    ko: float
    temps: float
    processeur: float
    rapport: float | None


def _mois(banc):
    return reverse("planning_mois", args=[banc.enfant.uuid, f"{timezone.localdate():%Y-%m}"])


def _semaine(banc):
    return reverse("semaine", args=[timezone.localdate().isoformat()])


PLANNING = "portail.pages.planning"
PAGES = [
    Page(
        "Accueil",
        lambda banc: reverse("accueil"),
        Budget(requetes=8, rapport=2),
        "portail.pages.accueil.charger_accueil",
        True,
    ),
    Page("Mes enfants", lambda banc: reverse("mes_enfants"), Budget(requetes=8), tous=True),
    Page("Mon compte", lambda banc: reverse("mon_compte"), Budget(requetes=8)),
    Page(
        "Boîte de réception",
        lambda banc: reverse("messagerie"),
        Budget(requetes=6, rapport=2),
        "messagerie.boite.charger_boite",
    ),
    Page(
        "Liste des demandes",
        lambda banc: reverse("demandes"),
        Budget(requetes=6, rapport=2),
        "demandes.views.charger_liste",
    ),
    Page(
        "Relevé de compte",
        lambda banc: reverse("releve"),
        Budget(requetes=7, rapport=2),
        "portail.pages.releve.charger_releve",
    ),
    Page("Mois d'un enfant", _mois, Budget(requetes=8, ko=60, rapport=2), f"{PLANNING}.mois.charger_mois"),
    Page("Semaine de tous", _semaine, Budget(requetes=10, rapport=2), f"{PLANNING}.semaine.charger_semaine", True),
]


# --- Who asks --------------------------------------------------------------------------------------------


def demandeurs(minimum: int) -> dict[bool, Banc]:
    """Who asks for the pages of one child (False), and for those of all the children (True).

    :raises MesureImpossible: fewer families than ``minimum``, or none invented.
    """
    if Famille.objects.count() < minimum:
        raise MesureImpossible(
            f"Il faut au moins {minimum} familles pour mesurer\u00a0: lancez d'abord «\u00a0manage.py peupler\u00a0»."
        )
    inventees = Famille.objects.filter(responsables__utilisateur__identifiant__regex=INVENTEE)
    nombreuses = inventees.annotate(n=Count("rattachements__enfant", distinct=True)).filter(n__lte=ENFANTS)
    nombreuse = nombreuses.filter(n__gte=1).order_by("-n", "pk").first()
    if nombreuse is None:
        raise MesureImpossible("Il faut des familles inventées\u00a0: lancez d'abord «\u00a0manage.py peupler\u00a0».")
    debut = timezone.localdate().replace(day=1)
    ce_mois = Reservation.objects.actives().filter(jour__gte=debut, jour__lt=debut + timedelta(days=31))
    assidu = (
        ce_mois.filter(famille__in=inventees)
        .order_by()
        .values_list("enfant", "famille")
        .annotate(n=Count("pk"))
        .order_by("-n", "enfant", "famille")
        .first()
    )
    tous = _banc(nombreuse)
    return {True: tous, False: _banc(Famille.objects.get(pk=assidu[1]), assidu[0]) if assidu else tous}


def _banc(famille, enfant=None):
    compte = famille.adultes()[0].utilisateur
    enfants = {e.pk: e for e in Enfant.objects.visibles_par(compte).order_by("pk")}
    return Banc(compte, enfants[enfant] if enfant else next(iter(enfants.values())), len(enfants))


@contextmanager
def session(compte: Utilisateur) -> Iterator[str]:
    """The cookies of a browser logged in as this account, until the end of the block."""
    ouverte = import_module(settings.SESSION_ENGINE).SessionStore()
    ouverte[SESSION_KEY] = str(compte.pk)
    ouverte[BACKEND_SESSION_KEY] = "familles.connexion.CompteActif"
    ouverte[HASH_SESSION_KEY] = compte.get_session_auth_hash()
    ouverte.save()
    try:
        yield f"{settings.SESSION_COOKIE_NAME}={ouverte.session_key}"
    finally:
        ouverte.delete()


@contextmanager
def meme_connexion() -> Iterator[None]:
    """The database is not left between two requests, as with the test client; a web worker keeps it a minute."""
    signaux = (request_started, request_finished)
    for signal in signaux:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signaux:
            signal.connect(close_old_connections)


# --- What it costs ---------------------------------------------------------------------------------------


class Navigateur:
    """Asks for one address through the whole handler, as the web server would."""

    def __init__(self, adresse: str, cookies: str, *, plancher: Callable | None = None):
        """:param plancher: view to answer with, instead of the page's."""
        self.serveur = WSGIHandler()
        if plancher is not None:
            trouvee = resolve(adresse)
            route = path(trouvee.route, plancher, name=trouvee.url_name)
            self.serveur.request_class = type("Requete", (WSGIRequest,), {"urlconf": (route, *urlpatterns)})
        self.environ = RequestFactory().get(adresse, headers={"Cookie": cookies, "Host": "localhost"}).environ
        self.entetes = []

    def demander(self) -> tuple[int, bytes]:
        """Status and body."""
        self.statut = 0
        reponse = self.serveur(dict(self.environ), self._commencer)
        try:
            return self.statut, b"".join(reponse)
        finally:
            reponse.close()

    def _commencer(self, statut, entetes, erreur=None):
        self.statut, self.entetes = int(statut.split()[0]), entetes

    def garder_les_cookies(self) -> None:
        """The next requests send back what the last answer gave: a browser has its CSRF cookie."""
        for nom, valeur in self.entetes:
            if nom == "Set-Cookie":
                for cookie in SimpleCookie(valeur).values():
                    self.environ["HTTP_COOKIE"] += f"; {cookie.key}={cookie.coded_value}"


def plancher(charger: Callable) -> Callable:
    """The view of a floor: rows loaded and prepared, then printed without a template."""

    @page_famille
    def vue(request, **arguments):
        return HttpResponse("\n".join(map(str, charger(request, **arguments).lignes)))

    return vue


def mesurer(page: Page, banc: Banc, tours: int) -> Mesure:
    """Cost of a page, its requests and those of its floor taking turns; the garbage collector runs as in production.

    :raises MesureImpossible: the page does not open.
    """
    charger, adresse = page.chargeur(), page.adresse(banc)
    with session(banc.compte) as cookies, meme_connexion():
        navigateurs = [Navigateur(adresse, cookies)]
        if charger is not None:
            navigateurs.append(Navigateur(adresse, cookies, plancher=plancher(charger)))
        for navigateur in navigateurs:
            _chauffer(navigateur)
        with CaptureQueriesContext(connection) as captees:
            _, contenu = navigateurs[0].demander()
        requetes = sum(requete["sql"].lstrip("(").startswith(COMPTEES) for requete in captees.captured_queries)
        gc.collect()
        temps, processeur = _chronometrer(navigateurs, tours)
    rapport = processeur[0] / processeur[1] if charger is not None else None
    return Mesure(requetes, len(contenu) / 1000, temps[0], processeur[0], rapport)


def _chauffer(navigateur):
    logging.disable(logging.ERROR)  # the status tells it
    try:
        statut, _ = navigateur.demander()
    finally:
        logging.disable(logging.NOTSET)
    if statut != 200:
        raise MesureImpossible(f"ne s'ouvre pas ({statut})")
    navigateur.garder_les_cookies()
    for _ in range(A_VIDE):
        navigateur.demander()


def _chronometrer(navigateurs, tours):
    """Median milliseconds of the clock, and of the processor, for each of them in turn."""
    temps, processeur = ([[] for _ in navigateurs] for _ in range(2))
    for _ in range(tours):
        for n, navigateur in enumerate(navigateurs):
            debut, debut_processeur = perf_counter(), process_time()
            navigateur.demander()
            processeur[n].append(1000 * (process_time() - debut_processeur))
            temps[n].append(1000 * (perf_counter() - debut))
    return [median(durees) for durees in temps], [median(durees) for durees in processeur]
