"""Deadlines against an independent reading of the same words: sorted lists of days, and a walk over UTC's minutes.

``DELAIS_INSTANTS=50000 pytest tests/enfants/test_delais_oracle.py`` for the long run.
"""

import os
from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from enfants.regles.delais import RECUL, Calendrier, limite, permis, valider
from tests.enfants.calendriers import CALENDRIERS, FERIES, VACANCES

INSTANTS = int(os.environ.get("DELAIS_INSTANTS", "5000"))
PAR_REGLE = 10  # instants asked of each rule and day
MINUTE = timedelta(minutes=1)

# --- The oracle ----------------------------------------------------------------------------------------------

JOURS = [date(2024, 1, 1) + timedelta(days=n) for n in range(5 * 366)]


@cache
def quand(fuseau: ZoneInfo, jour: date, heure: str) -> datetime:
    """The first UTC minute at which a clock shows the hour, looking at the clock every minute.

    When the clock jumps over it: as many minutes after the last one shown before as the hour asks for.
    """
    cherche = datetime.combine(jour, time.fromisoformat(heure)).isoformat(timespec="minutes")
    minute, derniere = datetime.combine(jour, time(0), UTC) - timedelta(hours=14), None
    for _ in range(50 * 60):
        montre = minute.astimezone(fuseau).replace(tzinfo=None).isoformat(timespec="minutes")
        if montre == cherche:
            return minute
        if montre < cherche:
            derniere = minute, montre
        minute += MINUTE
    minute, montre = derniere
    return minute + (datetime.fromisoformat(cherche) - datetime.fromisoformat(montre))


def comptes(regle, calendrier):
    """All the days that count, in order."""
    jours = set(JOURS) - set(calendrier.feries)
    if regle["compte"] == "scolaires":
        for premier, dernier in calendrier.vacances:
            jours -= {jour for jour in jours if premier <= jour <= dernier}
        semaine = set(regle.get("jours_comptes", calendrier.jours_service))
    else:
        semaine = {0, 1, 2, 3, 4} - ({0, 1, 2, 3, 4} - set(regle.get("jours_comptes", [0, 1, 2, 3, 4])))
    return sorted(jour for jour in jours if jour.isoweekday() - 1 in semaine)


def numero_semaine(jour):
    return (jour.toordinal() - 1) // 7  # 1 January of year 1 was a Monday


def dernier_jour(regle, jour, calendrier):
    """The day of the limit, found among all days by what is true of it; None where closed."""
    match regle["type"]:
        case "jours_avant" if regle["compte"] == "francs":
            trouves = [d for d in JOURS if d < jour and len(range(d.toordinal() + 1, jour.toordinal())) == regle["n"]]
        case "jours_avant" if regle["compte"] == "calendaires" or not regle["n"]:
            trouves = [d for d in JOURS if d.toordinal() + regle["n"] == jour.toordinal()]
        case "jours_avant":
            liste = comptes(regle, calendrier)
            rang = bisect_left(liste, jour) - regle["n"]
            trouves = [liste[rang]] if rang >= 0 and (jour - liste[rang]).days <= RECUL else []
        case "semaine":
            trouves = [
                d
                for d in JOURS
                if d.weekday() == regle["jour"] and numero_semaine(d) + regle["avant"] == numero_semaine(jour)
            ]
        case "table":
            lignes = [ligne for nom, ligne in regle["jours"].items() if int(nom) == jour.weekday()]
            trouves = [d for d in JOURS for decalage, _ in lignes if (d - jour).days == decalage]
        case "mois":
            du_mois = [d for d in JOURS if d.year * 12 + d.month + 1 == jour.year * 12 + jour.month]
            trouves = [d for d in du_mois if d.day <= regle["jour"]][-1:]
        case "periode":
            premiers = [du for du, au in calendrier.vacances if jour in {d for d in JOURS if du <= d <= au}]
            trouves = [d for d in JOURS for du in premiers[:1] if (du - d).days == regle["avant_jours"]]
    return trouves[0] if trouves else None


def est_permis(regle, jour, calendrier, maintenant):
    """``maintenant`` in UTC."""
    if regle["type"] in ("aucune", "heures_avant"):
        debut = quand(calendrier.fuseau, jour, calendrier.debut.isoformat("minutes"))
        return maintenant + regle.get("n", 0) * 60 * MINUTE <= debut
    dernier = dernier_jour(regle, jour, calendrier)
    if dernier is None:
        return False
    heure = regle["heure"] if "heure" in regle else regle["jours"][str(jour.weekday())][1]
    if heure == "23:59":
        return maintenant.astimezone(calendrier.fuseau).date() <= dernier
    return maintenant <= quand(calendrier.fuseau, dernier, heure)


# --- What is asked -------------------------------------------------------------------------------------------

