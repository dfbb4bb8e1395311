"""A list opened in Excel: French separators, and no formula of a family's making."""

import csv
import io
from decimal import Decimal

import pytest

from portail.outils.tableur import cellule, reponse_csv


@pytest.mark.parametrize(
    ("valeur", "attendue"),
    [
        ("Durand", "Durand"),
        ("", ""),
        (None, ""),
        (12, "12"),
        (Decimal("1234.5"), "1234,50"),
        (Decimal("-65.50"), "-65,50"),
        ("=1+1", "'=1+1"),
        ("+33 6 39 98 10 01", "'+33 6 39 98 10 01"),
        ("-1", "'-1"),
        ("@SOMME(A1)", "'@SOMME(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("  =1", "'  =1"),
        ("Anne-Marie", "Anne-Marie"),
        ("a=b", "a=b"),
    ],
)
def test_une_cellule_ne_se_calcule_pas(valeur, attendue):
    assert cellule(valeur) == attendue


def test_le_fichier_se_lit_dans_un_excel_francais():
    reponse = reponse_csv("liste.csv", ["Famille", "=Note"], [["L'Été; dit « A »", None], ['Ma"rie', "ligne\nsuite"]])
    assert reponse.content.startswith(b"\xef\xbb\xbf")
    lignes = list(csv.reader(io.StringIO(reponse.content.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert lignes == [["Famille", "'=Note"], ["L'Été; dit « A »", ""], ['Ma"rie', "ligne\nsuite"]]
    assert reponse["Content-Disposition"] == 'attachment; filename="liste.csv"'
