"""The lines of a month: what is due, what is added, what others pay. November 2026: the 2nd is a Monday."""

from dataclasses import replace
from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enfants.regles.presences import AFacturer, Code
from facturation.regles.grilles import Aide, Carence, Cause, Genre, Journee, Majoration, Unite
from facturation.regles.lignes import facturer
from facturation.regles.tarifs import TarifInconnu
from tests.facturation.tarifs_essai import BEAUCOUP, CODES, dec, fixe, grille, jour, payeur, tranches

DU, AU = date(2026, 11, 1), date(2026, 11, 30)
CANTINE = grille(tranches("400:1,00", "700:2,20", "1000:3,40", "4,80"))
REPAS = grille(fixe("4"))
SOIR = grille(
    fixe("0,80"),
    service="Accueil du soir",
    mots=("demi-heure", "demi-heures"),
    unite=Unite.DUREE,
    tolerance=5,
)
MATIN = grille(fixe("18"), service="Accueil du matin", unite=Unite.MOIS)
ALSH = grille(fixe("60"), service="ALSH", unite=Unite.SEMAINE)
MERCREDI = grille(fixe("15"), service="ALSH", mots=("jour", "jours"), semaine=(4, fixe("50")))
UN_JOUR, DEUX_JOURS = Carence(jours=1), Carence(jours=2)
DES_TROIS = Carence(jours=0, remise_des=3)


def lignes(grille_, jours, payeur_=None, **heures):
    return facturer(grille_, payeur_ or payeur(), jours, du=DU, au=AU, **heures)


def total(*args, **heures):
    return sum((ligne.montant for ligne in lignes(*args, **heures)), Decimal(0))


def phrases(*args, **heures):
    return [(ligne.libelle, ligne.montant) for ligne in lignes(*args, **heures)]


# --- What is due -----------------------------------------------------------------------------------------

DUS = [
    ("present", {}, True),
    ("sans", {}, True),
    ("absent", {}, True),
    ("malade", {}, False),
    ("prevenu", {}, False),
    ("preuve", {}, False),
    ("annule", {}, False),
    ("attendu", {}, False),
    ("liste", {}, False),
    ("rien", {}, False),
    # Cancelled after the deadline: due, unless another child took the place.
    ("tard", {}, True),
    ("tard", {"place_reprise": True}, False),
    # An agent has the last word.
    ("present", {"decision": False}, False),
    ("absent", {"decision": False}, False),
    ("malade", {"decision": True}, True),
    ("preuve", {"decision": True}, True),
    ("tard", {"decision": False}, False),
    ("tard", {"place_reprise": True, "decision": True}, True),
    ("attendu", {"decision": True}, True),
    # What the reason leaves due.
    ("malade", {"carence": UN_JOUR}, True),
    ("prevenu", {"carence": UN_JOUR}, True),
    ("malade", {"carence": UN_JOUR, "decision": False}, False),
    ("malade", {"carence": Carence()}, False),
    ("malade", {"carence": DES_TROIS}, True),
    ("preuve", {"carence": UN_JOUR}, False),
    ("absent", {"carence": Carence()}, True),
]


@pytest.mark.parametrize(("quoi", "autres", "du"), DUS)
def test_un_jour_est_du_ou_non(quoi, autres, du):
    assert total(REPAS, [jour(16, quoi, **autres)]) == (4 if du else 0)


def absences(carence, *numeros, quoi="malade"):
    return [jour(numero, quoi, carence=carence) for numero in numeros]


CARENCES = [
    (absences(UN_JOUR, 16, 17, 19), 1),
    (absences(DEUX_JOURS, 16, 17, 19), 2),
    (absences(DEUX_JOURS, 16), 1),
    (absences(DES_TROIS, 16, 17), 2),
    (absences(DES_TROIS, 16, 17, 19), 0),
    (absences(Carence(jours=1, remise_des=3), 16, 17, 19, 20), 1),
    (absences(Carence(jours=1, remise_des=3), 16, 17), 2),
    # A day at school ends the absence: the next one begins anew.
    ([*absences(UN_JOUR, 16, 17), jour(19), *absences(UN_JOUR, 20, 23)], 3),
    ([*absences(DES_TROIS, 16, 17), jour(19), *absences(DES_TROIS, 20)], 4),
    # A week-end between two days of a service does not.
    (absences(UN_JOUR, 20, 23), 1),
    # Another reason, another absence.
    ([*absences(UN_JOUR, 16, 17), *absences(DEUX_JOURS, 19, 20)], 3),
    # Begun in October: its first day was billed there.
    ([jour(2, "malade", carence=UN_JOUR)._replace(jour=date(2026, 10, 30)), *absences(UN_JOUR, 2, 3)], 0),
    (absences(UN_JOUR, 2, 3), 1),
]


