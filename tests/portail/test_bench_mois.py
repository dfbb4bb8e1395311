"""``manage.py bench_mois``: a whole month billed on a copy of the base, of which nothing is left."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from facturation.models import Campagne, Facture
from portail import mesures_mois
from tests.portail.inventees import inventer


@pytest.fixture
def seul(distribution):
    """Nobody else on the base, which could not be copied: threads of former tests may have left a connection."""
    with connection.cursor() as curseur:
        curseur.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def bases():
    with connection.cursor() as curseur:
        curseur.execute("SELECT datname FROM pg_database ORDER BY 1")
        return [nom for (nom,) in curseur.fetchall()]


@pytest.mark.django_db(transaction=True)
def test_le_mois_se_facture_a_deux_sur_une_copie_et_la_base_n_en_sait_rien(seul, monkeypatch):
    inventer(6)
    avant, factures, nom = bases(), Facture.objects.count(), connection.settings_dict["NAME"]
    monkeypatch.setattr("facturation.campagnes.LOT", 4)
    sortie = StringIO()
    call_command("bench_mois", processus=2, stdout=sortie)
    formes = [
        r"Facturer \d\d/\d{4}\u00a0: \d+ jours réservés, à 2 processus",
        r"préparation\u00a0: 3 lots, (\d+,\d(, )?)+ s au fil des lots, \d+ Mo au plus",
        r"émission\u00a0: 3 lots, (\d+,\d(, )?)+ s au fil des lots, \d+ Mo au plus",
        r"10 familles en \d+,\d s, soit \d+,\d s pour 100000 \(60 au plus\)\u00a0: (bien|au-dessus)",
    ]
    assert [
        f for ligne, f in zip(sortie.getvalue().splitlines(), formes, strict=True) if not re.fullmatch(f, ligne)
    ] == []
    assert (bases(), connection.settings_dict["NAME"]) == (avant, nom)
    assert (Facture.objects.count(), Campagne.objects.filter(etape="EMISE").count()) == (factures, 0)


@pytest.mark.django_db(transaction=True)
def test_la_copie_est_jetee_meme_apres_un_echec(seul, monkeypatch):
    inventer(2)
    avant = bases()
    monkeypatch.setattr(mesures_mois, "_etapes", lambda mois: iter([("préparation", None)]))
    with pytest.raises(AttributeError):
        call_command("bench_mois", stdout=StringIO())
    assert bases() == avant


@pytest.mark.django_db
def test_sans_reservation_ou_en_production_rien_ne_se_mesure(settings):
    with pytest.raises(CommandError, match="Il faut des réservations"):
        call_command("bench_mois")
    settings.MODE_DEMO = False
    with pytest.raises(CommandError, match="production"):
        call_command("bench_mois")
