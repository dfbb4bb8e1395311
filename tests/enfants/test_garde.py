"""Alternating custody: which household has the child, day by day, and in words."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enfants.regles.garde import Garde, Mode, Vacances, calendrier, foyers_du, phrase, verifier

LUNDI, VENDREDI = 0, 4
BENALI, ROSSI = "benali", "rossi"
NOMS = {BENALI: "Karim Benali", ROSSI: "Elena Rossi"}

SEMAINES = Garde(Mode.ALTERNEE, (BENALI, ROSSI), premiere_semaine=date(2026, 8, 31), jour_passage=LUNDI)
MOITIES = replace(SEMAINES, vacances=Vacances.MOITIES)

TOUSSAINT = (date(2026, 10, 17), date(2026, 11, 1))  # 16 days
NOEL = (date(2026, 12, 19), date(2027, 1, 3))
ASCENSION = (date(2027, 5, 6), date(2027, 5, 8))  # 3 days
ETE_2026 = (date(2026, 7, 4), date(2026, 8, 31))  # 59 days, of 2025-2026
ETE_2027 = (date(2027, 7, 3), date(2027, 8, 31))  # 60 days, of 2026-2027
TOUSSAINT_2027 = (date(2027, 10, 23), date(2027, 11, 7))
VACANCES = [ETE_2026, TOUSSAINT, NOEL, ASCENSION, ETE_2027, TOUSSAINT_2027]


def passages(garde, debut, fin, vacances=()):
    """The first day of each stay, with who has the child: what a parent would write on a calendar."""
    vus = []
    for jour, foyers in calendrier(garde, debut, fin, vacances).items():
        if not vus or vus[-1][1:] != foyers:
            vus.append((jour, *foyers))
    return vus


# --- Weeks -------------------------------------------------------------------------------------------------


def test_une_semaine_sur_deux_meme_quand_deux_semaines_impaires_se_suivent():
    """2026-W53 and 2027-W01."""
    semaines = [date(2026, 12, 21), date(2026, 12, 28), date(2027, 1, 4), date(2027, 1, 11)]
    assert [jour.isocalendar().week for jour in semaines] == [52, 53, 1, 2]
    assert passages(SEMAINES, date(2026, 12, 21), date(2027, 1, 17)) == list(
        zip(semaines, [BENALI, ROSSI, BENALI, ROSSI], strict=True)
    )


@pytest.mark.parametrize(
    ("premiere", "passage", "attendus"),
    [
        # a Friday handover: the week of Wednesday 2 September began on Friday 28 August
        (date(2026, 9, 2), VENDREDI, [(27, ROSSI), (28, BENALI), (3, BENALI), (4, ROSSI), (10, ROSSI), (11, BENALI)]),
        (date(2026, 9, 4), VENDREDI, [(27, BENALI), (28, ROSSI), (3, ROSSI), (4, BENALI), (10, BENALI), (11, ROSSI)]),
        # the middle and the last day of a week name the same week as its first
        (date(2026, 9, 2), LUNDI, [(30, ROSSI), (31, BENALI), (6, BENALI), (7, ROSSI), (13, ROSSI), (14, BENALI)]),
        (date(2026, 9, 6), LUNDI, [(30, ROSSI), (31, BENALI), (6, BENALI), (7, ROSSI), (13, ROSSI), (14, BENALI)]),
        # a Sunday handover
        (date(2026, 9, 6), 6, [(29, BENALI), (30, ROSSI), (5, ROSSI), (6, BENALI), (12, BENALI), (13, ROSSI)]),
    ],
)
def test_l_enfant_change_de_foyer_le_jour_du_passage(premiere, passage, attendus):
    garde = replace(SEMAINES, premiere_semaine=premiere, jour_passage=passage)
    jours = [date(2026, 8 if numero > 20 else 9, numero) for numero, _ in attendus]
    assert [foyers_du(garde, jour, []) for jour in jours] == [(foyer,) for _, foyer in attendus]


@pytest.mark.parametrize(
    ("debut", "fin", "attendus"),
    [
        # before the first week, counting backwards
        (date(2026, 8, 17), date(2026, 9, 6), [(17, BENALI), (24, ROSSI), (31, BENALI)]),
        # the two changes of the clock
        (date(2026, 10, 19), date(2026, 11, 1), [(19, ROSSI), (26, BENALI)]),
        (date(2027, 3, 22), date(2027, 4, 4), [(22, ROSSI), (29, BENALI)]),
        # 29 February 2028, a Tuesday
        (date(2028, 2, 28), date(2028, 3, 12), [(28, BENALI), (6, ROSSI)]),
    ],
)
def test_les_semaines_font_sept_jours(debut, fin, attendus):
    assert [(jour.day, foyer) for jour, foyer in passages(SEMAINES, debut, fin)] == attendus


def test_les_vacances_comme_le_reste_de_l_annee():
    debut, fin = date(2026, 10, 5), date(2026, 11, 15)
    assert calendrier(SEMAINES, debut, fin, VACANCES) == calendrier(SEMAINES, debut, fin, [])


def test_un_calendrier_compte_ses_deux_bornes():
    assert list(calendrier(SEMAINES, date(2026, 9, 1), date(2026, 9, 2), [])) == [date(2026, 9, 1), date(2026, 9, 2)]
    assert calendrier(SEMAINES, date(2026, 9, 2), date(2026, 9, 1), []) == {}


JOURS = st.dates(date(2001, 1, 1), date(2060, 12, 31))
UN_JOUR, UNE_SEMAINE = timedelta(days=1), timedelta(days=7)


@given(premiere=JOURS, passage=st.integers(0, 6), jour=JOURS)
def test_chaque_semaine_l_autre_foyer(premiere, passage, jour):
    garde = replace(SEMAINES, premiere_semaine=premiere, jour_passage=passage)
    assert foyers_du(garde, premiere, []) == (BENALI,)
    assert {*foyers_du(garde, jour, []), *foyers_du(garde, jour + UNE_SEMAINE, [])} == {BENALI, ROSSI}
    change = foyers_du(garde, jour, []) != foyers_du(garde, jour - UN_JOUR, [])
    assert change == (jour.weekday() == passage)


# --- Halves of holidays ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vacances", "attendus"),
    [
        (TOUSSAINT, [(date(2026, 10, 17), BENALI), (date(2026, 10, 25), ROSSI)]),
        (NOEL, [(date(2026, 12, 19), BENALI), (date(2026, 12, 27), ROSSI)]),
        # an odd number of days: the first half has the one more
        (ASCENSION, [(date(2027, 5, 6), BENALI), (date(2027, 5, 8), ROSSI)]),
        (ETE_2026, [(date(2026, 7, 4), ROSSI), (date(2026, 8, 3), BENALI)]),
        # swapped from a school year to the next; the summer belongs to the year that ends
        (ETE_2027, [(date(2027, 7, 3), BENALI), (date(2027, 8, 2), ROSSI)]),
        (TOUSSAINT_2027, [(date(2027, 10, 23), ROSSI), (date(2027, 10, 31), BENALI)]),
        ((date(2026, 10, 17), date(2026, 10, 17)), [(date(2026, 10, 17), BENALI)]),
    ],
)
def test_les_vacances_se_coupent_au_milieu_et_l_ordre_change_chaque_annee(vacances, attendus):
    assert passages(MOITIES, *vacances, [vacances]) == attendus
    inverse = replace(MOITIES, premiere_moitie_annees_paires=False)
    autre = {BENALI: ROSSI, ROSSI: BENALI}
    assert passages(inverse, *vacances, [vacances]) == [(jour, autre[foyer]) for jour, foyer in attendus]


def test_autour_des_vacances_les_semaines_reprennent_comme_si_de_rien_n_etait():
    """This period goes from a Monday to a Tuesday: the week-end before it and the Wednesday after are the weeks'."""
    vacances = (date(2026, 10, 19), date(2026, 11, 3))
    garde = replace(MOITIES, premiere_moitie_annees_paires=False)
    assert passages(garde, date(2026, 10, 12), date(2026, 11, 15), [vacances]) == [
        (date(2026, 10, 12), BENALI),
        (date(2026, 10, 19), ROSSI),
        (date(2026, 10, 27), BENALI),
        (date(2026, 11, 4), ROSSI),
        (date(2026, 11, 9), BENALI),
    ]


