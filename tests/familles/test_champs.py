"""What is typed in the family file, and how it is written: tables of cases."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from familles.champs import (
    BicField,
    CodePostalField,
    CourrielField,
    IbanField,
    NomField,
    TelephoneField,
    masquer_iban,
)
from familles.models import CoordonneesBancaires, Famille, Responsable, Utilisateur
from familles.regles.quotient import depuis_avis, effet_par_defaut, expiration_par_defaut

TELEPHONE_FAUX = "Écrivez un numéro de téléphone complet, par exemple 06 12 34 56 78."
CODE_POSTAL_FAUX = "Écrivez les cinq chiffres du code postal."
IBAN_FAUX = "Cet IBAN n'est pas valable : comparez chaque caractère avec votre relevé d'identité bancaire."
IBAN_LOINTAIN = "Cet IBAN est hors de la zone SEPA : il ne peut pas être prélevé."
BIC_FAUX = "Ce BIC n'est pas valable : il compte 8 ou 11 caractères."


def lire(champ, tape):
    """What is written of what was typed, or the sentence that refuses it."""
    try:
        return champ.clean(tape)
    except ValidationError as erreur:
        return erreur.messages


@pytest.mark.parametrize(
    ("tape", "ecrit"),
    [
        ("Durand", "Durand"),
        ("dupont", "Dupont"),
        ("DUPONT", "Dupont"),
        ("  anne   marie ", "Anne Marie"),
        ("\u00a0Zoé\u00a0", "Zoé"),
        ("jean-pierre", "Jean-Pierre"),
        ("O'BRIEN", "O'Brien"),
        ("d’arc", "D’Arc"),
        ("ÉLOÏSE", "Éloïse"),
        ("McDonald", "McDonald"),  # somebody chose these capitals
        ("de la Tour", "de la Tour"),
        ("X", "X"),
        ("é", "É"),
        ("A" * 80, "A" + "a" * 79),
        ("", ["Ce champ est obligatoire."]),
        ("   ", ["Ce champ est obligatoire."]),
        ("Durand\x00", ["Le caractère nul n’est pas autorisé."]),
    ],
)
def test_un_nom(tape, ecrit):
    assert lire(NomField(), tape) == ecrit


def test_un_nom_trop_long():
    assert "80" in " ".join(lire(NomField(), "a" * 81))


@pytest.mark.parametrize(
    ("tape", "ecrit"),
    [
        ("06 39 98 10 99", "06 39 98 10 99"),
        ("0639981099", "06 39 98 10 99"),
        ("06.39.98.10.99", "06 39 98 10 99"),
        ("06-39-98-10-99", "06 39 98 10 99"),
        ("+33639981099", "06 39 98 10 99"),
        ("+33 (0)6 39 98 10 99", "06 39 98 10 99"),
        ("0033639981099", "06 39 98 10 99"),
        ("02 61 91 10 02", "02 61 91 10 02"),
        ("+262 692 12 34 56", "+262 692 12 34 56"),
        ("+41 22 123 45 67", "+41 22 123 45 67"),
        ("", ""),
        ("12", [TELEPHONE_FAUX]),
        ("17", [TELEPHONE_FAUX]),
        ("3639", [TELEPHONE_FAUX]),
        ("0639", [TELEPHONE_FAUX]),
        ("06 39 98 10 999", [TELEPHONE_FAUX]),
        ("abc", [TELEPHONE_FAUX]),
        ("+999 12345", [TELEPHONE_FAUX]),
        ("0639981099 ou 0248666161", [TELEPHONE_FAUX]),
        ("9" * 2000, [TELEPHONE_FAUX]),
        ("06 39 98 10 9", [TELEPHONE_FAUX]),
    ],
)
def test_un_telephone(tape, ecrit):
    assert lire(TelephoneField(required=False), tape) == ecrit


@pytest.mark.parametrize(
    ("tape", "ecrit"),
    [
        ("18110", "18110"),
        ("18 110", "18110"),
        (" 18110\u00a0", "18110"),
        ("01000", "01000"),
        ("97400", "97400"),
        ("1811", [CODE_POSTAL_FAUX]),
        ("181100", [CODE_POSTAL_FAUX]),
        ("2A004", [CODE_POSTAL_FAUX]),
        ("18110\x00", [CODE_POSTAL_FAUX, "Le caractère nul n’est pas autorisé."]),
        ("", ["Ce champ est obligatoire."]),
        ("١٨١١٠", [CODE_POSTAL_FAUX]),
    ],
)
def test_un_code_postal(tape, ecrit):
    lu = lire(CodePostalField(), tape)
    assert (sorted(lu), type(lu)) == (sorted(ecrit), type(ecrit))


@pytest.mark.parametrize(
    ("tape", "ecrit"),
    [
        ("Claire@Exemple.FR", "claire@exemple.fr"),
        ("  claire@exemple.fr ", "claire@exemple.fr"),
        ("claire+ecole@exemple.fr", "claire+ecole@exemple.fr"),
        ("claire", ["Écrivez une adresse e-mail complète, par exemple nom@exemple.fr."]),
        ("claire@", ["Écrivez une adresse e-mail complète, par exemple nom@exemple.fr."]),
        ("claire@exemple", ["Écrivez une adresse e-mail complète, par exemple nom@exemple.fr."]),
        ("claire durand@exemple.fr", ["Écrivez une adresse e-mail complète, par exemple nom@exemple.fr."]),
        (
            "claire@exemple.fr\nBcc: tous@exemple.fr",
            ["Écrivez une adresse e-mail complète, par exemple nom@exemple.fr."],
        ),
        ("claire@exemple.fr, julien@exemple.fr", ["Écrivez une adresse e-mail complète, par exemple nom@exemple.fr."]),
    ],
)
def test_une_adresse_e_mail(tape, ecrit):
    assert lire(CourrielField(), tape) == ecrit


@pytest.mark.parametrize(
    ("tape", "ecrit"),
    [
        ("FR1420041010050500013M02606", "FR1420041010050500013M02606"),
        ("FR14 2004 1010 0505 0001 3M02 606", "FR1420041010050500013M02606"),
        ("fr14\u00a02004 1010 0505 0001 3m02\t606", "FR1420041010050500013M02606"),
        ("FR7630006000011234567890189", "FR7630006000011234567890189"),
        ("DE89370400440532013000", "DE89370400440532013000"),
        ("GB29NWBK60161331926819", "GB29NWBK60161331926819"),
        ("", ""),
        ("FR1520041010050500013M02606", [IBAN_FAUX]),  # wrong key of the IBAN
        ("FR7630006000011234567890188", [IBAN_FAUX]),
        ("FR0630006000011234567890188", [IBAN_FAUX]),  # wrong key of the RIB alone
        ("FR1420041010050500013M0260", [IBAN_FAUX]),  # a character short
        ("FR1420041010050500013M02660", [IBAN_FAUX]),  # two swapped
        ("IBAN FR1420041010050500013M02606", [IBAN_FAUX]),
        ("XX00", [IBAN_FAUX]),
        ("FR14", [IBAN_FAUX]),
        ("é", [IBAN_FAUX]),
        ("\x00", [IBAN_FAUX]),
        ("TN5910006035183598478831", [IBAN_LOINTAIN]),
    ],
)
def test_un_iban(tape, ecrit):
    assert lire(IbanField(required=False), tape) == ecrit


@pytest.mark.parametrize(
    ("tape", "ecrit"),
    [
        ("PSSTFRPPPAR", "PSSTFRPPPAR"),
        ("psst fr pp", "PSSTFRPP"),
        ("", ""),
        ("PSSTFR", [BIC_FAUX]),
        ("PSSTFRPPP", [BIC_FAUX]),
        ("PSSTFRPPPARX", [BIC_FAUX]),
        ("PSSTXXPPPAR", [BIC_FAUX]),  # no such country
        ("????????", [BIC_FAUX]),
    ],
)
def test_un_bic(tape, ecrit):
    assert lire(BicField(required=False), tape) == ecrit


@pytest.mark.parametrize(
    ("iban", "montre"),
    [
        ("FR1420041010050500013M02606", "FR14 •••• 2606"),
        ("FR7630006000011234567890189", "FR76 •••• 0189"),
        ("BE68539007547034", "BE68 •••• 7034"),
        ("", ""),
    ],
)
def test_un_iban_masque_ne_montre_que_ses_deux_bouts(iban, montre):
    assert masquer_iban(iban) == montre


COURRIEL_DE_300 = "a" * 60 + "@" + ".".join(["b" * 59] * 4) + ".fr"


@pytest.mark.parametrize(
    ("champ", "modele", "colonne", "tape"),
    [
        (NomField(), Utilisateur, "nom", "é" * 80),
        (TelephoneField(), Responsable, "telephone_mobile", "+1 212 555 0100"),
        (CodePostalField(), Famille, "code_postal", "18 1 1 0"),
        (BicField(), CoordonneesBancaires, "bic", "psst fr pp par"),
        (CourrielField(), Utilisateur, "courriel", "a" * 242 + "@exemple.fr"),
        (TelephoneField(), Responsable, "telephone_mobile", "06 39 98 10 99 x12"),
        (CourrielField(), Utilisateur, "courriel", COURRIEL_DE_300),
    ],
)
def test_ce_qu_un_champ_accepte_tient_dans_sa_colonne(champ, modele, colonne, tape):
    lu = lire(champ, tape)
    assert isinstance(lu, list) or len(lu) <= modele._meta.get_field(colonne).max_length


# --- The quotient ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("revenu", "parts", "abattement", "quotient"),
    [
        ("30000", "2.5", "0", "1000.00"),
        ("32450", "3", "0", "901.39"),  # 901.388…
        ("30000", "2.5", "10", "900.00"),
        ("30000", "2.5", "12.5", "875.00"),
        ("0", "1", "0", "0.00"),
        ("12000", "0.5", "50", "1000.00"),
        ("100.14", "1", "0", "8.35"),  # 8.345: half goes up, where bankers would write 8.34
        ("0.06", "1", "0", "0.01"),
        ("0.05", "1", "0", "0.00"),
    ],
)
def test_le_quotient_d_un_avis_d_imposition(revenu, parts, abattement, quotient):
    calcule = depuis_avis(Decimal(revenu), Decimal(parts), Decimal(abattement))
    assert str(calcule) == quotient


@pytest.mark.parametrize(
    ("accepte_le", "effet"),
    [
        (date(2026, 11, 1), date(2026, 12, 1)),
        (date(2026, 11, 30), date(2026, 12, 1)),
        (date(2026, 12, 1), date(2027, 1, 1)),
        (date(2026, 12, 31), date(2027, 1, 1)),
        (date(2027, 1, 31), date(2027, 2, 1)),
        (date(2028, 2, 29), date(2028, 3, 1)),
    ],
)
def test_un_quotient_compte_du_premier_du_mois_suivant(accepte_le, effet):
    assert effet_par_defaut(accepte_le) == effet


@pytest.mark.parametrize(
    ("effet", "mois_fin", "expiration"),
    [
        (date(2026, 12, 1), 8, date(2027, 8, 31)),
        (date(2026, 8, 1), 8, date(2026, 8, 31)),
        (date(2026, 8, 31), 8, date(2026, 8, 31)),
        (date(2026, 9, 1), 8, date(2027, 8, 31)),
        (date(2026, 12, 1), 12, date(2026, 12, 31)),
        (date(2027, 1, 1), 12, date(2027, 12, 31)),
        (date(2027, 1, 1), 1, date(2027, 1, 31)),
        (date(2026, 3, 1), 2, date(2027, 2, 28)),
        (date(2027, 3, 1), 2, date(2028, 2, 29)),
        (date(2026, 5, 1), 4, date(2027, 4, 30)),
    ],
)
def test_un_quotient_vaut_jusqu_a_la_fin_du_mois_de_la_commune(effet, mois_fin, expiration):
    assert expiration_par_defaut(effet, mois_fin) == expiration
