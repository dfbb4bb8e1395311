"""Invented families by the thousand, for demonstrations and measures: ``manage.py peupler``.

All that a family is comes from the seed, its number and the day: the same order, on the same day and the same
base, gives the same values and the same uuids. Only ids, the hash of the password and ciphertexts differ.

A household is a ``Foyer`` (portail/peuplement_foyer.py), its bookings are kept by the ``Agenda`` of all
(portail/peuplement_planning.py); their rows all come through ``Copie``. Invoices have no models yet.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from django.contrib.auth.hashers import make_password
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from demandes.models import MotifRefus
from enfants.models import Vaccin
from enfants.offre import oublier
from familles.models import Utilisateur
from messagerie.models import ServiceMairie
from portail.commune import Commune
from portail.outils.copie import cellule, copier
from portail.outils.demonstration import MOT_DE_PASSE
from portail.peuplement_enfants import places
from portail.peuplement_foyer import Decor, Foyer
from portail.peuplement_planning import Agenda

LOT = 500  # families between two COPYs: memory does not grow with their number
LOT_DE_LIGNES = 20_000  # rows of a big table between two COPYs
NUMERO_MAX = 999_999  # six digits in the identifiants
AGENTS = {"enfance-jeunesse": "agent", "comptabilite": "comptable"}  # who answers for a service


class PeuplementImpossible(Exception):
    """Nothing was written; the text says why, to the person at the keyboard."""


@dataclass(frozen=True)
class Bilan:
    """What was added: first and last number, rows of each model."""

    premier: int
    dernier: int
    lignes: Counter


class Copie:
    """Rows on their way to COPY. Ids come from the sequences, so that nobody's insert meets ours."""

    def __init__(self):
        self.lignes: dict[type, list] = defaultdict(list)
        self.ids: dict[type, Iterator[int]] = {}
        self.compte: Counter[type] = Counter()
        self.grandes: dict[type, list[tuple]] = {}
        self.colonnes: dict[type, list[str]] = {}

    def creer(self, modele, **valeurs):
        return self.ajouter(modele(**valeurs))

    def ajouter(self, objet):
        """Give the object its id; it may still change until ``vider``."""
        modele = type(objet)
        if modele not in self.ids:
            self.ids[modele] = _ids(modele)
        objet.pk = next(self.ids[modele])
        self.lignes[modele].append(objet)
        return objet

    def grande_table(self, modele, noms: str) -> Callable[..., int]:
        """A function that adds a row, of the values of ``noms``, and returns its id: five times faster than ``creer``.

        For hundreds of thousands of rows. The values are numbers, dates, codes, instants: nothing to escape, to
        encrypt or to check.

        :param noms: attnames of all the columns but the id, as one string.
        """
        champs = {champ.attname: champ.column for champ in modele._meta.concrete_fields if not champ.primary_key}
        if set(noms.split()) != set(champs):
            raise ValueError(f"Colonnes de {modele.__name__} : {sorted(set(champs) ^ set(noms.split()))}")
        lignes = self.grandes[modele] = []
        self.colonnes[modele] = [modele._meta.pk.column, *(champs[nom] for nom in noms.split())]
        ids = _ids(modele)

        def ajouter(*valeurs):
            cle = next(ids)
            lignes.append((cle, *valeurs))
            if len(lignes) >= LOT_DE_LIGNES:
                self._vider_grande(modele)
            return cle

        return ajouter

    def _vider_grande(self, modele):
        lignes = self.grandes[modele]
        textes = ("\t".join([r"\N" if v is None else str(v) for v in ligne]) for ligne in lignes)
        copier(modele._meta.db_table, self.colonnes[modele], textes)
        self.compte[modele] += len(lignes)
        lignes.clear()

    def vider(self):
        """Write what waits, and have the base check its keys: the list of what is to check does not grow either."""
        for modele, objets in self.lignes.items():
            _copier(modele, objets)
            self.compte[modele] += len(objets)
        self.lignes.clear()
        for modele in [modele for modele, lignes in self.grandes.items() if lignes]:
            self._vider_grande(modele)
        connection.check_constraints()