@pytest.mark.parametrize(("jours", "dus"), CARENCES)
def test_les_premiers_jours_d_une_absence_restent_dus(jours, dus):
    assert total(REPAS, jours) == 4 * dus


# --- By unit ---------------------------------------------------------------------------------------------


def test_la_phrase_d_un_mois_de_cantine():
    jours = [jour(n) for n in (2, 3, 5, 6, 9, 10, 12, 13, 16, 17, 19, 20, 23, 24)]
    (ligne,) = lignes(CANTINE, jours, payeur("812"))
    assert ligne.libelle == "Restauration, 14 repas à 3,40\u00a0€ (tranche 3, QF 812 au 01/09)"
    assert (ligne.quantite, ligne.prix, ligne.montant, ligne.genre) == (14, dec("3,40"), dec("47,60"), "PRESTATION")
    assert ligne.jours == tuple(j.jour for j in jours)


def test_un_quotient_qui_change_dans_le_mois_fait_deux_lignes():
    nouveau = payeur("812", au_jour=date(2026, 11, 16))
    assert phrases(CANTINE, [jour(13), jour(16), jour(17)], nouveau) == [
        ("Restauration, 1 repas à 4,80\u00a0€ (tranche 4, quotient non communiqué)", dec("4,80")),
        ("Restauration, 2 repas à 3,40\u00a0€ (tranche 3, QF 812 au 16/11)", dec("6,80")),
    ]


def test_un_mois_sans_rien_ne_fait_pas_de_ligne():
    for vide in (REPAS, SOIR, MATIN, ALSH, MERCREDI):
        assert lignes(vide, []) == lignes(vide, [jour(16, "annule")]) == []


def test_les_jours_des_autres_mois_ne_comptent_pas():
    avant, apres = (jour(2)._replace(jour=le) for le in (date(2026, 10, 30), date(2026, 12, 1)))
    assert total(REPAS, [avant, jour(16), apres]) == 4


DUREES = [  # arrival, departure, half-hours with five minutes of tolerance
    ("16:30", "16:31", 1),
    ("16:30", "17:00", 1),
    ("16:30", "17:05", 1),
    ("16:30", "17:06", 2),
    ("16:30", "17:35", 2),
    ("16:30", "17:36", 3),
    ("16:45", "17:36", 2),
    ("16:30", "18:30", 4),
    ("16:30", "16:30", 1),
    ("17:00", "16:30", 1),  # marked the wrong way round: one at least
]


@pytest.mark.parametrize(("arrivee", "depart", "unites"), DUREES)
def test_une_demi_heure_commencee_est_due_sauf_la_tolerance(arrivee, depart, unites):
    (ligne,) = lignes(SOIR, [jour(16, arrivee=arrivee, depart=depart)])
    assert (ligne.quantite, ligne.montant) == (unites, dec("0,80") * unites)


@pytest.mark.parametrize(
    ("quoi", "marques", "unites"),
    [
        ("present", {}, 4),
        ("present", {"arrivee": "17:30"}, 2),
        ("present", {"depart": "17:00"}, 1),
        ("absent", {}, 1),
        ("tard", {}, 1),
    ],
)
def test_une_heure_non_pointee_est_celle_du_service(quoi, marques, unites):
    (ligne,) = lignes(SOIR, [jour(16, quoi, **marques)], debut=time(16, 30), fin=time(18, 30))
    assert ligne.quantite == unites


def test_une_duree_sans_heures_le_dit():
    with pytest.raises(TarifInconnu, match="heures du service"):
        lignes(SOIR, [jour(16)])


