"""Direct debits: identifiers, how long a mandate lives, what a bank says when it gives back (docs/decisions/)."""

import string
from datetime import date, timedelta

PREAVIS = timedelta(days=14)  # between the invoice that announces a debit and the debit (SEPA core rulebook)
MOIS_SANS_PRELEVEMENT = 36  # then a mandate lapses
ALPHABET = frozenset(string.ascii_letters + string.digits + "/-?:().,'+ ")
# Code of the return -> what the family and the agent read.
REJETS = {
    "AC01": "le compte n'existe pas",
    "AC04": "le compte est fermé",
    "AC06": "le compte est bloqué",
    "AG01": "ce compte ne peut pas être prélevé",
    "AM04": "la provision est insuffisante",
    "MD01": "la banque ne connaît pas de mandat",
    "MD06": "le titulaire a demandé le remboursement",
    "MS02": "le titulaire a refusé",
    "MS03": "la banque n'a pas dit pourquoi",
    "SL01": "le titulaire n'autorise pas ce créancier",
}


def est_ics(texte: str) -> bool:
    """A SEPA creditor identifier whose key is right; the three letters of the activity do not count in it."""
    if not 8 < len(texte) <= 35 or not texte.isascii() or not texte.isalnum():
        return False
    pays, cle, national = texte[:2], texte[2:4], texte[7:]
    if not pays.isalpha() or not cle.isdecimal():
        return False
    chiffres = "".join(str(int(lettre, 36)) for lettre in f"{national}{pays}{cle}".lower())
    return int(chiffres) % 97 == 1


def derniers_jours(signe_le: date, dernier: date | None) -> date:
    """The last day on which a mandate may be used: 36 months after its last debit, or its signature.

    :param dernier: day of the last debit under it, None before the first.
    """
    depart = dernier or signe_le
    mois = depart.month - 1 + MOIS_SANS_PRELEVEMENT
    annee, mois = depart.year + mois // 12, mois % 12 + 1
    fin_de_mois = (date(annee + mois // 12, mois % 12 + 1, 1) - timedelta(days=1)).day
    return date(annee, mois, min(depart.day, fin_de_mois))


def jour_annonce(emise_le: date, echeance: date) -> date:
    """The day that the invoice tells: when it is due, never less than the notice after it."""
    return max(echeance, emise_le + PREAVIS)


def en_alphabet_sepa(texte: str) -> str:
    """A name without accents as banks exchange it: what they do not know is left out."""
    return " ".join("".join(c if c in ALPHABET else " " for c in texte).split())
