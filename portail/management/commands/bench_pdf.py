"""``manage.py bench_pdf``: the invoices a minute that two processes print, beside those of bare WeasyPrint."""

import multiprocessing
import tempfile
from itertools import cycle, islice
from time import perf_counter

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections, transaction
from django.test.utils import override_settings

from facturation import documents
from facturation.models import Facture, PdfFacture
from portail.outils import pdf

OBJECTIF = 90  # per cent of the rate of bare WeasyPrint


class Command(BaseCommand):
    help = (
        "Imprime des factures émises comme le fait le travail de fond (lues, composées, dessinées, chiffrées, "
        "rangées), puis les mêmes pages avec WeasyPrint seul. Rien n'est gardé."
    )

    def add_arguments(self, parser):
        parser.add_argument("--nombre", type=int, default=200, help="factures à imprimer (200)")
        parser.add_argument("--processus", type=int, default=2, help="processus (2)")

    def handle(self, *, nombre, processus, **options):
        if not settings.MODE_DEMO:
            raise CommandError("Les mesures se font sur des familles inventées, pas sur une base de production.")
        if nombre < 1 or processus < 1:
            raise CommandError("Il faut au moins une facture et un processus.")
        cles = list(Facture.objects.emises().order_by("pk").values_list("pk", flat=True)[:nombre])
        if not cles:
            self.stdout.write("Aucune facture émise\u00a0: pas de PDF à mesurer.")
            return
        pdf.verifier()
        cles = list(islice(cycle(cles), nombre))
        pages = [documents.composer(facture) for facture in _lues(cles)]
        portail = self.mesurer("portail", _comme_le_portail, cles, processus)
        nu = self.mesurer("WeasyPrint seul", _nu, pages, processus)
        rapport = 100 * nu / portail
        verdict = "bien" if rapport >= OBJECTIF else "au-dessous"
        self.stdout.write(f"{rapport:.0f}\u00a0% du débit de WeasyPrint seul ({OBJECTIF} au moins)\u00a0: {verdict}")

    def mesurer(self, quoi, travail, choses, processus):
        """Seconds that so many processes take for the work."""
        lots = [choses[rang::processus] for rang in range(processus)]
        debut = perf_counter()
        if processus == 1:
            travail(lots[0])
        else:
            connections.close_all()  # each process opens its own
            with multiprocessing.get_context("fork").Pool(processus) as equipe:
                equipe.map(travail, lots, chunksize=1)
        duree = perf_counter() - debut
        self.stdout.write(
            f"{quoi}\u00a0: {len(choses)} PDF à {processus} processus, {duree:.1f} s, "
            f"{len(choses) / duree:.1f} par seconde".replace(".", ",")
        )
        return duree


def _lues(cles):
    par_cle = Facture.objects.select_related("avoir_de").in_bulk(cles)
    return [par_cle[cle] for cle in cles]


def _comme_le_portail(cles):
    """What the sweep does, undone: the file goes with its directory, the row with its transaction."""
    stockage = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    with tempfile.TemporaryDirectory() as dossier:
        ranges = {**settings.STORAGES, "default": {**stockage, "OPTIONS": {"location": dossier}}}
        with override_settings(STORAGES=ranges):
            for cle in cles:
                with transaction.atomic():
                    PdfFacture.objects.filter(facture=cle).delete()
                    documents.fabriquer_pdf(Facture.objects.select_related("avoir_de").get(pk=cle))
                    transaction.set_rollback(True)


def _nu(pages):
    """The same pages by WeasyPrint alone, which reads the stylesheets each time."""
    from weasyprint import CSS, HTML

    for page in pages:
        styles = [CSS(filename=settings.BASE_DIR / "static" / nom) for nom in documents.FEUILLES]
        HTML(string=page, base_url=pdf.BASE).write_pdf(stylesheets=styles, pdf_variant="pdf/ua-1")
