"""The rentrée as it would be done now: who moves up, who leaves, where to. Writes nothing, see enfants/rentree.py.

The agent's choices are a flat mapping, as the page sends it: key of a group -> where it goes, key of a child -> its
exception.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from django.utils.text import slugify

from enfants.models import Classe, Ecole, Enfant
from enfants.regles.annees import NIVEAUX, niveau_habituel, niveau_suivant

SANS_ECOLE = ""  # a destination: the school is still to be given
RANGS = {niveau: rang for rang, niveau in enumerate(NIVEAUX)}
CP = RANGS["CP"]


class Quoi(StrEnum):
    """What becomes of a child; REDOUBLE, SAUTE and PART are also exceptions that an agent may choose."""

    MONTE = "monte"
    REDOUBLE = "redouble"
    SAUTE = "saute"
    PART = "part"
    RESTE = "reste"  # its level is unknown


class Place(NamedTuple):
    niveau: str
    classe_id: int | None
    ecole_id: int | None


@dataclass(frozen=True)
class Mouvement:
    """What the rentrée does to one child. ``choix``: the agent's exception, "" for the usual."""

    enfant: Enfant
    quoi: Quoi
    apres: Place
    choix: str = ""


@dataclass(frozen=True)
class Groupe:
    """Children of one level in one class, or of one level and no class in one school.

    A destination is « classe:<key> », « ecole:<key> » (its class is to be given) or SANS_ECOLE.

    :param suivant: the level to come, None after the last one, "" when today's is unknown.
    :param destination: where they go but for the exceptions; ``proposee``: where without a choice of the agent.
    :param destinations: what the agent may choose instead.
    :param exceptions: what the agent may choose for one child.
    """

    cle: str
    classe: Classe | None
    ecole: Ecole | None
    niveau: str
    suivant: str | None
    destination: str
    proposee: str
    destinations: list[str]
    exceptions: list[str]
    mouvements: list[Mouvement]


@dataclass(frozen=True)
class Prevision:
    """``empreinte``: digest of the children, classes and schools it was drawn from."""

    annee: int
    groupes: list[Groupe]
    classes: dict[int, Classe]
    ecoles: dict[int, Ecole]
    empreinte: str

    @cached_property
    def mouvements(self) -> list[Mouvement]:
        return [mouvement for groupe in self.groupes for mouvement in groupe.mouvements]

    @cached_property
    def totaux(self) -> Counter:
        """Children by Quoi."""
        return Counter(mouvement.quoi for mouvement in self.mouvements)

    @cached_property
    def choix(self) -> dict[str, str]:
        """The agent's choices that count: known, possible, other than the usual."""
        groupes = {g.cle: g.destination for g in self.groupes if g.destination != g.proposee}
        return groupes | {cle_enfant(m.enfant.pk): m.choix for m in self.mouvements if m.choix}

    @cached_property
    def sans_classe(self) -> int:
        """Children who move up to a class, or a school, that is still to be given."""
        return sum(m.quoi in (Quoi.MONTE, Quoi.SAUTE) and m.apres.classe_id is None for m in self.mouvements)

    @cached_property
    def semble_deja_faite(self) -> bool:
        """True when more children have the usual level of the year to come than that of the year before."""
        connus = [m.enfant for m in self.mouvements if m.enfant.niveau and m.enfant.date_naissance]
        deja, pas_encore = (
            sum(enfant.niveau == niveau_habituel(enfant.date_naissance, annee) for enfant in connus)
            for annee in (self.annee, self.annee - 1)
        )
        return deja > pas_encore


def cle_enfant(pk: int) -> str:
    """Name of a child's exception among the choices."""
    return f"enfant-{pk}"


def dresser(annee: int, choix: Mapping[str, str], enfants: Iterable[Enfant]) -> Prevision:
    """The preview for these children. Those without level or class are left out: too young, or nobody knows yet.

    :param choix: key of a Groupe -> one of its ``destinations``; ``cle_enfant`` -> one of its ``exceptions``.
        Others count for nothing: they are of a list that has changed since.
    """
    ecoles = {ecole.pk: ecole for ecole in Ecole.objects.all()}
    classes = {classe.pk: classe for classe in Classe.objects.all()}
    concernes = [enfant for enfant in enfants if enfant.niveau or enfant.classe_id]
    concernes.sort(key=lambda enfant: (slugify(enfant.nom), slugify(enfant.prenom), enfant.pk))
    carte, membres = _Carte(ecoles, classes, concernes), defaultdict(list)
    for enfant in concernes:
        ecole_id = classes[enfant.classe_id].ecole_id if enfant.classe_id else enfant.ecole_id
        membres[Place(enfant.niveau, enfant.classe_id, ecole_id)].append(enfant)
    groupes = [carte.groupe(place, enfants, choix) for place, enfants in membres.items()]
    _ranger(groupes)
    return Prevision(annee, groupes, classes, ecoles, _empreinte(annee, concernes, classes, ecoles))


def _ranger(groupes):
    """School by school, from the youngest class to the oldest; those without class, then without school, last."""
    rang = {groupe.cle: RANGS.get(groupe.niveau, len(RANGS)) for groupe in groupes}
    premier = defaultdict(lambda: len(RANGS))
    for groupe in groupes:
        premier[groupe.classe] = min(premier[groupe.classe], rang[groupe.cle])

    def ordre(groupe):
        ecole, classe = groupe.ecole, groupe.classe
        return (
            *(ecole is None, slugify(str(ecole)), ecole.pk if ecole else 0),
            *(classe is None, premier[classe], slugify(str(classe)), classe.pk if classe else 0),
            rang[groupe.cle],
        )

    groupes.sort(key=ordre)


