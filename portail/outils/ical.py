"""Calendars as other programs read them (RFC 5545), written by the package icalendar."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar

RELECTURE = timedelta(hours=1)  # agendas are asked to read again that often
ANNEE = timedelta(days=366)


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
    evenements, agenda = list(evenements), icalendar.Calendar()
    for cle, valeur in {
        "VERSION": "2.0",
        "PRODID": "-//Portail famille//FR",
        "CALSCALE": "GREGORIAN",
        "METHOD": "PUBLISH",
        "X-WR-CALNAME": nom,
        "X-WR-TIMEZONE": fuseau.key,
        "X-PUBLISHED-TTL": "PT1H",
    }.items():
        agenda.add(cle, valeur)
    agenda.add("REFRESH-INTERVAL", RELECTURE, parameters={"VALUE": "DURATION"})
    for evenement in evenements:
        ligne = icalendar.Event()
        ligne.add("UID", evenement.uid)
        ligne.add("DTSTAMP", evenement.ecrit_le)
        ligne.add("DTSTART", evenement.debut.astimezone(fuseau))
        ligne.add("DTEND", evenement.fin.astimezone(fuseau))
        ligne.add("SUMMARY", evenement.resume)
        ligne.add("TRANSP", "TRANSPARENT")  # the child is busy, not who reads
        agenda.add_component(ligne)
    jours = [evenement.debut.astimezone(fuseau).date() for evenement in evenements]
    if jours:
        # Only the changes of the clock around these days: all of them since 1970 are two pages.
        agenda.add_missing_timezones(min(jours) - ANNEE, max(jours) + ANNEE)
    return agenda.to_ical()
