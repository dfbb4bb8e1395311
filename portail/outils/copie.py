"""Many rows at once, by PostgreSQL's COPY."""

import io
import re
from collections.abc import Iterable

from django.db import connection

_SPECIAUX = re.compile(r"[\\\t\n\r]")  # rare, and translating costs
_ECHAPPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copier(table: str, colonnes: Iterable[str], textes: Iterable[str]) -> None:
    """Add rows to a table of the portal.

    :param textes: a row each, its cells written by ``cellule`` and parted by tabs.
    """
    flux = io.StringIO("\n".join([*textes, ""]))
    noms = ", ".join(map(connection.ops.quote_name, colonnes))
    with connection.cursor() as curseur:
        curseur.copy_expert(f"COPY {connection.ops.quote_name(table)} ({noms}) FROM STDIN", flux)


def cellule(valeur) -> str:
    """A value in the text format of COPY; of several numbers, an array."""
    if valeur is None:
        return r"\N"
    if type(valeur) is int:
        return str(valeur)
    texte = "{" + ",".join(map(str, valeur)) + "}" if isinstance(valeur, list) else str(valeur)
    return texte.translate(_ECHAPPES) if _SPECIAUX.search(texte) else texte
