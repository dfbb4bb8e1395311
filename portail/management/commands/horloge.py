"""``manage.py horloge``: the clock beside the worker."""

import logging
import signal
import threading

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from portail.echeances import passer

journal = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Balaie ce qui attend (courriels, oublis) et lance les tâches minutées, jusqu'à SIGTERM."

    def add_arguments(self, parser):
        parser.add_argument("--pause", type=float, default=20, help="secondes entre deux passages")
        parser.add_argument("--une-fois", action="store_true", help="un seul passage")

    def handle(self, *, pause, une_fois, **options):
        if une_fois:
            passer()
            return
        fin = threading.Event()
        for numero in (signal.SIGTERM, signal.SIGINT):
            signal.signal(numero, lambda *_: fin.set())
        while not fin.is_set():
            try:
                passer()
            except Exception:  # the clock outlives a database restart; the next round tries again
                journal.exception("Passage de l'horloge interrompu")
            close_old_connections()
            fin.wait(pause)