heures = st.sampled_from(["00:00", "01:59", "02:00", "02:30", "02:59", "03:00", "09:00", "12:00", "18:00", "23:59"])
semaines = st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True)
lignes = st.tuples(st.integers(-15, 0), heures).map(list)


def avant(compte, maxi, **optionnels):
    return st.fixed_dictionaries(
        {"type": st.just("jours_avant"), "n": st.integers(0, maxi), "heure": heures, "compte": st.just(compte)},
        optional=optionnels,
    )


def forme(nom, **champs):
    return st.fixed_dictionaries({"type": st.just(nom), **champs})


regles = st.one_of(
    avant("calendaires", 40),
    avant("francs", 40),
    avant("ouvres", 30, jours_comptes=semaines.filter(lambda jours: min(jours) < 5)),
    avant("scolaires", 30, jours_comptes=semaines),
    avant("scolaires", 3),
    forme("heures_avant", n=st.integers(0, 200)),
    forme("semaine", avant=st.integers(0, 5), jour=st.integers(0, 6), heure=heures),
    forme("table", jours=st.dictionaries(st.sampled_from("0123456"), lignes, min_size=1)),
    forme("mois", jour=st.integers(1, 31), heure=heures),
    forme("periode", avant_jours=st.integers(0, 60), heure=heures),
    forme("aucune"),
)
calendriers = st.sampled_from(list(CALENDRIERS.values())) | st.builds(
    Calendrier,
    st.sampled_from([CALENDRIERS[nom].fuseau for nom in ("B", "MIQUELON", "NOUMEA")]),
    semaines,
    st.sampled_from([time(2), time(2, 30), time(7, 30), time(23, 59)]),
    st.sampled_from(list(VACANCES.values())),
    st.just(FERIES),
)
jours = st.dates(date(2026, 9, 1), date(2028, 6, 30))
CHANGEMENTS = [
    *((CALENDRIERS[nom], jour) for nom in ("B", "NUIT") for jour in (date(2026, 10, 25), date(2027, 3, 28))),
    *((CALENDRIERS["MIQUELON"], jour) for jour in (date(2026, 11, 1), date(2027, 3, 14))),
]


@st.composite
def autour_d_un_changement(draw):
    """A limit on the day when the clocks change, or hours that straddle it: rare among days drawn at large."""
    calendrier, changement = draw(st.sampled_from(CHANGEMENTS))
    n = draw(st.integers(0, 3))
    regle = draw(avant("calendaires", 3) | forme("heures_avant", n=st.integers(24 * n, 24 * n + 23)))
    return regle, changement + timedelta(days=regle["n"] if regle["type"] == "jours_avant" else n), calendrier


cas = st.one_of(st.tuples(regles, jours, calendriers), st.tuples(regles, jours, calendriers), autour_d_un_changement())
ECARTS = [timedelta(seconds=s) for s in (-3601, -60, -1, 0, 1, 60, 3601)] + [timedelta(microseconds=1)]


@settings(max_examples=INSTANTS // PAR_REGLE, deadline=None)
@given(cas, st.lists(st.integers(-90 * 86400, 10 * 86400), min_size=2, max_size=2))
def test_la_regle_et_l_oracle_disent_pareil(cas, hasards):
    regle, jour, calendrier = cas
    assert valider(regle) == []
    fin = limite(regle, jour, calendrier)
    midi = datetime.combine(jour, time(12), UTC)
    instants = [(fin.astimezone(UTC) if fin else midi) + ecart for ecart in ECARTS]
    instants += [midi + timedelta(seconds=hasard) for hasard in hasards]
    assert len(instants) == PAR_REGLE
    attendus = [est_permis(regle, jour, calendrier, instant) for instant in instants]
    assert [permis(regle, jour, calendrier, instant) for instant in instants] == attendus
    locaux = [instant.astimezone(calendrier.fuseau) for instant in instants]
    assert [permis(regle, jour, calendrier, instant) for instant in locaux] == attendus
    if fin:
        assert attendus[ECARTS.index(timedelta(0))] is True
        assert fin.isoformat() == fin.astimezone(UTC).astimezone(calendrier.fuseau).isoformat()


def test_l_oracle_sait_dire_non():
    """It agrees with two lines of the table, so that it cannot agree with everything."""
    regle = {"type": "jours_avant", "n": 2, "heure": "12:00", "compte": "scolaires"}
    limite_a_la_main = datetime(2026, 11, 23, 11, tzinfo=UTC)
    ecole = CALENDRIERS["B"]
    assert est_permis(regle, date(2026, 11, 26), ecole, limite_a_la_main) is True
    assert est_permis(regle, date(2026, 11, 26), ecole, limite_a_la_main + MINUTE) is False
    assert quand(ecole.fuseau, date(2027, 3, 28), "02:30") == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert quand(ecole.fuseau, date(2026, 10, 25), "02:30") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
