"""Dates and hours as a parent says them."""

from datetime import date, datetime, timedelta

from django.utils import timezone

JOURS = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"]
MOIS = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]


def jour(valeur: date, *, semaine: bool = True) -> str:
    """« jeudi 26 novembre 2026 », « 1er mars 2027 » without the day of the week."""
    numero = "1er" if valeur.day == 1 else valeur.day
    texte = f"{numero} {MOIS[valeur.month - 1]} {valeur.year}"
    return f"{JOURS[valeur.weekday()]} {texte}" if semaine else texte


def heure(valeur: datetime) -> str:
    """« 10 h », « 10 h 05 », in the commune's time zone."""
    local = timezone.localtime(valeur)
    return f"{local.hour}\u00a0h\u00a0{local.minute:02}" if local.minute else f"{local.hour}\u00a0h"


def quand(valeur: datetime, *, maintenant: datetime | None = None) -> str:
    """« aujourd'hui à 10 h 05 », « hier à 9 h », « le 3 mars 2027 à 9 h »; both instants aware."""
    local = timezone.localtime(valeur)
    aujourdhui = timezone.localtime(maintenant or timezone.now()).date()
    if local.date() == aujourdhui:
        return f"aujourd'hui à {heure(valeur)}"
    if local.date() == aujourdhui - timedelta(days=1):
        return f"hier à {heure(valeur)}"
    return f"le {jour(local.date(), semaine=False)} à {heure(valeur)}"
