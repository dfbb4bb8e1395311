"""The public holidays that ``manage.py calendrier`` adds, the zone it takes, and what it leaves to the agents."""

from datetime import date

import pytest
from django.core.management import call_command

from enfants import offre
from enfants.calendrier import charger
from enfants.models import JourFerie, PeriodeVacances
from enfants.vacances import publiees
from portail.commune import Commune

pytestmark = pytest.mark.django_db

TOUSSAINT = date(2027, 11, 1)
FERIES_2027 = [
    (date(2027, 1, 1), "Jour de l'an"),
    (date(2027, 3, 29), "Lundi de Pâques"),
    (date(2027, 5, 1), "Fête du Travail"),
    (date(2027, 5, 6), "Ascension"),
    (date(2027, 5, 8), "Fête de la Victoire"),
    (date(2027, 5, 17), "Lundi de Pentecôte"),
    (date(2027, 7, 14), "Fête nationale"),
    (date(2027, 8, 15), "Assomption"),
    (TOUSSAINT, "Toussaint"),
    (date(2027, 11, 11), "Armistice"),
    (date(2027, 12, 25), "Noël"),
]


@pytest.fixture
def calendrier(distribution, capsys):
    """``calendrier("--du", "2027")``: the lines it prints, on an empty calendar."""
    PeriodeVacances.objects.all().delete()
    JourFerie.objects.all().delete()

    def lancer(*arguments):
        call_command("calendrier", *arguments)
        return capsys.readouterr().out.replace("\u00a0", " ").splitlines()

    return lancer


def feries():
    return list(JourFerie.objects.values_list("jour", "nom"))


def test_les_jours_feries_des_memes_annees_s_ajoutent(calendrier):
    lignes = calendrier("--du", "2027", "--au", "2027")
    assert feries() == FERIES_2027
    assert lignes[-2].startswith("  Jours fériés 2027 : Jour de l'an, Lundi de Pâques, Fête du Travail,")


def test_ce_qu_un_agent_a_ecrit_reste(calendrier):
    JourFerie.objects.create(jour=TOUSSAINT, nom="La Toussaint")
    JourFerie.objects.create(jour=date(2027, 6, 14), nom="Fête locale")
    lignes = calendrier("--du", "2027", "--au", "2027")
    assert "Toussaint" not in lignes[-2]
    assert JourFerie.objects.get(jour=TOUSSAINT).nom == "La Toussaint"
    assert JourFerie.objects.count() == 12
    assert calendrier("--du", "2027", "--au", "2027")[-2] == "  Jours fériés 2027 : aucun à ajouter"
    assert JourFerie.objects.count() == 12


def test_sans_zone_c_est_celle_de_la_commune(calendrier):
    Commune(nom="Essai", zone="C").save()
    lignes = calendrier("--du", "2027", "--au", "2027")
    assert lignes[-1] == "→ Zone C : 7 ajoutées, 0 laissées telles quelles."
    assert PeriodeVacances.objects.get(nom="Vacances d'hiver").valable_du == date(2027, 2, 6)


def test_une_autre_zone_se_demande(calendrier):
    assert calendrier("--zone", "a", "--du", "2027", "--au", "2027")[-1].startswith("→ Zone A : ")


def test_les_annees_vont_jusqu_a_la_derniere_connue(calendrier):
    calendrier("--du", "2026")
    annees = sorted({jour.year for jour, _ in feries()})
    assert annees == list(range(2026, PeriodeVacances.objects.order_by("valable_au").last().valable_au.year + 1))


def test_des_annees_lointaines_ne_remplissent_pas_le_calendrier(calendrier):
    calendrier("--du", "1", "--au", "9000")
    connues = publiees("B")
    assert sorted({jour.year for jour, _ in feries()}) == list(range(connues[0].du.year, connues[-1].au.year + 1))


def test_le_planning_lit_aussitot_le_nouveau_calendrier(calendrier):
    JourFerie.objects.create(jour=date(2027, 6, 14), nom="Fête locale")
    assert TOUSSAINT not in offre.calendrier(TOUSSAINT, TOUSSAINT).feries, "l'année est aux agents"
    calendrier("--du", "2027", "--au", "2027")
    assert TOUSSAINT in offre.calendrier(TOUSSAINT, TOUSSAINT).feries


def test_la_commande_dit_ce_que_disent_les_paquets(calendrier):
    bornes = date(2027, 1, 1), date(2027, 12, 31)
    avant = charger(*bornes)
    calendrier("--du", "2026", "--au", "2028")
    vacances, jours = charger(*bornes)
    assert jours == avant[1]
    assert [debut for debut, _ in vacances if debut.month == 2] == [date(2027, 2, 20)]
