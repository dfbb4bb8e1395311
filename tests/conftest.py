"""The harness: the cast, a hostile run, and what every HTML response must be.

Hostile: warnings are errors (pyproject), an undefined variable printed by one of our templates fails, an
unordered query comes shuffled, and every response of the test client is checked by tests/reponses.py.
"""

import gc
import inspect
import random
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as reglages
from django.core.cache import cache
from django.db.models.query import QuerySet
from django.template import base as gabarits
from django.test import Client

from demandes import actions
from demandes.models import Demande
from demandes.types import TYPES
from enfants import offre
from enfants.models import (
    Attente,
    Enfant,
    Fermeture,
    Garde,
    Inscription,
    Place,
    Presence,
    Rattachement,
    Reglement,
    Reservation,
)
from familles.models import Famille, Utilisateur
from portail import demo
from portail.outils.demonstration import MOT_DE_PASSE
from tests.papiers import sans_processus
from tests.partage import envoi_et_fichiers
from tests.reponses import verifier_reponse

# Nothing of a test outlives it: a commit need not wait for the disk, nor a plan be compiled.
reglages.DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c synchronous_commit=off -c jit=off"
NOS_GABARITS = str(reglages.BASE_DIR / "templates")


# --- The run ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def reglages_de_test(tmp_path_factory):
    """Plain static files, as no collectstatic came first."""
    reglages.STATIC_ROOT = tmp_path_factory.mktemp("static")
    reglages.STORAGES = {
        **reglages.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def courriels_et_fichiers(settings, tmp_path):
    for nom, valeur in envoi_et_fichiers(tmp_path / "fichiers").items():
        setattr(settings, nom, valeur)
    cache.clear()


@pytest.fixture(autouse=True)
def papiers_lus_sur_place(request, monkeypatch):
    if request.node.get_closest_marker("lecture_a_part") is None:
        sans_processus(monkeypatch)


class VariableIndefinie(str):
    """What Django prints for an unknown variable: fails when the template is ours, not Django's."""

    __slots__ = ()

    def __contains__(self, cherche):
        return cherche == "%s"

    def __mod__(self, variable):
        gabarit = _gabarit_en_cours()
        if gabarit.startswith(NOS_GABARITS):
            pytest.fail(f"Variable indéfinie « {variable} » dans {gabarit}")
        return ""


def _gabarit_en_cours():
    """File of the innermost template node being rendered."""
    cadre = inspect.currentframe()
    while cadre := cadre.f_back:
        noeud = cadre.f_locals.get("self")
        if isinstance(noeud, gabarits.Node) and getattr(noeud, "origin", None):
            return noeud.origin.name
    return ""


@pytest.fixture(scope="session", autouse=True)
def gabarits_stricts():
    from django.template import engines

    engines["django"].engine.string_if_invalid = VariableIndefinie()


@pytest.fixture(scope="session", autouse=True)
def requetes_sans_ordre_melangees():
    """PostgreSQL promises no order without ORDER BY: neither do the tests."""
    charger = QuerySet._fetch_all
    hasard = random.Random(42)

    def charger_et_melanger(self):
        deja = self._result_cache is not None
        charger(self)
        if not deja and not self.ordered and len(self._result_cache) > 1:
            hasard.shuffle(self._result_cache)

    QuerySet._fetch_all = charger_et_melanger
    yield
    QuerySet._fetch_all = charger


# --- The cast --------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def ramassage_rare():
    """Migrations make millions of objects: look for garbage less often. What then stays is not looked through again."""
    seuils = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    yield seuils
    gc.unfreeze()


@pytest.fixture(scope="session")
def django_db_setup(ramassage_rare, django_db_setup, django_db_blocker):
    """Load the cast once for the whole run; each test rolls back to it."""
    with django_db_blocker.unblock():
        if demo.est_vide():
            demo.charger()
    gc.set_threshold(*ramassage_rare)
    gc.collect()
    gc.freeze()


@pytest.fixture
def distribution(db):
    """The cast is there, also after a transactional test has emptied the tables."""
    if demo.est_vide():
        demo.charger()


@pytest.fixture
def famille_durand(distribution):
    return Utilisateur.objects.get(identifiant="durand").responsable.famille


@pytest.fixture
def famille_martin(distribution):
    return Utilisateur.objects.get(identifiant="martin").responsable.famille


@pytest.fixture
def comptes(distribution):
    """``comptes["durand"]``: an account of the cast."""
    return {compte.identifiant: compte for compte in Utilisateur.objects.order_by("pk")}


class ClientVerifie(Client):
    """A browser whose every response is checked."""

    def request(self, **requete):
        reponse = super().request(**requete)
        verifier_reponse(reponse)
        return reponse


@pytest.fixture
def client():
    return ClientVerifie()


@pytest.fixture
def connecter(distribution):
    """``connecter("durand")``: a browser logged in as this account of the cast."""

    def connecter(identifiant):
        navigateur = ClientVerifie()
        navigateur.force_login(Utilisateur.objects.get(identifiant=identifiant), "familles.connexion.CompteActif")
        return navigateur

    return connecter


@pytest.fixture
def mot_de_passe():
    return MOT_DE_PASSE


@pytest.fixture
def familles_de(distribution):
    """``familles_de("durand")``: the household of an account."""
    return lambda identifiant: Famille.objects.get(responsables__utilisateur__identifiant=identifiant)


@pytest.fixture
def le_23_novembre(distribution, monkeypatch):
    """Monday 23 November 2026, 13 h: the cast is there since long, nobody is registered, nothing is booked."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2026, 11, 23, 12, tzinfo=UTC))
    Demande.objects.filter(type="inscription").delete()
    for modele in (Presence, Reservation, Attente, Inscription, Fermeture):
        modele.objects.all().delete()
    Place.objects.all().delete()
    Rattachement.objects.update(valable_du=date(2020, 9, 1))
    for prenom, naissance in {"Léa": 2018, "Tom": 2021, "Zoé": 2020, "Inès": 2017, "Adam": 2022}.items():
        Enfant.objects.filter(prenom=prenom).update(date_naissance=date(naissance, 3, 14))
    Garde.objects.update(premiere_semaine=date(2026, 8, 31))
    Reglement.objects.update(annee=2026, publie_le=date(2026, 9, 1))


@pytest.fixture
def deposer(distribution):
    """``deposer("durand", "responsable", telephone_mobile="…")``: a demande as its page would make it."""

    def deposer(identifiant, type_, *, enfant=None, **demandees):
        compte = Utilisateur.objects.get(identifiant=identifiant)
        famille, genre = Famille.objects.get(responsables__utilisateur=compte), TYPES[type_]
        donnees = {**genre.actuelles(famille, enfant), **demandees}
        form = actions.formulaire(genre, famille, enfant, demandeur=compte, data=donnees)
        assert form.is_valid(), form.errors
        return actions.deposer(genre, famille, form, par=compte, enfant=enfant)

    return deposer


@pytest.fixture
def horloge(monkeypatch):
    """``horloge("2026-11-16T09:00")``: it is that hour for the portal, in the commune's time zone."""

    def regler(texte):
        instant = datetime.fromisoformat(texte).replace(tzinfo=ZoneInfo("Europe/Paris"))
        monkeypatch.setattr("django.utils.timezone.now", lambda: instant)
        return instant

    return regler


@pytest.fixture
def automne(distribution, horloge):
    """Monday 16 November 2026, 9 o'clock: the cast is registered for the year and has booked nothing yet."""
    Presence.objects.all().delete()
    Reservation.objects.all().delete()
    Place.objects.all().delete()
    Rattachement.objects.update(valable_du=date(2020, 9, 1))
    Inscription.objects.update(annee=2026, valable_du=date(2026, 9, 1), valable_au=date(2027, 8, 31))
    for prenom, naissance in {"Léa": date(2018, 5, 14), "Tom": date(2021, 3, 14), "Inès": date(2017, 6, 2)}.items():
        Enfant.objects.filter(prenom=prenom).update(date_naissance=naissance)
    offre.oublier()
    return horloge("2026-11-16T09:00")
