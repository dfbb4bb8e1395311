"""A grid read back in French, as the council would hear it.

Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from enfants.regles.dates import en_clair
from facturation.regles.grilles import Bareme, Baremes, Cause, Grille, Majoration, Unite
from facturation.regles.lignes import DITES
from facturation.regles.tarifs import nombre, ordinal, pourcent
from portail.outils.argent import euros


@dataclass(frozen=True)
class Lecture:
    """« Restauration scolaire, à partir du 1er septembre 2026, délibération… », then each of its prices."""

    titre: str
    prix: tuple[str, ...]

    @property
    def phrase(self) -> str:
        suite = "\u00a0; ".join(self.prix)
        return f"{self.titre}\u00a0: {suite}."


def lire(
    grille: Grille, *, du: date, au: date | None, deliberation: str, votee_le: date, formules: Mapping[int, str]
) -> Lecture:
    """All that a grid says.

    :param du, au: first and last day it is valid; no last day: until another is voted.
    :param formules: key of each formule -> its name.
    """
    periode = f"du {en_clair(du)} au {en_clair(au)}" if au else f"à partir du {en_clair(du)}"
    titre = f"{grille.service}, {periode}, délibération {deliberation} du {en_clair(votee_le)}"
    prix = [] if grille.baremes is None else _prix(grille.baremes, f"{_unite(grille)} coûte ")
    for cle, baremes in grille.formules:
        if baremes is not None:
            prix += _prix(baremes, f"{_unite(grille)} «\u00a0{formules.get(cle, '?')}\u00a0» coûte ")
    if grille.semaine is not None:
        jours, bareme = grille.semaine
        prix.append(f"dès {jours} jours dans la semaine, la semaine coûte {_bareme(bareme)}")
    prix += _rangs(grille.rangs)
    prix += [majorer(majoration) for majoration in grille.majorations]
    return Lecture(titre, tuple(prix) or ("aucun prix n'est donné",))


def _unite(grille):
    if grille.unite == Unite.MOIS:
        return "chaque mois, quel que soit le nombre de jours,"
    if grille.unite == Unite.SEMAINE:
        return "chaque semaine, quel que soit le nombre de jours,"
    mot = f"chaque {grille.mots[0]}"
    if grille.unite == Unite.JOUR:
        return mot
    tolerance = f", {grille.tolerance} minutes de tolérance" if grille.tolerance else ""
    return f"{mot} ({grille.minutes} minutes commencées{tolerance})"


def _prix(baremes: Baremes, debut):
    prix = [debut + _bareme(baremes.normal)]
    if baremes.exterieur is not None:
        prix.append(f"hors commune\u00a0: {_bareme(baremes.exterieur)}")
    elif baremes.pourcent_exterieur:
        prix.append(f"hors commune\u00a0: + {pourcent(baremes.pourcent_exterieur)}")
    if baremes.occasionnel is not None:
        prix.append(f"sans jours habituels\u00a0: {_bareme(baremes.occasionnel)}")
    if baremes.panier is not None:
        prix.append(f"panier fourni par la famille (PAI)\u00a0: {_bareme(baremes.panier)}")
    return prix


def _bareme(bareme: Bareme):
    if bareme.fixe is not None:
        return euros(bareme.fixe)
    if bareme.taux is not None:
        plancher = f"au moins {euros(bareme.plancher)}, " if bareme.plancher is not None else ""
        plafond = f"au plus {euros(bareme.plafond)} et sans quotient" if bareme.plafond is not None else ""
        return f"{pourcent(bareme.taux)} du quotient, {plancher}{plafond}".removesuffix(", ")
    if len(bareme.tranches) == 1:
        return euros(bareme.tranches[0].montant)
    if not bareme.tranches:
        return "un prix qui manque"
    mots = ["jusqu'au quotient ", *["jusqu'à "] * len(bareme.tranches)]
    return ", ".join(
        f"{euros(t.montant)} {mot + nombre(t.au) if t.au is not None else 'au-delà et sans quotient'}"
        for t, mot in zip(bareme.tranches, mots, strict=False)
    )


def _rangs(rangs):
    """The last one goes on for the children after it."""
    dits = []
    for rang, remise in enumerate(rangs, 1):
        if remise:
            suivants = " et suivants" if rang == len(rangs) else ""
            dits.append(f"{ordinal(rang)} enfant{suivants}\u00a0: − {pourcent(remise)}")
    return dits


def majorer(majoration: Majoration, montant: str = "") -> str:
    """« réservé après le délai : + 50 % », from when and when it counts twice.

    :param montant: what it comes to, instead of what the grid says: « 1,70 € ».
    """
    if not montant:
        montant = euros(majoration.montant) if majoration.montant is not None else pourcent(majoration.pourcent)
    texte = f"{DITES[majoration.cause]}\u00a0: + {montant}"
    if majoration.cause == Cause.DEPART_TARDIF:
        texte += " par quart d'heure" if majoration.minutes == 15 else f" toutes les {majoration.minutes} minutes"
    if majoration.a_partir_de > 1:
        texte += f", à partir de la {ordinal(majoration.a_partir_de)} fois du mois"
    if majoration.double_des is not None:
        fois = "1re" if majoration.double_des == 1 else ordinal(majoration.double_des)
        texte += f", compté double à partir de la {fois} fois"
    return texte