def test_de_deux_periodes_qui_se_recouvrent_la_premiere_compte():
    vacances = [TOUSSAINT, (TOUSSAINT[0], date(2026, 10, 18))]
    assert calendrier(MOITIES, *TOUSSAINT, vacances) == calendrier(MOITIES, *TOUSSAINT, [TOUSSAINT])


def test_l_ete_finit_la_veille_de_la_rentree():
    assert passages(MOITIES, date(2026, 8, 30), date(2026, 9, 7), VACANCES) == [
        (date(2026, 8, 30), BENALI),
        (date(2026, 9, 7), ROSSI),
    ]


# --- Exceptions and other modes ----------------------------------------------------------------------------


def test_une_exception_l_emporte_sur_les_vacances_et_la_derniere_sur_les_autres():
    garde = replace(
        MOITIES,
        exceptions=(
            (date(2026, 12, 24), date(2026, 12, 28), ROSSI),
            (date(2026, 12, 25), date(2026, 12, 25), BENALI),
        ),
    )
    assert passages(garde, *NOEL, VACANCES) == [
        (date(2026, 12, 19), BENALI),
        (date(2026, 12, 24), ROSSI),
        (date(2026, 12, 25), BENALI),
        (date(2026, 12, 26), ROSSI),
    ]


def test_une_exception_couvre_son_premier_et_son_dernier_jour():
    garde = replace(SEMAINES, exceptions=((date(2026, 9, 2), date(2026, 9, 3), ROSSI),))
    assert passages(garde, date(2026, 8, 31), date(2026, 9, 7)) == [
        (date(2026, 8, 31), BENALI),
        (date(2026, 9, 2), ROSSI),
        (date(2026, 9, 4), BENALI),
        (date(2026, 9, 7), ROSSI),
    ]