def test_les_demi_heures_du_mois_font_une_ligne():
    jours = [jour(16, arrivee="16:30", depart="17:30"), jour(17, arrivee="16:30", depart="17:00")]
    assert phrases(SOIR, jours) == [("Accueil du soir, 3 demi-heures à 0,80\u00a0€ (tarif unique)", dec("2,40"))]
    assert phrases(SOIR, jours[1:])[0][0] == "Accueil du soir, 1 demi-heure à 0,80\u00a0€ (tarif unique)"


@pytest.mark.parametrize("numeros", [(16,), (2, 3, 5), range(2, 28)])
def test_un_forfait_du_mois_est_du_des_le_premier_jour(numeros):
    attendu = [("Accueil du matin, forfait de novembre 2026 (tarif unique)", dec("18"))]
    assert phrases(MATIN, [jour(n) for n in numeros]) == attendu


def test_un_forfait_de_la_semaine_est_du_pour_chacune():
    assert phrases(ALSH, [jour(n) for n in (2, 3, 9)]) == [
        ("ALSH, forfait de la semaine du 2 novembre 2026 (tarif unique)", dec("60")),
        ("ALSH, forfait de la semaine du 9 novembre 2026 (tarif unique)", dec("60")),
    ]


def test_une_semaine_a_cheval_est_du_mois_de_son_lundi():
    jours = [jour(2)._replace(jour=date(2026, mois, n)) for mois, n in ((10, 30), (11, 30), (12, 1))]
    assert [ligne.jours for ligne in lignes(ALSH, jours)] == [(date(2026, 11, 30), date(2026, 12, 1))]
    octobre = facturer(ALSH, payeur(), jours, du=date(2026, 10, 1), au=date(2026, 10, 31))
    assert [ligne.jours for ligne in octobre] == [(date(2026, 10, 30),)]


@pytest.mark.parametrize(
    ("numeros", "montants"),
    [
        ((2, 3, 5), ["45"]),
        ((2, 3, 4, 5), ["50"]),
        ((2, 3, 4, 5, 6), ["50"]),
        ((2, 3, 4, 5, 9), ["50", "15"]),
        ((2, 3, 9, 10), ["60"]),
    ],
)
def test_une_semaine_presque_entiere_coute_son_forfait(numeros, montants):
    assert [ligne.montant for ligne in lignes(MERCREDI, [jour(n) for n in numeros])] == [dec(m) for m in montants]


# --- What is added ---------------------------------------------------------------------------------------


def majoree(cause, **majoration):
    return replace(REPAS, majorations=(Majoration(cause, **majoration),))


