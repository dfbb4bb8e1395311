"""Grids, households and days for the tests of prices, said in few words."""

import os
from datetime import date, time
from decimal import Decimal

from hypothesis import settings

from enfants.regles.presences import AFacturer, Code
from facturation.regles.grilles import Bareme, Baremes, Grille, Journee, Payeur, Quotient, Tranche

# Ten thousand cases with EPREUVES=1 (qualite.md D2).
BEAUCOUP = settings(max_examples=10_000 if os.environ.get("EPREUVES") else 100, deadline=None)
CODES = {
    "present": (Code.PRESENT_RESERVE, AFacturer.OUI),
    "sans": (Code.PRESENT_SANS_RESERVATION, AFacturer.OUI),
    "absent": (Code.ABSENT_NON_JUSTIFIE, AFacturer.OUI),
    "malade": (Code.ABSENT_JUSTIFIE, AFacturer.NON),
    "prevenu": (Code.ABSENCE_DECLAREE, AFacturer.NON),
    "preuve": (Code.ABSENCE_A_JUSTIFIER, AFacturer.A_DECIDER),
    "tard": (Code.ANNULE_TARD, AFacturer.A_DECIDER),
    "annule": (Code.ANNULE, AFacturer.NON),
    "attendu": (Code.ATTENDU, AFacturer.A_DECIDER),
    "liste": (Code.EN_LISTE, AFacturer.NON),
    "rien": (Code.RIEN, AFacturer.NON),
}


def dec(texte):
    return Decimal(texte.replace(",", "."))


def fixe(montant):
    return Bareme(fixe=dec(montant))


def tranches(*bornes):
    """``tranches("400:1", "800:2", "3,50")``: up to 400 included, up to 800, above."""
    paires = [borne.rpartition(":") for borne in bornes]
    return Bareme(tranches=tuple(Tranche(dec(au) if au else None, dec(prix)) for au, _, prix in paires))


def taux(pourcent, plancher=None, plafond=None):
    return Bareme(taux=dec(pourcent), plancher=plancher and dec(plancher), plafond=plafond and dec(plafond))


def grille(bareme, *, service="Restauration", mots=("repas", "repas"), **autres):
    """The baremes of a service given in one: ``exterieur``, ``panier``… go to it, the rest to the grid."""
    cles = ("exterieur", "pourcent_exterieur", "occasionnel", "panier")
    particuliers = {cle: autres.pop(cle) for cle in cles if cle in autres}
    return Grille(service=service, mots=mots, baremes=Baremes(bareme, **particuliers), **autres)


def payeur(quotient=None, *, au_jour=date(2026, 9, 1), **autres):
    quotients = () if quotient is None else (Quotient(dec(quotient), au_jour),)
    return Payeur(quotients=quotients, **autres)


def jour(numero, quoi="present", **autres):
    """A day of November 2026: the 2nd is a Monday."""
    code, a_facturer = CODES[quoi]
    for heure in ("arrivee", "depart"):
        if heure in autres:
            h, m = autres[heure].split(":")
            autres[heure] = time(int(h), int(m))
    return Journee(date(2026, 11, numero), code, a_facturer, **autres)