def test_toutes_les_semaines_l_enfant_est_au_premier_foyer():
    seul, deux = Garde(Mode.TOUTES, (BENALI,)), Garde(Mode.TOUTES, (BENALI, ROSSI))
    for garde in (seul, deux):
        assert passages(garde, date(2026, 9, 1), date(2027, 8, 31), VACANCES) == [(date(2026, 9, 1), BENALI)]


def test_par_parts_chaque_jour_est_aux_deux_foyers_sauf_exception():
    garde = Garde(Mode.PARTS, (BENALI, ROSSI), part=60, exceptions=((date(2026, 12, 24), date(2026, 12, 24), ROSSI),))
    assert passages(garde, date(2026, 12, 1), date(2026, 12, 31), VACANCES) == [
        (date(2026, 12, 1), BENALI, ROSSI),
        (date(2026, 12, 24), ROSSI),
        (date(2026, 12, 25), BENALI, ROSSI),
    ]


# --- In words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("garde", "attendue"),
    [
        (Garde(Mode.TOUTES, (BENALI,)), "Toujours chez Karim Benali."),
        (
            Garde(Mode.PARTS, (BENALI, ROSSI), part=60),
            "Toute l'année dans les deux foyers : chaque facture est partagée, 60 % pour Karim Benali "
            "et 40 % pour Elena Rossi.",
        ),
        (
            replace(SEMAINES, premiere_semaine=date(2026, 9, 2), jour_passage=VENDREDI),
            "Une semaine sur deux, du vendredi au vendredi : chez Karim Benali la semaine du 28 août 2026, "
            "chez Elena Rossi la suivante. Pendant les vacances, les semaines continuent d'alterner.",
        ),
        (
            replace(MOITIES, premiere_semaine=date(2026, 9, 2)),
            "Une semaine sur deux, du lundi au lundi : chez Karim Benali la semaine du 31 août 2026, "
            "chez Elena Rossi la suivante. Vacances par moitié : première moitié chez Karim Benali les années "
            "scolaires paires (comme 2026-2027), chez Elena Rossi les impaires (comme 2027-2028).",
        ),
        (
            replace(MOITIES, premiere_semaine=date(2027, 11, 1), premiere_moitie_annees_paires=False),
            "Une semaine sur deux, du lundi au lundi : chez Karim Benali la semaine du 1er novembre 2027, "
            "chez Elena Rossi la suivante. Vacances par moitié : première moitié chez Elena Rossi les années "
            "scolaires paires (comme 2028-2029), chez Karim Benali les impaires (comme 2027-2028).",
        ),
        (
            Garde(
                Mode.TOUTES,
                (BENALI, ROSSI),
                exceptions=(
                    (date(2026, 12, 24), date(2026, 12, 24), ROSSI),
                    (date(2026, 10, 1), date(2026, 10, 4), ROSSI),
                    (date(2026, 10, 31), date(2026, 11, 1), ROSSI),
                    (date(2026, 12, 30), date(2027, 1, 1), ROSSI),
                ),
            ),
            "Toujours chez Karim Benali. Exceptions : le 24 décembre 2026 chez Elena Rossi ; "
            "du 1er au 4 octobre 2026 chez Elena Rossi ; du 31 octobre au 1er novembre 2026 chez Elena Rossi ; "
            "du 30 décembre 2026 au 1er janvier 2027 chez Elena Rossi.",
        ),
    ],
)
def test_la_garde_se_lit_en_francais(garde, attendue):
    assert verifier(garde) == []
    assert phrase(garde, NOMS) == attendue


