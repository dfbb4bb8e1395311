"""``manage.py expliquer_delai``: « what if » of a deadline rule, without any service in the database."""

import json
import re
import sys
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from enfants import calendrier
from enfants.regles import delais

ANNEES = range(2018, 2101)  # what the package knows of school holidays


class Command(BaseCommand):
    help = (
        "Dit jusqu'à quand un jour peut encore être changé, si c'est encore permis, et la règle en français. "
        "Écrit une ligne de JSON."
    )

    def create_parser(self, *args, **kwargs):
        """A command line that argparse does not understand is refused in French too."""
        parser = super().create_parser(*args, **kwargs)
        parser.error = self.refuser_la_ligne
        return parser

    def add_arguments(self, parser):
        parser.add_argument("--regle", required=True, help="la règle, en JSON")
        parser.add_argument("--jour", required=True, help="le jour à changer\u00a0: 2026-11-26")
        parser.add_argument("--maintenant", required=True, help="2026-11-24T10:59, à l'heure de la commune")
        parser.add_argument("--zone", help="zone des vacances (celle de la commune)")
        parser.add_argument("--debut", default="12:00", help="heure où commence le service (12:00)")
        parser.add_argument("--jours-service", default="0,1,3,4", help="jours d'école, lundi vaut 0 (0,1,3,4)")

    def handle(self, *, regle, jour, maintenant, zone, debut, jours_service, **options):
        regle = lire_regle(regle)
        jour = lire_moment(date, jour, "Le jour s'écrit 2026-11-26")
        maintenant = lire_moment(datetime, maintenant, "L'instant s'écrit 2026-11-24T10:59")
        if zone is not None and zone not in calendrier.ZONES:
            raise refus("La zone est A, B ou C.")
        fuseau = ZoneInfo(settings.TIME_ZONE)
        try:
            pieces = calendrier.charger(jour - timedelta(days=delais.RECUL), jour, zone)
        except DatabaseError as erreur:
            raise CommandError("La base de données n'est pas prête\u00a0: lancez d'abord script/server.") from erreur
        ecole = delais.Calendrier(fuseau, lire_jours(jours_service), lire_heure(debut), *pieces)
        if maintenant.tzinfo is None:
            maintenant = maintenant.replace(tzinfo=fuseau)
        fin = delais.limite(regle, jour, ecole)
        reponse = {
            "limite": fin and fin.isoformat(),
            "permis": delais.permis(regle, jour, ecole, maintenant),
            "phrase": delais.phrase(regle),
        }
        self.stdout.write(json.dumps(reponse, ensure_ascii=False))

    def refuser_la_ligne(self, message):
        erreur = refus("Ligne de commande incomprise\u00a0: voyez «\u00a0manage.py expliquer_delai --help\u00a0».")
        if not self._called_from_command_line:
            raise erreur
        self.stderr.write(str(erreur))
        sys.exit(erreur.returncode)


def refus(phrase: str) -> CommandError:
    return CommandError(phrase, returncode=2)


def lire_regle(texte: str) -> dict:
    try:
        regle = json.loads(texte)
    except (ValueError, RecursionError) as erreur:
        raise refus("La règle n'est pas du JSON.") from erreur
    if fautes := delais.valider(regle):
        raise refus(" ".join(fautes))
    return regle


def lire_moment(genre: type, texte: str, forme: str):
    """A date or a datetime of ``ANNEES``."""
    try:
        moment = genre.fromisoformat(texte)
    except ValueError as erreur:
        raise refus(f"{forme}.") from erreur
    if moment.year not in ANNEES:
        raise refus(f"{forme}, entre {ANNEES[0]} et {ANNEES[-1]}.")
    return moment


def lire_heure(texte: str) -> time:
    if not delais.HEURE.fullmatch(texte):
        raise refus("L'heure où commence le service s'écrit avec quatre chiffres, de 00:00 à 23:59.")
    return time.fromisoformat(texte)


def lire_jours(texte: str) -> frozenset[int]:
    if not re.fullmatch("[0-6](,[0-6])*", texte):
        raise refus("Les jours d'école s'écrivent 0,1,3,4\u00a0: de 0 (lundi) à 6 (dimanche).")
    return frozenset(int(jour) for jour in texte.split(","))
