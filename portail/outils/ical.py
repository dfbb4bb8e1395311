"""Calendars as other programs read them: the few lines of RFC 5545 that a list of appointments needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

OCTETS_MAX = 75  # of a line, its end excluded (RFC 5545 §3.1)


@dataclass(frozen=True)
class Evenement:
    """An appointment.

    :param uid: the same for the same appointment, whenever it is read.
    :param debut, fin: aware.
    :param ecrit_le: when it was written down, aware.
    """

    uid: str
    debut: datetime
    fin: datetime
    resume: str
    ecrit_le: datetime


def calendrier(nom: str, evenements: Iterable[Evenement], fuseau: ZoneInfo) -> bytes:
    """A whole calendar, the hours told in ``fuseau``, which it describes so that any program knows it."""
    evenements = list(evenements)
    jours = [evenement.debut.astimezone(fuseau).date() for evenement in evenements]
    lignes = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Portail famille//FR",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{texte(nom)}",
        f"X-WR-TIMEZONE:{fuseau.key}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    if jours:
        lignes += _fuseau(fuseau, min(jours), max(jours))
    for evenement in evenements:
        lignes += [
            "BEGIN:VEVENT",
            f"UID:{texte(evenement.uid)}",
            f"DTSTAMP:{_instant(evenement.ecrit_le.astimezone(UTC))}Z",
            f"DTSTART;TZID={fuseau.key}:{_instant(evenement.debut.astimezone(fuseau))}",
            f"DTEND;TZID={fuseau.key}:{_instant(evenement.fin.astimezone(fuseau))}",
            f"SUMMARY:{texte(evenement.resume)}",
            "TRANSP:TRANSPARENT",  # the child is busy, not who reads
            "END:VEVENT",
        ]
    lignes.append("END:VCALENDAR")
    return b"".join(plier(ligne) for ligne in lignes)


def texte(valeur: str) -> str:
    """A value as it is written in a property of type TEXT (§3.3.11); control characters are dropped."""
    for de, vers in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n")):
        valeur = valeur.replace(de, vers)
    return "".join(c for c in valeur if c >= " " and c != "\x7f")


def plier(ligne: str) -> bytes:
    """The line and its end, cut in pieces of 75 octets; never within a character."""
    morceaux, courant, place = [], b"", OCTETS_MAX
    for caractere in ligne:
        octets = caractere.encode()
        if len(courant) + len(octets) > place:
            morceaux.append(courant)
            courant, place = b"", OCTETS_MAX - 1  # the space that starts it counts
        courant += octets
    return b"\r\n ".join([*morceaux, courant]) + b"\r\n"


def _instant(valeur):
    return f"{valeur:%Y%m%dT%H%M%S}"


# --- The time zone ---------------------------------------------------------------------------------------


def _fuseau(fuseau: ZoneInfo, du: date, au: date) -> list[str]:
    """VTIMEZONE (§3.6.5): what the clocks show from ``du``, then each change until ``au``."""
    debut = datetime(du.year, du.month, du.day, tzinfo=UTC) - timedelta(days=2)
    lignes = ["BEGIN:VTIMEZONE", f"TZID:{fuseau.key}", *_periode(fuseau, debut, debut)]
    heure = debut
    while heure.date() <= au + timedelta(days=1):
        suivant = heure + timedelta(hours=1)  # clocks change at a whole hour of UTC
        if suivant.astimezone(fuseau).utcoffset() != heure.astimezone(fuseau).utcoffset():
            lignes += _periode(fuseau, heure, suivant)
        heure = suivant
    return [*lignes, "END:VTIMEZONE"]


def _periode(fuseau, avant, instant):
    de, vers = (moment.astimezone(fuseau).utcoffset() for moment in (avant, instant))
    genre = "DAYLIGHT" if instant.astimezone(fuseau).dst() else "STANDARD"
    # The start is told by the clock of before the change.
    return [
        f"BEGIN:{genre}",
        f"DTSTART:{_instant((instant + de).replace(tzinfo=None))}",
        f"TZOFFSETFROM:{_decalage(de)}",
        f"TZOFFSETTO:{_decalage(vers)}",
        f"TZNAME:{instant.astimezone(fuseau).tzname()}",
        f"END:{genre}",
    ]


def _decalage(decalage):
    minutes = int(decalage.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
