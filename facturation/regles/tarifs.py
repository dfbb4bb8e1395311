"""The price of one unit, and the sentence that explains it to the parents: what they read before they book.

Pure: a grid, a household and a day in, a price out, rounded once.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from facturation.regles.grilles import ZERO, Grille, Payeur
from portail.outils.argent import arrondir

CENT = Decimal(100)


class TarifInconnu(Exception):
    """No price can be told; the text says why, to an agent."""


@dataclass(frozen=True)
class Prix:
    """The price of one unit, rounded, and why: « tranche 3, QF 812 au 01/09 »."""

    montant: Decimal
    raison: str


def prix_unitaire(grille: Grille, payeur: Payeur, jour: date, formule: int | None = None) -> Prix:
    """What one unit of that day costs this child, before any increase: what its parents read before they book.

    :raises TarifInconnu: the grid has no price for it.
    """
    baremes = dict(grille.formules).get(formule, grille.baremes)
    if baremes is None:
        raise TarifInconnu(f"La grille de «\u00a0{grille.service}\u00a0» ne donne pas le prix de cette formule.")
    return _reduire(grille, payeur, _choisir(baremes, payeur, jour))


def _choisir(baremes, payeur, jour):
    """The price of who comes, the most particular first."""
    if payeur.panier and baremes.panier is not None:
        return _ajouter(_appliquer(baremes.panier, payeur, jour), "panier fourni par la famille (PAI)")
    if not payeur.residente and baremes.exterieur is not None:
        return _ajouter(_appliquer(baremes.exterieur, payeur, jour), "hors commune")
    if not payeur.regulier and baremes.occasionnel is not None:
        prix = _ajouter(_appliquer(baremes.occasionnel, payeur, jour), "occasionnel")
    else:
        prix = _appliquer(baremes.normal, payeur, jour)
    if payeur.residente or not baremes.pourcent_exterieur:
        return prix
    de_plus = prix.montant * baremes.pourcent_exterieur / CENT
    return _ajouter(prix, f"hors commune, + {pourcent(baremes.pourcent_exterieur)}", de_plus)


def _reduire(grille, payeur, prix):
    """The price by the rank of the child, rounded; the only rounding."""
    remise = grille.rangs[min(payeur.rang, len(grille.rangs)) - 1] if grille.rangs else ZERO
    if remise:
        prix = _ajouter(prix, f"{ordinal(payeur.rang)} enfant, − {pourcent(remise)}", -prix.montant * remise / CENT)
    return Prix(arrondir(max(prix.montant, ZERO)), prix.raison)


def _ajouter(prix, raison, montant=ZERO):
    return Prix(prix.montant + montant, f"{prix.raison}, {raison}")


def _appliquer(bareme, payeur, jour):
    if bareme.fixe is not None:
        return Prix(bareme.fixe, "tarif unique")
    quotient = next((q for q in payeur.quotients if q.vaut(jour) and q.valeur is not None), None)
    if bareme.tranches:
        return _par_tranche(bareme.tranches, quotient)
    if bareme.taux is not None:
        return _par_taux(bareme, quotient)
    raise TarifInconnu("La grille ne donne pas de prix.")


def _par_tranche(tranches, quotient):
    if quotient is None:
        return Prix(tranches[-1].montant, f"tranche {len(tranches)}, quotient non communiqué")
    for numero, tranche in enumerate(tranches, 1):
        if tranche.au is None or quotient.valeur <= tranche.au:
            return Prix(tranche.montant, f"tranche {numero}, {_qf(quotient)}")
    raise TarifInconnu(f"Aucune tranche ne va jusqu'au quotient {nombre(quotient.valeur)}.")


def _par_taux(bareme, quotient):
    if quotient is None:
        if bareme.plafond is None:
            raise TarifInconnu("Sans quotient, un taux d'effort sans plafond ne donne pas de prix.")
        return Prix(bareme.plafond, "prix plafond, quotient non communiqué")
    montant, dit = quotient.valeur * bareme.taux / CENT, f"{pourcent(bareme.taux)} du {_qf(quotient)}"
    if bareme.plancher is not None and montant < bareme.plancher:
        return Prix(bareme.plancher, f"{dit}, prix plancher")
    if bareme.plafond is not None and montant > bareme.plafond:
        return Prix(bareme.plafond, f"{dit}, prix plafond")
    return Prix(montant, dit)


def nombre(valeur: Decimal) -> str:
    """« 812 », « 812,50 »: without what says nothing."""
    texte = f"{valeur:.2f}".removesuffix(".00")
    return texte.replace(".", ",")


def pourcent(valeur: Decimal) -> str:
    """« 0,5 % »."""
    return f"{format(valeur.normalize(), 'f').replace('.', ',')}\u00a0%"


def _qf(quotient):
    return f"QF {nombre(quotient.valeur)} au {quotient.du:%d/%m}"


def ordinal(rang: int) -> str:
    """« 1er », « 2e »."""
    return "1er" if rang == 1 else f"{rang}e"