# --- What an agent may type wrong --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("garde", "fautes"),
    [
        (Garde("PARFOIS", (BENALI,)), ["Choisissez le mode de garde."]),
        (Garde(Mode.TOUTES, ()), ["Choisissez le foyer de l'enfant."]),
        (Garde(Mode.PARTS, (BENALI,)), ["Choisissez deux foyers différents."]),
        (Garde(Mode.PARTS, (BENALI, BENALI)), ["Choisissez deux foyers différents."]),
        (Garde(Mode.PARTS, (BENALI, ROSSI, "durand")), ["Choisissez deux foyers différents."]),
        (Garde(Mode.PARTS, (BENALI, ROSSI, ROSSI)), ["Choisissez deux foyers différents."]),
        (Garde(Mode.PARTS, (BENALI, ROSSI), part=0), []),
        (Garde(Mode.PARTS, (BENALI, ROSSI), part=100), []),
        (Garde(Mode.PARTS, (BENALI, ROSSI), part=101), ["La part du premier foyer va de 0 à 100 %."]),
        (Garde(Mode.PARTS, (BENALI, ROSSI), part=-1), ["La part du premier foyer va de 0 à 100 %."]),
        (replace(SEMAINES, part=101), []),  # read in mode PARTS only
        (replace(SEMAINES, premiere_semaine=None), ["Donnez un jour de la première semaine."]),
        (
            replace(SEMAINES, premiere_semaine=date(26, 8, 31)),
            ["Vérifiez l'année de la première semaine."],
        ),
        (
            replace(SEMAINES, foyers=(BENALI,), jour_passage=7, vacances=""),
            [
                "Choisissez deux foyers différents.",
                "Choisissez le jour où l'enfant change de foyer.",
                "Choisissez comment les vacances se partagent.",
            ],
        ),
        (
            replace(SEMAINES, exceptions=((date(2026, 12, 24), date(2026, 12, 23), ROSSI),)),
            ["Exception du 24 décembre 2026 : la fin vient avant le début."],
        ),
        (
            replace(SEMAINES, exceptions=((date(2026, 12, 1), date(2026, 12, 1), "durand"),)),
            ["Exception du 1er décembre 2026 : ce foyer n'est pas un de ceux de l'enfant."],
        ),
    ],
)
def test_une_garde_incoherente_se_dit(garde, fautes):
    assert verifier(garde) == fautes
