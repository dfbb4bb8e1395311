"""Mandatory vaccines: which child, which day, what is left to do."""

from datetime import date

import pytest

from enfants.regles.vaccins import TABLE_2025, Obligation, limite_provisoire, manquants, obligatoires

DTP = ["DIPHTERIE", "TETANOS", "POLIO"]
COMMUNS = [*DTP, "COQUELUCHE", "HIB", "HEPATITE_B", "PNEUMOCOQUE", "ROUGEOLE", "OREILLONS", "RUBEOLE"]
AVEC_C = [*COMMUNS, "MENINGO_C"]
AVEC_ACWY_ET_B = [*COMMUNS, "MENINGO_ACWY", "MENINGO_B"]

RENTREE = date(2026, 9, 1)


def codes(obligations):
    return [obligation.code for obligation in obligations]


@pytest.mark.parametrize(
    ("naissance", "jour", "attendus"),
    [
        (date(2017, 12, 31), RENTREE, DTP),
        (date(2018, 1, 1), RENTREE, AVEC_C),
        (date(2018, 1, 1), date(2018, 6, 1), AVEC_C),
        (date(2023, 6, 30), RENTREE, AVEC_C),
        (date(2023, 7, 1), RENTREE, AVEC_ACWY_ET_B),
        (date(2023, 7, 1), date(2024, 9, 1), [*COMMUNS, "MENINGO_C_2024"]),
        (date(2024, 3, 15), date(2024, 12, 31), [*COMMUNS, "MENINGO_C_2024"]),
        (date(2024, 3, 15), date(2025, 1, 1), AVEC_ACWY_ET_B),
        (date(2026, 3, 15), RENTREE, AVEC_ACWY_ET_B),
        (None, RENTREE, []),
    ],
)
def test_les_vaccins_obligatoires_dependent_de_la_naissance_et_du_jour(naissance, jour, attendus):
    assert codes(obligatoires(naissance, jour, TABLE_2025)) == attendus


def test_trois_onze_puis_douze_vaccins():
    assert (len(DTP), len(AVEC_C), len(AVEC_ACWY_ET_B)) == (3, 11, 12)


def test_chaque_ligne_de_la_table_a_son_code_et_son_nom():
    assert len({o.code for o in TABLE_2025}) == len({o.nom for o in TABLE_2025}) == len(TABLE_2025) == 14


def test_chaque_borne_d_une_ligne_dit_quel_jour_elle_compte():
    ligne = Obligation(
        "X",
        "Maladie",
        ne_a_partir_de=date(2020, 1, 1),
        ne_avant=date(2021, 1, 1),
        obligatoire_du=date(2022, 1, 1),
        obligatoire_au=date(2022, 12, 31),
    )

    def concerne(naissance, jour):
        return obligatoires(naissance, jour, [ligne]) == [ligne]

    naissances = [date(2019, 12, 31), date(2020, 1, 1), date(2020, 12, 31), date(2021, 1, 1)]
    assert [concerne(n, date(2022, 6, 1)) for n in naissances] == [False, True, True, False]
    jours = [date(2021, 12, 31), date(2022, 1, 1), date(2022, 12, 31), date(2023, 1, 1)]
    assert [concerne(date(2020, 6, 1), jour) for jour in jours] == [False, True, True, False]


@pytest.mark.parametrize(
    ("naissance", "faits", "attendus"),
    [
        (date(2016, 5, 2), {}, DTP),
        (date(2016, 5, 2), {"TETANOS": date(2017, 1, 3)}, ["DIPHTERIE", "POLIO"]),
        (date(2016, 5, 2), {"TETANOS": "janvier 2017", "POLIO": ""}, ["DIPHTERIE", "POLIO"]),
        (date(2016, 5, 2), dict.fromkeys(DTP, date(2017, 1, 3)), []),
        (date(2016, 5, 2), {"MENINGO_B": date(2017, 1, 3)}, DTP),
        (date(2019, 5, 2), dict.fromkeys(COMMUNS, "2020"), ["MENINGO_C"]),
        (None, {}, []),
    ],
)
def test_les_vaccins_sans_date_manquent(naissance, faits, attendus):
    assert codes(manquants(naissance, RENTREE, TABLE_2025, faits)) == attendus


@pytest.mark.parametrize(
    ("jour", "limite"),
    [
        (date(2026, 9, 1), date(2026, 12, 1)),
        (date(2026, 10, 15), date(2027, 1, 15)),
        (date(2026, 12, 31), date(2027, 3, 31)),
        (date(2026, 11, 30), date(2027, 2, 28)),
        (date(2027, 11, 30), date(2028, 2, 29)),
        (date(2026, 8, 31), date(2026, 11, 30)),
        (date(2026, 9, 30), date(2026, 12, 30)),
    ],
)
def test_une_admission_provisoire_dure_trois_mois(jour, limite):
    assert limite_provisoire(jour) == limite
