"""``manage.py expliquer_delai``, and the calendar it reads: the agents' tables, else the package."""

import json
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, transaction

from enfants.calendrier import charger
from enfants.management.commands import expliquer_delai
from enfants.models import JourFerie, PeriodeVacances
from portail.commune import Commune
from tests.enfants.calendriers import ETE, HIVER_B, NOEL, PRINTEMPS_B, TOUSSAINT

pytestmark = pytest.mark.django_db

SCOLAIRES = {"type": "jours_avant", "n": 2, "heure": "12:00", "compte": "scolaires"}
PERIODE = {"type": "periode", "avant_jours": 21, "heure": "18:00"}
ASCENSION = (date(2027, 5, 6), date(2027, 5, 9))


@pytest.fixture(autouse=True)
def sans_jours_feries(db):
    """No public holiday on file: the package tells them."""
    JourFerie.objects.all().delete()


@pytest.fixture
def tables_vides(distribution):
    PeriodeVacances.objects.all().delete()


def expliquer(regle, jour="2026-11-26", maintenant="2026-11-24T10:59", **options):
    texte = regle if isinstance(regle, str) else json.dumps(regle)
    sortie = StringIO()
    call_command("expliquer_delai", regle=texte, jour=jour, maintenant=maintenant, stdout=sortie, **options)
    (ligne,) = sortie.getvalue().splitlines()
    return json.loads(ligne)


# --- The answer ----------------------------------------------------------------------------------------------


def test_une_ligne_de_json_dit_la_limite_la_reponse_et_la_phrase():
    sortie = StringIO()
    regle = '{"type":"jours_avant","n":2,"heure":"12:00","compte":"calendaires"}'
    arguments = ["--regle", regle, "--jour", "2026-11-26", "--maintenant", "2026-11-24T10:59"]
    call_command("expliquer_delai", *arguments, stdout=sortie)
    assert sortie.getvalue() == (
        '{"limite": "2026-11-24T12:00:00+01:00", "permis": true, "phrase": "Jusqu\'à 12\u00a0h, 2 jours avant."}\n'
    )


@pytest.mark.parametrize(
    ("maintenant", "attendu"),
    [
        ("2026-11-23T12:00", True),
        ("2026-11-23T12:00:00.000001", False),
        ("2026-11-23T11:00Z", True),
        ("2026-11-23T11:00:01+00:00", False),
        ("2026-11-23T06:59-04:00", True),
        ("2026-11-23T07:01-04:00", False),
    ],
)
def test_l_instant_est_a_l_heure_de_la_commune_sauf_s_il_dit_la_sienne(maintenant, attendu):
    assert expliquer(SCOLAIRES, maintenant=maintenant) == {
        "limite": "2026-11-23T12:00:00+01:00",
        "permis": attendu,
        "phrase": "Jusqu'à 12\u00a0h, 2 jours d'école avant.",
    }


def test_la_commune_a_son_fuseau(settings):
    settings.TIME_ZONE = "Indian/Reunion"
    assert expliquer({"type": "aucune"}, maintenant="2026-11-26T12:00") == {
        "limite": "2026-11-26T12:00:00+04:00",
        "permis": True,
        "phrase": "Jusqu'au début du service.",
    }


def test_un_jour_ferme_n_a_pas_de_limite():
    assert expliquer(PERIODE) == {
        "limite": None,
        "permis": False,
        "phrase": "Jusqu'à 18\u00a0h, 21 jours avant le premier jour des vacances.",
    }


def test_le_debut_et_les_jours_du_service_se_donnent():
    assert expliquer({"type": "heures_avant", "n": 24}, debut="07:30")["limite"] == "2026-11-25T07:30:00+01:00"
    assert expliquer(SCOLAIRES, jours_service="2,3")["limite"] == "2026-11-19T12:00:00+01:00"
    assert expliquer(SCOLAIRES, jours_service="6")["limite"] == "2026-11-15T12:00:00+01:00"


def test_un_compte_long_connait_les_jours_feries_d_avant():
    """13 jours ouvrés before 30 November, the Armistice left out."""
    regle = {**SCOLAIRES, "n": 13, "compte": "ouvres"}
    assert expliquer(regle, jour="2026-11-30")["limite"] == "2026-11-10T12:00:00+01:00"


@pytest.mark.usefixtures("tables_vides")
@pytest.mark.parametrize(
    ("zone", "jour", "attendue"),
    [
        ("A", "2027-03-01", "2027-02-11T12:00:00+01:00"),
        ("B", "2027-03-01", "2027-02-18T12:00:00+01:00"),
        ("C", "2027-03-01", "2027-02-25T12:00:00+01:00"),
        ("A", "2027-04-26", "2027-04-08T12:00:00+02:00"),
        ("B", "2027-05-03", "2027-04-15T12:00:00+02:00"),
        ("C", "2027-04-19", "2027-04-01T12:00:00+02:00"),
        ("B", "2028-02-21", "2028-02-03T12:00:00+01:00"),
        ("B", "2026-11-02", "2026-10-15T12:00:00+02:00"),
    ],
)
def test_chaque_zone_a_ses_vacances(zone, jour, attendue):
    assert expliquer(SCOLAIRES, jour=jour, zone=zone)["limite"] == attendue