TARD, SANS, DEPART, ABSENCE = Cause.RESERVE_TARD, Cause.SANS_RESERVATION, Cause.DEPART_TARDIF, Cause.ABSENCE
MAJORATIONS = [
    # Booked late: half as much more, or an amount.
    (majoree(TARD, pourcent=dec("50")), [jour(16, tardif=True)], "2"),
    (majoree(TARD, pourcent=dec("50")), [jour(16), jour(17, tardif=True), jour(19, tardif=True)], "4"),
    (majoree(TARD, montant=dec("1,50")), [jour(16, tardif=True)], "1,50"),
    (majoree(TARD, pourcent=dec("50")), [jour(16)], "0"),
    (majoree(TARD, pourcent=dec("50")), [jour(16, "annule", tardif=True)], "0"),
    (majoree(TARD, pourcent=dec("33,33")), [jour(16, tardif=True)], "1,33"),
    # Come without booking; the first time warns, from the third it counts twice.
    (majoree(SANS, montant=dec("3")), [jour(16, "sans")], "3"),
    (majoree(SANS, montant=dec("3")), [jour(16)], "0"),
    (majoree(SANS, montant=dec("3"), a_partir_de=2), [jour(16, "sans")], "0"),
    (majoree(SANS, montant=dec("3"), a_partir_de=2), [jour(16, "sans"), jour(17, "sans")], "3"),
    (majoree(SANS, montant=dec("3"), double_des=3), [jour(n, "sans") for n in (16, 17)], "6"),
    (majoree(SANS, montant=dec("3"), double_des=3), [jour(n, "sans") for n in (16, 17, 19)], "12"),
    (majoree(SANS, montant=dec("3"), a_partir_de=2, double_des=3), [jour(n, "sans") for n in (16, 17, 19)], "9"),
    (majoree(SANS, pourcent=dec("100")), [jour(16, "sans")], "4"),
    # Fetched late: each quarter of an hour begun.
    (majoree(DEPART, montant=dec("5")), [jour(16, minutes_de_retard=0)], "0"),
    (majoree(DEPART, montant=dec("5")), [jour(16, minutes_de_retard=1)], "5"),
    (majoree(DEPART, montant=dec("5")), [jour(16, minutes_de_retard=15)], "5"),
    (majoree(DEPART, montant=dec("5")), [jour(16, minutes_de_retard=16)], "10"),
    (majoree(DEPART, montant=dec("5")), [jour(16, minutes_de_retard=16), jour(17, minutes_de_retard=3)], "15"),
    (majoree(DEPART, montant=dec("5"), minutes=30), [jour(16, minutes_de_retard=31)], "10"),
    # Absent without a word, from the second time.
    (majoree(ABSENCE, montant=dec("2"), a_partir_de=2), [jour(16, "absent")], "0"),
    (majoree(ABSENCE, montant=dec("2"), a_partir_de=2), [jour(16, "absent"), jour(17, "absent")], "2"),
    (majoree(ABSENCE, montant=dec("2")), [jour(16, "malade"), jour(17, "prevenu")], "0"),
    (majoree(ABSENCE, montant=dec("2")), [jour(16, "absent", decision=False)], "0"),
]


@pytest.mark.parametrize(("grille_", "jours", "ajoute"), MAJORATIONS)
def test_ce_qui_s_ajoute(grille_, jours, ajoute):
    assert total(grille_, jours) - total(REPAS, jours) == dec(ajoute)


def test_les_phrases_de_ce_qui_s_ajoute():
    tarif = replace(
        CANTINE,
        majorations=(
            Majoration(TARD, pourcent=dec("50")),
            Majoration(SANS, montant=dec("3"), double_des=2),
            Majoration(DEPART, montant=dec("5")),
        ),
    )
    jours = [
        jour(16, tardif=True),
        jour(17, "sans"),
        jour(19, "sans"),
        jour(20, minutes_de_retard=20),
    ]
    assert phrases(tarif, jours, payeur("812"))[1:] == [
        ("Restauration, réservé après le délai, 1 fois à 1,70\u00a0€", dec("1,70")),
        ("Restauration, venu sans réservation, 1 fois à 3,00\u00a0€", dec("3")),
        ("Restauration, venu sans réservation, compté double, 1 fois à 6,00\u00a0€", dec("6")),
        ("Restauration, départ après l'heure, 2 quarts d'heure à 5,00\u00a0€", dec("10")),
    ]


# --- What others pay -------------------------------------------------------------------------------------

CINQ_JOURS = [jour(n) for n in (16, 17, 19, 20, 23)]
AIDES = [
    ((Aide("CCAS", montant=dec("1")),), "5"),
    ((Aide("CCAS", montant=dec("1"), plafond=dec("3,50")),), "3,50"),
    ((Aide("CCAS", montant=dec("9")),), "20"),  # never more than what is due
    ((Aide("MSA", pourcent=dec("25")),), "5"),
    ((Aide("MSA", pourcent=dec("100")),), "20"),
    ((Aide("MSA", pourcent=dec("100"), plafond=dec("12")),), "12"),
    ((Aide("CCAS", montant=dec("1")), Aide("MSA", pourcent=dec("50"))), "12,50"),  # the second on what is left
    ((Aide("CCAS", montant=dec("3")), Aide("VACAF", montant=dec("3"))), "20"),
    ((Aide("CCAS", montant=dec("1"), du=date(2026, 11, 19)),), "3"),
    ((Aide("CCAS", montant=dec("1"), au=date(2026, 11, 17)),), "2"),
    ((Aide("CCAS", montant=dec("1"), au=date(2026, 11, 15)),), "0"),
    ((Aide("MSA", pourcent=dec("10"), du=date(2026, 11, 20)),), "0,80"),
    ((), "0"),
]


