"""Drafts become invoices: numbers without a hole, what they say copied, their entries, the word to the families.

A lot of households is one transaction and some ten statements: killed and run again, it issues what is left.
"""

import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction

from facturation.actions import prendre_numeros
from facturation.avances import imputer_avances, verrouiller_lot
from facturation.instantanes import debiteurs, instantane_emetteur
from facturation.models import AvisFacture, Campagne, Ecriture, Regie
from facturation.prelevements import annonces
from facturation.preparation import DU_LOT, FACTURE
from portail.commune import Commune
from portail.outils.memoire import sans_ramassage


class Brouillon(NamedTuple):
    cle: int
    famille: int
    total: Decimal


@transaction.atomic
def emettre(campagne: Campagne, de: int, a: int) -> int:
    """The families of keys ``de`` to ``a`` owe their invoices of the month; returns how many were issued.

    Under the least amount of the régie (15 € of a titre, art. D1611-1 of the CGCT), a draft is carried to the next
    month instead; below zero, it stays a draft. The day and the due date are those of the campaign. What a household
    has in advance with the régie pays its invoice at once.
    """
    regie = campagne.regie
    lot = {"regie": regie.pk, "mois": campagne.mois, "de": de, "a": a}
    with connection.cursor() as curseur:
        verrouiller_lot(curseur, lot)
        curseur.execute(
            f"SELECT f.id, f.famille_id, f.total FROM {FACTURE} f WHERE {DU_LOT} "  # noqa: S608
            "ORDER BY f.famille_id, f.id FOR UPDATE",
            lot,
        )
        brouillons = [Brouillon(*row) for row in curseur.fetchall()]
        petites = [b.cle for b in brouillons if est_trop_petite(regie, campagne.mois, b.total)]
        if petites:
            curseur.execute(
                f"UPDATE {FACTURE} SET reporte_le = %s WHERE id = ANY(%s)",  # noqa: S608
                [campagne.emise_le, petites],
            )
        gardees = set(petites)
        a_emettre = [b for b in brouillons if b.total >= 0 and b.cle not in gardees]
        if a_emettre:
            with sans_ramassage():
                _emettre(curseur, campagne, a_emettre)
    return len(a_emettre)


def est_trop_petite(regie: Regie, mois: date, total: Decimal) -> bool:
    """Is it carried to the next month? Not in December where the régie closes its year."""
    if regie.solde_en_decembre and mois.month == 12:
        return False
    return 0 < total < regie.minimum


def _emettre(curseur, campagne, brouillons: Iterable[Brouillon]):
    regie, le = campagne.regie, campagne.emise_le
    premier = prendre_numeros(le.year, len(brouillons))
    numeros = range(premier, premier + len(brouillons))
    qui = debiteurs({b.famille for b in brouillons})
    avances = imputer_avances(curseur, regie, [b.cle for b in brouillons], par=campagne.lancee_par_id)
    for b in brouillons:
        if b.cle in avances:
            qui[b.famille]["avance"] = str(avances[b.cle])
    totaux = {b.famille: b.total - avances.get(b.cle, 0) for b in brouillons}
    for famille, phrase in annonces(regie, totaux, emise_le=le, echeance=campagne.echeance).items():
        qui[famille]["prelevement"] = phrase
    cles = [b.cle for b in brouillons]
    curseur.execute(
        f"UPDATE {FACTURE} f SET etat = 'EMISE', numero = v.numero, reference = v.reference, debiteur = v.debiteur,"  # noqa: S608
        " emetteur = %s, exercice = %s, emise_le = %s, echeance = %s"
        " FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::jsonb[]) v(id, numero, reference, debiteur)"
        " WHERE f.id = v.id",
        [
            json.dumps(instantane_emetteur(regie, Commune.actuelle())),
            le.year,
            le,
            campagne.echeance,
            cles,
            list(numeros),
            [reference(regie, le.year, numero) for numero in numeros],
            [json.dumps(qui[b.famille]) for b in brouillons],
        ],
    )
    curseur.execute(
        f"INSERT INTO {Ecriture._meta.db_table}"  # noqa: S608
        " (famille_id, regie_id, le, nature, libelle, debit, credit, facture_id, par_id, ecrite_le)"
        " SELECT famille_id, regie_id, emise_le, 'FACTURE',"
        " 'Facture ' || exercice || '-' || lpad(numero::text, 6, '0') || %s, total, 0, id, %s, now()"
        f" FROM {FACTURE} WHERE id = ANY(%s) AND total > 0 ORDER BY numero",
        [f", {campagne.mois_en_clair}", campagne.lancee_par_id, cles],
    )
    curseur.execute(
        f"INSERT INTO {AvisFacture._meta.db_table} (facture_id) SELECT unnest(%s::bigint[])",
        [cles],
    )


def reference(regie: Regie, exercice: int, numero: int) -> str:
    """What the family types to pay on line, of the régie's pattern: « 202600000042 »."""
    return regie.reference.format(exercice=exercice, numero=numero, code_recette=regie.code_recette)
