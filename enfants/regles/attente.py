"""The waiting list of a day: who leaves it, who is offered the place that is free."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from enfants.regles.planning import Lieu


@dataclass(frozen=True)
class EnAttente:
    """One in the line.

    :param age: in years, that day; None when unknown.
    :param expire_le: until when a place is offered to it, None while it waits.
    :param place_prise: it has been booked otherwise meanwhile.
    :param parti: the child has left the household or the services by that day.
    """

    cle: int
    age: int | None
    expire_le: datetime | None = None
    place_prise: bool = False
    parti: bool = False


@dataclass
class Tour:
    """What becomes of the list: keys, and until when a place is offered."""

    perimees: list[int] = field(default_factory=list)
    reservees: list[int] = field(default_factory=list)
    parties: list[int] = field(default_factory=list)
    passees: list[int] = field(default_factory=list)
    offertes: list[int] = field(default_factory=list)
    expire_le: datetime | None = None

    def __bool__(self):
        return any((self.perimees, self.reservees, self.parties, self.passees, self.offertes))


def tour(
    liste: Sequence[EnAttente],
    ages_pris: Sequence[int | None],
    lieu: Lieu | None,
    *,
    debut: datetime,
    heures: int,
    maintenant: datetime,
) -> Tour:
    """What to write now; once written, the same call says nothing more.

    An offer that is pending holds a place: it is kept even when the agent has lowered the places since.

    :param liste: of one day, in the order of the line.
    :param ages_pris: of the children booked that day, those of ``liste`` excluded.
    :param lieu: None where the service is no longer held: nothing is offered.
    :param debut: when the service starts that day.
    :param heures: how long a place is offered, never past ``debut``.
    """
    if maintenant >= debut.astimezone(UTC):
        return Tour(perimees=[attente.cle for attente in liste])
    bilan, restent = Tour(), []
    for attente in liste:
        if attente.place_prise:
            bilan.reservees.append(attente.cle)
        elif attente.parti:
            bilan.parties.append(attente.cle)
        elif attente.expire_le is not None and maintenant > attente.expire_le:
            bilan.passees.append(attente.cle)
        else:
            restent.append(attente)
    occupes = [*ages_pris, *(attente.age for attente in restent if attente.expire_le is not None)]
    for attente in restent:
        if attente.expire_le is None and lieu is not None and not lieu.est_complet(occupes, attente.age):
            occupes.append(attente.age)
            bilan.offertes.append(attente.cle)
    if bilan.offertes:
        bilan.expire_le = min(maintenant.astimezone(UTC) + timedelta(hours=heures), debut.astimezone(UTC))
    return bilan