def _empreinte(annee, enfants, classes, ecoles):
    etat = [
        annee,
        sorted((enfant.pk, enfant.niveau, enfant.classe_id, enfant.ecole_id) for enfant in enfants),
        sorted((classe.pk, classe.ecole_id) for classe in classes.values()),
        sorted(ecoles),
    ]
    return hashlib.sha256(json.dumps(etat).encode()).hexdigest()[:32]


class _Carte:
    """Where each level is taught today, and so where a child may go."""

    def __init__(self, ecoles, classes, enfants):
        self.ecoles, self.classes = ecoles, classes
        self.classes_de = defaultdict(list)  # school -> its classes
        for classe in classes.values():
            self.classes_de[classe.ecole_id].append(classe.pk)
        self.tenues, rangs = defaultdict(set), defaultdict(set)
        for enfant in enfants:
            if enfant.niveau and enfant.ecole_id:
                rangs[enfant.ecole_id].add(RANGS[enfant.niveau])
            if enfant.niveau and enfant.classe_id:
                self.tenues[classes[enfant.classe_id].ecole_id, enfant.niveau].add(enfant.classe_id)
        # Schools that end before CP. A school that is still empty may be any.
        self.maternelles = {ecole_id for ecole_id, connus in rangs.items() if max(connus) < CP}

    def groupe(self, place, enfants, choix) -> Groupe:
        """The children of one place: where they go, what else the agent may choose."""
        cle = f"groupe-{place.classe_id or 0}-{place.ecole_id or 0}-{place.niveau or 'inconnu'}"
        suivant = niveau_suivant(place.niveau) if place.niveau else ""
        proposee = self._proposer(place.ecole_id, suivant) if suivant else ""
        destinations = self._destinations(place.ecole_id, suivant) if suivant else []
        destination = choix[cle] if choix.get(cle) in destinations else proposee
        exceptions = self._exceptions(place, suivant, destination, destinations)
        mouvements = []
        for enfant in enfants:
            choisie = choix.get(cle_enfant(enfant.pk), "")
            choisie = choisie if choisie in exceptions else ""
            mouvements.append(Mouvement(enfant, *self._sort(place, suivant, destination, choisie), choisie))
        return Groupe(
            cle,
            self.classes.get(place.classe_id),
            self.ecoles.get(place.ecole_id),
            place.niveau,
            suivant,
            destination,
            proposee,
            destinations,
            exceptions,
            mouvements,
        )

    def _sort(self, place, suivant, destination, choisie):
        """What becomes of a child of this place, and where it is then."""
        if choisie == Quoi.REDOUBLE:
            return Quoi.REDOUBLE, place
        if choisie == Quoi.PART or suivant is None:
            return Quoi.PART, place._replace(classe_id=None)
        if not suivant:
            return Quoi.RESTE, self._place("", choisie) if choisie else place
        if choisie == Quoi.SAUTE:
            niveau, ecole_id = niveau_suivant(suivant), self._place(suivant, destination).ecole_id
            return Quoi.SAUTE, self._place(niveau, self._proposer(ecole_id, niveau))
        return Quoi.MONTE, self._place(suivant, choisie or destination)

    def _place(self, niveau, destination):
        genre, _, cle = destination.partition(":")
        if genre == "classe":
            return Place(niveau, int(cle), self.classes[int(cle)].ecole_id)
        return Place(niveau, None, int(cle) if genre == "ecole" else None)

    def _quitte(self, ecole_id, niveau):
        """True when this level is taught in another school, or nobody knows where."""
        return ecole_id is None or (ecole_id in self.maternelles and RANGS[niveau] >= CP)

    def _proposer(self, ecole_id, niveau):
        """The class that holds the level to come, when there is only one; else it is to be given."""
        if self._quitte(ecole_id, niveau):
            return SANS_ECOLE
        tenues = self.tenues.get((ecole_id, niveau), ())
        return f"classe:{next(iter(tenues))}" if len(tenues) == 1 else f"ecole:{ecole_id}"

    def _destinations(self, ecole_id, niveau):
        if not self._quitte(ecole_id, niveau):
            return self._lieux(ecole_id)
        possibles = [pk for pk in self.ecoles if RANGS[niveau] < CP or pk not in self.maternelles]
        return [SANS_ECOLE, *(lieu for pk in possibles for lieu in self._lieux(pk))]

    def _lieux(self, ecole_id):
        return [f"ecole:{ecole_id}", *(f"classe:{pk}" for pk in self.classes_de[ecole_id])]

    def _exceptions(self, place, suivant, destination, destinations):
        """One child to another school: the school first, then a class of the school that the group goes to."""
        if suivant is None:
            return [Quoi.REDOUBLE]
        if not suivant:
            return [Quoi.PART, *(f"classe:{pk}" for pk in self.classes_de[place.ecole_id])]
        ecole_id = self._place(suivant, destination).ecole_id
        lieux = [
            lieu for lieu in destinations if lieu[:6] == "ecole:" or self._place(suivant, lieu).ecole_id == ecole_id
        ]
        sauts = [Quoi.SAUTE] if niveau_suivant(suivant) else []
        return [Quoi.REDOUBLE, *sauts, Quoi.PART, *filter(None, lieux)]
