"""What script/server needs before it serves, in one start of Python, and only what has changed."""

import hashlib
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

# Variants of Bootstrap that no page asks for: compressing them would take 20 s of the 25.
INUTILES = ["*.rtl.*", "bootstrap-*", "*.esm.*", "bootstrap.css*", "bootstrap.js*", "bootstrap.bundle.js*"]
MARQUES = settings.VAR_DIR / "preparation"


class Command(BaseCommand):
    help = "Met la base, la démonstration et les fichiers statiques en état de servir (voir script/server)."
    requires_system_checks = ()  # `migrate` runs those that matter

    def add_arguments(self, parser):
        parser.add_argument("--identifiants-dans", type=Path, help="fichier où écrire les accès de la démo")

    def handle(self, *, identifiants_dans, **options):
        MARQUES.mkdir(parents=True, exist_ok=True)
        try:
            connection.ensure_connection()
        except OperationalError as erreur:
            raise CommandError(f"La base de données ne répond pas : {erreur}") from erreur
        self.migrer()
        if settings.MODE_DEMO:
            call_command("demo", "--si-vide", stdout=self.stdout)
        self.rassembler_les_statiques()
        if identifiants_dans:
            with identifiants_dans.open("w", encoding="utf-8") as sortie:
                if settings.MODE_DEMO:
                    call_command("demo", "--identifiants", stdout=sortie)

    def migrer(self):
        """Bring the database up to date; also after a change of code, which may concern groups and rights."""
        executeur = MigrationExecutor(connection)
        reste = executeur.migration_plan(executeur.loader.graph.leaf_nodes())
        dossiers = [Path(app.path) for app in apps.get_app_configs()]
        notres = [dossier for dossier in dossiers if dossier.parent == settings.BASE_DIR]
        base = [str(connection.settings_dict[cle]) for cle in ("HOST", "PORT", "NAME")]
        code = empreinte((f for dossier in notres for f in dossier.rglob("*.py")), *base)
        marque = MARQUES / "migrations"
        if reste or lire(marque) != code:
            self.stdout.write(f"→ Mise à jour de la base ({len(reste)} migrations)")
            call_command("migrate", interactive=False, verbosity=0)
            marque.write_text(code)

    def rassembler_les_statiques(self):
        listes = [finder.list(ignore_patterns=[]) for finder in get_finders()]
        fichiers = empreinte(Path(depot.path(nom)) for liste in listes for nom, depot in liste)
        marque = MARQUES / "statiques"
        if lire(marque) != fichiers or not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
            self.stdout.write("→ Fichiers statiques")
            call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=INUTILES)
            marque.write_text(fichiers)


def empreinte(fichiers, *reste: str) -> str:
    """Digest of names, sizes and dates of files, and of what else matters."""
    etats = sorted((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in fichiers)
    return hashlib.sha256(repr((etats, reste)).encode()).hexdigest()


def lire(marque: Path) -> str | None:
    return marque.read_text() if marque.exists() else None
