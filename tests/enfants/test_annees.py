"""The school year, the age and the usual level, by tables of cases."""

from datetime import date

import pytest

from enfants.regles.annees import (
    NIVEAUX,
    a_venir,
    age,
    age_texte,
    annee_scolaire,
    bornes,
    libelle,
    niveau_habituel,
    niveau_suivant,
)


@pytest.mark.parametrize(
    ("jour", "scolaire", "inscriptions"),
    [
        (date(2026, 8, 31), 2025, 2026),
        (date(2026, 9, 1), 2026, 2026),
        (date(2026, 12, 31), 2026, 2026),
        (date(2027, 1, 1), 2026, 2026),
        (date(2027, 2, 28), 2026, 2026),
        (date(2028, 2, 29), 2027, 2027),
        (date(2027, 3, 1), 2026, 2027),
    ],
)
def test_l_annee_scolaire_et_celle_ou_l_on_s_inscrit(jour, scolaire, inscriptions):
    assert (annee_scolaire(jour), a_venir(jour)) == (scolaire, inscriptions)


def test_une_annee_scolaire_se_lit_et_va_du_1er_septembre_au_31_aout():
    assert libelle(2026) == "2026-2027"
    assert bornes(2026) == (date(2026, 9, 1), date(2027, 8, 31))
    assert [annee_scolaire(jour) for jour in bornes(2026)] == [2026, 2026]


@pytest.mark.parametrize(
    ("naissance", "jour", "ans", "texte"),
    [
        (date(2018, 5, 12), date(2026, 5, 11), 7, "7\u00a0ans"),
        (date(2018, 5, 12), date(2026, 5, 12), 8, "8\u00a0ans"),
        (date(2025, 5, 12), date(2026, 5, 12), 1, "1\u00a0an"),
        (date(2025, 5, 12), date(2026, 5, 11), 0, "11\u00a0mois"),
        (date(2025, 12, 31), date(2026, 2, 28), 0, "1\u00a0mois"),
        (date(2026, 1, 31), date(2026, 2, 28), 0, "moins d'un mois"),
        (date(2026, 5, 12), date(2026, 5, 12), 0, "moins d'un mois"),
        (date(2026, 5, 12), date(2026, 5, 11), -1, "à naître"),
        (date(2020, 2, 29), date(2026, 2, 28), 5, "5\u00a0ans"),
        (date(2020, 2, 29), date(2026, 3, 1), 6, "6\u00a0ans"),
        (date(2020, 2, 29), date(2028, 2, 29), 8, "8\u00a0ans"),
    ],
)
def test_l_age_d_un_enfant(naissance, jour, ans, texte):
    assert (age(naissance, jour), age_texte(naissance, jour)) == (ans, texte)


def test_un_enfant_monte_d_un_niveau_par_an_puis_quitte_l_ecole():
    parcours, niveau = [], "TPS"
    while niveau:
        parcours.append(niveau)
        niveau = niveau_suivant(niveau)
    assert parcours == ["TPS", "PS", "MS", "GS", "CP", "CE1", "CE2", "CM1", "CM2"] == list(NIVEAUX)


def test_un_niveau_inconnu_n_a_pas_de_suivant():
    with pytest.raises(ValueError, match="is not in list"):
        niveau_suivant("6e")


@pytest.mark.parametrize(
    ("naissance", "niveau"),
    [
        (date(2026, 9, 1), ""),
        (date(2025, 1, 1), ""),
        (date(2024, 12, 31), "TPS"),
        (date(2023, 7, 1), "PS"),
        (date(2021, 1, 1), "GS"),
        (date(2020, 12, 31), "CP"),
        (date(2020, 1, 1), "CP"),
        (date(2019, 12, 31), "CE1"),
        (date(2016, 1, 1), "CM2"),
        (date(2015, 12, 31), ""),
    ],
)
def test_le_niveau_habituel_suit_l_annee_civile_de_naissance(naissance, niveau):
    assert niveau_habituel(naissance, 2026) == niveau
