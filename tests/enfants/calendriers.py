"""Calendars of the deadline tests, as explicit data: holidays of 2026-27 and the start of 2027-28."""

from datetime import date, time
from zoneinfo import ZoneInfo

from enfants.regles.delais import Calendrier

TOUSSAINT = (date(2026, 10, 17), date(2026, 11, 1))
NOEL = (date(2026, 12, 19), date(2027, 1, 3))
HIVER_A, HIVER_A_2028 = (date(2027, 2, 13), date(2027, 2, 28)), (date(2028, 2, 19), date(2028, 3, 5))
HIVER_B, HIVER_B_2028 = (date(2027, 2, 20), date(2027, 3, 7)), (date(2028, 2, 5), date(2028, 2, 20))
HIVER_C, HIVER_C_2028 = (date(2027, 2, 6), date(2027, 2, 21)), (date(2028, 2, 12), date(2028, 2, 27))
PRINTEMPS_A = (date(2027, 4, 10), date(2027, 4, 25))
PRINTEMPS_B = (date(2027, 4, 17), date(2027, 5, 2))
PRINTEMPS_C = (date(2027, 4, 3), date(2027, 4, 18))
ETE = (date(2027, 7, 3), date(2027, 8, 31))
TOUSSAINT_2027 = (date(2027, 10, 23), date(2027, 11, 7))
NOEL_2027 = (date(2027, 12, 18), date(2028, 1, 2))
COMMUNES = (TOUSSAINT, NOEL, ETE, TOUSSAINT_2027, NOEL_2027)
VACANCES = {
    "A": (*COMMUNES, HIVER_A, PRINTEMPS_A, HIVER_A_2028),
    "B": (*COMMUNES, HIVER_B, PRINTEMPS_B, HIVER_B_2028),
    "C": (*COMMUNES, HIVER_C, PRINTEMPS_C, HIVER_C_2028),
    "REUNION": ((date(2026, 10, 10), date(2026, 10, 25)), (date(2026, 12, 19), date(2027, 1, 24))),
}
FERIES = frozenset(
    date(annee, mois, jour)
    for annee, jours in {
        2026: [(11, 1), (11, 11), (12, 25)],
        2027: [(1, 1), (3, 29), (5, 1), (5, 6), (5, 8), (5, 17), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)],
        2028: [(1, 1), (4, 17), (5, 1), (5, 8), (5, 25)],
    }.items()
    for mois, jour in jours
)


def calendrier(fuseau="Europe/Paris", vacances=VACANCES["B"], *, jours_service=(0, 1, 3, 4), debut=time(12)):
    return Calendrier(ZoneInfo(fuseau), jours_service, debut, vacances, FERIES)


CALENDRIERS = {
    **{zone: calendrier(vacances=VACANCES[zone]) for zone in "ABC"},
    "MATIN": calendrier(debut=time(7, 30)),
    "NUIT": calendrier(debut=time(2, 30)),
    "SANS_ECOLE": calendrier(jours_service=()),
    "TOUJOURS_EN_VACANCES": calendrier(vacances=((date(2025, 1, 1), date(2030, 12, 31)),)),
    "REUNION": calendrier("Indian/Reunion", VACANCES["REUNION"], debut=time(11, 30)),
    "MIQUELON": calendrier("America/Miquelon"),  # the clocks change on 1 November 2026 and 14 March 2027
    "MARTINIQUE": calendrier("America/Martinique"),
    "GUYANE": calendrier("America/Cayenne"),
    "NOUMEA": calendrier("Pacific/Noumea"),
    "TAHITI": calendrier("Pacific/Tahiti"),
}
