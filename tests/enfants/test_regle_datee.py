"""A deadline changed in mid-year: the one that counts is in force on the day that is booked, whenever one clicks."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from enfants import offre
from enfants.delais import remplacer_regle
from enfants.models import RegleDelai, Service
from enfants.regles.planning import AUCUNE, Contexte, RegleDatee
from tests.enfants.calendriers import CALENDRIERS

pytestmark = pytest.mark.django_db

PARIS = ZoneInfo("Europe/Paris")
ANCIENNE = {"type": "jours_avant", "n": 2, "heure": "12:00", "compte": "scolaires"}
NOUVELLE = {"type": "jours_avant", "n": 1, "heure": "18:00", "compte": "calendaires"}
DIMANCHE, LUNDI = date(2027, 1, 3), date(2027, 1, 4)  # the last day of the holidays, the day of return


@pytest.fixture
def cantine(distribution):
    """Two days of school before at noon until the Christmas holidays end, then the day before at six."""
    service = Service.objects.get(code="restauration")
    service.regles.all().delete()
    RegleDelai.objects.create(service=service, usage="RESERVER", regle=ANCIENNE, valable_du=date(2026, 9, 1))
    remplacer_regle(RegleDelai(service=service, usage="RESERVER", regle=NOUVELLE, valable_du=LUNDI))
    return offre.offre(service)


def contexte(cantine, jour, maintenant):
    return Contexte(cantine, jour, offre.pour(cantine, CALENDRIERS["B"]), maintenant, famille=1)


def test_la_regle_est_celle_du_jour_reserve(cantine):
    assert [cantine.regle("RESERVER", jour) for jour in (DIMANCHE, LUNDI)] == [ANCIENNE, NOUVELLE]
    assert cantine.regle("RESERVER", date(2026, 8, 31)) == AUCUNE
    assert cantine.regle("RESERVER", date(2030, 1, 1)) == NOUVELLE


def test_annuler_suit_la_regle_de_reserver_du_meme_jour(cantine):
    assert [cantine.regle("ANNULER", jour) for jour in (DIMANCHE, LUNDI)] == [ANCIENNE, NOUVELLE]
    assert cantine.regle("ABSENCE", LUNDI) == AUCUNE


@pytest.mark.parametrize(
    ("jour", "maintenant", "attendues"),
    [
        # before the change of rule, a click for the Friday before it, then for the Monday after
        (
            date(2026, 12, 18),
            datetime(2026, 12, 15, 12, tzinfo=PARIS),
            (datetime(2026, 12, 15, 12, tzinfo=PARIS), True),
        ),
        (
            date(2026, 12, 18),
            datetime(2026, 12, 17, 17, tzinfo=PARIS),
            (datetime(2026, 12, 15, 12, tzinfo=PARIS), False),
        ),
        (LUNDI, datetime(2026, 12, 18, 17, tzinfo=PARIS), (datetime(2027, 1, 3, 18, tzinfo=PARIS), True)),
        # the eve of the first day of the new rule is still a day of the former: the click does not choose
        (LUNDI, datetime(2027, 1, 3, 18, tzinfo=PARIS), (datetime(2027, 1, 3, 18, tzinfo=PARIS), True)),
        (LUNDI, datetime(2027, 1, 3, 18, 1, tzinfo=PARIS), (datetime(2027, 1, 3, 18, tzinfo=PARIS), False)),
    ],
)
def test_la_limite_ne_depend_pas_du_jour_ou_l_on_clique(jour, maintenant, attendues, cantine):
    c = contexte(cantine, jour, maintenant)
    assert (c.limite("RESERVER"), c.permis("RESERVER")) == attendues


def test_une_regle_finie_vaut_encore_son_dernier_jour(cantine):
    assert cantine.regles == (
        RegleDatee("RESERVER", ANCIENNE, date(2026, 9, 1), DIMANCHE),
        RegleDatee("RESERVER", NOUVELLE, LUNDI, None),
    )
