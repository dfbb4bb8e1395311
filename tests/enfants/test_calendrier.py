"""The school holidays: what ``manage.py calendrier`` adds, and what it leaves to the agents."""

from datetime import date

import pytest
from django.core.management import CommandError, call_command

from enfants.models import PeriodeVacances
from enfants.vacances import ZONES, publiees

pytestmark = pytest.mark.django_db

ANNEE_2027 = [
    ("Vacances de Noël", date(2026, 12, 19), date(2027, 1, 3)),
    ("Vacances d'hiver", date(2027, 2, 20), date(2027, 3, 7)),
    ("Vacances de printemps", date(2027, 4, 17), date(2027, 5, 2)),
    ("Pont de l'Ascension", date(2027, 5, 6), date(2027, 5, 8)),
    ("Vacances d'été", date(2027, 7, 3), date(2027, 8, 31)),
    ("Vacances de la Toussaint", date(2027, 10, 23), date(2027, 11, 7)),
    ("Vacances de Noël", date(2027, 12, 18), date(2028, 1, 2)),
]


@pytest.fixture
def calendrier(distribution, capsys):
    """``calendrier("--du", "2027")``: the lines it prints; the demo's own holidays are gone first."""
    PeriodeVacances.objects.all().delete()

    def lancer(*arguments):
        call_command("calendrier", *arguments)
        return capsys.readouterr().out.replace("\u00a0", " ").splitlines()

    return lancer


def au_calendrier():
    return list(PeriodeVacances.objects.values_list("nom", "valable_du", "valable_au"))


def test_une_annee_civile_prend_entieres_les_vacances_qui_la_touchent(calendrier):
    lignes = calendrier("--du", "2027", "--au", "2027")
    assert au_calendrier() == ANNEE_2027
    assert lignes[3] == "  Pont de l'Ascension du 6 au 8 mai 2027 : ajoutées"
    assert lignes[-1] == "→ Zone B : 7 ajoutées, 0 laissées telles quelles."


def test_les_zones_n_ont_pas_le_meme_hiver(calendrier):
    calendrier("--zone", "c", "--du", "2027", "--au", "2027")
    assert ("Vacances d'hiver", date(2027, 2, 6), date(2027, 2, 21)) in au_calendrier()


def test_relancer_ne_change_rien(calendrier):
    calendrier("--du", "2027", "--au", "2027")
    lignes = calendrier("--du", "2027", "--au", "2027")
    assert au_calendrier() == ANNEE_2027
    assert lignes[-1] == "→ Zone B : 0 ajoutées, 7 laissées telles quelles."


def test_la_correction_d_un_agent_gagne(calendrier):
    PeriodeVacances.objects.create(nom="Hiver", valable_du=date(2027, 2, 19), valable_au=date(2027, 3, 8))
    lignes = calendrier("--du", "2027", "--au", "2027")
    assert lignes[1] == (
        "  Vacances d'hiver du 20 février au 7 mars 2027 : non ajoutées, déjà au calendrier : "
        "Hiver du 19 février au 8 mars 2027"
    )
    assert [ligne for ligne in au_calendrier() if ligne[1].month == 2] == [
        ("Hiver", date(2027, 2, 19), date(2027, 3, 8))
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_l_ete_va_toujours_au_31_aout(zone):
    etes = [periode.au for periode in publiees(zone) if periode.nom == "Vacances d'été" and periode.du.year >= 2020]
    assert len(etes) >= 9
    assert {(au.month, au.day) for au in etes} == {(8, 31)}


def test_une_annee_inconnue_se_dit(calendrier):
    with pytest.raises(CommandError, match="Pas de vacances connues de 2050 à 2060"):
        calendrier("--du", "2050", "--au", "2060")
    assert au_calendrier() == []
