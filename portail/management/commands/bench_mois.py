"""``manage.py bench_mois``: how long a whole month takes, billed by several processes at once."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portail.mesures import MesureImpossible
from portail.mesures_mois import facturer_a, mois_charge, sur_une_copie

OBJECTIF = 60  # seconds for CENT_MILLE households
CENT_MILLE = 100_000


class Command(BaseCommand):
    help = (
        "Facture le mois le plus chargé, d'un bout à l'autre et à plusieurs processus, sur une copie de la base qui "
        "est ensuite jetée. Le temps doit croître comme le nombre de familles, et la mémoire ne pas croître."
    )

    def add_arguments(self, parser):
        parser.add_argument("--processus", type=int, default=2, help="processus (2)")

    def handle(self, *, processus, **options):
        if not settings.MODE_DEMO:
            raise CommandError("Les mesures se font sur des familles inventées, pas sur une base de production.")
        if processus < 1:
            raise CommandError("Il faut au moins un processus.")
        try:
            mois, jours = mois_charge()
            self.stdout.write(f"Facturer {mois:%m/%Y}\u00a0: {jours} jours réservés, à {processus} processus")
            with sur_une_copie():
                etapes = [self.raconter(etape) for etape in facturer_a(processus, mois)]
        except MesureImpossible as erreur:
            raise CommandError(str(erreur)) from erreur
        secondes, familles = sum(e.secondes for e in etapes), etapes[0].familles
        pour_cent_mille = secondes * CENT_MILLE / familles
        verdict = "bien" if pour_cent_mille <= OBJECTIF else "au-dessus"
        self.stdout.write(
            f"{familles} familles en {virgule(secondes)} s, soit {virgule(pour_cent_mille)} s pour {CENT_MILLE} "
            f"({OBJECTIF} au plus)\u00a0: {verdict}"
        )

    def raconter(self, etape):
        """The time at each fifth: of a growth that is linear, all take as long."""
        passage = (
            [etape.lots[len(etape.lots) * n // 5 - 1] for n in range(1, 6)] if len(etape.lots) >= 5 else etape.lots
        )
        temps = ", ".join(virgule(fin) for fin, _ in passage)
        self.stdout.write(
            f"{etape.nom}\u00a0: {len(etape.lots)} lots, {temps} s au fil des lots, {etape.memoire:.0f} Mo au plus"
        )
        self.stdout.flush()
        return etape


def virgule(secondes: float) -> str:
    """« 12,3 »."""
    return f"{secondes:.1f}".replace(".", ",")
