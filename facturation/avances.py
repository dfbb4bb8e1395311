"""What households have in advance pays the invoices that are issued: a lot at once, as ``actions.imputer`` would."""

from collections.abc import Collection
from decimal import Decimal

from facturation.models import Ecriture, Facture, Imputation, Regie, Reglement
from facturation.preparation import DU_LOT
from familles.models import Famille

FACTURE, ECRITURE, IMPUTATION, REGLEMENT, FAMILLE = (
    modele._meta.db_table for modele in (Facture, Ecriture, Imputation, Reglement, Famille)
)
VERROUILLER = f"""
SELECT id FROM {FAMILLE} WHERE id IN (SELECT f.famille_id FROM {FACTURE} f WHERE {DU_LOT})
ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608
# « libres »: what is left of each payment that stands; « avances »: what the household was not given back of it.
# Of both the lesser is used, the oldest payment first.
IMPUTER = f"""
WITH libres AS (
    SELECT r.id, r.famille_id, r.recu_le, f.id AS facture, f.total, r.montant - COALESCE(SUM(i.montant), 0) AS libre
    FROM {FACTURE} f
    JOIN {REGLEMENT} r ON r.famille_id = f.famille_id AND r.regie_id = f.regie_id
    LEFT JOIN {IMPUTATION} i ON i.reglement_id = r.id
    WHERE f.id = ANY(%(factures)s) AND f.total > 0 AND NOT EXISTS (
        SELECT 1 FROM {ECRITURE} e JOIN {ECRITURE} contre ON contre.annule_id = e.id
        WHERE e.reglement_id = r.id AND e.nature = 'REGLEMENT'
    )
    GROUP BY r.id, f.id HAVING r.montant > COALESCE(SUM(i.montant), 0)
), avances AS (
    SELECT e.famille_id, SUM(e.credit - e.debit) - COALESCE((
        SELECT SUM(i.montant) FROM {IMPUTATION} i JOIN {REGLEMENT} r ON r.id = i.reglement_id
        WHERE r.famille_id = e.famille_id AND r.regie_id = %(regie)s
    ), 0) AS avance
    FROM {ECRITURE} e
    WHERE e.regie_id = %(regie)s AND e.famille_id IN (SELECT famille_id FROM libres)
    AND (e.reglement_id IS NOT NULL OR e.nature = 'REMBOURSEMENT')
    GROUP BY e.famille_id
), dans_l_ordre AS (
    SELECT l.id, l.facture, l.recu_le, l.libre, LEAST(l.total, a.avance) AS a_prendre,
        SUM(l.libre) OVER (PARTITION BY l.famille_id ORDER BY l.recu_le, l.id) - l.libre AS pris
    FROM libres l JOIN avances a ON a.famille_id = l.famille_id
), faites AS (
    INSERT INTO {IMPUTATION} (reglement_id, facture_id, montant, le, par_id)
    SELECT id, facture, LEAST(libre, a_prendre - pris), now(), %(par)s FROM dans_l_ordre
    WHERE pris < a_prendre ORDER BY facture, recu_le, id
    RETURNING facture_id, montant
)
SELECT facture_id, SUM(montant) FROM faites GROUP BY facture_id
"""  # noqa: S608


def verrouiller_lot(curseur, lot: dict) -> None:
    """Nobody else moves the accounts of the households of a lot until the transaction ends; one query.

    :param lot: what ``DU_LOT`` asks.
    """
    curseur.execute(VERROUILLER, lot)


def imputer_avances(curseur, regie: Regie, factures: Collection[int], *, par: int | None) -> dict[int, Decimal]:
    """The families read what their advance pays of their new invoice, and owe the rest; one query, however many.

    Of the régie alone, as all that pays: what one régie has received pays no other. What the trésorerie collects is
    never paid here. The households are locked.

    :param factures: keys, one a household.
    :param par: key of who issues them.
    :returns: key of an invoice -> what is paid of it, in euros.
    """
    if regie.est_titre:
        return {}
    curseur.execute(IMPUTER, {"factures": list(factures), "regie": regie.pk, "par": par})
    return dict(curseur.fetchall())
