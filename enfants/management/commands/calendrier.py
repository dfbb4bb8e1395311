"""``manage.py calendrier``: the school holidays of the commune's zone, and the public holidays of the same years."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from enfants import offre
from enfants.regles.dates import enumerer
from enfants.regles.dates import periode as en_clair
from enfants.vacances import ZONES, feries_publies, importer, importer_feries, publiees
from portail.commune import Commune


class Command(BaseCommand):
    help = (
        "Ajoute au calendrier les vacances scolaires d'une zone, d'après les arrêtés du ministère, et les jours "
        "fériés des mêmes années. Ce qui y est déjà reste tel qu'un agent l'a corrigé."
    )

    def add_arguments(self, parser):
        parser.add_argument("--zone", type=str.upper, choices=ZONES, help="zone des vacances (celle de la commune)")
        parser.add_argument("--du", type=int, help="première année civile (cette année)")
        parser.add_argument("--au", type=int, help="dernière année civile (la dernière connue)")

    def handle(self, *, zone, du, au, **options):
        zone = zone or Commune.actuelle().zone
        connues = publiees(zone)
        du = du or timezone.localdate().year
        au = au or connues[-1].au.year
        periodes = [periode for periode in connues if periode.au.year >= du and periode.du.year <= au]
        if not periodes:
            raise CommandError(
                f"Pas de vacances connues de {du} à {au} : les dates vont de {connues[0].du.year} "
                f"à {connues[-1].au.year}."
            )
        bilan = importer(periodes)
        for periode, gardees in bilan:
            deja = ", ".join(f"{v.nom} {en_clair(v.valable_du, v.valable_au)}" for v in gardees)
            sort = f"non ajoutées, déjà au calendrier : {deja}" if deja else "ajoutées"
            self.stdout.write(f"  {periode.nom} {en_clair(periode.du, periode.au)} : {sort}")
        self._ajouter_les_feries(max(du, connues[0].du.year), min(au, connues[-1].au.year))
        offre.oublier()
        ajoutees = sum(not gardees for _, gardees in bilan)
        self.stdout.write(f"→ Zone {zone} : {ajoutees} ajoutées, {len(bilan) - ajoutees} laissées telles quelles.")

    def _ajouter_les_feries(self, du, au):
        feries = feries_publies(range(du, au + 1))
        for annee, ajoutes in importer_feries(feries).items():
            jours = enumerer(ferie.nom for ferie in ajoutes) if ajoutes else "aucun à ajouter"
            self.stdout.write(f"  Jours fériés {annee} : {jours}")
