"""Brackets of quotients as an agent types them: « 400 : 1,20 / 800 : 2,30 / au-delà : 3,40 ».

Pure.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise

from facturation.regles.grilles import Tranche
from facturation.regles.tarifs import nombre
from portail.outils.argent import euros

AU_DELA = "au-delà"
NOMBRE = re.compile(r"[0-9]{1,6}([.,][0-9]{1,2})?")
EXEMPLE = "400\u00a0: 1,20 / 800\u00a0: 2,30 / au-delà\u00a0: 3,40"


class TranchesIllisibles(ValueError):
    """The text says no brackets; the exception says why, to the agent who typed it."""


def lire(texte: str) -> tuple[Tranche, ...]:
    """The brackets of a text, by rising quotient; each is separated from the next by a slash or a new line.

    :raises TranchesIllisibles: anything that could be read in two ways.
    """
    parties = [partie.strip() for partie in re.split(r"[/\n]", texte.replace("\r", "")) if partie.strip()]
    if not parties:
        raise TranchesIllisibles(f"Écrivez les tranches, par exemple «\u00a0{EXEMPLE}\u00a0».")
    tranches = tuple(_tranche(partie) for partie in parties)
    bornes = [tranche.au for tranche in tranches]
    if bornes[-1] is not None:
        raise TranchesIllisibles("La dernière tranche est sans borne\u00a0: «\u00a0au-delà\u00a0: 3,40\u00a0».")
    if None in bornes[:-1]:
        raise TranchesIllisibles("«\u00a0au-delà\u00a0» ne s'écrit qu'une fois, à la fin.")
    for avant, apres in pairwise(bornes[:-1]):
        if apres <= avant:
            raise TranchesIllisibles(
                f"Les quotients vont en montant\u00a0: {nombre(apres)} vient après {nombre(avant)}."
            )
    return tranches


def ecrire(tranches: Iterable[Tranche]) -> str:
    """The text that ``lire`` reads as these brackets."""
    return " / ".join(
        f"{AU_DELA if t.au is None else nombre(t.au)}\u00a0: {euros(t.montant).partition(chr(160))[0]}"
        for t in tranches
    )


def _tranche(partie):
    borne, deux_points, prix = (morceau.strip() for morceau in partie.replace("\u00a0", " ").partition(":"))
    if not deux_points:
        raise TranchesIllisibles(f"«\u00a0{partie}\u00a0»\u00a0: écrivez le quotient, deux points, le prix.")
    au = None if borne.casefold() in (AU_DELA, "au delà", "au-dela", "au dela") else _decimal(borne, "quotient")
    return Tranche(au, _decimal(prix.removesuffix("€").strip(), "prix"))


def _decimal(texte, quoi):
    compact = re.sub(r"[ \u202f]", "", texte)
    if not NOMBRE.fullmatch(compact):
        raise TranchesIllisibles(f"«\u00a0{texte}\u00a0» n'est pas un {quoi}.")
    return Decimal(compact.replace(",", "."))
