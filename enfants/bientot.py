"""Deadlines about to pass: days that a registered child could still have, and has not."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from enfants import offre as offres
from enfants.planning import Planning
from enfants.regles import planning as regles
from enfants.regles.planning import Etat, Offre

HORIZON = 75  # days ahead: a rule of the month closes the first of them a month and a half before


class Echeance(NamedTuple):
    """Days of a service that one deadline closes.

    :param limite: last instant, in the commune's time zone.
    :param enfants: first names of those for whom nothing is booked on any of ``jours``.
    """

    offre: Offre
    limite: datetime
    jours: tuple[date, ...]
    enfants: tuple[str, ...]


def jours_qui_ferment(maintenant: datetime, delai: timedelta) -> dict[tuple[int, date], datetime]:
    """(key of a service, day) -> its deadline to book, where it passes within ``delai``; nothing is read."""
    aujourdhui = timezone.localdate(maintenant)
    jours = [aujourdhui + timedelta(days=n) for n in range(HORIZON + 1)]
    calendrier = offres.calendrier(jours[0], jours[-1])
    trouves = {}
    for offre in offres.actuelle():
        sien = offres.pour(offre, calendrier)
        for jour in jours:
            if regles.ferme_ce_jour(offre, jour, sien):
                continue
            limite = regles.Contexte(offre, jour, sien, maintenant, famille=0).limite("RESERVER")
            if limite and maintenant <= limite <= maintenant + delai:
                trouves[offre.cle, jour] = limite
    return trouves


def echeances(planning: Planning, qui_ferment: dict[tuple[int, date], datetime]) -> list[Echeance]:
    """What closes soon and may still be booked, by service and deadline, the nearest first.

    A child with habitual days is reminded of those alone.

    Children for whom the same days are free are told together.

    :param planning: holds all the days of ``qui_ferment``.
    """
    offres_par_cle = {offre.cle: offre for offre in planning.offres}
    libres: dict[tuple, list[date]] = {}
    for (cle, jour), limite in sorted(qui_ferment.items(), key=lambda ligne: ligne[0][1]):
        offre = offres_par_cle.get(cle)
        for enfant in planning.enfants.values() if offre and offre.inscription else ():
            usuel = planning.est_habituel(enfant, offre, jour)
            if usuel and planning.cellule(enfant, offre, jour).case().etat == Etat.LIBRE:
                libres.setdefault((limite, offre.ordre, cle, enfant.pk), []).append(jour)
    groupes: dict[tuple, list[str]] = {}
    for (limite, ordre, cle, enfant), jours in libres.items():
        groupes.setdefault((limite, ordre, cle, tuple(jours)), []).append(planning.enfants[enfant].prenom)
    return [
        Echeance(offres_par_cle[cle], limite, jours, tuple(prenoms))
        for (limite, _, cle, jours), prenoms in sorted(groupes.items(), key=lambda groupe: groupe[0])
    ]
