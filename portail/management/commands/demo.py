"""``manage.py demo``: the demonstration's data and logins."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from portail import demo
from portail.outils.demonstration import IDENTIFIANTS, MOT_DE_PASSE


class Command(BaseCommand):
    help = "Charge la commune et les familles de démonstration, ou affiche les identifiants."

    def add_arguments(self, parser):
        parser.add_argument("--si-vide", action="store_true", help="ne rien faire si la base a déjà des comptes")
        parser.add_argument("--identifiants", action="store_true", help="afficher les identifiants")

    def handle(self, *, si_vide, identifiants, **options):
        if not settings.MODE_DEMO:
            raise CommandError("Les données de démonstration ne se chargent pas en production.")
        if identifiants:
            for identifiant, qui in IDENTIFIANTS:
                self.stdout.write(f"  {identifiant:<12} {qui}")
            self.stdout.write(f"  mot de passe : {MOT_DE_PASSE}")
            return
        if demo.est_vide():
            with transaction.atomic():
                demo.charger()
                demo.animer()
            self.stdout.write("→ Données de démonstration chargées")
        elif not si_vide:
            raise CommandError("La base a déjà des comptes : rien n'a été chargé.")
