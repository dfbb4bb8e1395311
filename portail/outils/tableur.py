"""Lists for a spreadsheet: CSV as a French Excel opens it by a double click."""

import csv
import io
from collections.abc import Iterable
from decimal import Decimal

from django.http import HttpResponse
from django.utils.http import content_disposition_header

DEBUTS_DE_FORMULE = ("=", "+", "-", "@", "\t", "\r")


def cellule(valeur) -> str:
    """The text of a cell; one that a spreadsheet would compute is preceded by an apostrophe, which shows it as it is.

    Families choose their names: « =HYPERLINK(…) » must not run on an agent's machine. A sum of money stays a number.
    """
    if isinstance(valeur, Decimal):
        return f"{valeur:.2f}".replace(".", ",")
    texte = "" if valeur is None else str(valeur)
    # A line feed first is skipped by some programs, which then read what follows as a formula.
    return f"'{texte}" if texte.lstrip("\n ").startswith(DEBUTS_DE_FORMULE) else texte


def reponse_csv(nom: str, entetes: Iterable[str], lignes: Iterable[Iterable]) -> HttpResponse:
    """The file to download: UTF-8 with its mark, « ; » between cells.

    :param nom: of the file, with its ending.
    """
    sortie = io.StringIO()
    sortie.write("\ufeff")
    ecrivain = csv.writer(sortie, delimiter=";")
    ecrivain.writerow([cellule(entete) for entete in entetes])
    ecrivain.writerows([cellule(valeur) for valeur in ligne] for ligne in lignes)
    return HttpResponse(
        sortie.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": content_disposition_header(True, nom)},
    )
