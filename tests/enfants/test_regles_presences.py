"""What happened on a day, from what was wanted and what was seen: every combination, and its sentence."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enfants.regles.presences import (
    Absence,
    AFacturer,
    Code,
    Constat,
    Faits,
    Preuve,
    Reserve,
    Vu,
    conclure,
    minutes_de_retard,
)

PARIS = ZoneInfo("Europe/Paris")
JOUR, FIN = date(2026, 11, 26), time(18, 30)
OUI, NON, A_DECIDER = AFacturer.OUI, AFacturer.NON, AFacturer.A_DECIDER


def le(mois, jour, heure=9, minute=0):
    return datetime(2026, mois, jour, heure, minute, tzinfo=PARIS)


RESERVE = Reserve(le(11, 12))
TARDIF = Reserve(le(11, 25), tardive=True)
ANNULE = Reserve(le(11, 12), annulee_le=le(11, 20), annulee_par="Claire Durand")
ANNULE_TARD = Reserve(le(11, 12), annulee_le=le(11, 26), annulee_par="Claire Durand", annulee_a_temps=False)
PAR_MAIRIE = Reserve(
    le(11, 12), annulee_le=le(11, 26), annulee_par="Nadia Petit", annulee_a_temps=False, par_la_mairie=True
)
FERMETURE = Reserve(le(11, 12), annulee_le=le(11, 20), annulee_par="Nadia Petit", par_la_mairie=True)
ANONYME = Reserve(le(11, 12), annulee_le=le(11, 20))

RECUE = Absence("Enfant malade", le(11, 26, 7), Preuve.RECUE)
RECUE_REGLE = Absence("Enfant malade", le(11, 26, 7), Preuve.RECUE, "le premier jour reste dû.")
ATTENDUE = Absence("Enfant malade", le(11, 26, 7), Preuve.ATTENDUE, "le premier jour reste dû.")
NON_RECUE = Absence("Enfant malade", le(11, 26, 7), Preuve.NON_RECUE, "le premier jour reste dû.")
SORTIE = Absence("Sortie scolaire", le(11, 20))
FAMILLE = Absence("Raison familiale", le(11, 20), consequence="le service reste dû.")
SANS_DATE = Absence("Sortie scolaire")

PRESENT = Vu(True, le(11, 26, 12, 5), "Hugo Leroy")
ABSENT = Vu(False, le(11, 26, 12, 5), "Hugo Leroy")
LENDEMAIN = Vu(True, le(11, 27, 9), "Nadia Petit")
CORRIGE = Vu(True, le(11, 27, 9), "Nadia Petit", correction="oublié sur la feuille")
CORRIGE_ABSENT = Vu(False, le(11, 27, 9), "Nadia Petit", correction="confondu avec sa sœur.")
A_L_HEURE = Vu(True, le(11, 26, 16, 30), "Hugo Leroy", time(16, 30), time(18, 30))
EN_RETARD = Vu(True, le(11, 26, 16, 30), "Hugo Leroy", time(16, 30), time(18, 50))
UNE_MINUTE = Vu(True, le(11, 26, 16, 30), "Hugo Leroy", None, time(18, 31))
ARRIVEE = Vu(True, le(11, 26, 16, 30), "Hugo Leroy", time(16, 35))

POINTE = "pointé à 12 h 05 par Hugo Leroy."
POINTE_ABSENT = "pointé absent à 12 h 05 par Hugo Leroy."
R, T = "Réservé le 12 novembre", "Réservé après le délai le 25 novembre"
MALADE = "absence annoncée le 26 novembre (enfant malade"


def faits(reserve=None, absence=None, vu=None, *, liste=False, close=False):
    return Faits(JOUR, FIN, reserve, absence, vu, liste, close)


def c(code, a_facturer, phrase, **autres):
    return Constat(Code[code], phrase, a_facturer, **autres)


SANS = {"sans_reservation": True}
CAS = [
    # Nothing wanted
    (faits(), c("RIEN", NON, "Ni réservé ni présent.")),
    (faits(close=True), c("RIEN", NON, "Ni réservé ni présent.")),
    (faits(vu=ABSENT), c("RIEN", NON, f"Ni réservé ni présent, {POINTE_ABSENT}")),
    (faits(vu=ABSENT, close=True), c("RIEN", NON, f"Ni réservé ni présent, {POINTE_ABSENT}")),
    (faits(absence=SORTIE), c("RIEN", NON, "Ni réservé ni présent.")),
    (faits(absence=ATTENDUE, close=True), c("RIEN", NON, "Ni réservé ni présent.")),
    # Waiting list
    (faits(liste=True), c("EN_LISTE", NON, "Sur liste d'attente, sans place.")),
    (faits(liste=True, close=True), c("EN_LISTE", NON, "Sur liste d'attente, sans place.")),
    (faits(vu=ABSENT, liste=True), c("EN_LISTE", NON, f"Sur liste d'attente, sans place, {POINTE_ABSENT}")),
    (faits(ANNULE, liste=True), c("EN_LISTE", NON, "Sur liste d'attente, sans place.")),
    (
        faits(vu=PRESENT, liste=True),
        c("PRESENT_SANS_RESERVATION", OUI, f"Sur liste d'attente, sans place, présent, {POINTE}", **SANS),
    ),
    # Booked, not seen yet
    (faits(RESERVE), c("ATTENDU", A_DECIDER, f"{R}, pas encore pointé.")),
    (faits(TARDIF), c("ATTENDU", A_DECIDER, f"{T}, pas encore pointé.", tardif=True)),
    (faits(RESERVE, liste=True), c("ATTENDU", A_DECIDER, f"{R}, pas encore pointé.")),
    # Booked and there
    (faits(RESERVE, vu=PRESENT), c("PRESENT_RESERVE", OUI, f"{R}, présent, {POINTE}")),
    (faits(RESERVE, vu=PRESENT, close=True), c("PRESENT_RESERVE", OUI, f"{R}, présent, {POINTE}")),
    (faits(TARDIF, vu=PRESENT), c("PRESENT_RESERVE", OUI, f"{T}, présent, {POINTE}", tardif=True)),
    (faits(RESERVE, vu=PRESENT, liste=True), c("PRESENT_RESERVE", OUI, f"{R}, présent, {POINTE}")),
    (
        faits(RESERVE, vu=LENDEMAIN),
        c("PRESENT_RESERVE", OUI, f"{R}, présent, pointé le 27 novembre à 9 h par Nadia Petit."),
    ),
    (
        faits(RESERVE, vu=CORRIGE, close=True),
        c(
            "PRESENT_RESERVE",
            OUI,
            f"{R}, présent, pointé le 27 novembre à 9 h par Nadia Petit. Corrigé : oublié sur la feuille.",
        ),
    ),
    # Hours
    (
        faits(RESERVE, vu=A_L_HEURE),
        c(
            "PRESENT_RESERVE",
            OUI,
            f"{R}, présent, pointé à 16 h 30 par Hugo Leroy. Arrivé à 16 h 30 et parti à 18 h 30.",
        ),
    ),
    (
        faits(RESERVE, vu=EN_RETARD),
        c(
            "PRESENT_RESERVE",
            OUI,
            f"{R}, présent, pointé à 16 h 30 par Hugo Leroy. "
            "Arrivé à 16 h 30 et parti à 18 h 50, 20 minutes après la fin.",
            minutes_de_retard=20,
        ),
    ),
    (
        faits(RESERVE, vu=UNE_MINUTE),
        c(
            "PRESENT_RESERVE",
            OUI,
            f"{R}, présent, pointé à 16 h 30 par Hugo Leroy. Parti à 18 h 31, 1 minute après la fin.",
            minutes_de_retard=1,
        ),
    ),
    (
        faits(RESERVE, vu=ARRIVEE),
        c("PRESENT_RESERVE", OUI, f"{R}, présent, pointé à 16 h 30 par Hugo Leroy. Arrivé à 16 h 35."),
    ),
    (
        faits(TARDIF, vu=EN_RETARD),
        c(
            "PRESENT_RESERVE",
            OUI,
            f"{T}, présent, pointé à 16 h 30 par Hugo Leroy. "
            "Arrivé à 16 h 30 et parti à 18 h 50, 20 minutes après la fin.",
            tardif=True,
            minutes_de_retard=20,
        ),
    ),
    (
        faits(vu=EN_RETARD),
        c(
            "PRESENT_SANS_RESERVATION",
            OUI,
            "Sans réservation, présent, pointé à 16 h 30 par Hugo Leroy. "
            "Arrivé à 16 h 30 et parti à 18 h 50, 20 minutes après la fin.",
            minutes_de_retard=20,
            **SANS,
        ),
    ),
    # Booked and not there
    (faits(RESERVE, vu=ABSENT), c("ABSENT_NON_JUSTIFIE", OUI, f"{R}, absent sans l'avoir annoncé, {POINTE_ABSENT}")),
    (
        faits(RESERVE, vu=ABSENT, close=True),
        c("ABSENT_NON_JUSTIFIE", OUI, f"{R}, absent sans l'avoir annoncé, {POINTE_ABSENT}"),
    ),
    (
        faits(TARDIF, vu=ABSENT),
        c("ABSENT_NON_JUSTIFIE", OUI, f"{T}, absent sans l'avoir annoncé, {POINTE_ABSENT}", tardif=True),
    ),
    (
        faits(RESERVE, close=True),
        c("ABSENT_NON_JUSTIFIE", OUI, f"{R}, non pointé quand la feuille a été close."),
    ),
    (
        faits(TARDIF, close=True),
        c("ABSENT_NON_JUSTIFIE", OUI, f"{T}, non pointé quand la feuille a été close.", tardif=True),
    ),
    (
        faits(RESERVE, vu=CORRIGE_ABSENT, close=True),
        c(
            "ABSENT_NON_JUSTIFIE",
            OUI,
            f"{R}, absent sans l'avoir annoncé, pointé absent le 27 novembre à 9 h par Nadia Petit. "
            "Corrigé : confondu avec sa sœur.",
        ),
    ),
    # Cancelled
    (faits(ANNULE), c("ANNULE", NON, f"{R}, annulé le 20 novembre par Claire Durand.")),
    (faits(ANNULE, close=True), c("ANNULE", NON, f"{R}, annulé le 20 novembre par Claire Durand.")),
    (faits(ANONYME), c("ANNULE", NON, f"{R}, annulé le 20 novembre.")),
    (faits(ANNULE, absence=SORTIE), c("ANNULE", NON, f"{R}, annulé le 20 novembre par Claire Durand.")),
    (
        faits(ANNULE, vu=ABSENT),
        c("ANNULE", NON, f"{R}, annulé le 20 novembre par Claire Durand, {POINTE_ABSENT}"),
    ),
    (
        faits(ANNULE_TARD),
        c("ANNULE_TARD", A_DECIDER, f"{R}, annulé après le délai le 26 novembre par Claire Durand."),
    ),
    (
        faits(ANNULE_TARD, close=True),
        c("ANNULE_TARD", A_DECIDER, f"{R}, annulé après le délai le 26 novembre par Claire Durand."),
    ),
    (
        faits(ANNULE_TARD, vu=ABSENT),
        c("ANNULE_TARD", A_DECIDER, f"{R}, annulé après le délai le 26 novembre par Claire Durand, {POINTE_ABSENT}"),
    ),
    (faits(PAR_MAIRIE), c("ANNULE", NON, f"{R}, annulé le 26 novembre par Nadia Petit.")),
    (faits(PAR_MAIRIE, close=True), c("ANNULE", NON, f"{R}, annulé le 26 novembre par Nadia Petit.")),
    (faits(FERMETURE), c("ANNULE", NON, f"{R}, annulé le 20 novembre par Nadia Petit.")),
    (
        faits(ANNULE, vu=PRESENT),
        c("PRESENT_SANS_RESERVATION", OUI, f"{R}, annulé le 20 novembre, présent, {POINTE}", **SANS),
    ),
    (
        faits(ANNULE_TARD, vu=PRESENT),
        c("PRESENT_SANS_RESERVATION", OUI, f"{R}, annulé le 26 novembre, présent, {POINTE}", **SANS),
    ),
    (
        faits(PAR_MAIRIE, vu=PRESENT, close=True),
        c("PRESENT_SANS_RESERVATION", OUI, f"{R}, annulé le 26 novembre, présent, {POINTE}", **SANS),
    ),
    (
        faits(FERMETURE, vu=PRESENT),
        c("PRESENT_SANS_RESERVATION", OUI, f"{R}, annulé le 20 novembre, présent, {POINTE}", **SANS),
    ),
    # There without a booking
    (faits(vu=PRESENT), c("PRESENT_SANS_RESERVATION", OUI, f"Sans réservation, présent, {POINTE}", **SANS)),
    (
        faits(vu=PRESENT, close=True),
        c("PRESENT_SANS_RESERVATION", OUI, f"Sans réservation, présent, {POINTE}", **SANS),
    ),
    (
        faits(absence=SORTIE, vu=PRESENT),
        c("PRESENT_SANS_RESERVATION", OUI, f"Sans réservation, présent, {POINTE}", **SANS),
    ),
    (
        faits(vu=LENDEMAIN),
        c(
            "PRESENT_SANS_RESERVATION",
            OUI,
            "Sans réservation, présent, pointé le 27 novembre à 9 h par Nadia Petit.",
            **SANS,
        ),
    ),
    # Absence declared
    (faits(RESERVE, RECUE), c("ABSENT_JUSTIFIE", NON, f"{R}, {MALADE}, justificatif reçu).")),
    (faits(RESERVE, RECUE, close=True), c("ABSENT_JUSTIFIE", NON, f"{R}, {MALADE}, justificatif reçu).")),
    (faits(TARDIF, RECUE), c("ABSENT_JUSTIFIE", NON, f"{T}, {MALADE}, justificatif reçu).", tardif=True)),
    (
        faits(RESERVE, RECUE, ABSENT),
        c("ABSENT_JUSTIFIE", NON, f"{R}, {MALADE}, justificatif reçu), {POINTE_ABSENT}"),
    ),
    (
        faits(RESERVE, RECUE_REGLE),
        c("ABSENT_JUSTIFIE", A_DECIDER, f"{R}, {MALADE}, justificatif reçu). Règle : le premier jour reste dû."),
    ),
    (
        faits(RESERVE, RECUE_REGLE, ABSENT, close=True),
        c(
            "ABSENT_JUSTIFIE",
            A_DECIDER,
            f"{R}, {MALADE}, justificatif reçu), {POINTE_ABSENT} Règle : le premier jour reste dû.",
        ),
    ),
    (faits(RESERVE, ATTENDUE), c("ABSENCE_A_JUSTIFIER", A_DECIDER, f"{R}, {MALADE}, justificatif attendu).")),
    (
        faits(RESERVE, ATTENDUE, close=True),
        c("ABSENCE_A_JUSTIFIER", A_DECIDER, f"{R}, {MALADE}, justificatif attendu)."),
    ),
    (
        faits(RESERVE, ATTENDUE, ABSENT),
        c("ABSENCE_A_JUSTIFIER", A_DECIDER, f"{R}, {MALADE}, justificatif attendu), {POINTE_ABSENT}"),
    ),
    (faits(RESERVE, NON_RECUE), c("ABSENT_NON_JUSTIFIE", OUI, f"{R}, {MALADE}, justificatif non reçu).")),
    (
        faits(RESERVE, NON_RECUE, ABSENT, close=True),
        c("ABSENT_NON_JUSTIFIE", OUI, f"{R}, {MALADE}, justificatif non reçu), {POINTE_ABSENT}"),
    ),
    (
        faits(RESERVE, SORTIE),
        c("ABSENCE_DECLAREE", NON, f"{R}, absence annoncée le 20 novembre (sortie scolaire)."),
    ),
    (
        faits(RESERVE, SORTIE, ABSENT, close=True),
        c("ABSENCE_DECLAREE", NON, f"{R}, absence annoncée le 20 novembre (sortie scolaire), {POINTE_ABSENT}"),
    ),
    (faits(RESERVE, SANS_DATE), c("ABSENCE_DECLAREE", NON, f"{R}, absence annoncée (sortie scolaire).")),
    (
        faits(RESERVE, FAMILLE),
        c(
            "ABSENCE_DECLAREE",
            A_DECIDER,
            f"{R}, absence annoncée le 20 novembre (raison familiale). Règle : le service reste dû.",
        ),
    ),
    # Declared absent, and there
    (
        faits(RESERVE, RECUE, PRESENT),
        c("PRESENT_RESERVE", OUI, f"{R}, absence annoncée (enfant malade) mais présent, {POINTE}"),
    ),
    (
        faits(RESERVE, ATTENDUE, PRESENT, close=True),
        c("PRESENT_RESERVE", OUI, f"{R}, absence annoncée (enfant malade) mais présent, {POINTE}"),
    ),
    (
        faits(TARDIF, SORTIE, PRESENT),
        c("PRESENT_RESERVE", OUI, f"{T}, absence annoncée (sortie scolaire) mais présent, {POINTE}", tardif=True),
    ),
]


def plat(constat):
    return Constat(**{**vars(constat), "phrase": constat.phrase.replace("\u00a0", " ")})


def test_la_table_est_longue_et_sans_doublon():
    assert len(CAS) >= 60
    assert len({repr(faits) for faits, _ in CAS}) == len(CAS)
    assert {constat.code for _, constat in CAS} == set(Code)


@pytest.mark.parametrize(("faits", "attendu"), CAS)
def test_chaque_cas_a_son_constat_et_sa_phrase(faits, attendu):
    assert plat(conclure(faits)) == attendu


@pytest.mark.parametrize(
    ("depart", "minutes"),
    [(None, 0), (time(0), 0), (time(18, 29), 0), (time(18, 30), 0), (time(18, 30, 59), 0), (time(18, 31), 1)],
)
def test_le_retard_se_compte_en_minutes_pleines_depuis_la_fin(depart, minutes):
    assert minutes_de_retard(depart, FIN) == minutes


INSTANTS = st.builds(datetime.combine, st.dates(date(2026, 9, 1), date(2027, 8, 31)), st.times(), st.just(PARIS))
TEXTES = st.sampled_from(["", "Claire Durand", "le premier jour reste dû."])
RESERVES = st.builds(Reserve, INSTANTS, st.booleans(), st.none() | INSTANTS, TEXTES, st.booleans(), st.booleans())
ABSENCES = st.builds(
    Absence, st.sampled_from(["Enfant malade", "Sortie"]), st.none() | INSTANTS, st.sampled_from(Preuve), TEXTES
)
VUS = st.builds(Vu, st.booleans(), INSTANTS, TEXTES, st.none() | st.times(), st.none() | st.times(), TEXTES)
FAITS = st.builds(
    Faits,
    st.just(JOUR),
    st.times(),
    st.none() | RESERVES,
    st.none() | ABSENCES,
    st.none() | VUS,
    st.booleans(),
    st.booleans(),
)


@given(FAITS)
def test_tout_ensemble_de_faits_a_un_seul_constat_qui_tient_debout(faits):
    constat = conclure(faits)
    present = faits.vu is not None and faits.vu.present
    reserve = faits.reserve is not None and faits.reserve.est_active
    assert constat == conclure(faits)
    assert constat.phrase.endswith(".")
    assert "  " not in constat.phrase
    excuses = {Code.ABSENT_JUSTIFIE, Code.ABSENCE_DECLAREE, Code.ABSENCE_A_JUSTIFIER, Code.ANNULE, Code.RIEN}
    assert not (constat.code in excuses and constat.a_facturer == OUI)
    assert (constat.code in (Code.PRESENT_RESERVE, Code.PRESENT_SANS_RESERVATION)) == present
    assert constat.sans_reservation == (present and not reserve)
    assert constat.tardif == (reserve and faits.reserve.tardive)
    assert constat.minutes_de_retard == (minutes_de_retard(faits.vu.depart, faits.fin) if present else 0)
