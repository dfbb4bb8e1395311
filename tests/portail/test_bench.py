"""``manage.py bench``: the table and its words; never the figures, which are the machine's."""

import re
from collections import Counter, namedtuple
from io import StringIO
from random import Random

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.urls import reverse

from enfants.models import Enfant, Rattachement
from enfants.regles.annees import annee_scolaire
from portail import mesures, peuplement_tirages
from portail.management.commands import bench
from portail.management.commands.bench import verdict
from portail.mesures import Banc, Budget, Mesure, Navigateur, Page, meme_connexion, plancher, session
from tests.portail.inventees import JOUR, familles_inventees, inventer

pytestmark = pytest.mark.django_db
Lignes = namedtuple("Lignes", "lignes")


def charger_enfants(request):
    """As the loading function of a page."""
    return Lignes([enfant.prenom for enfant in Enfant.objects.visibles_par(request.user)])


PAGES = [
    Page("Mes enfants", lambda banc: reverse("mes_enfants"), Budget(requetes=8), f"{__name__}.charger_enfants", True),
    Page("Accueil", lambda banc: reverse("accueil"), Budget(requetes=0)),
    Page("À venir", lambda banc: reverse("contact"), charger=f"{__name__}.pas_encore_ecrit"),
    Page("Fermée", lambda banc: "/admin/"),
]


@pytest.fixture
def mesurer(distribution, monkeypatch):
    """``mesurer(minimum=1)``: lines of the command on a few invented families."""
    inventer(6)
    monkeypatch.setattr(bench, "PAGES", PAGES)
    monkeypatch.setattr(mesures, "A_VIDE", 1)

    def mesurer(**options):
        sortie = StringIO()
        call_command("bench", stdout=sortie, **{"tours": 2, "minimum": 1, **options})
        return sortie.getvalue().splitlines()

    return mesurer


def test_une_ligne_par_page_avec_son_budget_et_le_verdict(mesurer):
    lignes = mesurer()
    formes = [
        r"page +requêtes +ko de HTML +ms +ms de calcul +fois le plancher",
        r"Mes enfants +\d \(8\) +\d+,\d +\d+,\d +\d+,\d +\d+,\d +bien",
        r"Accueil +\d \(0\) +\d+,\d +\d+,\d +\d+,\d +– +au-dessus",
        r"À venir +\d +\d+,\d +\d+,\d +\d+,\d +– +–",
        r"Fermée +ne s'ouvre pas \(404\)",
        r"Pages sur tous ses enfants : famille0\d+, \d enfant\(s\)\.",
        r"Pages sur un enfant : famille0\d+, \d enfant\(s\)\.",
        "",
        r"Facturer \d\d/\d{4} : \d+ jours réservés, par lots de 2000 familles",
        r"lot +familles +secondes +ordres SQL +Mo au plus",
        r"1 préparation +\d+ +\d+,\d\d +\d\d +\d+",
        r"2 émission +\d+ +\d+,\d\d +\d+ +\d+",
    ]
    assert [ligne for ligne, forme in zip(lignes, formes, strict=True) if not re.fullmatch(forme, ligne)] == []


def test_les_pages_de_la_liste_existent(mesurer, monkeypatch):
    monkeypatch.setattr(bench, "PAGES", [page for page in mesures.PAGES if not page.charger])
    assert [ligne for ligne in mesurer()[1:6] if "ne s'ouvre pas" in ligne] == []


def test_trop_peu_de_familles_se_refuse_en_une_phrase(mesurer):
    with pytest.raises(CommandError, match=r"^Il faut au moins 500 familles pour mesurer\u00a0: lancez"):
        mesurer(minimum=500)


def test_sans_famille_inventee_rien_ne_se_mesure(distribution):
    with pytest.raises(CommandError, match="Il faut des familles inventées"):
        call_command("bench", minimum=1)


def test_la_production_ne_se_mesure_pas(mesurer, settings):
    settings.MODE_DEMO = False
    with pytest.raises(CommandError, match="production"):
        mesurer()


def test_la_session_ouverte_pour_mesurer_se_ferme(mesurer):
    avant = Session.objects.count()
    mesurer()
    assert Session.objects.count() == avant


def test_le_plancher_passe_par_les_memes_portes_et_rend_une_ligne_par_rangee(comptes, connecter):
    adresse, vue = reverse("mes_enfants"), plancher(charger_enfants)
    with meme_connexion():
        assert Navigateur(adresse, "", plancher=vue).demander()[0] == 302
    with session(comptes["durand"]) as cookies, meme_connexion():
        statut, contenu = Navigateur(adresse, cookies, plancher=vue).demander()
        page = Navigateur(adresse, cookies).demander()
    assert (statut, sorted(contenu.decode().split("\n"))) == (200, ["Léa", "Tom"])
    assert (page[0], b"<html" in page[1]) == (200, True)


def test_un_seul_depassement_se_voit():
    mesure = Mesure(requetes=8, ko=150.0, temps=30.0, processeur=12.0, rapport=2.5)
    budgets = [
        Budget(),
        Budget(requetes=8, ko=150, rapport=2.5),
        Budget(requetes=7, ko=150),
        Budget(requetes=8, ko=149),
        Budget(rapport=2.4),
    ]
    assert [verdict(mesure, budget) for budget in budgets] == ["–", "bien", "au-dessus", "au-dessus", "au-dessus"]


def test_la_plus_grande_des_familles_mesurees_a_six_enfants_au_plus(distribution):
    inventer(120)
    tailles = Counter(Rattachement.objects.filter(famille__in=familles_inventees()).values_list("famille", flat=True))
    bancs = mesures.demandeurs(1)
    assert {type(banc) for banc in bancs.values()} == {Banc}
    assert bancs[True].enfants == max(n for n in tailles.values() if n <= 6)
    assert bancs[False].enfant.reservations.count() > 20


@pytest.mark.parametrize("nombre", [1, 4, 6])
def test_six_freres_et_soeurs_sont_tous_en_age_d_ecole(nombre):
    for graine in range(200):
        naissances = peuplement_tirages.naissances(Random(graine), nombre, JOUR)
        assert len(naissances) == nombre
        assert naissances == sorted(naissances, reverse=True)
        assert annee_scolaire(JOUR) - 11 < naissances[-1].year
