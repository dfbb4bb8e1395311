"""What an agent may type as a deadline rule: each slip has its sentence, and nothing breaks on the worst of JSON."""

import math
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enfants.regles.delais import limite, ouverture, permis, phrase, valider
from tests.enfants.calendriers import CALENDRIERS

TYPE = "Choisissez le type de la règle : jours_avant, heures_avant, semaine, table, mois, periode, aucune."
HEURE = "L'heure s'écrit avec quatre chiffres, de 00:00 à 23:59."
JOURS = "Le nombre de jours va de 0 à 366."
COMPTE = "Choisissez quels jours comptent : calendaires, ouvres, scolaires, francs."
COMPTES = "Choisissez au moins un jour compté, de 0 (lundi) à 6 (dimanche)."
TABLE = "La table a une ligne par jour ouvert, de « 0 » (lundi) à « 6 » (dimanche)."
PUBLICS = "Donnez l'ouverture de chaque public : residents et autres."
FORME_AVANT = (
    "Une règle « jours_avant » se compose de : type, n, heure, compte, jours_comptes (facultatif), "
    "ouverture (facultatif)."
)
FORME_AUCUNE = "Une règle « aucune » se compose de : type, ouverture (facultatif)."

AVANT = {"type": "jours_avant", "n": 2, "heure": "12:00", "compte": "scolaires"}
SEMAINE = {"type": "semaine", "avant": 1, "jour": 1, "heure": "23:59"}
MOMENT = {"semaines": 6, "heure": "07:00"}


def table(**jours):
    return {"type": "table", "jours": {nom[1:]: ligne for nom, ligne in jours.items()}}


def ouverte(residents, autres=MOMENT):
    return {"type": "aucune", "ouverture": {"residents": residents, "autres": autres}}


@pytest.mark.parametrize(
    ("regle", "fautes"),
    [
        *((rien, [TYPE]) for rien in (None, True, 2, math.nan, "aucune", [], [{"type": "aucune"}], {})),
        *(({"type": type_}, [TYPE]) for type_ in (None, 1, [], {}, "jour_avant", "AUCUNE", math.nan)),
        ({"type": "jours_avant"}, [FORME_AVANT]),
        ({**AVANT, "jour_comptes": [1]}, [FORME_AVANT]),
        ({"type": "aucune", "n": 2}, [FORME_AUCUNE]),
        *(({**AVANT, "n": n}, [JOURS]) for n in (-1, 367, 10**30, 2.0, math.nan, math.inf, "2", None, True, [2])),
        ({**AVANT, "n": 31}, ["Le nombre de jours ouvrés ou d'école va de 0 à 30."]),
        ({**AVANT, "n": 31, "compte": "calendaires"}, []),
        *(
            ({**AVANT, "heure": heure}, [HEURE])
            for heure in ("24:00", "12:60", "9:00", "12h00", "12:00:00", "12:00\n", "١٢:٠٠", "", None, 12, ["12:00"])
        ),
        *(({**AVANT, "compte": compte}, [COMPTE]) for compte in ("ouvrés", "", None, 1, ["ouvres"], {}, math.nan)),
        *(
            ({**AVANT, "jours_comptes": jours}, [COMPTES])
            for jours in ([], None, 1, "0", {}, [7], [-1], ["0"], [True], [0.0], [[0]], [None], [0, math.nan])
        ),
        (
            {**AVANT, "compte": "ouvres", "jours_comptes": [5, 6]},
            ["Le samedi et le dimanche ne sont jamais ouvrés : comptez au moins un jour de la semaine."],
        ),
        ({**AVANT, "compte": "ouvres", "jours_comptes": [4, 5]}, []),
        ({**AVANT, "n": -1, "heure": "midi", "compte": "?", "jours_comptes": []}, [JOURS, HEURE, COMPTE, COMPTES]),
        ({"type": "heures_avant", "n": 8784}, []),
        ({"type": "heures_avant", "n": 8785}, ["Le nombre d'heures va de 0 à 8784."]),
        ({"type": "heures_avant", "n": -72}, ["Le nombre d'heures va de 0 à 8784."]),
        ({**SEMAINE, "jour": 7}, ["Le jour de la semaine va de 0 à 6."]),
        ({**SEMAINE, "jour": -1}, ["Le jour de la semaine va de 0 à 6."]),
        ({**SEMAINE, "avant": 53}, ["Le nombre de semaines va de 0 à 52."]),
        *(
            ({"type": "table", "jours": jours}, [TABLE])
            for jours in ({}, [], None, {"7": [0, "09:00"]}, {"": []}, {0: []})
        ),
        (table(j0=[-366, "09:00"]), []),
        (table(j0=[-367, "09:00"]), ["Pour le lundi, le nombre de jours va de −366 à 0."]),
        (table(j6=[1, "09:00"]), ["Pour le dimanche, le nombre de jours va de −366 à 0."]),
        (table(j00=[-1, "09:00"]), [TABLE]),
        (
            table(j0=[-3, "9:00"], j1=-3, j2=[-3], j3=["-3", "09:00"], j4=[-3, "09:00"]),
            [
                "Pour le lundi, l'heure s'écrit avec quatre chiffres, de 00:00 à 23:59.",
                "Pour le mardi, donnez un nombre de jours et une heure.",
                "Pour le mercredi, donnez un nombre de jours et une heure.",
                "Pour le jeudi, le nombre de jours va de −366 à 0.",
            ],
        ),
        ({"type": "mois", "jour": 0, "heure": "12:00"}, ["Le jour du mois va de 1 à 31."]),
        ({"type": "mois", "jour": 32, "heure": "12:00"}, ["Le jour du mois va de 1 à 31."]),
        ({"type": "periode", "avant_jours": -1, "heure": "12:00"}, [JOURS]),
        *(
            ({"type": "aucune", "ouverture": moment}, [PUBLICS])
            for moment in (None, [], "2026-08-21", {}, {"residents": MOMENT}, {"tous": MOMENT}, MOMENT)
        ),
        *(
            (
                ouverte(moment),
                ["Ouverture pour les habitants : donnez l'heure, et des semaines, des jours ou une date."],
            )
            for moment in (
                *(None, [], "heure", ["jours", "heure"], {}, {"heure": "07:00"}, {"jours": 2}),
                *({"jours": 1, "semaines": 2}, {**MOMENT, "jours": 3}, {"mois": 1, "heure": "07:00"}),
            )
        ),
        (
            ouverte({"semaines": 53, "heure": "07:00"}),
            ["Ouverture pour les habitants : le nombre de semaines va de 0 à 52."],
        ),
        (
            ouverte({"jours": -1, "heure": "07:00"}),
            ["Ouverture pour les habitants : le nombre de jours va de 0 à 366."],
        ),
        *(
            (
                ouverte(MOMENT, {"date": jour, "heure": "07:00"}),
                ["Ouverture pour les autres familles : la date s'écrit 2026-08-21, à partir de l'an 2000."],
            )
            for jour in (
                "2026-02-29",
                "26-08-21",
                "0026-08-21",
                "20260821",
                "2026-W34-5",
                "",
                None,
                20260821,
                [],
                math.nan,
            )
        ),
        (
            ouverte({"date": "2028-02-29", "heure": "24:00"}),
            ["Ouverture pour les habitants : l'heure s'écrit avec quatre chiffres, de 00:00 à 23:59."],
        ),
    ],
)
def test_chaque_faute_a_sa_phrase(regle, fautes):
    assert [faute.replace("\u00a0", " ") for faute in valider(regle)] == fautes


