"""Invented families by the thousand, for demonstrations and measures: ``manage.py peupler``.

All that a family is comes from the seed, its number and the day: the same order, on the same day and the same
base, gives the same values and the same uuids. Only ids, the hash of the password and ciphertexts differ.

Bookings and invoices have no models yet: their issues extend ``Foyer`` (portail/peuplement_foyer.py), whose
rows all come through ``Copie``.
"""

import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from django.contrib.auth.hashers import make_password
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from demandes.models import MotifRefus
from enfants.models import Vaccin
from familles.models import Utilisateur
from messagerie.models import ServiceMairie
from portail.commune import Commune
from portail.outils.demonstration import MOT_DE_PASSE
from portail.peuplement_enfants import places
from portail.peuplement_foyer import Decor, Foyer

LOT = 500  # families between two COPYs: memory does not grow with their number
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

    def vider(self):
        """Write what waits."""
        for modele, objets in self.lignes.items():
            _copier(modele, objets)
            self.compte[modele] += len(objets)
        self.lignes.clear()


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
    base, flux = connections[DEFAULT_DB_ALIAS], io.StringIO()  # not the proxy: it costs, three hundred thousand times
    for objet in objets:
        # The fields encrypt and check; pre_save is left out, it would date the opening of a file from today.
        valeurs = (champ.get_db_prep_save(getattr(objet, champ.attname), base) for champ in champs)
        flux.write("\t".join(map(_cellule, valeurs)) + "\n")
    flux.seek(0)
    colonnes = ", ".join(connection.ops.quote_name(champ.column) for champ in champs)
    with connection.cursor() as curseur:
        curseur.copy_expert(f'COPY "{modele._meta.db_table}" ({colonnes}) FROM STDIN', flux)


_ECHAPPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _cellule(valeur) -> str:
    """A value in the text format of COPY."""
    return r"\N" if valeur is None else str(valeur).translate(_ECHAPPES)


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

    :param annees: years of quotients, demandes and messages, up to the day before ``aujourdhui``.
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
    for numero in range(premier, dernier + 1):
        foyer = Foyer(decor, copie, Random(f"{graine}/{numero}"), numero).inventer(foyer)
        faites = numero - premier + 1
        if faites % LOT == 0 or numero == dernier:
            copie.vider()
            avancement(faites)
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