def _ids(modele) -> Iterator[int]:
    """Ids of the model's sequence, a thousand at a time."""
    while True:
        with connection.cursor() as curseur:
            curseur.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, 1000)",
                [modele._meta.db_table],
            )
            lot = curseur.fetchall()
        yield from (ligne[0] for ligne in lot)


def _copier(modele, objets):
    champs = modele._meta.concrete_fields
    base = connections[DEFAULT_DB_ALIAS]  # not the proxy: it costs, three hundred thousand times
    # The fields encrypt and check; pre_save is left out, it would date the opening of a file from today.
    textes = (
        "\t".join(cellule(champ.get_db_prep_save(getattr(objet, champ.attname), base)) for champ in champs)
        for objet in objets
    )
    copier(modele._meta.db_table, [champ.column for champ in champs], textes)


@transaction.atomic
def peupler(
    familles: int,
    *,
    annees: int,
    graine: int,
    aujourdhui: date,
    avancement: Callable[[int], None] = lambda faites: None,
) -> Bilan:
    """Invented families join those of the base, numbered after the last invented one.

    :param annees: years of quotients, bookings, demandes and messages, up to the day before ``aujourdhui``.
    :param avancement: called with the number of families written, batch after batch.
    :raises PeuplementImpossible: no cast to answer the families, or no number left.
    """
    with connection.cursor() as curseur:  # two at once would give the same numbers
        curseur.execute("SELECT pg_advisory_xact_lock(hashtext('portail.peuplement'))")
    premier = _dernier_numero() + 1
    dernier = premier + familles - 1
    if dernier > NUMERO_MAX:
        raise PeuplementImpossible(f"Il ne reste que {NUMERO_MAX + 1 - premier} numéros de famille inventée.")
    copie, foyer = Copie(), None
    decor = _planter(annees, aujourdhui, places(copie, familles, Random(f"{graine}/écoles")))
    agenda = Agenda(copie, decor)
    for numero in range(premier, dernier + 1):
        foyer = Foyer(decor, copie, Random(f"{graine}/{numero}"), numero).inventer(foyer)
        agenda.remplir(foyer, dernier=numero == dernier)
        faites = numero - premier + 1
        if faites % LOT == 0 or numero == dernier:
            copie.vider()
            avancement(faites)
    oublier()  # the services have new places
    with connection.cursor() as curseur:  # what is measured next must not run on the statistics of before
        for modele in copie.compte:
            curseur.execute(f'ANALYZE "{modele._meta.db_table}"')
    return Bilan(premier, dernier, copie.compte)


def _dernier_numero() -> int:
    inventes = Utilisateur.objects.filter(identifiant__regex=r"^famille[0-9]{6}b?$")
    dernier = inventes.order_by("-identifiant").values_list("identifiant", flat=True).first()
    return int(dernier.removesuffix("b").removeprefix("famille")) if dernier else 0


def _planter(annees: int, aujourdhui: date, ou: dict) -> Decor:
    agents = Utilisateur.objects.filter(identifiant__in=AGENTS.values(), is_staff=True)
    comptes = {compte.identifiant: compte for compte in agents}
    services = {service.code: service for service in ServiceMairie.objects.filter(code__in=AGENTS)}
    if set(comptes) != set(AGENTS.values()) or set(services) != set(AGENTS):
        raise PeuplementImpossible(
            "Il manque la mairie de démonstration, qui répond aux familles : lancez d'abord « manage.py demo »."
        )
    return Decor(
        commune=Commune.actuelle(),
        agents={code: comptes[identifiant] for code, identifiant in AGENTS.items()},
        services=services,
        motifs=list(MotifRefus.objects.order_by("pk")),
        mot_de_passe=make_password(MOT_DE_PASSE),
        aujourdhui=aujourdhui,
        annees=annees,
        places=ou,
        vaccins=list(Vaccin.objects.filter(actif=True)),
    )
