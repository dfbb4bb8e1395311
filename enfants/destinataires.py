"""Whom a message about some children reaches: their households of today, but for who may no longer see them."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from enfants.dossier import A_CHARGER, manques_de, vaccins_actifs
from enfants.foyers import adultes_par_foyer
from enfants.models import Enfant, Inscription, Rattachement, Reservation, Service, Site, SuspensionAcces
from familles.models import Famille, Responsable

PAPIERS = {"pai", "assurance", "vaccins-page", "vaccins"}  # what enfants/regles/dossier.py calls them


@dataclass(frozen=True)
class Foyer:
    """A household that a message reaches.

    :param lecteurs: its adults who will read it, the responsable first; never empty.
    :param en_entier: all its adults will.
    """

    famille: Famille
    lecteurs: tuple[Responsable, ...]
    en_entier: bool

    @property
    def cles(self) -> list[tuple[int, int | None]]:
        """As messagerie.diffusions.preparer takes it."""
        if self.en_entier:
            return [(self.famille.pk, None)]
        return [(self.famille.pk, adulte.pk) for adulte in self.lecteurs]


def foyers(enfants: Collection[int], jour: date) -> list[Foyer]:
    """The households of these children, by name; of a child in two households, both.

    A child who has left, or whose attachment has ended, leads nowhere. An adult reads the message when at least one
    of the children is open to them; a household where nobody would is left out. Four queries, however many.

    :param enfants: keys.
    """
    return _foyers(_liens(jour).filter(enfant__in=enfants), jour)


def tous_les_foyers(jour: date) -> list[Foyer]:
    """The households that have a child in the services today."""
    return _foyers(_liens(jour), jour)


def _liens(jour):
    return Rattachement.objects.en_vigueur(jour).filter(enfant__in=Enfant.objects.non_partis(jour))


def _foyers(liens, jour):
    enfants_de = defaultdict(set)
    for famille, enfant in liens.order_by().values_list("famille", "enfant"):
        enfants_de[famille].add(enfant)
    fermes = set(SuspensionAcces.objects.en_vigueur(jour).order_by().values_list("adulte", "enfant"))
    adultes = adultes_par_foyer(list(enfants_de))
    trouves = []
    for famille in Famille.objects.filter(pk__in=enfants_de).order_by("nom", "pk"):
        lecteurs = tuple(a for a in adultes[famille.pk] if any((a.pk, e) not in fermes for e in enfants_de[famille.pk]))
        if lecteurs:
            trouves.append(Foyer(famille, lecteurs, len(lecteurs) == len(adultes[famille.pk])))
    return trouves


# --- Children, by what they have in common -------------------------------------------------------------------


def qui_ont_reserve(service: Service, jour: date, site: Site | None = None) -> list[int]:
    """Keys of the children booked that day, everywhere or at this site; one declared absent keeps its reservation."""
    reservations = Reservation.objects.actives().filter(service=service, jour=jour)
    if site is not None:
        reservations = reservations.filter(place__site=site)
    return list(reservations.order_by("enfant").values_list("enfant", flat=True).distinct())


def inscrits(service: Service, annee: int, jour: date) -> list[int]:
    """Keys of the children registered for the school year, the registration not ended on ``jour``."""
    inscriptions = Inscription.objects.filter(service=service, annee=annee, valable_au__gte=jour)
    return list(inscriptions.order_by("enfant").values_list("enfant", flat=True).distinct())


def a_papiers_manquants(jour: date) -> list[int]:
    """Keys of the children one of whose papers is missing or ends soon, as their own page says it."""
    enfants = Enfant.objects.non_partis(jour).select_related("informations", "sante").prefetch_related(*A_CHARGER)
    vaccins = vaccins_actifs()
    return [e.pk for e in enfants if any(m.code in PAPIERS for m in manques_de(e, None, jour, vaccins))]