def test_les_vacances_des_agents_l_emportent_sur_celles_du_paquet(distribution):
    """The same question without the tables, then with holidays that no decree says."""
    PeriodeVacances.objects.all().delete()
    assert expliquer(SCOLAIRES)["limite"] == "2026-11-23T12:00:00+01:00"
    PeriodeVacances.objects.create(nom="Pont", valable_du=date(2026, 11, 23), valable_au=date(2026, 11, 25))
    assert expliquer(SCOLAIRES)["limite"] == "2026-11-19T12:00:00+01:00"
    # the tables are those of the commune's zone: they say nothing of another
    assert expliquer(SCOLAIRES, zone="C")["limite"] == "2026-11-23T12:00:00+01:00"


def test_les_jours_feries_des_agents_l_emportent_sur_ceux_du_paquet():
    regle = {**SCOLAIRES, "n": 1, "compte": "ouvres"}
    assert expliquer(regle, jour="2026-11-12")["limite"] == "2026-11-10T12:00:00+01:00"
    JourFerie.objects.create(jour=date(2026, 11, 10), nom="Foire communale")
    assert expliquer(regle, jour="2026-11-12")["limite"] == "2026-11-11T12:00:00+01:00"
    assert expliquer(regle, jour="2026-11-11")["limite"] == "2026-11-09T12:00:00+01:00"
    # another civil year has no row: the package still answers
    assert expliquer(regle, jour="2027-03-30")["limite"] == "2027-03-26T12:00:00+01:00"


# --- The calendar --------------------------------------------------------------------------------------------


def test_le_calendrier_donne_les_vacances_entieres_et_les_jours_feries(distribution, django_assert_num_queries):
    du, au = date(2026, 10, 30), date(2026, 12, 25)
    feries = frozenset({date(2026, 11, 1), date(2026, 11, 11), date(2026, 12, 25)})
    Commune.actuelle()  # its zone is kept a minute
    with django_assert_num_queries(2):
        assert charger(du, au) == ((TOUSSAINT, NOEL), feries)
    PeriodeVacances.objects.all().delete()
    assert charger(du, au) == ((TOUSSAINT, NOEL), feries)


@pytest.mark.usefixtures("tables_vides")
def test_le_paquet_et_la_table_de_la_demonstration_disent_pareil():
    vacances = charger(date(2026, 9, 1), date(2027, 7, 2))[0]
    assert vacances == (TOUSSAINT, NOEL, HIVER_B, PRINTEMPS_B, ASCENSION)
    assert charger(date(2027, 1, 3), date(2027, 1, 5))[0] == (NOEL,)
    assert charger(date(2026, 12, 15), date(2026, 12, 19))[0] == (NOEL,)
    assert charger(date(2027, 1, 4), date(2027, 2, 19))[0] == ()
    assert charger(date(2027, 8, 1), date(2027, 8, 2))[0] == ((ETE[0], date(2027, 9, 1)),)


def test_un_pont_que_les_agents_n_ont_pas_ne_revient_pas(distribution):
    """The demonstration keeps 2026-2027 without the bridge of the Ascension; the years around come from the package."""
    vacances = charger(date(2026, 5, 14), date(2028, 2, 20))[0]
    assert vacances == (
        (date(2026, 5, 14), date(2026, 5, 17)),
        (date(2026, 7, 4), date(2026, 8, 31)),
        *(TOUSSAINT, NOEL, HIVER_B, PRINTEMPS_B, ETE),
        (date(2027, 10, 23), date(2027, 11, 7)),
        (date(2027, 12, 18), date(2028, 1, 2)),
        (date(2028, 2, 5), date(2028, 2, 20)),
    )


def test_des_vacances_commencees_l_annee_d_avant_se_voient_a_la_rentree(tables_vides):
    """They began in the school year before, and still hold the day."""
    PeriodeVacances.objects.create(nom="Été", valable_du=date(2027, 7, 3), valable_au=date(2027, 9, 5))
    assert charger(date(2027, 9, 1), date(2027, 9, 10))[0] == ((date(2027, 7, 3), date(2027, 9, 5)),)


def test_un_jour_ferie_ne_s_ecrit_qu_une_fois():
    JourFerie.objects.create(jour=date(2026, 11, 11), nom="Armistice")
    with pytest.raises(IntegrityError), transaction.atomic():
        JourFerie.objects.create(jour=date(2026, 11, 11), nom="Armistice")
    assert [str(ferie) for ferie in JourFerie.objects.all()] == ["Armistice"]


