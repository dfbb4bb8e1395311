"""Shared sums: nothing is lost, nothing is made."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facturation.regles.partages import partager, repartir
from tests.facturation.tarifs_essai import BEAUCOUP, dec

DUS = [("septembre", dec("30")), ("octobre", dec("47,60")), ("novembre", dec("12"))]


@pytest.mark.parametrize(
    ("recu", "parts", "reste"),
    [
        ("0", [], "0"),
        ("10", [("septembre", "10")], "0"),
        ("30", [("septembre", "30")], "0"),
        ("30,01", [("septembre", "30"), ("octobre", "0,01")], "0"),
        ("89,60", [("septembre", "30"), ("octobre", "47,60"), ("novembre", "12")], "0"),
        ("100", [("septembre", "30"), ("octobre", "47,60"), ("novembre", "12")], "10,40"),
    ],
)
def test_un_paiement_regle_la_plus_ancienne_d_abord(recu, parts, reste):
    assert repartir(dec(recu), DUS) == ([(facture, dec(part)) for facture, part in parts], dec(reste))


def test_une_facture_deja_reglee_ou_un_avoir_ne_prend_rien():
    assert repartir(dec("5"), [("réglée", dec("0")), ("avoir", dec("-8")), ("due", dec("9"))]) == (
        [("due", dec("5"))],
        0,
    )


@pytest.mark.parametrize(
    ("montant", "pourcents", "parts"),
    [
        ("10", ["50", "50"], ["5", "5"]),
        ("0,01", ["50", "50"], ["0,01", "0"]),
        ("0,03", ["50", "50"], ["0,02", "0,01"]),
        ("100", ["33,33", "33,33", "33,34"], ["33,33", "33,33", "33,34"]),
        ("10", ["33", "33", "34"], ["3,30", "3,30", "3,40"]),
        ("0,05", ["33", "33", "34"], ["0,02", "0,01", "0,02"]),
        ("-10,01", ["50", "50"], ["-5,01", "-5,00"]),
        ("47,60", ["100"], ["47,60"]),
        ("47,60", ["100", "0"], ["47,60", "0"]),
        ("0", ["60", "40"], ["0", "0"]),
    ],
)
def test_les_parts_d_une_facture(montant, pourcents, parts):
    assert partager(dec(montant), [dec(p) for p in pourcents]) == [dec(part) for part in parts]


@pytest.mark.parametrize("pourcents", [["50"], ["60", "50"], ["150", "-50"], []])
def test_des_parts_qui_ne_font_pas_cent_sont_refusees(pourcents):
    with pytest.raises(ValueError, match="cent pour cent"):
        partager(dec("10"), [dec(p) for p in pourcents])


MONTANTS = st.decimals(-5000, 5000, places=2)


@BEAUCOUP
@given(MONTANTS, st.lists(st.integers(1, 50), min_size=1, max_size=5))
def test_la_somme_des_parts_est_le_montant(montant, poids):
    entiers = [Decimal(p * 100 // sum(poids)) for p in poids]
    entiers[0] += 100 - sum(entiers)
    parts = partager(montant, entiers)
    assert sum(parts) == montant
    for part, pourcent in zip(parts, entiers, strict=True):
        assert abs(part - montant * pourcent / 100) < Decimal("0.01")


@BEAUCOUP
@given(st.decimals(0, 500, places=2), st.lists(st.decimals(-50, 100, places=2), max_size=8))
def test_un_paiement_se_retrouve_en_entier(recu, dus):
    parts, reste = repartir(recu, list(enumerate(dus)))
    assert sum(part for _, part in parts) + reste == recu
    assert all(Decimal(0) < part <= dus[rang] for rang, part in parts)