# --- Anything at all -----------------------------------------------------------------------------------------

BONNES = [
    {**AVANT, "jours_comptes": [0, 2]},
    {"type": "heures_avant", "n": 72},
    SEMAINE,
    table(j0=[-3, "09:00"], j3=[-2, "09:00"]),
    {"type": "mois", "jour": 20, "heure": "12:00"},
    {"type": "periode", "avant_jours": 21, "heure": "18:00"},
    ouverte({"date": "2026-08-21", "heure": "07:00"}, {"jours": 30, "heure": "07:00"}),
]
mots = st.sampled_from(
    [
        *sorted({cle for regle in BONNES for cle in regle}),
        *("residents", "autres", "semaines", "date", "0", "6", "12:00", "23:59", "2026-08-21", "scolaires", "ouvres"),
        *("jours_avant", "heures_avant", "table", "aucune"),
    ]
)
json_quelconque = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | mots,
    lambda enfants: st.lists(enfants, max_size=4) | st.dictionaries(mots | st.text(max_size=4), enfants, max_size=6),
    max_leaves=12,
)


@st.composite
def regles_abimees(draw):
    """A good rule in which one value, at any depth, became anything."""
    regle = draw(st.sampled_from(BONNES))
    return _abimer(draw, regle)


def _abimer(draw, valeur):
    if isinstance(valeur, dict) and valeur and draw(st.integers(0, 4)):
        cle = draw(st.sampled_from(sorted(valeur)))
        return {**valeur, cle: _abimer(draw, valeur[cle])}
    if isinstance(valeur, list) and valeur and draw(st.integers(0, 4)):
        rang = draw(st.integers(0, len(valeur) - 1))
        return [*valeur[:rang], _abimer(draw, valeur[rang]), *valeur[rang + 1 :]]
    return draw(json_quelconque | st.integers(-400, 400))


@given(json_quelconque | regles_abimees())
def test_une_regle_est_bonne_et_se_lit_ou_se_refuse_en_francais(regle):
    fautes = valider(regle)
    assert [faute for faute in fautes if not isinstance(faute, str) or not faute.endswith(".")] == []
    if fautes:
        return
    assert phrase(regle).endswith(".")
    for calendrier in CALENDRIERS.values():
        for jour in (date(2026, 10, 26), date(2026, 12, 25), date(2028, 2, 29)):
            fin = limite(regle, jour, calendrier)
            assert permis(regle, jour, calendrier, datetime(2000, 1, 1, tzinfo=UTC)) == (fin is not None)
            for public in ("residents", "autres"):
                ouverture(regle, jour, calendrier, public)


def test_les_bonnes_regles_le_sont():
    assert [valider(regle) for regle in BONNES] == [[]] * len(BONNES)


def test_une_regle_tres_profonde_se_refuse_comme_une_autre():
    profonde = []
    for _ in range(100_000):
        profonde = [profonde]
    assert valider(profonde) == valider({"type": profonde}) == valider(None)
    assert valider({**AVANT, "jours_comptes": profonde}) == [COMPTES]
    while profonde:  # undone level by level: Python would recurse to free it
        profonde = profonde.pop()