# --- Bad input -----------------------------------------------------------------------------------------------

BON = {"regle": json.dumps(SCOLAIRES), "jour": "2026-11-26", "maintenant": "2026-11-24T10:59"}
JSON = "La règle n'est pas du JSON."
TYPE = "Choisissez le type de la règle : jours_avant, heures_avant, semaine, table, mois, periode, aucune."
JOUR, INSTANT = "Le jour s'écrit 2026-11-26", "L'instant s'écrit 2026-11-24T10:59"
ECOLE = "Les jours d'école s'écrivent 0,1,3,4 : de 0 (lundi) à 6 (dimanche)."
DEBUT = "L'heure où commence le service s'écrit avec quatre chiffres, de 00:00 à 23:59."
LIGNE = "Ligne de commande incomprise : voyez « manage.py expliquer_delai --help »."

MAUVAISES = [
    *(("regle", texte, JSON) for texte in ("", "{", "{'type': 'aucune'}", "[" * 100_000, "\udcff", "9" * 5000)),
    *(("regle", texte, TYPE) for texte in ("null", "NaN", "[]", "{}", '{"type": "?"}', "[" * 500 + "]" * 500)),
    ("regle", '{"type": "mois", "jour": 32, "heure": "12:00"}', "Le jour du mois va de 1 à 31."),
    *(("jour", texte, f"{JOUR}.") for texte in ("", "26/11/2026", "2026-02-29", "2026-11-26T10:00", "1e400")),
    *(("jour", texte, f"{JOUR}, entre 2018 et 2100.") for texte in ("0001-01-01", "9999-12-31", "0026-11-26")),
    *(("maintenant", texte, f"{INSTANT}.") for texte in ("", "hier", "2026-11-24T25:00", "10:59")),
    ("maintenant", "0001-01-01T00:00", f"{INSTANT}, entre 2018 et 2100."),
    ("maintenant", "9999-12-31T23:59-23:59", f"{INSTANT}, entre 2018 et 2100."),
    *(("zone", texte, "La zone est A, B ou C.") for texte in ("", "D", "b", "Zone B")),
    *(("debut", texte, DEBUT) for texte in ("", "24:00", "7:30", "12:00:00", "12:00\n", "midi")),
    *(("jours_service", texte, ECOLE) for texte in ("", "7", "0,,1", "0;1", "lundi", "0, 1", "0,1\n", "-1")),
]


@pytest.mark.parametrize(("option", "texte", "phrase"), MAUVAISES)
def test_une_mauvaise_saisie_se_refuse_d_une_phrase(option, texte, phrase):
    with pytest.raises(CommandError) as refus:
        expliquer(**{**BON, option: texte})
    assert (str(refus.value).replace("\u00a0", " "), refus.value.returncode) == (phrase, 2)


def lancer(monkeypatch, capsys, *arguments):
    """As in a terminal: exit code, lines of stdout, lines of stderr."""
    monkeypatch.setattr("django.core.management.base.connections.close_all", lambda: None)  # the test's transaction
    with pytest.raises(SystemExit) as fin:
        expliquer_delai.Command().run_from_argv(["manage.py", "expliquer_delai", *arguments])
    ecrits = capsys.readouterr()
    return fin.value.code, ecrits.out, ecrits.err.replace("\u00a0", " ").splitlines()


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        ([], LIGNE),
        (["--regle"], LIGNE),
        (["--regle", "{}", "--jour", "2026-11-26"], LIGNE),
        ([*(f"--{nom}={texte}" for nom, texte in BON.items()), "--date=2026-11-26"], LIGNE),
        ([f"--{nom}={texte}" for nom, texte in {**BON, "regle": "["}.items()], f"CommandError: {JSON}"),
    ],
)
def test_dans_un_terminal_une_phrase_et_le_code_2(monkeypatch, capsys, arguments, phrase):
    assert lancer(monkeypatch, capsys, *arguments) == (2, "", [phrase])


def test_la_ligne_incomprise_se_refuse_aussi_depuis_le_code():
    with pytest.raises(CommandError) as refus:
        call_command("expliquer_delai", "--regle", "{}")
    assert (str(refus.value).replace("\u00a0", " "), refus.value.returncode) == (LIGNE, 2)


def test_sans_base_une_phrase_aussi(monkeypatch):
    def en_panne(*arguments):
        raise OperationalError("connection refused")

    monkeypatch.setattr(expliquer_delai.calendrier, "charger", en_panne)
    with pytest.raises(CommandError) as refus:
        expliquer(SCOLAIRES)
    assert str(refus.value).replace("\u00a0", " ") == (
        "La base de données n'est pas prête : lancez d'abord script/server."
    )
