"""Lists for a spreadsheet: CSV as a French Excel opens it by a double click; lists that others send."""

import csv
import io
import unicodedata
from collections.abc import Iterable
from decimal import Decimal

from django.http import HttpResponse
from django.utils.http import content_disposition_header

LIGNES_MAX = 20_000
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


class TableauIllisible(Exception):
    """The file is no list; the text says why, to an agent."""


def lire_csv(octets: bytes, colonnes: dict[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """The rows of a CSV, whoever made it: « ; », « , » or tabs, UTF-8 or the encoding of an old Excel.

    :param colonnes: name of a column here -> beginnings of its header there, small letters without accents.
    :raises TableauIllisible: a column is missing, or it is no list.
    """
    try:
        texte = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        texte = octets.decode("cp1252", "replace")
    premiere = texte.partition("\n")[0]
    separateur = max(";,\t", key=premiere.count)
    try:
        lignes = list(csv.reader(io.StringIO(texte.replace("\x00", ""), newline=""), delimiter=separateur))
    except csv.Error:
        raise TableauIllisible("Ce fichier n'est pas une liste (CSV).") from None
    if len(lignes) > LIGNES_MAX:
        raise TableauIllisible("Ce fichier a trop de lignes.")
    entetes = [_simple(entete) for entete in lignes[0]] if lignes else []
    rangs = {}
    for nom, debuts in colonnes.items():
        rangs[nom] = next((rang for rang, entete in enumerate(entetes) if entete.startswith(debuts)), None)
        if rangs[nom] is None:
            raise TableauIllisible(f"La colonne «\u00a0{nom}\u00a0» manque à la première ligne de ce fichier.")
    return [
        {nom: ligne[rang].strip() if rang < len(ligne) else "" for nom, rang in rangs.items()}
        for ligne in lignes[1:]
        if any(cellule.strip() for cellule in ligne)
    ]


def _simple(texte):
    return unicodedata.normalize("NFKD", texte.strip().lower()).encode("ascii", "ignore").decode()
