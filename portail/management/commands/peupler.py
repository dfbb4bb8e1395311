"""``manage.py peupler``: invented families, by the thousand."""

from time import monotonic

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from demandes.models import Demande
from enfants.models import Enfant, Reservation
from familles.models import Responsable
from messagerie.models import Message
from portail.outils.demonstration import MOT_DE_PASSE
from portail.peuplement import PeuplementImpossible, peupler

ANNEES_MAX = 10


class Command(BaseCommand):
    help = (
        "Ajoute à la base de démonstration des familles inventées, à la suite de celles qui y sont déjà. "
        "Même graine, même jour, même base : mêmes familles."
    )

    def add_arguments(self, parser):
        parser.add_argument("--familles", type=int, default=2000, help="nombre de familles (2000)")
        parser.add_argument("--annees", type=int, default=1, help="années de vie du dossier (1)")
        parser.add_argument("--graine", type=int, default=42, help="d'où vient le hasard (42)")

    def handle(self, *, familles, annees, graine, **options):
        if not settings.MODE_DEMO:
            raise CommandError("Les familles inventées n'entrent pas dans une base de production.")
        if familles < 1 or not 1 <= annees <= ANNEES_MAX:
            raise CommandError(f"Il faut au moins une famille, et de 1 à {ANNEES_MAX} années.")
        debut = monotonic()

        def avancement(faites):
            secondes = monotonic() - debut
            self.stdout.write(f"→ {nombre(faites)} familles sur {nombre(familles)} ({secondes:.0f} s)")
            self.stdout.flush()

        try:
            bilan = peupler(
                familles, annees=annees, graine=graine, aujourdhui=timezone.localdate(), avancement=avancement
            )
        except PeuplementImpossible as erreur:
            raise CommandError(str(erreur)) from erreur
        self.raconter(bilan, familles, monotonic() - debut)

    def raconter(self, bilan, familles, secondes):
        adultes, enfants, reservations, demandes, messages = (
            nombre(bilan.lignes[modele]) for modele in (Responsable, Enfant, Reservation, Demande, Message)
        )
        self.stdout.write(
            f"{nombre(familles)} familles ajoutées en {secondes:.0f} s : {adultes} adultes, "
            f"{enfants} enfants, {reservations} réservations, {demandes} demandes, {messages} messages."
        )
        self.stdout.write(
            f"Identifiants : famille{bilan.premier:06} à famille{bilan.dernier:06}, suivi de « b » pour le "
            f"conjoint ; mot de passe : {MOT_DE_PASSE}"
        )


def nombre(valeur: int) -> str:
    """« 2 000 », with a space that does not break."""
    return f"{valeur:,}".replace(",", "\u202f")
