"""The price of one unit: a table of what communes vote, with its edges."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facturation.regles.grilles import Bareme, Baremes, Grille, Payeur, Quotient
from facturation.regles.tarifs import TarifInconnu, prix_unitaire
from tests.facturation.tarifs_essai import dec, fixe, grille, payeur, taux, tranches

LE = date(2026, 11, 16)
CANTINE = tranches("400:1,00", "700:2,20", "1000:3,40", "4,80")
EFFORT = taux("0,5", "1,50", "6,00")
DEGRESSIF = (Decimal(0), Decimal(20), Decimal(50))


CAS = [
    # One price for all.
    (grille(fixe("3,40")), payeur(), "3,40", "tarif unique"),
    (grille(fixe("0")), payeur(), "0", "tarif unique"),
    (grille(fixe("3,40")), payeur("812"), "3,40", "tarif unique"),
    (grille(fixe("3,405")), payeur(), "3,41", "tarif unique"),
    # Brackets: the bound belongs to the lower one.
    (grille(CANTINE), payeur("0"), "1,00", "tranche 1, QF 0 au 01/09"),
    (grille(CANTINE), payeur("399,99"), "1,00", "tranche 1, QF 399,99 au 01/09"),
    (grille(CANTINE), payeur("400"), "1,00", "tranche 1, QF 400 au 01/09"),
    (grille(CANTINE), payeur("400,01"), "2,20", "tranche 2, QF 400,01 au 01/09"),
    (grille(CANTINE), payeur("700"), "2,20", "tranche 2, QF 700 au 01/09"),
    (grille(CANTINE), payeur("700,01"), "3,40", "tranche 3, QF 700,01 au 01/09"),
    (grille(CANTINE), payeur("812"), "3,40", "tranche 3, QF 812 au 01/09"),
    (grille(CANTINE), payeur("1000"), "3,40", "tranche 3, QF 1000 au 01/09"),
    (grille(CANTINE), payeur("1000,01"), "4,80", "tranche 4, QF 1000,01 au 01/09"),
    (grille(CANTINE), payeur("99999"), "4,80", "tranche 4, QF 99999 au 01/09"),
    (grille(tranches("2,50")), payeur("812"), "2,50", "tranche 1, QF 812 au 01/09"),
    # No quotient, one that is not told, one that no longer or does not yet count: the highest bracket.
    (grille(CANTINE), payeur(), "4,80", "tranche 4, quotient non communiqué"),
    (
        grille(CANTINE),
        Payeur(quotients=(Quotient(None, date(2026, 9, 1)),)),
        "4,80",
        "tranche 4, quotient non communiqué",
    ),
    (
        grille(CANTINE),
        Payeur(quotients=(Quotient(dec("300"), date(2025, 9, 1), date(2026, 11, 15)),)),
        "4,80",
        "tranche 4, quotient non communiqué",
    ),
    (
        grille(CANTINE),
        Payeur(quotients=(Quotient(dec("300"), date(2025, 9, 1), date(2026, 11, 16)),)),
        "1,00",
        "tranche 1, QF 300 au 01/09",
    ),
    (grille(CANTINE), payeur("300", au_jour=date(2026, 11, 17)), "4,80", "tranche 4, quotient non communiqué"),
    (grille(CANTINE), payeur("300", au_jour=date(2026, 11, 16)), "1,00", "tranche 1, QF 300 au 16/11"),
    (
        grille(CANTINE),
        Payeur(
            quotients=(
                Quotient(dec("300"), date(2025, 9, 1), date(2026, 8, 31)),
                Quotient(dec("812"), date(2026, 9, 1)),
            )
        ),
        "3,40",
        "tranche 3, QF 812 au 01/09",
    ),
    # A rate of effort: floor, ceiling, half a cent up.
    (grille(EFFORT), payeur("812"), "4,06", "0,5\u00a0% du QF 812 au 01/09"),
    (grille(EFFORT), payeur("300"), "1,50", "0,5\u00a0% du QF 300 au 01/09"),
    (grille(EFFORT), payeur("299,99"), "1,50", "0,5\u00a0% du QF 299,99 au 01/09, prix plancher"),
    (grille(EFFORT), payeur("0"), "1,50", "0,5\u00a0% du QF 0 au 01/09, prix plancher"),
    (grille(EFFORT), payeur("1200"), "6,00", "0,5\u00a0% du QF 1200 au 01/09"),
    (grille(EFFORT), payeur("1200,01"), "6,00", "0,5\u00a0% du QF 1200,01 au 01/09, prix plafond"),
    (grille(EFFORT), payeur(), "6,00", "prix plafond, quotient non communiqué"),
    (grille(EFFORT), payeur("681"), "3,41", "0,5\u00a0% du QF 681 au 01/09"),  # 3,405
    (grille(EFFORT), payeur("680,9"), "3,40", "0,5\u00a0% du QF 680,90 au 01/09"),  # 3,4045
    (grille(taux("0,0735")), payeur("812"), "0,60", "0,0735\u00a0% du QF 812 au 01/09"),  # 0,59682
    (grille(taux("1")), payeur("812,50"), "8,13", "1\u00a0% du QF 812,50 au 01/09"),  # 8,125
    # Who lives elsewhere: prices of their own, or a percentage more.
    (grille(CANTINE, exterieur=fixe("6,20")), payeur("812", residente=False), "6,20", "tarif unique, hors commune"),
    (grille(CANTINE, exterieur=fixe("6,20")), payeur("812"), "3,40", "tranche 3, QF 812 au 01/09"),
    (
        grille(CANTINE, exterieur=tranches("700:4", "7")),
        payeur("812", residente=False),
        "7",
        "tranche 2, QF 812 au 01/09, hors commune",
    ),
    (
        grille(CANTINE, pourcent_exterieur=dec("25")),
        payeur("812", residente=False),
        "4,25",
        "tranche 3, QF 812 au 01/09, hors commune, + 25\u00a0%",
    ),
    (grille(CANTINE, pourcent_exterieur=dec("25")), payeur("812"), "3,40", "tranche 3, QF 812 au 01/09"),
    (
        grille(CANTINE, exterieur=fixe("6,20"), pourcent_exterieur=dec("25")),
        payeur("812", residente=False),
        "6,20",
        "tarif unique, hors commune",
    ),
    # Regular or occasional.
    (grille(CANTINE, occasionnel=fixe("5,10")), payeur("812"), "3,40", "tranche 3, QF 812 au 01/09"),
    (grille(CANTINE, occasionnel=fixe("5,10")), payeur("812", regulier=False), "5,10", "tarif unique, occasionnel"),
    (grille(CANTINE), payeur("812", regulier=False), "3,40", "tranche 3, QF 812 au 01/09"),
    (
        grille(CANTINE, occasionnel=fixe("5"), pourcent_exterieur=dec("10")),
        payeur("812", regulier=False, residente=False),
        "5,50",
        "tarif unique, occasionnel, hors commune, + 10\u00a0%",
    ),
    # PAI: the family's own basket, wherever it lives.
    (
        grille(CANTINE, panier=fixe("1,20"), exterieur=fixe("6,20")),
        payeur("812", panier=True, residente=False),
        "1,20",
        "tarif unique, panier fourni par la famille (PAI)",
    ),
    (
        grille(CANTINE, panier=tranches("700:0,80", "1,60")),
        payeur("812", panier=True),
        "1,60",
        "tranche 2, QF 812 au 01/09, panier fourni par la famille (PAI)",
    ),
    (grille(CANTINE), payeur("812", panier=True), "3,40", "tranche 3, QF 812 au 01/09"),
    # By rank of the child; the last percentage goes on.
    (grille(fixe("5"), rangs=DEGRESSIF), payeur(rang=1), "5", "tarif unique"),
    (grille(fixe("5"), rangs=DEGRESSIF), payeur(rang=2), "4", "tarif unique, 2e enfant, − 20\u00a0%"),
    (grille(fixe("5"), rangs=DEGRESSIF), payeur(rang=3), "2,50", "tarif unique, 3e enfant, − 50\u00a0%"),
    (grille(fixe("5"), rangs=DEGRESSIF), payeur(rang=6), "2,50", "tarif unique, 6e enfant, − 50\u00a0%"),
    (grille(fixe("5"), rangs=(Decimal(10),)), payeur(rang=1), "4,50", "tarif unique, 1er enfant, − 10\u00a0%"),
    (grille(fixe("0,25"), rangs=DEGRESSIF), payeur(rang=3), "0,13", "tarif unique, 3e enfant, − 50\u00a0%"),
    (grille(fixe("5"), rangs=(Decimal(0), Decimal(100))), payeur(rang=2), "0", "tarif unique, 2e enfant, − 100\u00a0%"),
    (
        grille(fixe("3,33"), rangs=DEGRESSIF, pourcent_exterieur=dec("50")),
        payeur(rang=2, residente=False),
        "4,00",  # 3,33 × 1,5 × 0,8 = 3,996: rounded once, at the end
        "tarif unique, hors commune, + 50\u00a0%, 2e enfant, − 20\u00a0%",
    ),
]


@pytest.mark.parametrize(("grille_", "payeur_", "montant", "raison"), CAS)
def test_le_prix_et_sa_raison(grille_, payeur_, montant, raison):
    prix = prix_unitaire(grille_, payeur_, LE)
    assert (prix.montant, prix.raison) == (dec(montant), raison)


JOURNEE, MATIN = 1, 2
ALSH = Grille(
    service="ALSH",
    baremes=Baremes(fixe("18")),
    formules=((JOURNEE, Baremes(CANTINE)), (MATIN, Baremes(fixe("7"), exterieur=fixe("11")))),
)


@pytest.mark.parametrize(
    ("formule", "residente", "montant"),
    [(JOURNEE, True, "3,40"), (MATIN, True, "7"), (MATIN, False, "11"), (None, True, "18"), (99, True, "18")],
)
def test_une_formule_a_ses_prix(formule, residente, montant):
    assert prix_unitaire(ALSH, payeur("812", residente=residente), LE, formule).montant == dec(montant)


@pytest.mark.parametrize(
    ("grille_", "payeur_", "phrase"),
    [
        (grille(tranches("400:1", "700:2")), payeur("812"), "Aucune tranche ne va jusqu'au quotient 812."),
        (grille(taux("0,5")), payeur(), "Sans quotient, un taux d'effort sans plafond ne donne pas de prix."),
        (grille(Bareme()), payeur("812"), "La grille ne donne pas de prix."),
        (
            Grille(service="ALSH"),
            payeur("812"),
            "La grille de «\u00a0ALSH\u00a0» ne donne pas le prix de cette formule.",
        ),
    ],
)
def test_une_grille_incomplete_le_dit_a_l_agent(grille_, payeur_, phrase):
    with pytest.raises(TarifInconnu) as erreur:
        prix_unitaire(grille_, payeur_, LE)
    assert str(erreur.value) == phrase


QUOTIENTS = st.decimals(0, 5000, places=2)
PRIX = st.decimals(0, 50, places=2)


@given(QUOTIENTS, QUOTIENTS, st.sampled_from([CANTINE, EFFORT, fixe("3")]), st.integers(1, 5), st.booleans())
def test_qui_gagne_plus_ne_paie_jamais_moins(un, autre, bareme, rang, residente):
    tarif = grille(bareme, rangs=DEGRESSIF, pourcent_exterieur=dec("15"))
    moins, plus = (
        prix_unitaire(tarif, Payeur(residente, (Quotient(q, date(2026, 9, 1)),), rang), LE).montant
        for q in sorted((un, autre))
    )
    assert Decimal(0) <= moins <= plus


@given(PRIX, st.integers(1, 8), QUOTIENTS)
def test_un_prix_est_en_centimes_et_un_enfant_de_plus_ne_coute_pas_plus_que_le_precedent(prix, rang, quotient):
    tarif = grille(Bareme(fixe=prix), rangs=DEGRESSIF)
    premier, suivant = (prix_unitaire(tarif, payeur(str(quotient), rang=r), LE).montant for r in (rang, rang + 1))
    assert premier == premier.quantize(Decimal("0.01")) >= suivant


@given(QUOTIENTS)
def test_ne_pas_dire_son_quotient_ne_fait_jamais_payer_moins(quotient):
    for bareme in (CANTINE, EFFORT):
        dit, tu = (prix_unitaire(grille(bareme), p, LE).montant for p in (payeur(str(quotient)), payeur()))
        assert dit <= tu