@pytest.mark.parametrize(("aides", "otees"), AIDES)
def test_ce_que_d_autres_paient(aides, otees):
    assert 20 - total(REPAS, CINQ_JOURS, payeur(aides=aides)) == dec(otees)


def test_une_aide_est_une_ligne_et_ne_paie_pas_les_majorations():
    tarif = majoree(TARD, montant=dec("10"))
    aidee = payeur(aides=(Aide("CCAS", pourcent=dec("100")),))
    assert [(ligne.genre, ligne.libelle, ligne.montant) for ligne in lignes(tarif, [jour(16, tardif=True)], aidee)] == [
        (Genre.PRESTATION, "Restauration, 1 repas à 4,00\u00a0€ (tarif unique)", dec("4")),
        (Genre.MAJORATION, "Restauration, réservé après le délai, 1 fois à 10,00\u00a0€", dec("10")),
        (Genre.AIDE, "Restauration, aide de CCAS", dec("-4")),
    ]


# --- For any month ---------------------------------------------------------------------------------------

JOURNEES = st.lists(
    st.builds(
        lambda n, quoi, tardif, retard: Journee(
            date(2026, 11, n), *CODES[quoi], tardif=tardif, minutes_de_retard=retard
        ),
        st.integers(1, 30),
        st.sampled_from(sorted(CODES)),
        st.booleans(),
        st.integers(0, 60),
    ),
    unique_by=lambda j: j.jour,
)
PAYEURS = st.builds(
    lambda q, rang, residente, aide: payeur(
        str(q), rang=rang, residente=residente, aides=(Aide("CCAS", montant=aide), Aide("MSA", pourcent=aide))
    ),
    st.decimals(0, 3000, places=2),
    st.integers(1, 4),
    st.booleans(),
    st.decimals(0, 100, places=2),
)
TOUTES = replace(
    CANTINE,
    rangs=(Decimal(0), Decimal(20)),
    majorations=(
        Majoration(TARD, pourcent=dec("50")),
        Majoration(DEPART, montant=dec("5")),
        Majoration(ABSENCE, montant=dec("2"), a_partir_de=2),
    ),
)


@BEAUCOUP
@given(JOURNEES, PAYEURS)
def test_une_ligne_se_verifie_au_crayon_et_le_total_n_est_jamais_negatif(jours, qui):
    facture = lignes(TOUTES, jours, qui)
    for ligne in facture:
        assert ligne.montant == ligne.quantite * ligne.prix == ligne.montant.quantize(Decimal("0.01"))
    assert sum(ligne.montant for ligne in facture) >= 0
    assert [ligne.montant > 0 for ligne in facture if ligne.genre == Genre.AIDE] == [False] * sum(
        ligne.genre == Genre.AIDE for ligne in facture
    )


@given(JOURNEES, PAYEURS)
def test_l_ordre_des_jours_ne_change_rien(jours, qui):
    assert lignes(TOUTES, jours, qui) == lignes(TOUTES, jours[::-1], qui)


@given(JOURNEES, PAYEURS)
def test_chaque_jour_present_est_facture_une_fois(jours, qui):
    factures = [j for ligne in lignes(TOUTES, jours, qui) if ligne.genre == Genre.PRESTATION for j in ligne.jours]
    assert len(factures) == len(set(factures))
    presents = {j.jour for j in jours if j.code in (Code.PRESENT_RESERVE, Code.PRESENT_SANS_RESERVATION)}
    gratuits = {j.jour for j in jours if j.a_facturer == AFacturer.NON}
    assert presents <= set(factures)
    assert not gratuits & set(factures)


@given(JOURNEES, PAYEURS, st.integers(1, 30))
def test_un_jour_de_plus_ne_fait_jamais_payer_moins(jours, qui, numero):
    sans_aide = replace(qui, aides=())
    autres = [j for j in jours if j.jour.day != numero]
    assert total(TOUTES, autres, sans_aide) <= total(TOUTES, [*autres, jour(numero)], sans_aide)
